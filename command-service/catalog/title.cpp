// What the events of a title leave behind for the next decision.
#include "command-service/catalog/title.h"

#include <algorithm>

#include "events/title_sources.h"
#include "runtime/interned.h"
#include "runtime/json.h"

namespace bloomwatch {
namespace {

template <class List>
Mark mark_of_list(const List& list) {
  if (list.empty()) return std::nullopt;
  return Uuid::v5(Uuid{}, json::to_string(list));
}

/// The first name of that kind.
std::optional<std::string> name_of_kind(const std::vector<TitleName>& names, NameKind kind) {
  const auto found = std::ranges::find(names, kind, &TitleName::kind);
  return found == names.end() ? std::nullopt : std::optional(found->text);
}

/// Where no source says which name is the native one, the first in Japanese script is.
std::optional<std::string> native_name_of(const std::vector<TitleName>& names) {
  if (auto native = name_of_kind(names, NameKind::native)) return native;
  const auto found = std::ranges::find(names, std::optional<std::string>("ja"), &TitleName::language);
  return found == names.end() ? std::nullopt : std::optional(found->text);
}

std::optional<std::string> main_name_of(const std::vector<TitleName>& names) {
  if (auto main = name_of_kind(names, NameKind::main)) return main;
  return names.empty() ? std::nullopt : std::optional(names.front().text);
}

void set_names(Title& title, std::string_view source, const std::vector<TitleName>& names) {
  std::erase_if(title.names, [&](const Title::Called& called) { return called.source == source; });
  if (names.empty()) return;
  const auto better = [](const Title::Called& called) { return std::pair(-rank_of_source(called.source), called.source); };
  Title::Called called{interned(source), mark_of(names), main_name_of(names), name_of_kind(names, NameKind::english),
                       native_name_of(names)};
  title.names.insert(std::ranges::upper_bound(title.names, better(called), {}, better), std::move(called));
}

void set_details(Title& title, std::string_view source, const TitleDetails& details, const std::vector<std::string>& cleared) {
  boost::mp11::mp_for_each<boost::describe::describe_members<TitleDetails, boost::describe::mod_public>>([&](auto D) {
    auto& mine = title.details.*D.pointer;
    if (std::ranges::find(cleared, D.name) != cleared.end()) {
      mine.reset();
      title.detail_sources.erase(D.name);
    }
    if (!(details.*D.pointer)) return;
    mine = details.*D.pointer;
    title.detail_sources[D.name] = interned(source);
  });
}

}  // namespace

Mark mark_of(const std::vector<TitleName>& names) { return mark_of_list(names); }
Mark mark_of(const std::vector<std::string>& words) { return mark_of_list(words); }
Mark mark_of(const std::vector<MediaReference>& related) { return mark_of_list(related); }
Mark mark_of(const std::vector<Offer>& offers) {
  std::vector<Offer> unchecked = offers;
  for (Offer& offer : unchecked) offer.checked_at.reset();
  return mark_of_list(unchecked);
}
Mark mark_of(const TitleStanding& standing) {
  if (standing == TitleStanding{}) return std::nullopt;
  return Uuid::v5(Uuid{}, json::to_string(standing));
}

bool Title::means(const MediaReference& reference) const { return std::ranges::find(media, reference) != media.end(); }

const Title::Called* Title::called_by(std::string_view source) const {
  const auto found = std::ranges::find(names, source, &Called::source);
  return found == names.end() ? nullptr : &*found;
}

TitleSnapshot Title::snapshot() const {
  const auto first_of = [&](auto member) -> std::optional<std::string> {
    for (const Called& called : names)
      if (called.*member) return called.*member;
    return std::nullopt;
  };
  return {.romaji = first_of(&Called::main),
          .english = first_of(&Called::english),
          .native = first_of(&Called::native),
          .episode_count = details.episodes,
          .episode_minutes = details.minutes,
          .cover_image_url = details.picture_url,
          .format = details.format,
          .season = details.season,
          .season_year = details.season_year};
}

std::vector<TitleId> Title::aliases(TitleId own) const {
  std::vector<TitleId> ids = {own};
  for (const MediaReference& reference : media) {
    const TitleId id = title_of(reference.source, reference.id);
    if (id != own) ids.push_back(id);
  }
  ids.insert(ids.end(), absorbed.begin(), absorbed.end());
  return ids;
}

void Title::evolve(const TitleAdded& e) {
  exists = true;
  media = e.media;
  set_names(*this, e.source, e.names);
  set_details(*this, e.source, e.details, {});
  const std::string_view source = interned(e.source);
  genres = {source, mark_of(e.genres)};
  tags = {source, mark_of(e.tags)};
  studios = {source, mark_of(e.studios)};
  producers = {source, mark_of(e.producers)};
  related = {source, mark_of(e.related)};
  standing = {source, mark_of(e.standing)};
}

void Title::evolve(const TitleNamesChanged& e) { set_names(*this, e.source, e.names); }
void Title::evolve(const TitleDetailsChanged& e) { set_details(*this, e.source, e.details, e.cleared); }
void Title::evolve(const TitleGenresChanged& e) { genres = {interned(e.source), mark_of(e.genres)}; }
void Title::evolve(const TitleTagsChanged& e) { tags = {interned(e.source), mark_of(e.tags)}; }
void Title::evolve(const TitleStudiosChanged& e) { studios = {interned(e.source), mark_of(e.studios)}; }
void Title::evolve(const TitleProducersChanged& e) { producers = {interned(e.source), mark_of(e.producers)}; }
void Title::evolve(const TitleRelationsChanged& e) { related = {interned(e.source), mark_of(e.related)}; }
void Title::evolve(const TitleStandingChanged& e) { standing = {interned(e.source), mark_of(e.standing)}; }
void Title::evolve(const TitleAvailabilityChanged& e) { offers = {interned(e.source), mark_of(e.offers)}; }

}  // namespace bloomwatch
