// What a source's description changes: references first, then fact by fact.
#include "command-service/catalog/describe_title.h"

#include <algorithm>

#include "command-service/catalog/refusals.h"
#include "events/title_sources.h"

namespace bloomwatch {
namespace {

using catalog::Refusal;
using Described = DescribeTitle::Described;

/// Whether a list of `source` is news: it says something, something else than is known, and may say so.
bool is_news(const Title::Fact& known, std::string_view source, const Mark& mark) {
  return mark && mark != known.mark && (!known.mark || may_replace(source, known.source));
}

/// The details that are news.
TitleDetails news_of_details(const Title& known, std::string_view source, const TitleDetails& said) {
  TitleDetails news;
  boost::mp11::mp_for_each<boost::describe::describe_members<TitleDetails, boost::describe::mod_public>>([&](auto D) {
    const auto& value = said.*D.pointer;
    const auto& before = known.details.*D.pointer;
    if (!value || value == before) return;
    const auto from = known.detail_sources.find(D.name);
    if (!before || from == known.detail_sources.end() || may_replace(source, from->second)) news.*D.pointer = value;
  });
  return news;
}

/// What has to be said of references: those that come, and the titles that they come from. A refusal where one means another title.
struct Taken {
  TitleReferencesAdded added = {};
  std::vector<TitleId> absorbed = {};
  bool some_were_ours = false;
};

std::optional<Refused> take_references(const DescribeTitle& command, const Title& known,
                                       const Holders<&DescribeTitle::media_claims, Title>& holders, Taken& taken) {
  taken.added.source = command.source;
  const auto absorb = [&](TitleId id) {
    if (std::ranges::find(known.absorbed, id) == known.absorbed.end() && std::ranges::find(taken.absorbed, id) == taken.absorbed.end())
      taken.absorbed.push_back(id);
  };
  for (std::size_t i = 0; i < command.media_claims.size(); ++i) {
    const auto& holder = holders.of[i];
    if (holder.state != nullptr && holder.id == command.title.uuid) {
      taken.some_were_ours = true;
      continue;
    }
    if (holder.state != nullptr && !command.planned) {
      if (holder.state->merged_into != command.title) return refuse(Refusal::reference_held);
      absorb(TitleId(holder.id));
      for (const TitleId earlier : holder.state->absorbed) absorb(earlier);
    }
    taken.added.media.push_back(command.entry.media[i]);
    taken.added.media_claims.push_back(command.media_claims[i]);
  }
  return std::nullopt;
}

void add_title(Described& described, const DescribeTitle& command, Taken& taken) {
  const TitleEntry& entry = command.entry;
  described.add(TitleAdded{.source = command.source,
                           .media = std::move(taken.added.media),
                           .media_claims = std::move(taken.added.media_claims),
                           .names = entry.names,
                           .details = entry.details,
                           .genres = entry.genres,
                           .tags = entry.tags,
                           .studios = entry.studios,
                           .producers = entry.producers,
                           .related = entry.related,
                           .standing = entry.standing});
}

void change_title(Described& described, const DescribeTitle& command, const Title& known) {
  const TitleEntry& entry = command.entry;
  const std::string& source = command.source;
  const Title::Called* called = known.called_by(source);
  if (!entry.names.empty() && (called == nullptr || called->mark != mark_of(entry.names)))
    described.add(TitleNamesChanged{.source = source, .names = entry.names});
  if (TitleDetails news = news_of_details(known, source, entry.details); news != TitleDetails{})
    described.add(TitleDetailsChanged{.source = source, .details = std::move(news)});
  if (is_news(known.genres, source, mark_of(entry.genres))) described.add(TitleGenresChanged{source, entry.genres});
  if (is_news(known.tags, source, mark_of(entry.tags))) described.add(TitleTagsChanged{source, entry.tags});
  if (is_news(known.studios, source, mark_of(entry.studios))) described.add(TitleStudiosChanged{source, entry.studios});
  if (is_news(known.producers, source, mark_of(entry.producers))) described.add(TitleProducersChanged{source, entry.producers});
  if (is_news(known.related, source, mark_of(entry.related)))
    described.add(TitleRelationsChanged{.source = source, .related = entry.related});
  if (is_news(known.standing, source, mark_of(entry.standing)))
    described.add(TitleStandingChanged{.source = source, .standing = entry.standing});
}

}  // namespace

std::vector<ClaimKey> claims_of(const std::vector<MediaReference>& references) {
  std::vector<ClaimKey> claims;
  claims.reserve(references.size());
  for (const MediaReference& reference : references) claims.push_back(reference_claim(reference.source, reference.id));
  return claims;
}

bool may_replace(std::string_view source, std::string_view from) {
  return from.empty() || source == from || rank_of_source(source) > rank_of_source(from);
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): what comes by value is what claims lead to (dispatch.h)
Described DescribeTitle::decide(const Actor&, const Title& known, Holders<&DescribeTitle::media_claims, Title> holders) const {
  if (known.merged_into) return refuse(fresh ? Refusal::title_id_taken : Refusal::title_merged);
  Taken taken;
  if (const auto refused = take_references(*this, known, holders, taken)) return *refused;
  if (known.exists && fresh && !taken.some_were_ours) return refuse(Refusal::title_id_taken);
  if (!known.exists && !fresh) return refuse(Refusal::no_such_title);
  Described described;
  for (const ClaimKey claim : taken.added.media_claims) described.take(claim);
  if (!known.exists)
    add_title(described, *this, taken);
  else if (!taken.added.media.empty())
    described.add(std::move(taken.added));
  for (const TitleId absorbed : taken.absorbed) described.add(TitleAbsorbed{absorbed});
  if (known.exists) change_title(described, *this, known);
  return described;
}

}  // namespace bloomwatch
