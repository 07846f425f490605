// A source says what it knows of a title: the catalogue takes what is new, and what this source knows better than those before it.
// Sent by imports, as the system. Saying the same again changes nothing. The rules: ops/decisions/0007.
#pragma once

#include "command-service/catalog/title.h"
#include "command-service/catalog/title_entry.h"
#include "command-service/decision.h"
#include "runtime/json.h"

namespace bloomwatch {

/// Refused, in this order: title_merged (not `fresh`, and the title became another), title_id_taken (`fresh`, and there is or was another
/// title of that id), no_such_title (not `fresh`, and there is none), reference_held (a reference means another title, which lives).
/// References of titles that were merged into this one come over to it; it has absorbed these then.
struct DescribeTitle {
  TitleId title = {};
  std::string source = {};
  TitleEntry entry = {};                    ///< checked; at least one name
  std::vector<ClaimKey> media_claims = {};  ///< of entry.media, in its order
  bool fresh = false;                       ///< the title is to be new, unless some of its references lead to it already
  bool planned = false;                     ///< what was planned before this was not done: a dry run. References are taken as free

  using Described = Decision<TitleAdded, TitleReferencesAdded, TitleAbsorbed, TitleNamesChanged, TitleDetailsChanged, TitleGenresChanged,
                             TitleTagsChanged, TitleStudiosChanged, TitleProducersChanged, TitleRelationsChanged, TitleStandingChanged>;
  Described decide(const Actor& by, const Title& known, Holders<&DescribeTitle::media_claims, Title> holders) const;
};
BOOST_DESCRIBE_STRUCT(DescribeTitle, (), (title, source, entry, media_claims, fresh, planned))

/// The claims of references, in their order.
std::vector<ClaimKey> claims_of(const std::vector<MediaReference>& references);

/// Whether a fact may come from `source` where `from` (none: empty) has said another: it knows better, or it was it who said so.
bool may_replace(std::string_view source, std::string_view from);

}  // namespace bloomwatch
