// Makes the parts of command-service and ties them together.
#include "command-service/service.h"

#include <algorithm>
#include <array>
#include <thread>

#include "command-service/accounts/flows.h"
#include "command-service/accounts/routes.h"
#include "command-service/aggregates.h"
#include "command-service/audit/routes.h"
#include "command-service/catalog/routes.h"
#include "command-service/dispatch.h"
#include "command-service/edge.h"
#include "command-service/recaps/routes.h"
#include "command-service/secrets.h"
#include "command-service/spaces/routes.h"
#include "command-service/sync/routes.h"
#include "command-service/tracking/routes.h"
#include "command-service/undo/routes.h"
#include "command-service/writer_loop.h"
#include "command-service/writer_metrics.h"
#include "events/log.h"
#include "runtime/logging.h"
#include "runtime/sleep.h"
#include "runtime/work_pool.h"

namespace bloomwatch {
namespace {

constexpr std::size_t password_queue_max = 256;  ///< each waits tens of milliseconds for each before it
constexpr unsigned flow_threads = 2;
constexpr std::size_t flow_queue_max = 1024;
constexpr std::chrono::seconds flow_wait_max{10};  ///< in any of these queues, where Postgres is slow to answer those before
constexpr unsigned undo_threads = 2;               ///< each reads whole streams
constexpr std::size_t undo_queue_max = 256;
constexpr unsigned import_threads = 2;
constexpr std::size_t import_queue_max = 8;      ///< each holds a body of up to 32 MiB
constexpr double commands_at_once_seconds = 10;  ///< so much of what an account may send a second it may send at once
constexpr std::chrono::seconds shutdown_drain_max{10};
constexpr std::chrono::minutes first_sweep_after{5};
constexpr std::chrono::hours sweep_every{1};

WriterOptions writer_options(const Config& config) {
  WriterOptions options{.database_url = config.database_url, .snapshot_shapes = snapshot_shapes()};
  options.limits.queue_max = config.writer_queue_max;
  options.limits.batch_commands_max = config.writer_batch_commands_max;
  options.limits.batches_in_flight_max = std::min<std::size_t>(config.writer_batches_in_flight_max, AppendPipeline::in_flight_max);
  options.limits.memory_bytes_max = config.writer_memory_mib_max << 20;
  return options;
}

pg::Options secrets_options(const Config& config) {
  return {.url = config.database_url, .application_name = "bloomwatch secrets", .statement_timeout = std::chrono::milliseconds(10'000)};
}

/// Sweeps secrets that nobody needs, every hour, in the process that writes.
class Sweeper {
 public:
  Sweeper(Secrets& secrets, const Writer& writer)
      : thread_([&secrets, &writer](const std::stop_token& stop) {
          std::chrono::milliseconds pause = first_sweep_after;
          while (sleep_for(stop, pause)) {
            pause = sweep_every;
            if (writer.ready()) sweep(secrets);
          }
        }) {}

 private:
  static void sweep(Secrets& secrets) {
    try {
      const Secrets::Swept swept = secrets.sweep();
      log::info("secrets", "swept what nobody needs",
                {{"keys", swept.keys}, {"passwords", swept.passwords}, {"invitation_addresses", swept.invitation_addresses}});
    } catch (const pg::Error& broken) {
      log::warning("secrets", "could not sweep", {{"error", broken.what()}});
    }
  }

  std::jthread thread_;
};

}  // namespace

/// In the order in which they may be made: each rests on those before it.
struct CommandService::Parts {
  Parts(const Config& config, const MasterKeys& master_keys, Authenticator& authenticator, Hub& hub)
      : keys(master_keys),
        pool(secrets_options(config), {.connections_max = config.password_threads + flow_threads + 2}),
        secrets(pool, keys),
        pipeline(std::make_unique<pg::Pipeline>(secrets_options(config), pg::Pipeline::Limits{.connections = 1})),
        data_keys(*pipeline, keys),
        writer(writer_options(config), make_state, hub),
        limit_of_accounts(config.account_commands_per_second * commands_at_once_seconds, config.account_commands_per_second),
        edge{.writer = writer,
             .authenticator = authenticator,
             .limit_of_accounts = limit_of_accounts,
             .data_keys = data_keys,
             .keys = keys,
             .epoch = LogReader(config.database_url, "bloomwatch command-service").epoch(),
             .invitation_life = std::chrono::hours(24) * config.invitation_days},
        readers(config.database_url),
        passwords("passwords", config.password_threads, password_queue_max, flow_wait_max),
        flow_pool("flows", flow_threads, flow_queue_max, flow_wait_max),
        undos("undos", undo_threads, undo_queue_max, flow_wait_max),
        imports("imports", import_threads, import_queue_max),
        flows{.edge = edge, .secrets = secrets, .readers = readers, .password_pool = passwords, .pool = flow_pool} {}

  const MasterKeys keys;
  pg::Pool pool;
  Secrets secrets;
  std::unique_ptr<pg::Pipeline> pipeline;
  DataKeys data_keys;
  Writer writer;
  TokenBuckets limit_of_accounts;
  Edge edge;
  accounts::Readers readers;
  WorkPool passwords;
  WorkPool flow_pool;
  WorkPool undos;
  WorkPool imports;
  accounts::Flows flows;
  std::unique_ptr<Sweeper> sweeper;
};

CommandService::CommandService(const Config& config, const MasterKeys& keys, Authenticator& authenticator, Hub& hub, Metrics& metrics)
    : parts_(std::make_unique<Parts>(config, keys, authenticator, hub)) {
  show(parts_->writer, metrics);
}

CommandService::~CommandService() { stop(); }

void CommandService::add_routes(http::Routes& routes) {
  routes.check_headers([&edge = parts_->edge](const http::Request& request) {
    http::Responder nobody;
    const auto by = authorize(edge, request, nobody, now());
    return by ? std::nullopt : std::optional(by.error());
  });
  add_account_routes(routes, parts_->edge, parts_->flows);
  add_space_routes(routes, parts_->edge, parts_->secrets, parts_->flow_pool);
  add_tracking_routes(routes, parts_->edge);
  add_audit_routes(routes, parts_->edge);
  add_catalog_routes(routes, parts_->edge, parts_->imports);
  add_sync_routes(routes, parts_->edge, parts_->imports);
  add_recap_routes(routes, parts_->edge);
  add_undo_routes(routes, parts_->edge, parts_->readers, parts_->undos, parts_->imports);
}

void CommandService::start() {
  parts_->writer.start();
  parts_->sweeper = std::make_unique<Sweeper>(parts_->secrets, parts_->writer);
}

void CommandService::stop() {
  parts_->sweeper.reset();
  // What runs on the pools waits for the writer's answers, which all have been given when it has stopped. It ends before the keys'
  // pipeline.
  const std::array pools = {&parts_->passwords, &parts_->flow_pool, &parts_->undos, &parts_->imports};
  for (WorkPool* pool : pools) pool->request_stop();
  parts_->writer.stop(shutdown_drain_max);
  for (WorkPool* pool : pools) pool->stop();
  parts_->pipeline.reset();
}

std::optional<std::string> CommandService::not_ready() const {
  if (!parts_->edge.authenticator.ready()) return "the log-in sessions that have ended are not known yet";
  if (!parts_->writer.ready()) return "another process writes, or Postgres cannot be reached";
  if (parts_->writer.status().loads_fail) return "what commands need cannot be loaded";
  return std::nullopt;
}

}  // namespace bloomwatch
