// References that mean another title from now on leave this one. Sent by imports, as the system, before the other is described.
#pragma once

#include <algorithm>

#include "command-service/catalog/title.h"
#include "command-service/decision.h"

namespace bloomwatch {

/// Says nothing of references that mean other titles already.
struct ReleaseReferences {
  TitleId title = {};
  std::string source = {};
  std::vector<MediaReference> media = {};
  std::vector<ClaimKey> media_claims = {};  ///< of `media`, in its order

  Decision<TitleReferencesRemoved> decide(const Actor&, const Title& known,
                                          Holders<&ReleaseReferences::media_claims, Title> holders) const {
    TitleReferencesRemoved removed{.source = source};
    Decision<TitleReferencesRemoved> decision;
    for (std::size_t i = 0; i < media.size(); ++i) {
      if (!known.means(media[i]) || holders.of[i].state == nullptr || holders.of[i].id != title.uuid) continue;
      removed.media.push_back(media[i]);
      removed.media_claims.push_back(media_claims[i]);
      decision.release(media_claims[i]);
    }
    if (!removed.media.empty()) decision.add(std::move(removed));
    return decision;
  }
};
BOOST_DESCRIBE_STRUCT(ReleaseReferences, (), (title, source, media, media_claims))

}  // namespace bloomwatch
