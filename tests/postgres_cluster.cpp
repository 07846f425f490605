// Starts and ends the tests' own Postgres by Debian's programs, and copies migrated databases from a template.
// A small shell holds one end of a pipe whose other end is ours: however this program ends, the shell stops the server and removes it.
#include "tests/postgres_cluster.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "runtime/migrate.h"
#include "runtime/postgres.h"

namespace bloomwatch::test {

namespace {

std::string programs_folder() {
  const char* set = std::getenv("BLOOMWATCH_POSTGRES_BIN");
  return set != nullptr ? set : "/usr/lib/postgresql/15/bin";
}

bool as_root() { return ::geteuid() == 0; }

/// A command line of one of Postgres's programs, as a user that it accepts.
std::string program(const std::string& rest) {
  const std::string full = programs_folder() + "/" + rest;
  return as_root() ? "cd / && exec runuser -u postgres -- " + full : "exec " + full;
}

void run(const std::string& command) {
  const int status = std::system(("( " + command + " )").c_str());
  if (status != 0) throw std::runtime_error("failed: " + command);
}

/// Ends the cluster when our end of the pipe closes, that is when this process is gone.
void leave_a_watcher(const std::filesystem::path& folder) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  const std::string stop = "( " + program("pg_ctl -D " + folder.string() + "/data stop -m immediate") + " ) >/dev/null 2>&1";
  const std::string script = "trap '' INT TERM HUP; read line; " + stop + "; rm -rf " + folder.string();
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    ::setsid();
    ::dup2(ends[0], 0);
    const int nothing = ::open("/dev/null", O_WRONLY);
    ::dup2(nothing, 1);
    ::dup2(nothing, 2);
    ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[0]);  // ends[1] stays open for as long as we live
}

std::string with_database(const std::string& url, const std::string& database) {
  if (url.find("://") == std::string::npos) return url + " dbname=" + database;
  return url + (url.find('?') == std::string::npos ? "?" : "&") + "dbname=" + database;
}

/// The cluster whose databases `fresh_database` makes.
std::string admin_url() {
  if (const char* given = std::getenv("BLOOMWATCH_TEST_DATABASE_URL"); given != nullptr && *given != '\0') return given;
  static PostgresCluster cluster;
  return cluster.url();
}

pg::Connection admin() { return pg::Connection({.url = admin_url(), .application_name = "bloomwatch tests", .statement_timeout = {}}); }

std::string text_hash(const std::filesystem::path& folder) {
  std::size_t hash = 0;
  std::vector<std::filesystem::path> files(std::filesystem::directory_iterator(folder), {});
  std::ranges::sort(files);
  for (const auto& file : files) {
    std::ifstream in(file);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    hash = hash * 1'000'003 ^ std::hash<std::string>{}(file.filename().string() + text);
  }
  return std::to_string(hash);
}

/// The migrated template of these migrations; made once a cluster, whichever test program comes first.
const std::string& template_database() {
  static const std::string name = [] {
    const std::filesystem::path folder = migrations_folder();
    std::string wanted = "bloomwatch_template_" + text_hash(folder);
    pg::Connection connection = admin();
    connection.script("SELECT pg_advisory_lock(4711)");  // ends with the connection
    const pg::Result found = connection.query("SELECT datistemplate FROM pg_database WHERE datname = $1", pg::Params(wanted));
    if (!found.empty() && found[0].get<bool>(0)) return wanted;
    if (!found.empty()) connection.script("DROP DATABASE " + wanted + " WITH (FORCE)");
    connection.script("CREATE DATABASE " + wanted + " TEMPLATE template0");
    migrate(with_database(admin_url(), wanted), folder);
    connection.script("ALTER DATABASE " + wanted + " IS_TEMPLATE true ALLOW_CONNECTIONS false");
    return wanted;
  }();
  return name;
}

/// Makes a database and remembers to drop it.
std::string make_database(const std::string& origin) {
  struct Made {
    std::vector<std::string> names;
    ~Made() {
      try {
        pg::Connection connection = admin();
        for (const std::string& name : names) connection.script("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
      } catch (const std::exception&) {  // the cluster has gone first: so have its databases
      }
    }
  };
  (void)admin_url();  // so that a cluster of our own is destroyed after the list of its databases
  static std::mutex mutex;
  static Made made;
  const std::lock_guard lock(mutex);
  const std::string name = "bloomwatch_test_" + std::to_string(::getpid()) + "_" + std::to_string(made.names.size()) + "_" +
                           Uuid::v7(now()).to_string().substr(24);
  pg::Connection connection = admin();
  for (int attempt = 0;; ++attempt) {
    try {
      connection.script("CREATE DATABASE " + name + " TEMPLATE " + origin);
      break;
    } catch (const pg::Error& error) {  // 55006: somebody (autovacuum) is in the template for a moment
      if (error.sqlstate() != "55006" || attempt == 20) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  made.names.push_back(name);
  return with_database(admin_url(), name);
}

}  // namespace

PostgresCluster::PostgresCluster(bool fsync) : fsync_(fsync), owner_pid_(::getpid()) {
  std::string pattern = "/tmp/bloomwatch-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
  folder_ = pattern;
  if (as_root()) run("chown postgres " + folder_.string());
  leave_a_watcher(folder_);
  run(program("initdb -D " + folder_.string() + "/data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >" + folder_.string() +
              "/initdb.log 2>&1"));
  start();
}

PostgresCluster::~PostgresCluster() {
  if (::getpid() != owner_pid_) return;  // a forked child of a test must not stop its parent's server
  try {
    if (running_) stop("immediate");
  } catch (const std::exception&) {  // the watcher tries again
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string PostgresCluster::url(const std::string& database) const {
  return "postgresql:///" + database + "?host=" + folder_.string() + "&user=postgres";
}

void PostgresCluster::start() {
  const std::string switches = std::string("-c listen_addresses= -c max_connections=200 -c max_wal_size=1GB -c min_wal_size=256MB ") +
                               "-c fsync=" + (fsync_ ? "on" : "off") + " -c unix_socket_directories=" + folder_.string();
  run(program("pg_ctl -D " + folder_.string() + "/data -s -w -t 60 -o '" + switches + "' -l " + folder_.string() +
              "/postgres.log start >/dev/null 2>&1"));
  running_ = true;
}

void PostgresCluster::stop(const std::string& mode) {
  run(program("pg_ctl -D " + folder_.string() + "/data -s -w -m " + mode + " stop >/dev/null 2>&1"));
  running_ = false;
}

std::string fresh_database() { return make_database(template_database()); }

std::string empty_database() { return make_database("template0"); }

}  // namespace bloomwatch::test
