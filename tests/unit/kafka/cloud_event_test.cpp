// Events as CloudEvents: what goes out comes back, and what is not ours is told why.
#include "events/cloud_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace bloomwatch::test {
namespace {

using testing::HasSubstr;

constexpr std::string_view epoch = "0badcafe";

Uuid some_uuid() { return Uuid::v7(now()); }

RawEvent bare_event() {
  RawEvent event;
  event.meta.position = 42;
  event.meta.stream = {"watch-space", some_uuid()};
  event.meta.version = 7;
  event.meta.event_id = EventId(some_uuid());
  event.meta.partition_key = PartitionKey(event.meta.stream.id);
  event.meta.partition = partition_of(event.meta.partition_key);
  event.meta.recorded_at = now();
  event.meta.by.command = CommandId(some_uuid());
  event.meta.by.correlation = CorrelationId(some_uuid());
  event.type = "WatchSpaceRenamed";
  event.data = R"({"name":"Friday"})";
  return event;
}

RawEvent full_event() {
  RawEvent event = bare_event();
  event.schema_version = 3;
  event.meta.by.account = UserId(some_uuid());
  event.meta.by.profile = ProfileId(some_uuid());
  event.meta.by.origin = {OriginKind::import, std::string(1500, 'p'), "an import"};
  event.meta.by.causation = EventId(some_uuid());
  event.meta.undoes = EventId(some_uuid());
  return event;
}

/// Headers with text of their own, so that a test can change them.
using Headers = std::map<std::string, std::string>;

Headers headers_of(const RawEvent& event, Position previous) {
  Headers all;
  CloudEventHeaders headers(epoch);
  for (const auto& [name, value] : headers.of(event, previous)) all.emplace(name, value);
  return all;
}

std::expected<CloudEvent, std::string> read(const Headers& all, std::string_view value, std::int16_t partition) {
  std::vector<kafka::Header> views;
  for (const auto& [name, text] : all) views.push_back({name, text});
  return read_cloud_event(views, value, partition, epoch);
}

void expect_equal(const RawEvent& is, const RawEvent& should_be) {
  const Meta &a = is.meta, &b = should_be.meta;
  EXPECT_EQ(std::tie(a.position, a.stream, a.version, a.event_id, a.partition_key, a.partition, a.recorded_at, a.undoes),
            std::tie(b.position, b.stream, b.version, b.event_id, b.partition_key, b.partition, b.recorded_at, b.undoes));
  EXPECT_EQ(std::tie(a.by.account, a.by.profile, a.by.command, a.by.correlation, a.by.causation),
            std::tie(b.by.account, b.by.profile, b.by.command, b.by.correlation, b.by.causation));
  EXPECT_EQ(std::tie(a.by.origin.kind, a.by.origin.provider, a.by.origin.reference),
            std::tie(b.by.origin.kind, b.by.origin.provider, b.by.origin.reference));
  EXPECT_EQ(std::tie(is.type, is.schema_version, is.data), std::tie(should_be.type, should_be.schema_version, should_be.data));
}

TEST(CloudEvent, comes_back_as_it_went) {
  for (const RawEvent& event : {bare_event(), full_event()}) {
    const Headers all = headers_of(event, 41);
    const auto back = read(all, event.data, event.meta.partition);
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(back->previous, 41);
    expect_equal(back->event, event);
  }
}

TEST(CloudEvent, has_the_headers_that_the_specification_asks_for) {
  const Headers all = headers_of(full_event(), 0);
  EXPECT_EQ(all.at("ce_specversion"), "1.0");
  EXPECT_EQ(all.at("ce_type"), "WatchSpaceRenamed");
  EXPECT_EQ(all.at("ce_source"), "/bloomwatch/0badcafe");
  EXPECT_EQ(all.at("content-type"), "application/json");
  EXPECT_THAT(all.at("ce_subject"), testing::StartsWith("watch-space-"));
  EXPECT_THAT(all.at("ce_time"), testing::EndsWith("Z"));
  EXPECT_EQ(all.size(), 21U);
}

TEST(CloudEvent, leaves_out_what_there_is_not) {
  const Headers all = headers_of(bare_event(), 0);
  for (const char* name : {"ce_account", "ce_profile", "ce_provider", "ce_reference", "ce_causationid", "ce_undoes"})
    EXPECT_FALSE(all.contains(name)) << name;
}

TEST(CloudEvent, may_carry_headers_that_nobody_knows_yet) {
  const RawEvent event = bare_event();
  Headers all = headers_of(event, 0);
  all["ce_tomorrow"] = "1";
  EXPECT_TRUE(read(all, event.data, event.meta.partition));
}

TEST(CloudEvent, without_one_of_its_headers_is_none_of_ours_but_for_the_optional_ones) {
  const RawEvent event = full_event();
  const std::set<std::string> optional = {"content-type", "ce_account",     "ce_profile", "ce_provider",
                                          "ce_reference", "ce_causationid", "ce_undoes"};
  for (const auto& [name, value] : headers_of(event, 0)) {
    Headers without = headers_of(event, 0);
    without.erase(name);
    const auto back = read(without, event.data, event.meta.partition);
    EXPECT_EQ(back.has_value(), optional.contains(name)) << name;
    if (!back) EXPECT_THAT(back.error(), HasSubstr(name));
  }
}

TEST(CloudEvent, with_a_malformed_header_is_none_of_ours) {
  const RawEvent event = full_event();
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string, std::string>>{{"ce_specversion", "0.3"},
                                                                                              {"ce_id", "1"},
                                                                                              {"ce_source", "/bloomwatch/deadbeef"},
                                                                                              {"ce_time", "yesterday"},
                                                                                              {"ce_subject", "watch-space"},
                                                                                              {"ce_subject", std::string(40, '-')},
                                                                                              {"ce_position", "0"},
                                                                                              {"ce_position", "-1"},
                                                                                              {"ce_position", "42x"},
                                                                                              {"ce_position", "99999999999999999999"},
                                                                                              {"ce_previous", "42"},
                                                                                              {"ce_origin", "elsewhere"},
                                                                                              {"ce_account", ""},
                                                                                              {"ce_partitionkey", "x"}}) {
    Headers all = headers_of(event, 41);
    all[name] = value;
    EXPECT_FALSE(read(all, event.data, event.meta.partition)) << name << '=' << value;
  }
}

TEST(CloudEvent, in_a_partition_that_is_not_its_keys_is_none_of_ours) {
  const RawEvent event = bare_event();
  const auto back = read(headers_of(event, 0), event.data, static_cast<std::int16_t>((event.meta.partition + 1) % partition_count));
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error(), HasSubstr("ce_partitionkey"));
}

TEST(CloudEvent, without_headers_or_an_object_is_none_of_ours) {
  const RawEvent event = bare_event();
  EXPECT_FALSE(read({}, event.data, event.meta.partition));
  for (const std::string_view value : {"", "null", "[]"}) EXPECT_FALSE(read(headers_of(event, 0), value, event.meta.partition)) << value;
}

}  // namespace
}  // namespace bloomwatch::test
