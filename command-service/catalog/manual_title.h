// Titles by hand: a moderator adds one, or puts one right. What people here say outranks every import.
// POST /api/titles and PATCH /api/titles/{title}.
#pragma once

#include "command-service/accounts/user.h"
#include "command-service/catalog/describe_title.h"
#include "command-service/values.h"

namespace bloomwatch {

/// `{"text": "Frieren", "language": "en", "kind": "english"}`; without a kind it is a synonym.
struct GivenName {
  TitleText text = {};
  std::optional<LanguageTag> language = {};
  std::optional<NameKind> kind = {};

  TitleName name() const;
  bool operator==(const GivenName&) const = default;
};
BOOST_DESCRIBE_STRUCT(GivenName, (), (text, language, kind))

using Word = Text<100>;  ///< a genre, a tag, a studio, a provider

/// `{"provider": "Crunchyroll", "region": "DE", "kind": "subscription", "url": …}`. When it was checked is when it is sent.
struct GivenOffer {
  Word provider = {};
  RegionCode region = {};
  OfferKind kind = OfferKind::subscription;
  std::optional<Url> url = {};

  Offer offer() const;
  bool operator==(const GivenOffer&) const = default;
};
BOOST_DESCRIBE_STRUCT(GivenOffer, (), (provider, region, kind, url))

using Synopsis = Text<synopsis_length_max, Lines::many>;

/// What may be said of a title beside its names: what is left out stays, null opens it again for others to fill.
struct TitleFields {
  ClearablePatch<TitleFormat> format = {};
  ClearablePatch<AiringStatus> airing = {};
  ClearablePatch<Season> season = {};
  ClearablePatch<SeasonYear> season_year = {};
  ClearablePatch<EpisodeCount> episodes = {};
  ClearablePatch<EpisodeMinutes> minutes = {};
  ClearablePatch<Url> picture_url = {};
  ClearablePatch<Synopsis> synopsis = {};
  ClearablePatch<PossibleDate> starts_on = {};
  ClearablePatch<PossibleDate> ends_on = {};
  ClearablePatch<FormatText> content_rating = {};
  Patch<std::vector<Word>> genres = {};
  Patch<std::vector<Word>> tags = {};
  Patch<std::vector<Word>> studios = {};
  Patch<std::vector<Word>> producers = {};
  Patch<std::vector<Media>> related = {};
  Patch<std::vector<GivenOffer>> availability = {};
};
BOOST_DESCRIBE_STRUCT(TitleFields, (),
                      (format, airing, season, season_year, episodes, minutes, picture_url, synopsis, starts_on, ends_on, content_rating,
                       genres, tags, studios, producers, related, availability))

using TitleChanges =
    Decision<TitleAdded, TitleReferencesAdded, TitleNamesChanged, TitleDetailsChanged, TitleGenresChanged, TitleTagsChanged,
             TitleStudiosChanged, TitleProducersChanged, TitleRelationsChanged, TitleAvailabilityChanged>;

/// Refused, in this order: not_a_moderator, title_without_name, too_much_said, reference_held, title_id_taken. Its id is that of its first
/// reference, so that who tracks it already goes on to do so; without one it is fresh. It can be tracked as `{"source": "bloomwatch", "id":
/// "<its id>"}` in any case.
struct AddTitle : TitleFields {
  std::vector<GivenName> names = {};  ///< at least one
  std::optional<std::vector<OutsideMedia>> media = {};
  Minted<TitleId> title = {};                       ///< see above
  Minted<std::vector<ClaimKey>> media_claims = {};  ///< of references(), or of more than may be said

  /// The ones sent, and its own.
  std::vector<MediaReference> references() const;

  static constexpr bool creates = true;
  TitleChanges decide(const Actor& by, At<&AddTitle::title, Title> known, Holders<&AddTitle::media_claims, Title> holders,
                      By<User> person) const;
};
BOOST_DESCRIBE_STRUCT(AddTitle, (TitleFields), (names, media, title, media_claims))

/// Refused, in this order: not_a_moderator, too_much_said, no_such_title, title_merged, title_without_name, reference_held. `names`: all
/// that people here give it, none only where others name it; `media`: references that mean it, too.
struct ChangeTitle : TitleFields {
  TitleId title = {};
  Patch<std::vector<GivenName>> names = {};
  Patch<std::vector<OutsideMedia>> media = {};
  Minted<std::vector<ClaimKey>> media_claims = {};

  TitleChanges decide(const Actor& by, const Title& known, Holders<&ChangeTitle::media_claims, Title> holders, By<User> person) const;
};
BOOST_DESCRIBE_STRUCT(ChangeTitle, (TitleFields), (title, names, media, media_claims))

struct Edge;
struct Call;
/// Fixes the id and the claims.
void prepare(AddTitle& command, const Edge& edge, const Call& call);
void prepare(ChangeTitle& command, const Edge& edge, const Call& call);

}  // namespace bloomwatch
