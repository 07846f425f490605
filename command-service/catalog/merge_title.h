// Two entries turned out to be one title: this one becomes the other. Sent by imports, as the system; what it meant comes over with the
// next description of the one that lives.
#pragma once

#include "command-service/catalog/refusals.h"
#include "command-service/catalog/title.h"
#include "command-service/decision.h"

namespace bloomwatch {

/// Refused, in this order: no_such_title, title_merged (either has become yet another one).
struct MergeTitle {
  TitleId title = {};
  TitleId into = {};

  Decision<TitleMerged> decide(const Actor&, At<&MergeTitle::title, Title> merged, At<&MergeTitle::into, Title> living) const {
    using catalog::Refusal;
    if (!merged->exists || !living->exists) return refuse(Refusal::no_such_title);
    if (merged->merged_into == into || title == into) return nothing;
    if (merged->merged_into || living->merged_into) return refuse(Refusal::title_merged);
    return TitleMerged{into};
  }
};
BOOST_DESCRIBE_STRUCT(MergeTitle, (), (title, into))

}  // namespace bloomwatch
