// What command-service is made of, in the order in which it depends on one another.
#include "command-service/service.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "command-service/accounts/flows.h"
#include "command-service/accounts/login_session.h"
#include "command-service/accounts/routes.h"
#include "command-service/accounts/user.h"
#include "command-service/edge.h"
#include "command-service/secrets.h"
#include "command-service/spaces/routes.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/tracking/anime.h"
#include "command-service/tracking/routes.h"
#include "command-service/work_pool.h"
#include "command-service/writer_loop.h"
#include "events/log.h"
#include "runtime/logging.h"

namespace bloomwatch {
namespace {

using namespace std::chrono_literals;

/// Every aggregate there is: a new context adds its own here.
using Aggregates = boost::mp11::mp_list<User, LoginSession, WatchSpace, Anime>;

constexpr std::chrono::milliseconds drain_max{5000};
constexpr std::chrono::hours sweep_every{1};
constexpr std::size_t flows_queue_max = 1024;
constexpr unsigned flow_threads = 4;

std::unique_ptr<StreamState> make_state(std::string_view category) {
  std::unique_ptr<StreamState> state;
  boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, Aggregates>>([&](auto identity) {
    using State = typename decltype(identity)::type;
    if (category == State::category) state = std::make_unique<dispatch::Holder<State>>();
  });
  invariant(state != nullptr, "every category has an aggregate");
  return state;
}

WriterOptions writer_options(const Config& config) {
  WriterOptions options{.database_url = config.database_url};
  options.limits.queue_max = config.writer_queue_max;
  options.limits.batch_commands_max = config.writer_batch_commands_max;
  options.limits.batches_in_flight_max = config.writer_batches_in_flight_max;
  options.limits.memory_bytes_max = config.writer_memory_mib_max << 20;
  return options;
}

pg::Options database(const Config& config, std::string name) { return {.url = config.database_url, .application_name = std::move(name)}; }

/// Forgets the secrets that no event names, once an hour, in the process that writes.
class Sweeper {
 public:
  Sweeper(Secrets& secrets, const Writer& writer)
      : secrets_(secrets), writer_(writer), thread_([this](const std::stop_token& stop) { run(stop); }) {}

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      changed_.wait_for(lock, stop, sweep_every, [] { return false; });
      if (stop.stop_requested() || !writer_.ready()) continue;
      try {
        const Secrets::Swept swept = secrets_.sweep();
        log::info("secrets", "swept",
                  {{"keys", swept.keys}, {"passwords", swept.passwords}, {"invitation_addresses", swept.invitation_addresses}});
      } catch (const pg::Error& error) {
        log::warning("secrets", "cannot sweep", {{"error", error.what()}});
      }
    }
  }

  Secrets& secrets_;
  const Writer& writer_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace

struct CommandService::Parts {
  Parts(const Config& config, const MasterKeys& keys, Authenticator& who, Hub& hub)
      : pool(database(config, "bloomwatch secrets")),
        secrets(pool, keys),
        pipeline(std::make_unique<pg::Pipeline>(database(config, "bloomwatch keys"))),
        data_keys(*pipeline, keys),
        writer(writer_options(config), make_state, hub),
        edge{.writer = writer,
             .authenticator = who,
             .data_keys = data_keys,
             .keys = keys,
             .epoch = LogReader(config.database_url, "bloomwatch epoch").epoch(),
             .invitation_life = std::chrono::hours(24) * config.invitation_days},
        readers(config.database_url),
        password_pool("passwords", config.password_threads, flows_queue_max),
        flow_pool("flows", flow_threads, flows_queue_max),
        flows{.edge = edge, .secrets = secrets, .readers = readers, .password_pool = password_pool, .pool = flow_pool} {}

  pg::Pool pool;
  Secrets secrets;
  std::unique_ptr<pg::Pipeline> pipeline;
  DataKeys data_keys;
  Writer writer;
  Edge edge;
  accounts::Readers readers;
  WorkPool password_pool;
  WorkPool flow_pool;
  accounts::Flows flows;
  std::optional<Sweeper> sweeper;
};

CommandService::CommandService(const Config& config, const MasterKeys& keys, Authenticator& who, Hub& hub, Metrics& metrics)
    : parts_(std::make_unique<Parts>(config, keys, who, hub)) {
  Writer& writer = parts_->writer;
  prometheus::Gauge& leading = metrics.gauge("bloomwatch_writer_leading", "1 in the process that writes the log");
  prometheus::Gauge& pending = metrics.gauge("bloomwatch_writer_pending_commands", "Commands accepted and not answered");
  prometheus::Gauge& memory = metrics.gauge("bloomwatch_writer_memory_bytes", "Streams, claims and keys held in memory");
  prometheus::Gauge& position = metrics.gauge("bloomwatch_log_position", "The last position known to be in the log");
  metrics.before_render([&] {
    const WriterStatus status = writer.status();
    leading.Set(status.leading ? 1 : 0);
    pending.Set(static_cast<double>(status.pending));
    memory.Set(static_cast<double>(status.facts_bytes));
    position.Set(static_cast<double>(status.confirmed));
  });
}

CommandService::~CommandService() { stop(); }

void CommandService::add_routes(http::Routes& routes) {
  add_account_routes(routes, parts_->edge, parts_->flows);
  add_space_routes(routes, parts_->edge, parts_->secrets, parts_->flow_pool);
  add_tracking_routes(routes, parts_->edge);
}

void CommandService::start() {
  parts_->writer.start();
  parts_->sweeper.emplace(parts_->secrets, parts_->writer);
}

void CommandService::stop() {
  parts_->sweeper.reset();
  parts_->flow_pool.stop();
  parts_->password_pool.stop();
  parts_->writer.stop(drain_max);
  parts_->pipeline.reset();
}

bool CommandService::ready() const { return parts_->writer.ready(); }

}  // namespace bloomwatch
