// The events of the catalogue: which titles there are, what they are called, and what is known of them. Stream title-<id>; partition key:
// the title. Every fact names its source, so that a better source wins and a lesser one only fills what is open (ops/decisions/0007).
// A title is known by its references (`anilist:154587`): each is a claim of its stream, and so leads to one title.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/ids.h"
#include "events/partial_date.h"
#include "events/tracking.h"
#include "runtime/time.h"

namespace bloomwatch {

/// What a name is to its title. `main`: the one that its source leads with, most often romaji.
enum class NameKind { main, english, native, synonym };
BOOST_DESCRIBE_ENUM(NameKind, main, english, native, synonym)

struct TitleName {
  std::string text;
  std::optional<std::string> language = {};  ///< BCP 47, as far as it is known: `ja`, `und-Cyrl`
  NameKind kind = NameKind::synonym;

  bool operator==(const TitleName&) const = default;
};
BOOST_DESCRIBE_STRUCT(TitleName, (), (text, language, kind))

enum class AiringStatus { upcoming, airing, finished };
BOOST_DESCRIBE_ENUM(AiringStatus, upcoming, airing, finished)

/// What is known of a title in single values; unknown is absent.
struct TitleDetails {
  std::optional<std::string> format = {};  ///< TV, MOVIE, OVA, ONA, SPECIAL, MUSIC
  std::optional<AiringStatus> airing = {};
  std::optional<std::string> season = {};  ///< winter, spring, summer, fall
  std::optional<std::int32_t> season_year = {};
  std::optional<std::int32_t> episodes = {};  ///< ≥ 1
  std::optional<std::int32_t> minutes = {};   ///< of an episode, ≥ 1
  std::optional<std::string> picture_url = {};
  std::optional<std::string> thumbnail_url = {};
  std::optional<std::string> synopsis = {};
  std::optional<PartialDate> starts_on = {};
  std::optional<PartialDate> ends_on = {};
  std::optional<std::string> content_rating = {};

  bool operator==(const TitleDetails&) const = default;
};
BOOST_DESCRIBE_STRUCT(TitleDetails, (),
                      (format, airing, season, season_year, episodes, minutes, picture_url, thumbnail_url, synopsis, starts_on, ends_on,
                       content_rating))

/// How a title stands with the people of a source.
struct TitleStanding {
  std::optional<std::int32_t> score_hundredths = {};  ///< of the ten-scale: 937 is 9.37
  std::optional<std::int64_t> members = {};           ///< how many have it on their lists

  bool operator==(const TitleStanding&) const = default;
};
BOOST_DESCRIBE_STRUCT(TitleStanding, (), (score_hundredths, members))

enum class OfferKind { subscription, free, ads, rent, buy };
BOOST_DESCRIBE_ENUM(OfferKind, subscription, free, ads, rent, buy)

/// Where a title can be watched.
struct Offer {
  std::string provider;
  std::string region;  ///< ISO 3166-1 alpha-2
  OfferKind kind = OfferKind::subscription;
  std::optional<std::string> url = {};
  std::optional<Time> checked_at = {};

  bool operator==(const Offer&) const = default;
};
BOOST_DESCRIBE_STRUCT(Offer, (), (provider, region, kind, url, checked_at))

/// A title came to the catalogue, as `source` describes it. Takes `media_claims`, one for each of `media`.
struct TitleAdded {
  std::string source;  ///< manual, anime-offline-database …
  std::vector<MediaReference> media = {};
  std::vector<ClaimKey> media_claims = {};
  std::vector<TitleName> names = {};  ///< at least one
  TitleDetails details = {};
  std::vector<std::string> genres = {};  ///< lower-case words
  std::vector<std::string> tags = {};
  std::vector<std::string> studios = {};
  std::vector<std::string> producers = {};
  std::vector<MediaReference> related = {};
  TitleStanding standing = {};
};
BOOST_DESCRIBE_STRUCT(TitleAdded, (), (source, media, media_claims, names, details, genres, tags, studios, producers, related, standing))

/// The title is what these references mean, too. Takes `media_claims`, also from a title that was merged into this one.
struct TitleReferencesAdded {
  std::string source;
  std::vector<MediaReference> media = {};
  std::vector<ClaimKey> media_claims = {};
};
BOOST_DESCRIBE_STRUCT(TitleReferencesAdded, (), (source, media, media_claims))

/// These references mean another title from now on: their source has split the entry. Releases `media_claims`.
struct TitleReferencesRemoved {
  std::string source;
  std::vector<MediaReference> media = {};
  std::vector<ClaimKey> media_claims = {};
};
BOOST_DESCRIBE_STRUCT(TitleReferencesRemoved, (), (source, media, media_claims))

/// All names that `source` gives the title; those of other sources stay.
struct TitleNamesChanged {
  std::string source;
  std::vector<TitleName> names = {};
};
BOOST_DESCRIBE_STRUCT(TitleNamesChanged, (), (source, names))

/// What is there in `details` is so, by `source`; what is absent stays as it was. `cleared` names (in snake_case) what is open again.
struct TitleDetailsChanged {
  std::string source;
  TitleDetails details = {};
  std::vector<std::string> cleared = {};
};
BOOST_DESCRIBE_STRUCT(TitleDetailsChanged, (), (source, details, cleared))

struct TitleGenresChanged {
  std::string source;
  std::vector<std::string> genres = {};
};
BOOST_DESCRIBE_STRUCT(TitleGenresChanged, (), (source, genres))

struct TitleTagsChanged {
  std::string source;
  std::vector<std::string> tags = {};
};
BOOST_DESCRIBE_STRUCT(TitleTagsChanged, (), (source, tags))

struct TitleStudiosChanged {
  std::string source;
  std::vector<std::string> studios = {};
};
BOOST_DESCRIBE_STRUCT(TitleStudiosChanged, (), (source, studios))

struct TitleProducersChanged {
  std::string source;
  std::vector<std::string> producers = {};
};
BOOST_DESCRIBE_STRUCT(TitleProducersChanged, (), (source, producers))

/// Sequels, side stories and such, by the references of their source.
struct TitleRelationsChanged {
  std::string source;
  std::vector<MediaReference> related = {};
};
BOOST_DESCRIBE_STRUCT(TitleRelationsChanged, (), (source, related))

struct TitleStandingChanged {
  std::string source;
  TitleStanding standing = {};
};
BOOST_DESCRIBE_STRUCT(TitleStandingChanged, (), (source, standing))

/// All offers that are known.
struct TitleAvailabilityChanged {
  std::string source;
  std::vector<Offer> offers = {};
};
BOOST_DESCRIBE_STRUCT(TitleAvailabilityChanged, (), (source, offers))

/// This title turned out to be `merged_into`, which lives on. Its id goes on to lead there, and so do its references until the other takes
/// them.
struct TitleMerged {
  TitleId merged_into;
};
BOOST_DESCRIBE_STRUCT(TitleMerged, (), (merged_into))

/// `absorbed` was merged into this title.
struct TitleAbsorbed {
  TitleId absorbed;
};
BOOST_DESCRIBE_STRUCT(TitleAbsorbed, (), (absorbed))

using TitleEvents = boost::mp11::mp_list<TitleAdded, TitleReferencesAdded, TitleReferencesRemoved, TitleNamesChanged, TitleDetailsChanged,
                                         TitleGenresChanged, TitleTagsChanged, TitleStudiosChanged, TitleProducersChanged,
                                         TitleRelationsChanged, TitleStandingChanged, TitleAvailabilityChanged, TitleMerged, TitleAbsorbed>;

}  // namespace bloomwatch
