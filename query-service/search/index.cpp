// Putting documents into the index and taking them out.
#include "query-service/search/index.h"

#include <algorithm>
#include <functional>

namespace bloomwatch::search {

Prepared prepare(Document document, Normaliser& normaliser) {
  Prepared prepared{std::move(document), {}};
  auto& names = prepared.document.names;
  if (names.size() > Index::names_max) names.resize(Index::names_max);
  prepared.words.reserve(names.size());
  for (const std::string& name : names) {
    auto words = normaliser.words(name).list;
    if (words.size() > Index::words_max) words.resize(Index::words_max);
    prepared.words.push_back(std::move(words));
  }
  return prepared;
}

std::optional<TextId> Index::word(std::string_view text) const {
  const auto [first, last] = word_ids_.equal_range(std::hash<std::string_view>{}(text));
  for (auto found = first; found != last; ++found)
    if (words_[found->second] == text) return found->second;
  return std::nullopt;
}

TextId Index::number(std::string_view word_text) {
  word_text = word_text.substr(0, Texts::bytes_max);
  if (const auto known = word(word_text)) return *known;
  const TextId id = words_.add(word_text);
  word_ids_.emplace(std::hash<std::string_view>{}(word_text), id);
  posted_.emplace_back();
  return id;
}

void Index::put(const Prepared& prepared) {
  const Document& document = prepared.document;
  if (const auto known = slot_of_.find(document.id); known != slot_of_.end()) {
    const SlotId slot = known->second;
    if (documents_[slot].names == document.names) {
      set_values(slots_[slot], document);
      documents_[slot].card = document.card;
      return;
    }
    kill(slot);
  }
  const auto slot = static_cast<SlotId>(slots_.size());
  slot_of_[document.id] = slot;
  slots_.push_back({.id = document.id,
                    .first_name = static_cast<NameId>(names_.size()),
                    .name_count = static_cast<std::uint32_t>(document.names.size())});
  set_values(slots_.back(), document);
  documents_.push_back({document.names, document.card});
  for (std::size_t i = 0; i < prepared.words.size(); ++i) add_name(slot, prepared.words[i], i == 0);
}

void Index::set_values(Slot& slot, const Document& document) {
  slot.popularity = document.popularity;
  slot.score = document.score;
  slot.premiered = document.premiered;
  if (slot.value_count < document.values.size()) {  // where they were there is no room
    slot.first_value = static_cast<std::uint32_t>(slot_values_.size());
    slot_values_.resize(slot_values_.size() + document.values.size());
  }
  slot.value_count = static_cast<std::uint32_t>(document.values.size());
  for (std::size_t i = 0; i < document.values.size(); ++i) slot_values_[slot.first_value + i] = values_.number(document.values[i]);
}

void Index::add_name(SlotId slot, const std::vector<Word>& words, bool main) {
  const auto id = static_cast<NameId>(names_.size());
  names_.push_back({slot, static_cast<std::uint32_t>(name_words_.size()), static_cast<std::uint16_t>(words.size()), main});
  squeezed_.add(squeeze(words));
  for (const Word& word : words) {
    const TextId number_of_word = number(word.text);
    name_words_.push_back({number_of_word, word.begin, word.end, word.literal});
    auto& names = posted_[number_of_word].names;
    if (names.empty() || names.back() != id) names.push_back(id);
  }
  count_words(id, 1);
}

/// Each word once, however often the name has it.
void Index::count_words(NameId id, int change) {
  const Name& name = names_[id];
  const NameWord* first = words_of(name);
  const NameWord* last = first + name.word_count;
  for (const NameWord* word = first; word != last; ++word)
    if (std::find_if(first, word, [&](const NameWord& before) { return before.word == word->word; }) == word)
      posted_[word->word].live_names += static_cast<std::uint32_t>(change);
}

bool Index::remove(const Uuid& id) {
  const auto known = slot_of_.find(id);
  if (known == slot_of_.end()) return false;
  kill(known->second);
  slot_of_.erase(known);
  return true;
}

void Index::kill(SlotId slot_id) {
  Slot& slot = slots_[slot_id];
  for (std::uint32_t i = 0; i < slot.name_count; ++i) count_words(slot.first_name + i, -1);
  slot.live = false;
  dead_names_ += slot.name_count;
  documents_[slot_id] = {};
}

Document Index::document_of(SlotId id) const {
  const Slot& slot = slots_[id];
  Document document{slot.id, documents_[id].names, {}, slot.popularity, slot.score, slot.premiered, documents_[id].card};
  for (std::uint32_t i = 0; i < slot.value_count; ++i) document.values.push_back(values_[values_of(slot)[i]]);
  return document;
}

Index Index::compacted() const {
  Index fresh;
  fresh.slots_.reserve(slot_of_.size());
  fresh.names_.reserve(live_names());
  for (SlotId id = 0; id < slots_.size(); ++id) {
    if (!slots_[id].live) continue;  // what is left of it is what this is for
    Prepared prepared{document_of(id), {}};
    for (std::uint32_t i = 0; i < slots_[id].name_count; ++i) {
      const Name& name = names_[slots_[id].first_name + i];
      std::vector<Word>& words = prepared.words.emplace_back();
      for (std::uint16_t n = 0; n < name.word_count; ++n) {
        const NameWord& word = words_of(name)[n];
        words.push_back({std::string(words_[word.word]), word.begin, word.end, word.literal});
      }
    }
    fresh.put(prepared);
  }
  return fresh;
}

std::size_t Index::memory() const {
  std::size_t bytes = words_.memory() + squeezed_.memory() + names_.capacity() * sizeof(Name) + name_words_.capacity() * sizeof(NameWord) +
                      slots_.capacity() * sizeof(Slot) + slot_values_.capacity() * sizeof(ValueId) + posted_.capacity() * sizeof(Posted) +
                      (word_ids_.size() + slot_of_.size()) * 48;
  for (const Posted& posted : posted_) bytes += posted.names.capacity() * sizeof(NameId);
  for (const Kept& document : documents_) {
    bytes += sizeof document + document.names.capacity() * sizeof(std::string);
    for (const std::string& name : document.names) bytes += name.capacity() > 15 ? name.capacity() + 1 : 0;
  }
  return bytes;
}

}  // namespace bloomwatch::search
