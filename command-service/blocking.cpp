// Going on on another thread, with the ways in which that may fail answered.
#include "command-service/blocking.h"

#include <fmt/format.h>

#include <chrono>

#include "runtime/logging.h"

namespace bloomwatch {

CommandFrame frame_of_many(const Call& call, Origin origin) {
  CommandFrame frame{.by = call.frame.by};
  frame.by.command = CommandId(Uuid::v7(now()));
  frame.by.origin = std::move(origin);
  return frame;
}

CommandFrame frame_of_asking(const Call& call, Origin origin) {
  CommandFrame frame = frame_of_many(call, std::move(origin));
  frame.key = call.frame.key;
  frame.body_mac = call.frame.body_mac;
  return frame;
}

Problem came_before(std::string type, std::string_view what, std::string_view act) {
  return {
      .status = 409,
      .type = std::move(type),
      .title = fmt::format("This {} came before", what),
      .detail = fmt::format("It was taken under this Idempotency-Key, and goes on by itself unless the service stopped meanwhile. To {} "
                            "again, use another key.",
                            act)};
}

void run_on(WorkPool& pool, Call call, std::move_only_function<void(Call&)> flow) {
  using std::chrono::steady_clock;
  const auto shared = std::make_shared<Call>(std::move(call));
  WorkPool::Job job = [shared, flow = std::move(flow), queued_at = steady_clock::now(), wait_max = pool.wait_max()]() mutable {
    if (wait_max && steady_clock::now() - queued_at > *wait_max) return shared->refuse(problems::overloaded());
    try {
      flow(*shared);
    } catch (const pg::Error& broken) {
      if (shared->respond) return shared->refuse(problems::unavailable(shared->request.request_id, broken.what()));
      log::warning("commands", "Postgres could not be asked", {{"request", shared->request.request_id}, {"error", broken.what()}});
    } catch (const std::exception& error) {
      if (!shared->respond) throw;
      shared->refuse(problems::internal(shared->request.request_id, error.what()));
    }
  };
  if (!pool.submit(job)) shared->refuse(problems::overloaded());
}

}  // namespace bloomwatch
