// The claim of a link to a recap card. command-service takes it for a link, query-service finds the link by it.
#pragma once

#include <string_view>

#include "events/ids.h"
#include "runtime/crypto.h"

namespace bloomwatch {

/// By the link's token, which is kept nowhere.
inline ClaimKey recap_share_claim(const MasterKeys& keys, std::string_view token) {
  return ClaimKey(Uuid{keyed_hash(keys.claims, {"recap-share", token})});
}

}  // namespace bloomwatch
