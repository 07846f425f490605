// The fold of `catalog`. A title's row is changed in place; its listings are taken out, and put again, around a change that moves them.
#include "projector/catalog/catalog.h"

#include <algorithm>
#include <set>

#include "events/title_sources.h"
#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

TitleRow& changed_title(Catalog& model, const Meta& meta) {
  TitleRow& row = model.titles.at(meta.key<TitleId>());
  row.updated_at = meta.recorded_at;
  row.version = meta.version;
  row.position = meta.position;
  return row;
}

std::set<ListingId> listings_of(const TitleRow& row) {
  std::set<ListingId> listings;
  if (row.merged_into) return listings;
  for (const std::string& genre : row.genres) listings.insert(listing_of("genre", genre));
  for (const StudioCredit& credit : row.studios) listings.insert(listing_of("studio", credit.slug));
  return listings;
}

/// Makes a change to a row, and what it does to the row's listings.
template <class Change>
void relist(Catalog& model, TitleRow& row, Change&& change) {
  const std::set<ListingId> before = listings_of(row);
  const std::int64_t popularity = row.popularity;
  change();
  const std::set<ListingId> after = listings_of(row);
  for (const ListingId listing : before)
    if (!after.contains(listing)) model.listings.remove({listing, row.title});
  for (const ListingId listing : after)
    if (row.popularity != popularity || !before.contains(listing)) model.listings.put({listing, row.title, row.popularity});
}

void add_references(Catalog& model, TitleRow& row, const std::vector<MediaReference>& references) {
  for (const MediaReference& reference : references) {
    row.external_ids.push_back(reference);
    model.aliases.put({title_of(reference.source, reference.id), row.title});
  }
}

/// The best source's main name; there always is one.
std::string name_of(const std::vector<SourcedName>& names) {
  if (names.empty()) return {};
  const auto main = std::ranges::find(names, NameKind::main, &SourcedName::kind);
  return main == names.end() ? names.front().text : main->text;
}

/// The names of the best source come first.
void set_names(TitleRow& row, const std::string& source, const std::vector<TitleName>& names) {
  std::erase_if(row.names, [&](const SourcedName& name) { return name.source == source; });
  const auto order = [](std::string_view of) { return std::pair(-rank_of_source(of), of); };
  const auto after = std::ranges::find_if(row.names, [&](const SourcedName& name) { return order(source) < order(name.source); });
  std::vector<SourcedName> said;
  for (const TitleName& name : names) said.push_back({name.text, name.language, name.kind, source});
  row.names.insert(after, said.begin(), said.end());
  row.name = name_of(row.names);
}

void set_genres(TitleRow& row, const std::string& source, const std::vector<std::string>& genres) {
  row.genres = genres;
  row.sources["genres"] = source;
}

void set_tags(TitleRow& row, const std::string& source, const std::vector<std::string>& tags) {
  row.tags = tags;
  row.sources["tags"] = source;
}

/// The credits of one role. Names that differ only in writing have one slug, and are one studio.
void set_credits(TitleRow& row, CreditRole role, const std::string& source, const std::vector<std::string>& names) {
  std::erase_if(row.studios, [&](const StudioCredit& credit) { return credit.role == role; });
  std::vector<StudioCredit> credits;
  for (const std::string& name : names) {
    std::string slug = studio_slug(name);
    if (!slug.empty() && std::ranges::find(credits, slug, &StudioCredit::slug) == credits.end())
      credits.push_back({std::move(slug), name, role});
  }
  row.studios.insert(role == CreditRole::studio ? row.studios.begin() : row.studios.end(), credits.begin(), credits.end());
  row.sources[role == CreditRole::studio ? "studios" : "producers"] = source;
}

void set_related(TitleRow& row, const std::string& source, const std::vector<MediaReference>& related) {
  row.related.clear();
  for (const auto& [related_source, id] : related)
    row.related.push_back({related_source, id, own_title_of(related_source, id).value_or(title_of(related_source, id))});
  row.sources["related"] = source;
}

void set_standing(TitleRow& row, const std::string& source, const TitleStanding& standing) {
  row.score_hundredths = standing.score_hundredths;
  row.popularity = standing.members.value_or(0);
  row.sources["standing"] = source;
}

/// Calls `visit(detail, mine, name)` for each of the details and the member of the row that has its name.
template <class Visit>
void each_detail(TitleRow& row, const TitleDetails& details, Visit&& visit) {
  boost::mp11::mp_for_each<projection::MembersOf<TitleDetails>>([&](auto D) {
    boost::mp11::mp_for_each<projection::MembersOf<TitleRow>>([&](auto R) {
      if constexpr (std::is_same_v<decltype(details.*D.pointer), const std::remove_reference_t<decltype(row.*R.pointer)>&>)
        if (std::string_view(D.name) == R.name) visit(details.*D.pointer, row.*R.pointer, D.name);
    });
  });
}

void set_details(TitleRow& row, const std::string& source, const TitleDetails& details, const std::vector<std::string>& cleared) {
  each_detail(row, details, [&](const auto& detail, auto& mine, const char* name) {
    if (std::ranges::find(cleared, name) != cleared.end()) {
      mine.reset();
      row.sources.erase(name);
    }
    if (!detail) return;
    mine = detail;
    row.sources[name] = source;
  });
}

}  // namespace

std::string studio_slug(std::string_view name) {
  std::string slug;
  for (const char c : name) {
    if (ascii::is_alnum(c) || static_cast<unsigned char>(c) >= 0x80)
      slug += ascii::lower(c);
    else if (!slug.empty() && slug.back() != '-')
      slug += '-';
  }
  if (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug;
}

void Catalog::apply(const TitleAdded& e, const Meta& meta) {
  TitleRow& row = titles[meta.key<TitleId>()];
  row.added_at = meta.recorded_at;
  row.updated_at = meta.recorded_at;
  row.version = meta.version;
  row.position = meta.position;
  aliases.put({row.title, row.title});
  add_references(*this, row, e.media);
  set_names(row, e.source, e.names);
  set_details(row, e.source, e.details, {});
  if (!e.tags.empty()) set_tags(row, e.source, e.tags);
  if (!e.related.empty()) set_related(row, e.source, e.related);
  relist(*this, row, [&] {
    if (e.standing != TitleStanding{}) set_standing(row, e.source, e.standing);
    if (!e.genres.empty()) set_genres(row, e.source, e.genres);
    if (!e.studios.empty()) set_credits(row, CreditRole::studio, e.source, e.studios);
    if (!e.producers.empty()) set_credits(row, CreditRole::producer, e.source, e.producers);
  });
}

void Catalog::apply(const TitleReferencesAdded& e, const Meta& meta) { add_references(*this, changed_title(*this, meta), e.media); }

void Catalog::apply(const TitleReferencesRemoved& e, const Meta& meta) {
  TitleRow& row = changed_title(*this, meta);
  for (const MediaReference& reference : e.media) {
    std::erase(row.external_ids, reference);
    const TitleId alias = title_of(reference.source, reference.id);
    // The id of a title that was merged into this one leads here whatever its reference means.
    if (alias != row.title && std::ranges::find(row.absorbed, alias) == row.absorbed.end()) aliases.remove({alias, row.title});
  }
}

void Catalog::apply(const TitleNamesChanged& e, const Meta& meta) { set_names(changed_title(*this, meta), e.source, e.names); }

void Catalog::apply(const TitleDetailsChanged& e, const Meta& meta) {
  set_details(changed_title(*this, meta), e.source, e.details, e.cleared);
}

void Catalog::apply(const TitleGenresChanged& e, const Meta& meta) {
  TitleRow& row = changed_title(*this, meta);
  relist(*this, row, [&] { set_genres(row, e.source, e.genres); });
}

void Catalog::apply(const TitleTagsChanged& e, const Meta& meta) { set_tags(changed_title(*this, meta), e.source, e.tags); }

void Catalog::apply(const TitleStudiosChanged& e, const Meta& meta) {
  TitleRow& row = changed_title(*this, meta);
  relist(*this, row, [&] { set_credits(row, CreditRole::studio, e.source, e.studios); });
}

void Catalog::apply(const TitleProducersChanged& e, const Meta& meta) {
  TitleRow& row = changed_title(*this, meta);
  relist(*this, row, [&] { set_credits(row, CreditRole::producer, e.source, e.producers); });
}

void Catalog::apply(const TitleRelationsChanged& e, const Meta& meta) { set_related(changed_title(*this, meta), e.source, e.related); }

void Catalog::apply(const TitleStandingChanged& e, const Meta& meta) {
  TitleRow& row = changed_title(*this, meta);
  relist(*this, row, [&] { set_standing(row, e.source, e.standing); });
}

void Catalog::apply(const TitleAvailabilityChanged& e, const Meta& meta) {
  TitleRow& row = changed_title(*this, meta);
  row.offers = e.offers;
  row.sources["offers"] = e.source;
}

void Catalog::apply(const TitleMerged& e, const Meta& meta) {
  TitleRow& row = changed_title(*this, meta);
  relist(*this, row, [&] { row.merged_into = e.merged_into; });
}

void Catalog::apply(const TitleAbsorbed& e, const Meta& meta) {
  TitleRow& row = changed_title(*this, meta);
  row.absorbed.push_back(e.absorbed);
  aliases.put({e.absorbed, row.title});
}

}  // namespace bloomwatch
