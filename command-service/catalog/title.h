// A title of the catalogue as the next decision needs to know it. Lists are kept as marks, so that an unchanged one is told from another;
// what a tracked anime's snapshot is made of is kept in words.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "command-service/tracking/anime.h"
#include "events/catalog.h"

namespace bloomwatch {

/// What the past of one title means for the next decision. Stream title-<id>.
struct Title {
  using Key = TitleId;
  using Partition = TitleId;
  using Events = TitleEvents;
  static constexpr std::string_view category = "title";

  /// A list as its source has it; none: nobody has said anything.
  struct Fact {
    std::string_view source;  ///< static storage
    Mark mark;
  };
  /// The names that one source gives, and those of them that a snapshot shows.
  struct Called {
    std::string_view source;
    Mark mark;
    std::optional<std::string> main;
    std::optional<std::string> english;
    std::optional<std::string> native;
  };

  bool exists = false;
  std::optional<TitleId> merged_into;
  std::vector<MediaReference> media;
  std::vector<TitleId> absorbed;
  std::vector<Called> names;  ///< the best source first
  TitleDetails details;
  std::map<std::string_view, std::string_view> detail_sources;  ///< by the names of the members of TitleDetails
  Fact genres;
  Fact tags;
  Fact studios;
  Fact producers;
  Fact related;
  Fact standing;
  Fact offers;

  bool means(const MediaReference& reference) const;
  /// The marks of the names of a source; null if it gives none.
  const Called* called_by(std::string_view source) const;
  /// What a space shows of it when it is added there.
  TitleSnapshot snapshot() const;
  /// The ids under which a space may track it: its own, those of its references, those of titles merged into it. One of a reference may be
  /// the own id of another title, which it leads to then.
  std::vector<TitleId> aliases(TitleId own) const;

  void evolve(const TitleAdded& e);
  void evolve(const TitleReferencesAdded& e) { media.insert(media.end(), e.media.begin(), e.media.end()); }
  void evolve(const TitleReferencesRemoved& e) {
    for (const MediaReference& reference : e.media) std::erase(media, reference);
  }
  void evolve(const TitleNamesChanged& e);
  void evolve(const TitleDetailsChanged& e);
  void evolve(const TitleGenresChanged& e);
  void evolve(const TitleTagsChanged& e);
  void evolve(const TitleStudiosChanged& e);
  void evolve(const TitleProducersChanged& e);
  void evolve(const TitleRelationsChanged& e);
  void evolve(const TitleStandingChanged& e);
  void evolve(const TitleAvailabilityChanged& e);
  void evolve(const TitleMerged& e) { merged_into = e.merged_into; }
  void evolve(const TitleAbsorbed& e) { absorbed.push_back(e.absorbed); }
};

// Tell one list from another in 16 bytes; none where there is nothing to tell.
Mark mark_of(const std::vector<TitleName>& names);
Mark mark_of(const std::vector<std::string>& words);
Mark mark_of(const std::vector<MediaReference>& related);
Mark mark_of(const TitleStanding& standing);
Mark mark_of(const std::vector<Offer>& offers);  ///< whenever they were checked

}  // namespace bloomwatch
