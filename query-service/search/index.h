// The index: titles with all their names, in memory, changed in place. Words lead to names (postings), names to titles; what is removed or
// changed is only marked and appended anew, so a change costs microseconds, and now and then a compact copy takes the place of the whole.
// No I/O, no threads, no clock. What a query does with it is in query.h; who keeps it up to date, in catalog_search.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "query-service/search/facets.h"
#include "query-service/search/texts.h"
#include "query-service/search/words.h"
#include "runtime/uuid.h"

namespace bloomwatch::search {

/// One thing that is searched for, and all that its place in a ranking depends on.
struct Document {
  Uuid id;
  std::vector<std::string> names;       ///< the first is what it is called; at most Index::names_max count
  std::vector<FacetValue> values = {};  ///< without repeats
  float popularity = 0;                 ///< 0 to 1
  float score = -1;                     ///< of ten; negative: none
  std::int32_t premiered = 0;           ///< grows with the season that it began in; 0: not known
  /// What the caller shows of it; the index only keeps it.
  std::shared_ptr<const void> card = {};
};

/// A document with its names' words: making them takes longer than putting them in, and needs no lock.
struct Prepared {
  Document document;
  std::vector<std::vector<Word>> words;  ///< of each name
};
Prepared prepare(Document document, Normaliser& normaliser);

using NameId = std::uint32_t;
using SlotId = std::uint32_t;

/// Not safe against changes from another thread.
class Index {
 public:
  static constexpr std::size_t names_max = 200;        ///< of one document; what is beyond cannot be found
  static constexpr std::size_t words_max = 60;         ///< of one name, likewise
  static constexpr std::size_t dead_names_few = 2000;  ///< so many never make compacting worth while

  /// Adds a document, or puts it in the place of the one with its id. One whose names have not changed stays where it is.
  void put(const Prepared& prepared);
  /// Whether there was one.
  bool remove(const Uuid& id);

  std::size_t size() const { return slot_of_.size(); }
  /// Whether a quarter of the names are of documents as they were.
  bool worth_compacting() const { return dead_names_ > dead_names_few && dead_names_ * 4 > names_.size(); }
  /// The same documents without what is left of removed ones.
  Index compacted() const;
  /// Bytes, roughly.
  std::size_t memory() const;

  // What a query reads.

  struct NameWord {
    TextId word;
    std::uint16_t begin, end;
    bool literal;
  };
  struct Name {
    SlotId slot;
    std::uint32_t first_word;
    std::uint16_t word_count;
    bool main;  ///< the document's first
  };
  struct Slot {
    Uuid id;
    NameId first_name = 0;
    std::uint32_t name_count = 0;
    std::uint32_t first_value = 0;
    std::uint32_t value_count = 0;
    float popularity = 0;
    float score = -1;
    std::int32_t premiered = 0;
    bool live = true;
  };
  struct Posted {
    std::vector<NameId> names;     ///< in order; also of removed documents
    std::uint32_t live_names = 0;  ///< of them, of documents that are there
  };

  const Texts& words() const { return words_; }
  std::optional<TextId> word(std::string_view text) const;
  const Posted& posted(TextId word) const { return posted_[word]; }
  const Texts& squeezed() const { return squeezed_; }  ///< by NameId
  const std::vector<Name>& names() const { return names_; }
  const NameWord* words_of(const Name& name) const { return name_words_.data() + name.first_word; }
  const std::vector<Slot>& slots() const { return slots_; }
  const ValueId* values_of(const Slot& slot) const { return slot_values_.data() + slot.first_value; }
  const FacetValues& values() const { return values_; }
  std::size_t live_names() const { return names_.size() - dead_names_; }
  const std::shared_ptr<const void>& card(SlotId slot) const { return documents_[slot].card; }
  const std::string& text_of(NameId name) const {
    const SlotId slot = names_[name].slot;
    return documents_[slot].names[name - slots_[slot].first_name];
  }

 private:
  struct Kept {
    std::vector<std::string> names;
    std::shared_ptr<const void> card;
  };

  Document document_of(SlotId slot) const;
  TextId number(std::string_view word);
  void add_name(SlotId slot, const std::vector<Word>& words, bool main);
  void set_values(Slot& slot, const Document& document);
  void kill(SlotId slot);
  void count_words(NameId name, int change);

  Texts words_;
  std::unordered_multimap<std::uint64_t, TextId> word_ids_;  // by hash: the words themselves are kept once
  std::vector<Posted> posted_;
  Texts squeezed_;
  std::vector<Name> names_;
  std::vector<NameWord> name_words_;
  std::vector<Slot> slots_;
  std::vector<Kept> documents_;  // by slot; emptied when it is removed
  std::vector<ValueId> slot_values_;
  FacetValues values_;
  std::unordered_map<Uuid, SlotId> slot_of_;
  std::size_t dead_names_ = 0;
};

}  // namespace bloomwatch::search
