// The relay against a real broker: all of the log, in order, whatever became of the relay or of the topic meanwhile.
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/integration/relay/relay_fixture.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;

/// Its settings become those and the defaults.
void set_properties(const kafka::Options& options, const std::string& topic, const std::map<std::string, std::string>& properties) {
  rd_kafka_conf_t* settings = rd_kafka_conf_new();
  char why[512];
  ASSERT_EQ(rd_kafka_conf_set(settings, "bootstrap.servers", options.bootstrap.c_str(), why, sizeof why), RD_KAFKA_CONF_OK) << why;
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, settings, why, sizeof why);
  ASSERT_NE(client, nullptr) << why;
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  for (const auto& [name, value] : properties) rd_kafka_ConfigResource_set_config(resource, name.c_str(), value.c_str());
  rd_kafka_AlterConfigs(client, &resource, 1, nullptr, queue);
  rd_kafka_event_t* answer = rd_kafka_queue_poll(queue, 30'000);
  EXPECT_EQ(rd_kafka_event_error(answer), RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_event_error_string(answer);
  rd_kafka_event_destroy(answer);
  rd_kafka_ConfigResource_destroy(resource);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(client);
}

TEST_F(RelayTest, copies_the_log_in_order_within_each_partition) {
  append_events(1200);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  EXPECT_EQ(relay->not_ready(), std::nullopt);
  append_events(300);
  ASSERT_TRUE(relay->wait(head(), patience));
  EXPECT_EQ(expect_complete(), 0U);
}

TEST_F(RelayTest, writes_the_envelope_as_headers_and_the_data_as_the_value) {
  append_events(1);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  const RecordedEvent event = reader.read(0, 1).at(0);
  const auto records = read_topic();
  ASSERT_EQ(records.size(), 1U);
  const TopicRecord& record = records[0];
  EXPECT_EQ(record.partition, event.meta.partition);
  EXPECT_EQ(record.key, event.meta.partition_key.to_string());
  EXPECT_EQ(record.value, event.data);
  EXPECT_EQ(record.time, event.meta.recorded_at);
  auto headers = record.headers;
  EXPECT_EQ(headers["ce_specversion"], "1.0");
  EXPECT_EQ(headers["ce_id"], event.meta.event_id.to_string());
  EXPECT_EQ(headers["ce_type"], event.type);
  EXPECT_EQ(headers["ce_source"], "/bloomwatch/" + reader.epoch());
  EXPECT_EQ(headers["ce_subject"], event.meta.stream.to_string());
  EXPECT_EQ(headers["ce_position"], "1");
  EXPECT_EQ(headers["ce_previous"], "0");
  EXPECT_FALSE(headers.contains("ce_undoes")) << "what is absent is left out";
}

TEST_F(RelayTest, makes_a_topic_that_is_kept_for_ever) {
  const auto relay = start_relay();
  ASSERT_TRUE(within(patience, [&] { return !relay->not_ready(); }));
  const auto made = kafka::Admin(kafka).describe(topic());
  ASSERT_TRUE(made);
  EXPECT_EQ(made->partitions, 16);
  EXPECT_EQ(made->properties.at("retention.ms"), "-1");
  EXPECT_EQ(made->properties.at("retention.bytes"), "-1");
  EXPECT_EQ(made->properties.at("cleanup.policy"), "delete");
}

TEST_F(RelayTest, hears_of_events_without_news) {
  const auto relay = start_relay();
  ASSERT_TRUE(within(patience, [&] { return !relay->not_ready(); }));
  ASSERT_EQ(append(writer, batch_after(reader.head(), 5)), AppendResult::committed);  // and nothing is published on the hub
  EXPECT_TRUE(relay->wait(head(), patience));
}

TEST_F(RelayTest, goes_on_where_the_topic_ends) {
  for (int i = 0; i < 3; ++i) {
    append_events(100);
    const auto relay = start_relay();
    ASSERT_TRUE(relay->wait(head(), patience));
    relay->stop();
    EXPECT_TRUE(relay->not_ready());
  }
  EXPECT_EQ(expect_complete(), 0U);
}

TEST_F(RelayTest, goes_on_where_each_partition_ends_when_most_are_quiet) {
  append_events(100);
  const PartitionKey busy(Uuid::v7(now()));
  append_events(1000, busy);
  start_relay()->wait(head(), patience);
  append_events(1000, busy);
  append_events(20);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  EXPECT_EQ(expect_complete(), 0U);
}

TEST_F(RelayTest, fills_each_partition_from_where_it_ends) {
  append_events(400);
  start_relay()->wait(head(), patience);
  std::map<std::int16_t, std::vector<TopicRecord>> held;
  for (TopicRecord& record : read_topic()) held[record.partition].push_back(std::move(record));
  // Kafka has lost the tails: of some partitions all, of some a part, of some nothing.
  kafka::Admin admin(kafka);
  ASSERT_TRUE(admin.remove(topic()));
  ASSERT_TRUE(within(patience, [&] { return !admin.describe(topic()); }));
  RelayTopic(kafka, reader.epoch()).make_or_check();
  std::vector<TopicRecord> kept;
  for (const auto& [partition, records] : held) {
    const std::size_t count = records.size() * static_cast<std::size_t>(partition % 3) / 2;
    kept.insert(kept.end(), records.begin(), records.begin() + static_cast<std::ptrdiff_t>(count));
  }
  produce(kept);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  EXPECT_EQ(expect_complete(), 0U);
}

TEST_F(RelayTest, fills_the_topic_of_a_new_epoch) {
  append_events(50);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  pg::Connection connection({.url = url});
  begin_epoch(connection);
  const std::string fresh = topic();
  kafka::Admin admin(kafka);
  ASSERT_TRUE(within(patience, [&] { return admin.describe(fresh).has_value(); })) << "it notices while it runs";
  append_events(1);
  ASSERT_TRUE(within(patience, [&] { return !relay->not_ready() && relay->position() == head(); }));
  expect_complete();
}

// -------------------------------------------------------------------------------------------------------------- a topic that goes away

TEST_F(RelayTest, refills_a_topic_that_is_deleted_while_it_runs) {
  append_events(200);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  set_properties(kafka, topic(), {{"retention.ms", "-1"}, {"segment.ms", "86400000"}});  // which tells it from the next
  kafka::Admin admin(kafka);
  ASSERT_TRUE(admin.remove(topic()));
  const auto in_time = [&](const auto& condition) {
    return within(patience, [&] {
      try {
        return condition();
      } catch (const kafka::Error&) {  // while it goes, and until everybody knows of the next
        return false;
      }
    });
  };
  ASSERT_TRUE(in_time([&] {
    const auto made = admin.describe(topic());
    return made && made->properties.at("segment.ms") != "86400000";
  })) << "it makes it anew";
  append_events(1);
  ASSERT_TRUE(in_time([&] { return read_topic().size() >= 201; }));
  EXPECT_TRUE(in_time([&] { return expect_complete(), true; }));
}

TEST_F(RelayTest, refills_a_topic_that_is_made_anew_under_its_hands) {
  append_events(2000);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  std::jthread people([this](const std::stop_token& stop) {  // who go on meanwhile
    while (!stop.stop_requested()) {
      append_events(10);
      std::this_thread::sleep_for(5ms);
    }
  });
  kafka::Admin admin(kafka);
  const std::string name = topic_of(LogReader(url).epoch());
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(300ms);
    admin.remove(name);
    within(10s, [&] {
      try {
        RelayTopic(kafka, name.substr(name.rfind('.') + 1)).make_or_check();
        return true;
      } catch (const kafka::Error&) {
        return false;
      }
    });
  }
  std::this_thread::sleep_for(1s);
  people.request_stop();
  people.join();
  const auto complete = [&] {
    std::set<Position> there;
    for (const TopicRecord& record : read_topic())
      if (record.meta) there.insert(record.meta->position);
    return static_cast<Position>(there.size()) == head();
  };
  ASSERT_TRUE(within(patience, [&] { return !relay->not_ready() && relay->position() == head() && complete(); }));
  expect_complete();
}

TEST_F(RelayTest, empties_and_refills_a_partition_that_has_lost_its_beginning) {
  append_events(300);
  start_relay()->wait(head(), patience);
  kafka::Admin admin(kafka);
  const std::int16_t partition = reader.read(0, 1).at(0).meta.partition;
  admin.remove_records(topic(), partition, 2);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  EXPECT_EQ(expect_complete(), 0U);
}

TEST_F(RelayTest, notices_while_it_runs_that_a_partition_has_lost_its_beginning) {
  append_events(300);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  const std::int16_t partition = reader.read(0, 1).at(0).meta.partition;
  kafka::Admin(kafka).remove_records(topic(), partition, 2);
  const auto emptied = [&] { return kafka::Consumer(kafka, topic()).watermarks_of(partition).low > 2; };
  ASSERT_TRUE(within(patience, [&] { return emptied() && records_in_topic() >= 300; }));
  EXPECT_EQ(expect_complete(), 0U);
}

TEST_F(RelayTest, empties_and_refills_a_partition_that_its_producer_found_to_have_a_gap) {
  append_events(300);
  start_relay()->wait(head(), patience);
  const std::int16_t partition = reader.read(0, 1).at(0).meta.partition;
  const PartitionTails tails = RelayTopic(kafka, reader.epoch()).read_tails(reader, {partition});
  EXPECT_EQ(tails.at(static_cast<std::size_t>(partition)).position, 0);
  EXPECT_EQ(std::ranges::count(tails, 0, &PartitionTail::position), 1);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  EXPECT_EQ(expect_complete(), 0U);
}

// ------------------------------------------------------------------------------------------------------------ a topic that does not fit

TEST_F(RelayTest, refuses_a_topic_of_another_number_of_partitions) {
  kafka::Admin(kafka).create(topic(), 8, 1, {{"retention.ms", "-1"}});
  const auto relay = start_relay();
  EXPECT_TRUE(is_refused(*relay, "has 8 partitions, not 16"));
  EXPECT_TRUE(relay->trouble());
}

TEST_F(RelayTest, refuses_a_topic_that_forgets) {
  kafka::Admin(kafka).create(topic(), 16, 1, {{"retention.ms", "604800000"}});
  const auto relay = start_relay();
  EXPECT_TRUE(is_refused(*relay, "retention.ms = 604800000, not -1"));
}

TEST_F(RelayTest, notices_while_it_runs_that_the_topic_is_to_forget) {
  append_events(10);
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  set_properties(kafka, topic(), {{"retention.ms", "604800000"}});
  EXPECT_TRUE(is_refused(*relay, "retention.ms = 604800000, not -1"));
  EXPECT_TRUE(relay->trouble());
  set_properties(kafka, topic(), {{"retention.ms", "-1"}});
  append_events(10);
  EXPECT_TRUE(relay->wait(head(), patience)) << "it goes on when that is taken back";
  EXPECT_EQ(expect_complete(), 0U);
}

TEST_F(RelayTest, refuses_a_topic_whose_copies_can_never_be_enough) {
  kafka::Admin(kafka).create(topic(), 16, 1, {{"retention.ms", "-1"}, {"min.insync.replicas", "2"}});
  const auto relay = start_relay();
  EXPECT_TRUE(is_refused(*relay, "min.insync.replicas = 2"));
}

TEST_F(RelayTest, refuses_a_topic_with_an_event_that_the_log_does_not_have) {
  append_events(10);
  start_relay()->wait(head(), patience);
  TopicRecord foreign = read_topic().back();
  foreign.headers["ce_previous"] = foreign.headers["ce_position"];
  foreign.headers["ce_position"] = "5000";
  foreign.headers["ce_id"] = Uuid::v7(now()).to_string();
  produce({foreign});
  append_events(10);
  const auto relay = start_relay();
  EXPECT_TRUE(is_refused(*relay, "at position 5000, where the log has nothing"));
  EXPECT_TRUE(is_refused(*relay, "after a restore from a backup `bloomwatch begin-epoch` comes first"));
  const std::size_t count = read_topic().size();
  std::this_thread::sleep_for(2s);
  EXPECT_EQ(read_topic().size(), count) << "nothing is added";
  EXPECT_TRUE(relay->trouble());
}

TEST_F(RelayTest, refuses_a_topic_with_another_event_at_a_position_of_the_log) {
  append_events(10);
  start_relay()->wait(head(), patience);
  TopicRecord foreign = read_topic().back();
  foreign.headers["ce_id"] = Uuid::v7(now()).to_string();
  produce({foreign});
  const auto relay = start_relay();
  EXPECT_TRUE(is_refused(*relay, "holds"));
}

TEST_F(RelayTest, refuses_a_topic_that_ends_with_no_event) {
  append_events(10);
  start_relay()->wait(head(), patience);
  produce({TopicRecord{.partition = 3, .offset = 0, .key = "k", .value = "not ours", .time = {}, .headers = {}, .meta = {}}});
  const auto relay = start_relay();
  EXPECT_TRUE(is_refused(*relay, "with what is no event of this log"));
}

TEST_F(RelayTest, goes_on_when_a_topic_that_did_not_fit_is_gone) {
  append_events(10);
  kafka::Admin admin(kafka);
  admin.create(topic(), 8, 1, {});
  const auto relay = start_relay();
  ASSERT_TRUE(is_refused(*relay, "has 8 partitions, not 16"));
  admin.remove(topic());
  EXPECT_TRUE(relay->wait(head(), patience));
  expect_complete();
}

TEST_F(RelayTest, says_that_it_is_of_no_use_while_kafka_has_never_answered) {
  kafka.bootstrap = "127.0.0.1:1";
  const auto relay = start_relay();
  EXPECT_TRUE(is_refused(*relay, "the metadata of topic"));
  EXPECT_TRUE(relay->trouble());
}

// ------------------------------------------------------------------------------------------------------------------- crash and takeover

/// A process of its own that relays: another copy of this program, to be killed.
pid_t start_relay_process(const std::string& url) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that fails leaves nothing running
    ::setenv("BLOOMWATCH_RELAY_OF", url.c_str(), 1);
    ::execl("/proc/self/exe", "relay", "--gtest_filter=RelayProcess.*", "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  return child;
}

void kill_process(pid_t process, int signal = SIGKILL) {
  ::kill(process, signal);
  if (signal == SIGKILL) ::waitpid(process, nullptr, 0);
}

TEST(RelayProcess, DISABLED_relays_until_killed) {
  const char* url = std::getenv("BLOOMWATCH_RELAY_OF");
  if (url == nullptr) GTEST_SKIP() << "only for the process that the other tests start";
  Hub hub;
  Relay relay({.database_url = url, .kafka = {.bootstrap = kafka_bootstrap()}, .hub = hub});
  relay.start();
  for (;;) std::this_thread::sleep_for(1s);
}

TEST_F(RelayTest, loses_nothing_when_it_is_killed_in_the_middle) {
  append_events(10'000);
  RelayTopic(kafka, reader.epoch()).make_or_check();
  for (int i = 0; i < 4; ++i) {
    const std::int64_t before = records_in_topic();
    const pid_t process = start_relay_process(url);
    EXPECT_TRUE(within(patience, [&] { return records_in_topic() > before; }));
    kill_process(process);
    append_events(1'000);
  }
  const auto relay = start_relay();
  ASSERT_TRUE(relay->wait(head(), patience));
  expect_complete();
}

class RelayTakeover : public RelayTest, public testing::WithParamInterface<int> {};

TEST_P(RelayTakeover, is_within_5_s_of_the_signal) {
  append_events(5000);
  const pid_t process = start_relay_process(url);
  kafka::Admin admin(kafka);
  ASSERT_TRUE(within(patience, [&] { return admin.describe(topic()) && read_topic().size() == 5000; }));
  const auto standby = start_relay();
  std::this_thread::sleep_for(1500ms);
  ASSERT_EQ(standby->not_ready(), "it stands by: another relay copies");
  EXPECT_EQ(standby->trouble(), std::nullopt);
  append_events(10);
  kill_process(process, GetParam());
  const auto signalled = std::chrono::steady_clock::now();
  append_events(10);
  EXPECT_TRUE(standby->wait(head(), 30s));
  const auto took = std::chrono::steady_clock::now() - signalled;
  RecordProperty("takeover_ms", static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(took).count()));
  EXPECT_LT(took, 5s);
  // The stopped one wakes up, and finds that it is no longer the one.
  if (GetParam() == SIGSTOP) {
    kill_process(process, SIGCONT);
    append_events(100);
    std::this_thread::sleep_for(1s);
    ASSERT_TRUE(standby->wait(head(), patience));
    EXPECT_EQ(standby->not_ready(), std::nullopt);
  }
  kill_process(process);
  expect_complete();
}

INSTANTIATE_TEST_SUITE_P(Signals, RelayTakeover, testing::Values(SIGSTOP, SIGKILL),
                         [](const auto& param) { return param.param == SIGSTOP ? "stopped" : "killed"; });

}  // namespace
}  // namespace bloomwatch::test
