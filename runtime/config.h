// Settings: one table says each one's name, default and meaning; flags, environment variables and a file say what they are.
// The first that speaks wins: flag `--http-threads`, then BLOOMWATCH_HTTP_THREADS, then `http-threads = 4` in the file.
// To add one: a member of Config, its name in the description, a line in the table in config.cpp.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace bloomwatch {

/// What a process is told. Defaults are those of a machine of two cores; bounds are in the table.
struct Config {
  std::string config_file = {};  ///< empty: `bloomwatch.ini` in the program's --home if there is one
  std::string home = "var";
  std::string log_level = "info";
  std::string database_url = {};  ///< empty: the private cluster under home

  std::string bind = "127.0.0.1";
  std::uint16_t port = 8080;
  unsigned http_threads = 2;
  std::uint64_t connections_max = 10'000;
  std::string trusted_proxies = {};  ///< addresses and networks by commas; empty: nobody
  std::uint16_t admin_port = 0;

  std::string feed = "postgres";
  std::string models = {};                       ///< names by commas; empty: all
  std::string kafka_bootstrap = {};              ///< empty: no Kafka
  std::vector<std::string> kafka_property = {};  ///< `name=value` each; may hold secrets, so never logged

  std::uint64_t writer_queue_max = 16'384;
  std::uint64_t writer_batch_commands_max = 128;
  std::uint64_t writer_batches_in_flight_max = 4;
  std::uint64_t writer_memory_mib_max = 256;

  unsigned invitation_days = 7;
  unsigned account_commands_per_second = 200;
  unsigned password_threads = 2;

  std::string anilist_url = "https://graphql.anilist.co";
  std::string anilist_ca_file = {};  ///< empty: the system's certificates
  unsigned anilist_requests_per_minute = 30;
  unsigned anilist_wait_ms = 8000;
  unsigned anilist_pause_ms = 500;
  unsigned anilist_rest_ms = 30'000;
  unsigned anilist_search_fresh_ms = 600'000;
};
BOOST_DESCRIBE_STRUCT(Config, (),
                      (config_file, home, log_level, database_url, bind, port, http_threads, connections_max, trusted_proxies, admin_port,
                       feed, models, kafka_bootstrap, kafka_property, writer_queue_max, writer_batch_commands_max,
                       writer_batches_in_flight_max, writer_memory_mib_max, invitation_days, account_commands_per_second, password_threads,
                       anilist_url, anilist_ca_file, anilist_requests_per_minute, anilist_wait_ms, anilist_pause_ms, anilist_rest_ms,
                       anilist_search_fresh_ms))

/// Which programs a setting is for.
enum class SettingGroup { process, database, api, writer, feed, projector, kafka, accounts, anilist };

/// Adds the options of `groups` to a program or one of its subcommands; `--help` then lists them with default and variable.
/// `config` is filled when the program has parsed its arguments, and must live until then. A setting that is out of bounds, and a name in
/// the file that is no setting, throw CLI's parse errors.
void add_settings(CLI::App& program, Config& config, std::initializer_list<SettingGroup> groups);

/// One line of the table, for documentation and tests.
struct SettingInfo {
  std::string name;         ///< `http_threads`
  std::string flag;         ///< `--http-threads`
  std::string environment;  ///< `BLOOMWATCH_HTTP_THREADS`
  std::string help;
  SettingGroup group;
};
std::vector<SettingInfo> settings();

}  // namespace bloomwatch
