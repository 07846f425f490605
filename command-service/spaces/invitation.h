// Inviting somebody: the address is written beside the log first, and the token is shown once and kept nowhere.
#pragma once

#include <string>

#include "command-service/edge.h"
#include "command-service/secrets.h"
#include "runtime/work_pool.h"

namespace bloomwatch::spaces {

/// An invitation's token: a keyed hash of its command's id, so that a repeat with the same Idempotency-Key shows the same one, and nothing
/// that is stored does.
std::string invitation_token(const MasterKeys& keys, CommandId command);

/// Of one account: each asks the writer, and may write an address.
inline constexpr double invitations_max = 200;
inline constexpr double invitations_per_second = 1;

/// The handler of POST …/invitations. All references outlive it.
http::Handler invite(const Edge& edge, Secrets& secrets, WorkPool& pool);

}  // namespace bloomwatch::spaces
