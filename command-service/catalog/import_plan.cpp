// Heirs first, then rows.
#include "command-service/catalog/import_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace bloomwatch::catalog {
namespace {

/// A reference of the file that leads to a title: `rank` says how good it is, the lower the better; the same rank goes by the id, so that
/// the order of rows decides nothing.
struct Lead {
  std::pair<int, std::string> rank;
  std::size_t row = 0;
  MediaReference reference;
};

std::pair<int, std::string> rank_of(const MediaReference& reference) {
  return {order_of_source(reference.source), reference.source + ':' + reference.id};
}

struct Leads {
  std::map<TitleId, std::vector<Lead>> by_title;

  std::size_t heir_of(TitleId title) const {
    const auto& leads = by_title.at(title);
    return std::ranges::min_element(leads, {}, &Lead::rank)->row;
  }
  std::pair<int, std::string> best_rank(TitleId title) const { return std::ranges::min_element(by_title.at(title), {}, &Lead::rank)->rank; }
};

Leads leads_of(const std::vector<FileTitle>& titles, const KnownTitle& known) {
  Leads leads;
  for (std::size_t row = 0; row < titles.size(); ++row)
    for (const MediaReference& reference : titles[row].entry.media)
      if (const auto title = known(reference)) leads.by_title[*title].push_back({rank_of(reference), row, reference});
  return leads;
}

/// Adds to the last step if that is the title's and has room.
void release(std::vector<ReleaseStep>& releases, TitleId title, const MediaReference& reference) {
  if (releases.empty() || releases.back().title != title || releases.back().media.size() == release_references_max)
    releases.push_back({.title = title});
  releases.back().media.push_back(reference);
}

}  // namespace

ImportPlan plan_import(const std::vector<FileTitle>& titles, const KnownTitle& known) {
  const Leads leads = leads_of(titles, known);
  std::vector<std::vector<TitleId>> inherits(titles.size());
  for (const auto& [title, all] : leads.by_title) inherits[leads.heir_of(title)].push_back(title);

  ImportPlan plan;
  for (std::size_t row = 0; row < titles.size(); ++row) {
    auto& own = inherits[row];
    if (own.empty()) {
      const MediaReference& first = titles[row].entry.media.front();
      plan.titles.push_back({row, title_of(first.source, first.id), true});
      continue;
    }
    std::ranges::sort(own, {}, [&](TitleId title) { return leads.best_rank(title); });
    plan.titles.push_back({row, own.front(), false});
    for (std::size_t i = 1; i < own.size(); ++i) plan.merges.push_back({own[i], own.front()});
  }
  // What a row has of a title that lives on in another row leaves it.
  for (const auto& [title, all] : leads.by_title) {
    const std::size_t heir = leads.heir_of(title);
    for (const Lead& lead : all)
      if (lead.row != heir) release(plan.releases, title, lead.reference);
  }
  return plan;
}

}  // namespace bloomwatch::catalog
