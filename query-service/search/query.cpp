// A query in five steps. (1) Each of its words is looked up: the same word, words that begin with the last one, and, if little is found so,
// words a keystroke or two away. (2) The names that have them collect what each is worth: rare words are worth more, near ones less.
// (3) The names as wholes are compared too, without spaces, which finds what was written together or apart. (4) Each document counts with
// its best name; filters and facets. (5) The first few hundred are looked at closely (are the words together, in order, at the beginning?)
// and ranked by relevance × popularity × score.
#include "query-service/search/query.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "runtime/ascii.h"

namespace bloomwatch::search {
namespace {

constexpr std::size_t enough = 10;                 // documents with all words: then nobody has mistyped
constexpr std::size_t similar_words_max = 2000;    // of one word of the query, the nearest and commonest
constexpr std::size_t similar_names_max = 20'000;  // that have any of them
constexpr std::size_t heavy_postings = 20'000;     // a word so common only adds to names that rarer words have found
constexpr std::size_t close_look_max = 200;        // documents
constexpr float coverage_least = 0.5F;             // of the query's weight that a name must have to be shown at all
constexpr float rank_scale = 1e6F;
constexpr std::int64_t looked_at_closely = 10'000'000;  // more than any rank without it

/// What a word is worth that is not quite the one asked for.
float quality(const Near& near, std::size_t wanted, std::size_t length) {
  const auto share = static_cast<float>(wanted) / static_cast<float>(std::max(length, wanted));
  const float mistyped = std::max(0.2F, 1 - 1.3F * static_cast<float>(near.distance) / static_cast<float>(wanted));
  switch (near.how) {
    case Near::How::begins:
      return share == 1 ? 1 : 0.65F + 0.3F * share;
    case Near::How::differs:
      return near.distance == 0 ? 1 : 0.95F * mistyped;
    case Near::How::begins_and_differs:
      return (0.6F + 0.3F * share) * mistyped;
    case Near::How::holds:
      return 0.4F + 0.4F * share;
  }
  return 0;
}

/// How many keystrokes a word of that length may be off. Short words have too many neighbours.
int distance_max(std::size_t length) { return length < 3 ? 0 : length < 5 ? 1 : 2; }

struct Candidate {
  TextId word;
  float quality;
};

/// One word of the query.
struct Asked {
  std::string text;
  bool unfinished = false;
  std::vector<Candidate> candidates = {};  // the best first while names collect, then by word
  float weight = 0;                        // of a word as rare as this one
  std::size_t postings = 0;
};

/// What a name has collected.
struct Collected {
  std::uint32_t stamp = 0;
  float total = 0;
  float whole = 0;          // how well it is the query as a whole
  std::uint16_t words = 0;  // which of the query's, a bit each
};

/// A document's best name.
struct Best {
  std::uint32_t stamp = 0;
  float relevance = 0;
  NameId name = 0;
  bool full = false;  // some name has all words
};

struct Ranked {
  std::int64_t rank;
  SlotId slot;
};

constexpr float exactly = 2;  // more than popularity and score can make up for

}  // namespace

struct Workspace::Room {
  std::uint32_t stamp = 0;
  std::vector<Collected> collected;  // by name
  std::vector<NameId> touched;
  std::vector<Best> best;  // by slot
  std::vector<SlotId> matched;
  std::vector<Ranked> ranked;
  std::vector<TextId> maybe;
  std::vector<Near> near;

  /// Makes everything as if untouched.
  void begin(const Index& index) {
    if (++stamp == 0) {
      std::ranges::fill(collected, Collected{});
      std::ranges::fill(best, Best{});
      stamp = 1;
    }
    if (collected.size() < index.names().size()) collected.resize(index.names().size());
    if (best.size() < index.slots().size()) best.resize(index.slots().size());
    touched.clear();
    matched.clear();
  }
};

Workspace::Workspace() : room_(std::make_unique<Room>()) {}
Workspace::~Workspace() = default;

namespace {

class Run {
 public:
  Run(const Index& index, const Query& query, Workspace& workspace) : index_(index), query_(query), room_(workspace.room()) {
    const Words words = workspace.normaliser().words(query.text);
    asked_whole_ = squeeze(words.list);
    nothing_asked_ = words.list.empty() && ascii::trimmed(query.text).empty();
    for (std::size_t i = 0; i < words.list.size() && asked_.size() < Query::words_max; ++i) {
      const bool unfinished = i + 1 == words.list.size() && !words.last_is_whole;
      const auto same = std::ranges::find(asked_, words.list[i].text, &Asked::text);
      if (same == asked_.end()) asked_.push_back({words.list[i].text, unfinished});
    }
  }

  Found run() {
    if (asked_.empty()) {
      room_.begin(index_);
      if (nothing_asked_) match_all();
    } else {
      match(false);
      if (!exact_ && full_ < enough) match(true);
      drop_the_weak();
    }
    Found found;
    rank(found);
    show(found);
    return found;
  }

 private:
  void match_all() {
    for (SlotId slot = 0; slot < index_.slots().size(); ++slot)
      if (index_.slots()[slot].live) room_.matched.push_back(slot);
  }

  // ------------------------------------------------------------------------------------------------------------- steps 1 to 4

  void match(bool mistyped) {
    room_.begin(index_);
    for (Asked& asked : asked_) look_up(asked, mistyped);
    // The rarest first: they find the names, the common ones only tell them apart.
    std::vector<std::size_t> order(asked_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [this](std::size_t i) { return std::pair(asked_[i].postings, i); });
    weight_ = 0;
    for (const Asked& asked : asked_) weight_ += asked.weight;
    for (const std::size_t i : order) collect(i, asked_[i].postings > heavy_postings && !room_.touched.empty());
    for (Asked& asked : asked_) std::ranges::sort(asked.candidates, {}, &Candidate::word);
    compare_wholes(mistyped);
    choose_names();
  }

  void look_up(Asked& asked, bool mistyped) {
    const std::size_t length = asked.text.size();
    const bool ascii = static_cast<unsigned char>(asked.text[0]) < 0x80;
    asked.candidates.clear();
    room_.near.clear();
    const int off = mistyped && ascii ? distance_max(length) : 0;
    const auto same = index_.word(asked.text);
    const bool known = same && index_.posted(*same).live_names > 0;
    if (known) asked.candidates.push_back({*same, 1});
    if (asked.unfinished || off > 0) {
      Wanted wanted{.text = asked.text, .prefix = asked.unfinished, .distance_max = known ? std::min(off, 1) : off};
      if (asked.unfinished && !known && length >= 4) wanted.prefix_distance_max = mistyped ? std::min(off, length < 8 ? 1 : 2) : -1;
      wanted.infix = mistyped && !known && length >= 3;
      index_.words().find(wanted, room_.maybe, room_.near);
    }
    add_similar(asked, known ? same : std::nullopt);
    weigh(asked);
  }

  void add_similar(Asked& asked, std::optional<TextId> same) {
    std::vector<Candidate>& similar = asked.candidates;
    std::size_t names = 0;
    for (const Near& near : room_.near) {
      const std::uint32_t live_names = index_.posted(near.text).live_names;
      if (near.text == same || live_names == 0) continue;
      names += live_names;
      similar.push_back({near.text, quality(near, asked.text.size(), index_.words()[near.text].size())});
    }
    if (similar.size() <= similar_words_max && names <= similar_names_max)
      std::ranges::sort(similar, std::greater(), &Candidate::quality);
    else
      keep_the_nearest(similar);
  }

  /// The nearest, of these the commonest.
  void keep_the_nearest(std::vector<Candidate>& similar) const {
    const auto nearer = [this](const Candidate& a, const Candidate& b) {
      if (a.quality != b.quality) return a.quality > b.quality;
      const auto a_names = index_.posted(a.word).live_names, b_names = index_.posted(b.word).live_names;
      return a_names != b_names ? a_names > b_names : index_.words()[a.word] < index_.words()[b.word];
    };
    std::ranges::partial_sort(similar, similar.begin() + static_cast<std::ptrdiff_t>(std::min(similar.size(), similar_words_max)), nearer);
    std::size_t kept = 0, names = 0;
    while (kept < std::min(similar.size(), similar_words_max) && names < similar_names_max)
      names += index_.posted(similar[kept++].word).live_names;
    similar.resize(kept);
  }

  /// The rarer, the more; a word that nobody has says little.
  void weigh(Asked& asked) {
    asked.postings = 0;
    float best = 0;
    std::size_t names = 0;
    for (const Candidate& candidate : asked.candidates) {
      const Index::Posted& posted = index_.posted(candidate.word);
      asked.postings += posted.live_names;
      if (candidate.quality > best) {
        best = candidate.quality;
        names = 0;
      }
      if (candidate.quality == best) names = std::max<std::size_t>(names, posted.live_names);
    }
    if (asked.unfinished) names = std::max(names, asked.postings / 2);
    const auto all = static_cast<float>(index_.live_names());
    asked.weight = asked.candidates.empty() ? 0.4F * std::log1p(all) : 0.3F + std::log1p(all / static_cast<float>(1 + names));
  }

  void collect(std::size_t number, bool only_touched) {
    const Asked& asked = asked_[number];
    const auto bit = static_cast<std::uint16_t>(1U << number);
    for (const Candidate& candidate : asked.candidates) {
      const float worth = candidate.quality * asked.weight;
      for (const NameId name : index_.posted(candidate.word).names) {
        Collected& collected = room_.collected[name];
        if (collected.stamp != room_.stamp) {
          if (only_touched) continue;
          collected = {room_.stamp};
          room_.touched.push_back(name);
        }
        if ((collected.words & bit) != 0) continue;  // from a better one
        collected.words |= bit;
        collected.total += worth;
      }
    }
  }

  void compare_wholes(bool mistyped) {
    const std::size_t length = asked_whole_.size();
    if (length > Texts::bytes_max) return;
    Wanted wanted{
        .text = asked_whole_, .prefix = length >= 4 && asked_.back().unfinished, .distance_max = mistyped ? distance_max(length) : 0};
    room_.near.clear();
    index_.squeezed().find(wanted, room_.maybe, room_.near);
    for (const Near& near : room_.near) {
      const Index::Slot& slot = index_.slots()[index_.names()[near.text].slot];
      if (!slot.live) continue;
      const auto other = static_cast<float>(index_.squeezed()[near.text].size()), mine = static_cast<float>(length);
      float whole = 0;
      if (near.how == Near::How::begins)
        whole = other == mine ? exactly : 1.1F * (0.7F + 0.3F * mine / other);
      else
        whole = near.distance == 0 ? exactly : 1.4F * (1 - 1.3F * static_cast<float>(near.distance) / std::max(mine, 4.F));
      exact_ = exact_ || whole == exactly;
      Collected& collected = room_.collected[near.text];
      if (collected.stamp != room_.stamp) {
        collected = {room_.stamp};
        room_.touched.push_back(near.text);
      }
      collected.whole = std::max(collected.whole, whole);
    }
  }

  void choose_names() {
    full_ = 0;
    const auto all = static_cast<std::uint16_t>((1U << asked_.size()) - 1);
    for (const NameId id : room_.touched) {
      const Collected& collected = room_.collected[id];
      const Index::Name& name = index_.names()[id];
      if (!index_.slots()[name.slot].live) continue;
      const bool full = collected.words == all || collected.whole > 0;
      if (!full && collected.total < coverage_least * weight_) continue;
      const float relevance = relevance_of(id, 1);
      Best& best = room_.best[name.slot];
      if (best.stamp != room_.stamp) {
        best = {room_.stamp};
        room_.matched.push_back(name.slot);
      }
      if (full && !best.full) {
        best.full = true;
        ++full_;
      }
      if (relevance > best.relevance || (relevance == best.relevance && id < best.name)) {
        best.relevance = relevance;
        best.name = id;
      }
    }
  }

  /// How well a name is what was asked for: how much of the query it has, and how much of it that is; or as a whole.
  float relevance_of(NameId id, float togetherness) const {
    const Collected& collected = room_.collected[id];
    const Index::Name& name = index_.names()[id];
    const float share = static_cast<float>(std::popcount(collected.words)) / static_cast<float>(std::max<int>(name.word_count, 1));
    const float by_words = collected.total / weight_ * (0.75F + 0.25F * std::min(share, 1.F)) * togetherness;
    return std::max(by_words, collected.whole) * (name.main ? 1.F : 0.99F);
  }

  /// Where there is enough that has all words, what has only some of them is noise.
  void drop_the_weak() {
    if (full_ < enough) return;
    std::erase_if(room_.matched, [this](SlotId slot) { return !room_.best[slot].full; });
  }

  // --------------------------------------------------------------------------------------------------------------------- step 5

  void rank(Found& found) {
    FacetCounter counter(index_.values(), query_.filters, query_.score_min);
    room_.ranked.clear();
    for (const SlotId id : room_.matched) {
      const Index::Slot& slot = index_.slots()[id];
      if (counter.take(index_.values_of(slot), slot.value_count, slot.score)) room_.ranked.push_back({rank_of(id, slot), id});
    }
    found.total = static_cast<std::int64_t>(room_.ranked.size());
    if (query_.facets) found.facets = counter.counts();
    if (by_relevance()) look_closely();
    auto& ranked = room_.ranked;
    if (query_.after) std::erase_if(ranked, [this](const Ranked& one) { return !comes_after(one); });
    const auto shown = std::min(ranked.size(), query_.limit);
    std::ranges::partial_sort(ranked, ranked.begin() + static_cast<std::ptrdiff_t>(shown),
                              [this](const Ranked& a, const Ranked& b) { return comes_before(a, b); });
    if (ranked.size() > shown && shown > 0) found.next = Place{ranked[shown - 1].rank, index_.slots()[ranked[shown - 1].slot].id};
    ranked.resize(shown);
  }

  bool by_relevance() const { return query_.sort == Sort::relevance && !asked_.empty(); }

  bool comes_before(const Ranked& a, const Ranked& b) const {
    return a.rank != b.rank ? a.rank > b.rank : index_.slots()[a.slot].id < index_.slots()[b.slot].id;
  }
  bool comes_after(const Ranked& one) const {
    return one.rank != query_.after->rank ? one.rank < query_.after->rank : query_.after->id < index_.slots()[one.slot].id;
  }

  /// Greater is better. What decides among equals is in the lower digits.
  std::int64_t rank_of(SlotId id, const Index::Slot& slot) const {
    const auto popularity = static_cast<std::int64_t>(slot.popularity * rank_scale);
    switch (query_.sort) {
      case Sort::relevance:
        return asked_.empty() ? popularity : scaled(room_.best[id].relevance * esteem(slot));
      case Sort::popularity:
        return popularity;
      case Sort::score:
        return std::lround(slot.score * 100) * 10'000'000 + popularity;
      case Sort::newest:
        return std::int64_t{slot.premiered} * 10'000'000 + popularity;
    }
    return 0;
  }

  static std::int64_t scaled(float value) { return static_cast<std::int64_t>(value * rank_scale); }
  static float esteem(const Index::Slot& slot) { return (1 + 0.3F * slot.popularity) * (1 + 0.01F * std::max(slot.score, 0.F)); }

  /// The best so far are looked at closely, and come before all others.
  void look_closely() {
    auto& ranked = room_.ranked;
    const auto count = static_cast<std::ptrdiff_t>(std::min(ranked.size(), close_look_max));
    if (std::ssize(ranked) > count)
      std::ranges::nth_element(ranked, ranked.begin() + count, [this](const Ranked& a, const Ranked& b) { return comes_before(a, b); });
    for (Ranked& one : std::span(ranked).first(static_cast<std::size_t>(count))) {
      const NameId name = room_.best[one.slot].name;
      one.rank = looked_at_closely + scaled(relevance_of(name, togetherness(name)) * esteem(index_.slots()[one.slot]));
    }
  }

  /// 1 to 1.3: whether the query's words stand next to each other, in their order, at the beginning.
  float togetherness(NameId id) const {
    const Index::Name& name = index_.names()[id];
    int before = -1, first = -1, together = 0, in_order = 0;
    for (const Asked& asked : asked_) {
      const int at = place_of(asked, name, before);
      if (at < 0) continue;
      if (first < 0) first = at;
      if (before >= 0 && at == before + 1) ++together;
      if (before >= 0 && at > before) ++in_order;
      before = at;
    }
    const auto pairs = static_cast<float>(std::max<std::size_t>(asked_.size() - 1, 1));
    return 1 + 0.15F * static_cast<float>(together) / pairs + 0.07F * static_cast<float>(in_order) / pairs + (first == 0 ? 0.08F : 0);
  }

  /// Where in the name the word stands: right after `before` if it is there, else the first place; -1: nowhere.
  int place_of(const Asked& asked, const Index::Name& name, int before) const {
    int found = -1;
    for (int i = 0; i < name.word_count; ++i) {
      if ((found >= 0 && i != before + 1) || candidate_of(asked, index_.words_of(name)[i].word) == nullptr) continue;
      if (i == before + 1) return i;
      found = i;
    }
    return found;
  }

  static const Candidate* candidate_of(const Asked& asked, TextId word) {
    const auto found = std::ranges::lower_bound(asked.candidates, word, {}, &Candidate::word);
    return found != asked.candidates.end() && found->word == word ? &*found : nullptr;
  }

  void show(Found& found) {
    for (const Ranked& one : room_.ranked) {
      const Index::Slot& slot = index_.slots()[one.slot];
      const NameId name = asked_.empty() ? slot.first_name : room_.best[one.slot].name;
      Hit hit{slot.id, index_.card(one.slot), slot.name_count > 0 ? index_.text_of(name) : std::string(), {}, one.rank};
      if (!asked_.empty()) hit.matched = matched(name);
      found.hits.push_back(std::move(hit));
    }
  }

  /// Which parts of a name were looked for; all of it where it matched as a whole only.
  std::vector<Range> matched(NameId id) const {
    const Index::Name& name = index_.names()[id];
    std::vector<Range> ranges;
    for (std::uint16_t i = 0; i < name.word_count; ++i) {
      const Index::NameWord& word = index_.words_of(name)[i];
      std::int32_t end = -1;
      for (const Asked& asked : asked_)
        if (candidate_of(asked, word.word) != nullptr) end = std::max(end, matched_end(asked, word));
      if (end < 0) continue;
      if (!ranges.empty() && ranges.back().end == word.begin)
        ranges.back().end = end;
      else
        ranges.push_back({word.begin, end});
    }
    if (ranges.empty() && name.word_count > 0)
      ranges.push_back({index_.words_of(name)[0].begin, index_.words_of(name)[name.word_count - 1].end});
    return ranges;
  }

  /// Of a word that is still being typed, what has been typed.
  std::int32_t matched_end(const Asked& asked, const Index::NameWord& word) const {
    const bool begins = index_.words()[word.word].starts_with(asked.text);
    return begins && word.literal ? word.begin + static_cast<std::int32_t>(asked.text.size()) : word.end;
  }

  const Index& index_;
  const Query& query_;
  Workspace::Room& room_;
  std::string asked_whole_;
  bool nothing_asked_ = false;
  std::vector<Asked> asked_;
  float weight_ = 0;
  std::size_t full_ = 0;  // documents that have all words
  bool exact_ = false;    // some name is just what was asked for
};

}  // namespace

Found find(const Index& index, const Query& query, Workspace& workspace) { return Run(index, query, workspace).run(); }

}  // namespace bloomwatch::search
