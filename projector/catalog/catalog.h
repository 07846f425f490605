// The read model `catalog`: the titles, by what else they are known, and the lists of genres and studios that they are in.
// Partition key of all its events: the title. Tables: migrations/0030_read_catalog.sql, which is also the contract with search, and
// 0043_absorbed_titles.sql.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "events/catalog.h"
#include "events/envelope.h"
#include "projector/rows.h"

namespace bloomwatch {

/// A name and who says so.
struct SourcedName {
  std::string text;
  std::optional<std::string> language = {};
  NameKind kind = NameKind::synonym;
  std::string source;

  bool operator==(const SourcedName&) const = default;
};
BOOST_DESCRIBE_STRUCT(SourcedName, (), (text, language, kind, source))

enum class CreditRole { studio, producer };
BOOST_DESCRIBE_ENUM(CreditRole, studio, producer)

struct StudioCredit {
  std::string slug;
  std::string name;
  CreditRole role = CreditRole::studio;

  bool operator==(const StudioCredit&) const = default;
};
BOOST_DESCRIBE_STRUCT(StudioCredit, (), (slug, name, role))

/// A related title by its source's reference, and the id, its own or that of the reference, that leads to ours if we have it.
struct RelatedReference {
  std::string source;
  std::string id;
  TitleId alias;

  bool operator==(const RelatedReference&) const = default;
};
BOOST_DESCRIBE_STRUCT(RelatedReference, (), (source, id, alias))

/// One title. Of one that was merged into another everything stays, and no page but its own id finds it.
struct TitleRow {
  using Key = TitleId;
  TitleId title;
  std::string name;  ///< what it is called where one name is wanted
  std::vector<SourcedName> names;
  std::optional<std::string> format = {};
  std::optional<AiringStatus> airing = {};
  std::optional<std::string> season = {};
  std::optional<std::int32_t> season_year = {};
  std::optional<std::int32_t> episodes = {};
  std::optional<std::int32_t> minutes = {};
  std::optional<std::string> picture_url = {};
  std::optional<std::string> thumbnail_url = {};
  std::optional<std::string> synopsis = {};
  std::optional<PartialDate> starts_on = {};
  std::optional<PartialDate> ends_on = {};
  std::optional<std::string> content_rating = {};
  std::vector<std::string> genres;
  std::vector<std::string> tags;
  std::vector<StudioCredit> studios;
  std::vector<RelatedReference> related;
  std::vector<MediaReference> external_ids;
  std::vector<Offer> offers;
  std::optional<std::int32_t> score_hundredths = {};
  std::int64_t popularity = 0;                 ///< members at the source; 0: not known
  std::map<std::string, std::string> sources;  ///< by fact (`names` left out): who says so
  std::optional<TitleId> merged_into = {};
  std::vector<TitleId> absorbed;  ///< titles that were merged into this one
  Time added_at = {};
  Time updated_at = {};
  Version version = 0;
  Position position = 0;  ///< of the last event that changed this row

  bool operator==(const TitleRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(TitleRow, (),
                      (title, name, names, format, airing, season, season_year, episodes, minutes, picture_url, thumbnail_url, synopsis,
                       starts_on, ends_on, content_rating, genres, tags, studios, related, external_ids, offers, score_hundredths,
                       popularity, sources, merged_into, absorbed, added_at, updated_at, version, position))

/// An id by which a title is also known: its own, that of each reference (see title_of()), those of titles merged into it.
struct TitleAliasRow {
  using Key = std::tuple<TitleId, TitleId>;
  TitleId alias;
  TitleId title;

  bool operator==(const TitleAliasRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(TitleAliasRow, (), (alias, title))

/// That a title is in the list of a genre or a studio, and how far up.
struct TitleListingRow {
  using Key = std::tuple<ListingId, TitleId>;
  ListingId listing;
  TitleId title;
  std::int64_t popularity = 0;

  bool operator==(const TitleListingRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(TitleListingRow, (), (listing, title, popularity))

/// A studio's name in its address: `A-1 Pictures Inc.` → `a-1-pictures-inc`. Letters beyond ASCII stay; empty if nothing does.
std::string studio_slug(std::string_view name);

struct Catalog {
  static constexpr std::string_view name = "catalog";
  static constexpr int version = 3;  ///< raise it when a fold changes

  projection::Rows<TitleRow> titles;
  projection::Puts<TitleAliasRow> aliases;
  projection::Puts<TitleListingRow> listings;

  void apply(const TitleAdded& e, const Meta& meta);
  void apply(const TitleReferencesAdded& e, const Meta& meta);
  void apply(const TitleReferencesRemoved& e, const Meta& meta);
  void apply(const TitleNamesChanged& e, const Meta& meta);
  void apply(const TitleDetailsChanged& e, const Meta& meta);
  void apply(const TitleGenresChanged& e, const Meta& meta);
  void apply(const TitleTagsChanged& e, const Meta& meta);
  void apply(const TitleStudiosChanged& e, const Meta& meta);
  void apply(const TitleProducersChanged& e, const Meta& meta);
  void apply(const TitleRelationsChanged& e, const Meta& meta);
  void apply(const TitleStandingChanged& e, const Meta& meta);
  void apply(const TitleAvailabilityChanged& e, const Meta& meta);
  void apply(const TitleMerged& e, const Meta& meta);
  void apply(const TitleAbsorbed& e, const Meta& meta);
};
BOOST_DESCRIBE_STRUCT(Catalog, (), (titles, aliases, listings))

}  // namespace bloomwatch
