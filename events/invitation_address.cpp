// A box is the space's id and the address, with the invitation's id as context.
#include "events/invitation_address.h"

#include <algorithm>

namespace bloomwatch {
namespace {

constexpr std::size_t space_bytes = 16;

std::string context_of(InvitationId invitation) { return "invitation" + std::string(as_text(invitation.uuid.bytes)); }

}  // namespace

std::string seal_invitation_address(const MasterKeys& keys, InvitationId invitation, const InvitationAddress& address) {
  return seal(keys.wrapping, std::string(as_text(address.watch_space.uuid.bytes)) + address.email, context_of(invitation));
}

std::optional<InvitationAddress> open_invitation_address(const MasterKeys& keys, InvitationId invitation, std::string_view box) {
  const auto plain = open(keys.wrapping, box, context_of(invitation));
  if (!plain || plain->size() < space_bytes) return std::nullopt;
  InvitationAddress address;
  std::copy_n(plain->begin(), space_bytes, address.watch_space.uuid.bytes.begin());
  address.email = plain->substr(space_bytes);
  return address;
}

}  // namespace bloomwatch
