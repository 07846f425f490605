// From a position to the undo of the change that is there. The past is read here, where blocking is allowed, and only for members; whether
// it still stands is the decider's to say, and what stands in the way is looked for after it has said no.
#pragma once

#include <expected>
#include <optional>
#include <variant>
#include <vector>

#include "command-service/accounts/flows.h"
#include "command-service/undo/plan.h"
#include "events/log.h"

namespace bloomwatch::undo {

/// A change with the stream that it is in.
struct Found {
  std::vector<RecordedEvent> stream;
  Change change;
};

/// The change of this space at a position of the log; none if nothing happened there, or elsewhere. Throws pg::Error.
std::optional<Found> find_in_space(LogReader& reader, WatchSpaceId space, Position position);

/// A command that only says no, or only asks whether somebody is a member.
UndoSpace only_says(WatchSpaceId space, std::optional<Refusal> refusal);

/// The command that undoes it, or says why not.
using Command = std::variant<UndoTracking, UndoSpace>;
Command command_for(WatchSpaceId space, const std::optional<Found>& found);

/// Why it was refused, as far as its stream was read: the undo that was before, or the later change in the way, if it can be named.
struct Reason {
  Refusal why = Refusal::changed_since;
  std::optional<Position> position = {};
};
Reason reason_of(LogReader& reader, WatchSpaceId space, const std::optional<Found>& found);

/// Whether a refusal is one that `reason_of` says more about.
bool has_a_reason(std::string_view refusal);

/// Of one account: each reads a whole stream, while those of others wait.
inline constexpr double undos_max = 30;
inline constexpr double undos_per_second = 0.5;

/// The handler of POST /api/watch-spaces/{watchSpace}/history/{position}/undo. All references outlive it; it takes a thread of `pool` until
/// the writer has answered.
http::Handler undo_change(const Edge& edge, accounts::Readers& readers, WorkPool& pool);

}  // namespace bloomwatch::undo
