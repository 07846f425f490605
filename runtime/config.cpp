// The table of settings, and its reading by CLI11. CLI11 itself would let a file win over the environment, and ends a quoted text at a `#`:
// the file, which comes last here, is read by toml++.
#include "runtime/config.h"

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <variant>

#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

using Member = std::variant<std::string Config::*, std::uint16_t Config::*, unsigned Config::*, std::uint64_t Config::*,
                            std::vector<std::string> Config::*>;

/// What a value must be; `most` 0: not checked.
struct Bounds {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::vector<std::string> words = {};
};

struct Setting {
  std::string_view name;
  SettingGroup group;
  Member member;
  std::string_view help;
  Bounds bounds = {};
};

std::span<const Setting> table() {
  using enum SettingGroup;
  static const std::vector<Setting> settings = {
      {"config_file", process, &Config::config_file,
       "File of settings, TOML, `name = value` (default: bloomwatch.ini in the home, if there)"},
      {"home", process, &Config::home, "Folder of this instance: its keys, its Postgres cluster, what it tells other programs"},
      {"log_level", process, &Config::log_level, "What is logged", {0, 0, {"debug", "info", "warning", "error", "off"}}},
      {"database_url", database, &Config::database_url, "Postgres to use (default: the private cluster in the home)"},
      {"bind", api, &Config::bind, "Address to listen on"},
      {"port", api, &Config::port, "Port of the API; 0 is any free one", {0, 65'535}},
      {"http_threads", api, &Config::http_threads, "Threads that speak HTTP", {1, 256}},
      {"connections_max", api, &Config::connections_max, "Open connections; more are turned away with 503", {1, 1'000'000}},
      {"trusted_proxies", api, &Config::trusted_proxies,
       "Reverse proxies whose X-Forwarded-For says who a client is, addresses and networks by commas (default: none)"},
      {"admin_port", process, &Config::admin_port, "Port of health and metrics; 0 is any free one", {0, 65'535}},
      {"feed", feed, &Config::feed, "Where events come from", {0, 0, {"postgres", "kafka"}}},
      {"models", projector, &Config::models, "Read models to fold, by commas; not on Kafka (default: all)"},
      {"kafka_bootstrap", kafka, &Config::kafka_bootstrap, "Kafka brokers, `host:port` by commas (default: no Kafka)"},
      {"kafka_property", kafka, &Config::kafka_property,
       "A property of librdkafka, `name=value`; may be given several times, in the variable one a line"},
      {"writer_queue_max", writer, &Config::writer_queue_max, "Commands that wait; more are answered 503", {1, 10'000'000}},
      {"writer_batch_commands_max", writer, &Config::writer_batch_commands_max, "Commands in one append", {1, 10'000}},
      {"writer_batches_in_flight_max", writer, &Config::writer_batches_in_flight_max, "Appends on their way at once", {1, 64}},
      {"writer_memory_mib_max", writer, &Config::writer_memory_mib_max, "MiB of streams that the writer holds", {1, 1'000'000}},
      {"invitation_days", accounts, &Config::invitation_days, "Days after which an invitation expires", {1, 365}},
      {"account_commands_per_second",
       accounts,
       &Config::account_commands_per_second,
       "Commands a second of one account, and ten times as many at once; more are answered 429",
       {1, 1'000'000}},
      {"password_threads", accounts, &Config::password_threads, "Threads that hash passwords, 64 MiB each while they do", {1, 64}},
      {"anilist_url", anilist, &Config::anilist_url, "Where AniList's GraphQL is; https only"},
      {"anilist_ca_file", anilist, &Config::anilist_ca_file, "Certificates to trust there, PEM (default: the system's)"},
      {"anilist_requests_per_minute",
       anilist,
       &Config::anilist_requests_per_minute,
       "Requests a minute to AniList, until its answers say otherwise",
       {1, 1000}},
      {"anilist_wait_ms", anilist, &Config::anilist_wait_ms, "How long somebody waits for AniList, in milliseconds", {100, 60'000}},
      {"anilist_pause_ms", anilist, &Config::anilist_pause_ms, "Longest pause before the second attempt; it doubles", {1, 60'000}},
      {"anilist_rest_ms", anilist, &Config::anilist_rest_ms, "How long AniList is left alone when it is down; it doubles", {1, 600'000}},
      {"anilist_search_fresh_ms", anilist, &Config::anilist_search_fresh_ms, "How long a search is answered from memory", {0, 86'400'000}},
  };
  return settings;
}

std::string flag_of(const Setting& setting) {
  std::string flag = "--" + std::string(setting.name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string environment_of(const Setting& setting) {
  std::string name = "BLOOMWATCH_" + std::string(setting.name);
  std::ranges::transform(name, name.begin(), ascii::upper);
  return name;
}

std::string_view heading_of(SettingGroup group) {
  switch (group) {
    case SettingGroup::process:
      return "This process";
    case SettingGroup::database:
      return "Database";
    case SettingGroup::api:
      return "HTTP";
    case SettingGroup::writer:
      return "Writer";
    case SettingGroup::feed:
    case SettingGroup::projector:
      return "Projector";
    case SettingGroup::kafka:
      return "Kafka";
    case SettingGroup::accounts:
      return "Accounts";
    case SettingGroup::anilist:
      return "AniList";
  }
  return {};
}

void add_option(CLI::App& program, Config& config, const Setting& setting) {
  CLI::Option* option = std::visit(
      [&](auto member) {
        CLI::Option* made = program.add_option(flag_of(setting), config.*member, std::string(setting.help));
        if constexpr (requires { (config.*member).empty(); }) {
          if (!(config.*member).empty()) made->capture_default_str();
        } else {
          made->capture_default_str();
        }
        if (std::is_same_v<decltype(config.*member), std::vector<std::string>&>) made->delimiter('\n');  // a variable holds several
        return made;
      },
      setting.member);
  option->envname(environment_of(setting))->group(std::string(heading_of(setting.group)));
  if (setting.bounds.most > 0) option->check(CLI::Range(setting.bounds.least, setting.bounds.most));
  if (!setting.bounds.words.empty()) option->check(CLI::IsMember(setting.bounds.words));
}

std::string file_to_read(const CLI::App& program, const Config& config) {
  if (!config.config_file.empty()) return config.config_file;
  // What looks for a running instance has a --home of its own.
  const CLI::Option* home = program.get_option_no_throw("--home");
  const auto in_home = std::filesystem::path(home != nullptr ? home->as<std::string>() : config.home) / "bloomwatch.ini";
  std::error_code none;
  return std::filesystem::exists(in_home, none) ? in_home.string() : std::string();
}

const Setting* find(std::string_view name) {
  const auto all = table();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Setting& setting) { return flag_of(setting).substr(2) == name; });
  return found == all.end() ? nullptr : &*found;
}

/// As it would be on the command line; nothing if it is no text, number or array of texts.
std::optional<std::vector<std::string>> words_of(const toml::node& value) {
  if (const auto* text = value.as_string()) return std::vector{text->get()};
  if (const auto* number = value.as_integer()) return std::vector{std::to_string(number->get())};
  const toml::array* array = value.as_array();
  if (array == nullptr || !array->is_homogeneous(toml::node_type::string)) return std::nullopt;
  std::vector<std::string> words;
  for (const toml::node& element : *array) words.push_back(element.as_string()->get());
  return words;
}

toml::table parsed(const std::string& file) try {
  if (!std::filesystem::is_regular_file(file)) throw CLI::FileError::Missing(file);
  return toml::parse_file(file);
} catch (const toml::parse_error& error) {
  throw CLI::ConfigError(file + ", line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()) +
                         " (it is TOML: texts are in quotes)");
}

/// Gives options that neither a flag nor the environment has set what the file says.
void read_file(CLI::App& program, const Config& config) {
  const std::string file = file_to_read(program, config);
  if (file.empty()) return;
  for (const auto& [key, value] : parsed(file)) {
    const Setting* setting = find(key.str());
    const auto words = words_of(value);
    if (setting == nullptr || !words)
      throw CLI::ConfigError(file + ": " + std::string(key.str()) +
                             (words ? " is no setting" : " must be a text, a number or an array of texts"));
    // A file serves several programs; what this one does not know of is for another.
    CLI::Option* option = program.get_option_no_throw(flag_of(*setting));
    if (option == nullptr || option->count() > 0) continue;
    option->add_result(*words);
    option->run_callback();
  }
}

}  // namespace

void add_settings(CLI::App& program, Config& config, std::initializer_list<SettingGroup> groups) {
  for (const SettingGroup group : groups)
    for (const Setting& setting : table())
      if (setting.group == group) add_option(program, config, setting);
  program.parse_complete_callback([&program, &config] { read_file(program, config); });
}

std::vector<SettingInfo> settings() {
  std::vector<SettingInfo> infos;
  for (const Setting& setting : table())
    infos.push_back({std::string(setting.name), flag_of(setting), environment_of(setting), std::string(setting.help), setting.group});
  return infos;
}

}  // namespace bloomwatch
