// Settings: flags win over the environment, the environment over the file, the file over the default; every line of the table is in order.
#include "runtime/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "runtime/json.h"

namespace bloomwatch {
namespace {

using enum SettingGroup;

class Settings : public testing::Test {
 protected:
  void SetUp() override {
    home_ = std::filesystem::temp_directory_path() / ("bloomwatch-config-" + std::to_string(::getpid()));
    std::filesystem::create_directories(home_);
    for (const auto& setting : settings()) ::unsetenv(setting.environment.c_str());
  }
  void TearDown() override {
    std::filesystem::remove_all(home_);
    SetUp();
    std::filesystem::remove_all(home_);
  }

  void file(const std::string& text) { std::ofstream(home_ / "bloomwatch.ini") << text; }

  Config parse(const std::string& arguments) {
    Config config;
    CLI::App program("test");
    add_settings(program, config, {process, database, api, writer, feed, projector, kafka, accounts, anilist});
    program.parse("--home " + home_.string() + " " + arguments, false);
    return config;
  }

  std::filesystem::path home_;
};

TEST_F(Settings, have_defaults) {
  const Config config = parse("");
  EXPECT_EQ(config.port, 8080);
  EXPECT_EQ(config.bind, "127.0.0.1");
  EXPECT_EQ(config.invitation_days, 7u);
}

TEST_F(Settings, come_from_flags_then_environment_then_file) {
  file("port = 1\nhttp-threads = 3\ninvitation-days = 9\n# a remark\n");
  ::setenv("BLOOMWATCH_PORT", "2", 1);
  ::setenv("BLOOMWATCH_HTTP_THREADS", "4", 1);
  const Config config = parse("--port 3");
  EXPECT_EQ(config.port, 3);
  EXPECT_EQ(config.http_threads, 4u);
  EXPECT_EQ(config.invitation_days, 9u);
}

TEST_F(Settings, come_from_a_named_file) {
  std::ofstream(home_ / "other.ini") << "bind = \"0.0.0.0\"\n";
  EXPECT_EQ(parse("--config-file " + (home_ / "other.ini").string()).bind, "0.0.0.0");
  ::setenv("BLOOMWATCH_CONFIG_FILE", (home_ / "other.ini").c_str(), 1);
  EXPECT_EQ(parse("").bind, "0.0.0.0");
  EXPECT_THROW(parse("--config-file " + (home_ / "missing.ini").string()), CLI::Error);
}

TEST_F(Settings, are_refused_when_unknown_or_out_of_bounds_wherever_they_come_from) {
  EXPECT_THROW(parse("--http-threads 0"), CLI::Error);
  EXPECT_THROW(parse("--port 70000"), CLI::Error);
  EXPECT_THROW(parse("--feed carrier-pigeon"), CLI::Error);
  EXPECT_THROW(parse("--nonsense 1"), CLI::Error);
  file("nonsense = 1\n");
  EXPECT_THROW(parse(""), CLI::Error);
  file("http-threads = 0\n");
  EXPECT_THROW(parse(""), CLI::Error);
  file("");
  ::setenv("BLOOMWATCH_HTTP_THREADS", "many", 1);
  EXPECT_THROW(parse(""), CLI::Error);
}

TEST_F(Settings, may_hold_any_character_and_be_several) {
  file("kafka-property = [\"sasl.username=u\", 'sasl.password=ge#he\"im']  # two\nkafka-bootstrap = \"a#b\"\nport = 4\n");
  const Config config = parse("");
  EXPECT_THAT(config.kafka_property, testing::ElementsAre("sasl.username=u", "sasl.password=ge#he\"im"));
  EXPECT_EQ(config.kafka_bootstrap, "a#b");
  EXPECT_EQ(config.port, 4);
  ::setenv("BLOOMWATCH_KAFKA_PROPERTY", "sasl.username=v\nsasl.password=other\n", 1);
  EXPECT_THAT(parse("").kafka_property, testing::ElementsAre("sasl.username=v", "sasl.password=other"));
}

TEST_F(Settings, are_refused_where_the_file_cannot_be_understood) {
  const auto complaint = [&](const std::string& text) -> std::string {
    file(text);
    try {
      parse("");
    } catch (const CLI::Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(complaint("port = 1\nbind = localhost\n"), testing::HasSubstr("bloomwatch.ini, line 2"));
  EXPECT_THAT(complaint("port = 1\nport = 2\n"), testing::HasSubstr("line 2"));
  EXPECT_THAT(complaint("port = \n"), testing::HasSubstr("line 1"));
  EXPECT_THAT(complaint("port = 1.5\n"), testing::HasSubstr("port must be"));
  EXPECT_THAT(complaint("[port]\n"), testing::HasSubstr("port must be"));
  EXPECT_THROW(parse("--config-file " + home_.string()), CLI::Error);
  file("");
  EXPECT_THROW(parse("--port \"\""), CLI::Error);
}

TEST_F(Settings, of_other_programs_may_be_in_the_same_file) {
  file("port = 1\nlog-level = \"debug\"\n");
  Config config;
  CLI::App program("test");
  add_settings(program, config, {process});
  program.parse("--home " + home_.string(), false);
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.port, 8080);
}

TEST_F(Settings, work_in_subcommands) {
  file("port = 1\n");
  Config config;
  CLI::App program("test");
  CLI::App* serve = program.add_subcommand("serve", "serves");
  add_settings(*serve, config, {process, api});
  program.parse("serve --home " + home_.string() + " --http-threads 5", false);
  EXPECT_EQ(config.port, 1);
  EXPECT_EQ(config.http_threads, 5u);
}

TEST_F(Settings, come_from_the_file_in_a_home_that_is_the_programs_own_option) {
  file("kafka-bootstrap = \"there:9092\"\n");
  const auto parse_verify = [](const std::string& arguments) {
    std::string home = "/nowhere";
    Config config;
    CLI::App program("test");
    CLI::App* verify = program.add_subcommand("verify", "verifies");
    verify->add_option("--home", home)->envname("BLOOMWATCH_HOME")->capture_default_str();
    add_settings(*verify, config, {kafka});
    program.parse("verify " + arguments, false);
    return config.kafka_bootstrap;
  };
  EXPECT_EQ(parse_verify(""), "");
  EXPECT_EQ(parse_verify("--home " + home_.string()), "there:9092");
  ::setenv("BLOOMWATCH_HOME", home_.c_str(), 1);
  EXPECT_EQ(parse_verify(""), "there:9092");
}

TEST_F(Settings, are_all_in_the_help_with_variable_and_default) {
  Config config;
  CLI::App program("test");
  add_settings(program, config, {process, database, api, writer, feed, projector, kafka, accounts, anilist});
  const std::string help = program.help();
  for (const auto& setting : settings()) {
    EXPECT_THAT(help, testing::HasSubstr(setting.flag));
    EXPECT_THAT(help, testing::HasSubstr(setting.environment));
  }
  EXPECT_THAT(help, testing::HasSubstr("=8080"));
}

TEST_F(Settings, and_the_members_of_config_are_the_same) {
  std::set<std::string> names;
  for (const auto& setting : settings()) EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
  std::set<std::string> members;
  boost::mp11::mp_for_each<json::detail::MembersOf<Config>>([&](auto D) { members.insert(D.name); });
  EXPECT_EQ(names, members);
}

}  // namespace
}  // namespace bloomwatch
