// What people say of a title by hand, as facts of the source `manual`.
#include "command-service/catalog/manual_title.h"

#include <algorithm>

#include "command-service/catalog/refusals.h"
#include "command-service/edge.h"
#include "events/title_sources.h"
#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

using catalog::Refusal;

const std::string manual(manual_source);

bool may_write(const User& person) { return person.role == AccountRole::moderator || person.role == AccountRole::admin; }

template <class T>
std::size_t size_of(const Patch<std::vector<T>>& list) {
  return list ? list->size() : 0;
}

bool says_too_much(const TitleFields& fields, std::size_t names, std::size_t references) {
  return names > names_max || references > references_max || size_of(fields.genres) > words_max || size_of(fields.tags) > words_max ||
         size_of(fields.studios) > words_max || size_of(fields.producers) > words_max || size_of(fields.related) > related_max ||
         size_of(fields.availability) > offers_max;
}

std::vector<TitleName> names_of(const std::vector<GivenName>& given) {
  std::vector<TitleName> names;
  for (const GivenName& name : given) names.push_back(name.name());
  return names;
}

/// Lower-case words are one genre however they are written.
std::vector<std::string> words_of(const std::vector<Word>& given, bool lower) {
  std::vector<std::string> words;
  for (const Word& word : given) {
    std::string text = lower ? ascii::lower_case(word.text()) : word.text();
    if (std::ranges::find(words, text) == words.end()) words.push_back(std::move(text));
  }
  return words;
}

template <class Given>
std::vector<MediaReference> references_of(const std::vector<Given>& given) {
  std::vector<MediaReference> references;
  for (const Media& media : given) references.push_back(media.reference());
  order_references(references);
  return references;
}

/// The claims of references; of too many, as many as tell that: before a decision says so, the writer looks at each of them.
std::vector<ClaimKey> claims_to_ask(std::vector<MediaReference> references) {
  if (references.size() > references_max + 1) references.resize(references_max + 1);
  return claims_of(references);
}

/// The value of a field as the details have it.
template <class T>
auto plain(const T& value) {
  if constexpr (std::is_same_v<T, Season>)
    return std::string(json::name_of(value));
  else if constexpr (std::is_same_v<T, AiringStatus>)
    return value;
  else
    return value.wire();
}

/// The fields that are details have their names in TitleDetails.
TitleDetailsChanged details_of(const TitleFields& fields, const Title& known) {
  TitleDetailsChanged changed{.source = manual};
  const auto take = [&](const char* name, const auto& field, auto detail) {
    if (!field.present) return;
    const auto& before = known.details.*detail;
    if (!field.value) {
      if (before) changed.cleared.emplace_back(name);
      return;
    }
    const auto from = known.detail_sources.find(name);
    const auto value = plain(*field.value);
    if (before != value || from == known.detail_sources.end() || from->second != manual_source) changed.details.*detail = value;
  };
  take("format", fields.format, &TitleDetails::format);
  take("airing", fields.airing, &TitleDetails::airing);
  take("season", fields.season, &TitleDetails::season);
  take("season_year", fields.season_year, &TitleDetails::season_year);
  take("episodes", fields.episodes, &TitleDetails::episodes);
  take("minutes", fields.minutes, &TitleDetails::minutes);
  take("picture_url", fields.picture_url, &TitleDetails::picture_url);
  take("synopsis", fields.synopsis, &TitleDetails::synopsis);
  take("starts_on", fields.starts_on, &TitleDetails::starts_on);
  take("ends_on", fields.ends_on, &TitleDetails::ends_on);
  take("content_rating", fields.content_rating, &TitleDetails::content_rating);
  return changed;
}

/// Whether a list is to be said: another one, or one that nobody here has vouched for yet.
bool differs(const Title::Fact& known, const Mark& mark) { return known.mark != mark || (mark && known.source != manual_source); }

/// Offers are compared without the time at which they were checked.
std::vector<Offer> offers_of(const std::vector<GivenOffer>& given) {
  std::vector<Offer> offers;
  for (const GivenOffer& offer : given) offers.push_back(offer.offer());
  return offers;
}

void add_changes(TitleChanges& changes, const TitleFields& fields, const Title& known) {
  if (auto details = details_of(fields, known); details.details != TitleDetails{} || !details.cleared.empty())
    changes.add(std::move(details));
  const auto say = [&](const auto& given, const Title::Fact& fact, auto list_of, auto event_of) {
    if (!given) return;
    auto list = list_of(*given);
    if (differs(fact, mark_of(list))) changes.add(event_of(std::move(list)));
  };
  const auto lower = [](const auto& given) { return words_of(given, true); };
  const auto as_written = [](const auto& given) { return words_of(given, false); };
  say(fields.genres, known.genres, lower, [](auto list) { return TitleGenresChanged{manual, std::move(list)}; });
  say(fields.tags, known.tags, lower, [](auto list) { return TitleTagsChanged{manual, std::move(list)}; });
  say(fields.studios, known.studios, as_written, [](auto list) { return TitleStudiosChanged{manual, std::move(list)}; });
  say(fields.producers, known.producers, as_written, [](auto list) { return TitleProducersChanged{manual, std::move(list)}; });
  say(fields.related, known.related, references_of<Media>, [](auto list) { return TitleRelationsChanged{manual, std::move(list)}; });
  say(fields.availability, known.offers, offers_of, [](auto list) { return TitleAvailabilityChanged{manual, std::move(list)}; });
}

}  // namespace

TitleName GivenName::name() const {
  return {text.text(), language ? std::optional(language->text()) : std::nullopt, kind.value_or(NameKind::synonym)};
}

Offer GivenOffer::offer() const {
  return {provider.text(), region.text(), kind, url ? std::optional(url->text()) : std::nullopt, std::nullopt};
}

std::vector<MediaReference> AddTitle::references() const {
  std::vector<MediaReference> all = media ? references_of(*media) : std::vector<MediaReference>{};
  all.push_back({std::string(own_source), title->to_string()});
  return all;
}

TitleChanges AddTitle::decide(const Actor& by, At<&AddTitle::title, Title> known, Holders<&AddTitle::media_claims, Title> holders,
                              By<User> person) const {
  if (!may_write(person.state)) return refuse(Refusal::not_a_moderator);
  if (names.empty()) return refuse(Refusal::title_without_name);
  if (says_too_much(*this, names.size(), media_claims->size())) return refuse(Refusal::too_much_said);
  if (std::ranges::any_of(holders.of, [](const auto& holder) { return holder.state != nullptr; })) return refuse(Refusal::reference_held);
  if (known->exists) return refuse(Refusal::title_id_taken);
  TitleChanges said;
  add_changes(said, *this, Title{});
  TitleAdded added{.source = manual, .media = references(), .media_claims = *media_claims, .names = names_of(names)};
  TitleChanges changes;
  for (const ClaimKey claim : *media_claims) changes.take(claim);
  for (auto& event : said.events) {
    if (auto* details = std::get_if<TitleDetailsChanged>(&event)) added.details = std::move(details->details);
    if (auto* genres = std::get_if<TitleGenresChanged>(&event)) added.genres = std::move(genres->genres);
    if (auto* tags = std::get_if<TitleTagsChanged>(&event)) added.tags = std::move(tags->tags);
    if (auto* studios = std::get_if<TitleStudiosChanged>(&event)) added.studios = std::move(studios->studios);
    if (auto* producers = std::get_if<TitleProducersChanged>(&event)) added.producers = std::move(producers->producers);
    if (auto* related = std::get_if<TitleRelationsChanged>(&event)) added.related = std::move(related->related);
  }
  changes.add(std::move(added));
  for (auto& event : said.events)
    if (auto* offers = std::get_if<TitleAvailabilityChanged>(&event)) {
      for (Offer& offer : offers->offers) offer.checked_at = by.now;
      changes.add(std::move(*offers));
    }
  return changes;
}

TitleChanges ChangeTitle::decide(const Actor& by, const Title& known, Holders<&ChangeTitle::media_claims, Title> holders,
                                 By<User> person) const {
  if (!may_write(person.state)) return refuse(Refusal::not_a_moderator);
  if (says_too_much(*this, size_of(names), size_of(media))) return refuse(Refusal::too_much_said);
  if (!known.exists) return refuse(Refusal::no_such_title);
  if (known.merged_into) return refuse(Refusal::title_merged);
  const auto is_manual = [](const Title::Called& called) { return called.source == manual_source; };
  if (names && names->empty() && std::ranges::all_of(known.names, is_manual)) return refuse(Refusal::title_without_name);
  TitleChanges changes;
  TitleReferencesAdded references{.source = manual};
  const std::vector<MediaReference> given = media ? references_of(*media) : std::vector<MediaReference>{};
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (holders.of[i].state != nullptr && holders.of[i].id == title.uuid) continue;
    if (holders.of[i].state != nullptr) return refuse(Refusal::reference_held);
    references.media.push_back(given[i]);
    references.media_claims.push_back(media_claims->at(i));
    changes.take(media_claims->at(i));
  }
  if (!references.media.empty()) changes.add(std::move(references));
  if (names) {
    auto said = names_of(*names);
    const Title::Called* called = known.called_by(manual_source);
    if (mark_of(said) != (called == nullptr ? Mark{} : called->mark)) changes.add(TitleNamesChanged{manual, std::move(said)});
  }
  add_changes(changes, *this, known);
  for (auto& event : changes.events)
    if (auto* offers = std::get_if<TitleAvailabilityChanged>(&event))
      for (Offer& offer : offers->offers) offer.checked_at = by.now;
  return changes;
}

void prepare(AddTitle& command, const Edge&, const Call&) {
  if (command.media && !command.media->empty()) {
    const MediaReference first = references_of(*command.media).front();
    command.title.value = title_of(first.source, first.id);
  }
  command.media_claims.value = claims_to_ask(command.references());
}

void prepare(ChangeTitle& command, const Edge&, const Call&) {
  if (command.media) command.media_claims.value = claims_to_ask(references_of(*command.media));
}

}  // namespace bloomwatch
