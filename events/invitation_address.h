// The address that an invitation goes to: a secret beside the log (secrets.invitation_addresses), sealed under the master key, as there is
// no account yet whose key could seal it. Here because command-service writes it and query-service shows it to the space's owners.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "events/ids.h"
#include "runtime/crypto.h"

namespace bloomwatch {

/// What a box holds. The space is in it so that the sweep finds the event that names the invitation.
struct InvitationAddress {
  WatchSpaceId watch_space;
  std::string email;
};

/// The bytes of the column `box`; they open for this invitation only.
std::string seal_invitation_address(const MasterKeys& keys, InvitationId invitation, const InvitationAddress& address);
/// Nothing if the box is another invitation's, was changed, or is sealed under another master key.
std::optional<InvitationAddress> open_invitation_address(const MasterKeys& keys, InvitationId invitation, std::string_view box);

}  // namespace bloomwatch
