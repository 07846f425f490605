// Starts and ends a program in order.
#include "runtime/process.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "runtime/logging.h"
#include "runtime/migrate.h"
#include "runtime/postgres.h"

namespace bloomwatch {
namespace {

/// How long what has begun may wait for Postgres while the process stops: what ends processes kills those that take half a minute.
constexpr std::chrono::seconds stop_waits_max{5};

/// The private cluster that ops/cluster keeps under the home folder says in a file where its socket is.
std::string private_cluster_url(const std::string& home) {
  const std::filesystem::path path = std::filesystem::path(home) / "postgres" / "socket";
  std::ifstream file(path);
  std::string socket;
  if (!(file >> socket))
    throw std::runtime_error("no --database-url, and no private Postgres is running under " + home + " (ops/run starts one)");
  return "postgresql:///bloomwatch?host=" + socket + "&user=bloomwatch";
}

/// Each connection is an open file. Those that the system may give are taken; where they are too few, fewer connections are, as a service
/// that cannot open a file reaches no database and cannot even say so.
std::uint64_t connections_within_open_files(std::uint64_t wanted) {
  constexpr std::uint64_t for_others = 256;  // Postgres, Kafka, logs, the admin port
  rlimit files = {};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  const rlimit most = {.rlim_cur = files.rlim_max, .rlim_max = files.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &most) == 0) files = most;
  const std::uint64_t room = files.rlim_cur > 2 * for_others ? files.rlim_cur - for_others : files.rlim_cur / 2;
  if (wanted <= room) return wanted;
  log::warning("process", "takes fewer connections than it may: the limit of open files is low",
               {{"connections", room}, {"open_files", static_cast<std::uint64_t>(files.rlim_cur)}});
  return room;
}

Config prepared(Config config) {
  std::filesystem::create_directories(config.home);
  if (const auto level = log::level_of(config.log_level)) log::set_level(*level);
  if (config.database_url.empty()) config.database_url = private_cluster_url(config.home);
  config.connections_max = connections_within_open_files(config.connections_max);
  return config;
}

/// Where this machine reaches what listens on `bind`. IPv6 addresses are in brackets (RFC 3986 §3.2.2).
std::string local_url(const std::string& bind, std::uint16_t port) {
  const std::string host = bind == "0.0.0.0" ? "127.0.0.1" : bind == "::" ? "::1" : bind;
  return fmt::format("http://{}:{}", host.contains(':') ? '[' + host + ']' : host, port);
}

/// "Address already in use" says nothing of which.
template <class Make>
auto listening(const std::string& what, const std::string& bind, std::uint16_t port, Make make) {
  try {
    return make();
  } catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format("cannot listen on {}, port {}, for {}: {}", bind, port, what, error.code().message()));
  }
}

}  // namespace

Process::Process(Config config, std::string name)
    : config_(prepared(std::move(config))),
      name_(std::move(name)),
      lock_(config_.home, name_),
      trusted_proxies_(config_.trusted_proxies),
      admin_(listening("health and metrics", "127.0.0.1", config_.admin_port,
                       [this] { return Admin(metrics_, "127.0.0.1", config_.admin_port); })) {}

Process::~Process() {
  if (!started_) return;
  remove_instance(config_.home, name_);
  log::info("process", "stopped");
}

std::string Process::master_key_file() const { return (std::filesystem::path(config_.home) / "master.key").string(); }

void Process::migrate_database() const {
  const MigrationReport report = migrate(config_.database_url, migrations_folder());
  for (const std::string& file : report.applied) log::info("process", "migrated", {{"file", file}});
}

void Process::run(http::Routes routes) {
  std::vector<RouteLine> table;
  for (const http::RouteEntry& route : routes.table())
    table.push_back({std::string(to_string(route.method)), route.pattern, std::string(to_string(route.access))});
  write_routes(config_.home, name_, table);
  http::ServerOptions options;
  options.bind = config_.bind;
  options.port = config_.port;
  options.threads = config_.http_threads;
  options.connections_max = config_.connections_max;
  options.trusted_proxies = trusted_proxies_;
  options.on_answered = metrics_.http_observer(routes, name_);
  http::Server server =
      listening("the API", config_.bind, config_.port, [&] { return http::Server(std::move(routes), std::move(options)); });
  server.start();
  shutdown_.on_stop("http", [&server] { server.stop(); });
  wait_for_the_end(local_url(config_.bind, server.port()));
}

void Process::run() { wait_for_the_end({}); }

void Process::wait_for_the_end(const std::string& url) {
  // However this ends: what the stops and the checks refer to is gone when the caller has returned.
  struct End {
    Process& process;
    ~End() {
      pg::end_waits(std::chrono::steady_clock::now() + stop_waits_max);
      process.shutdown_.stop();
      process.admin_.stop();
    }
  };
  const End end{*this};
  shutdown_.started();
  admin_.start();
  const std::string admin_url = local_url("127.0.0.1", admin_.port());
  write_instance(config_.home, name_, {url, admin_url, config_.database_url, getpid(), config_.kafka_bootstrap, config_.kafka_property});
  started_ = true;
  log::info("process", "started", {{"url", url}, {"admin_url", admin_url}, {"home", config_.home}});
  shutdown_.wait();
  // Whoever sends traffic here looks elsewhere while what has begun is answered.
  admin_.add_check("process", [] { return std::optional<std::string>("it is stopping"); });
  log::info("process", "stopping");
}

int run_program(int argc, char** argv, const ProgramInfo& info, const std::function<void(Process&)>& run) {
  CLI::App program(info.about, info.name);
  Config config;
  add_settings(program, config, info.settings);
  CLI11_PARSE(program, argc, argv);
  try {
    Process process(config, info.name);
    run(process);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", info.name, error.what());
    return 1;
  }
}

}  // namespace bloomwatch
