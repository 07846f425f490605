// What `bloomwatch verify` notices: a clean log passes, and each way to break one is named.
// Pure, no database; it is here because the operator program is what it tests.
#include "ops/operator/log_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/codec.h"

namespace bloomwatch::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Time midnight{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
const Uuid user = Uuid::v5(Uuid{}, "user");
const Uuid space = Uuid::v5(Uuid{}, "space");

ClaimKey claim(std::string_view name) { return ClaimKey(Uuid::v5(Uuid{}, name)); }

template <class E>
RecordedEvent event(Position position, StreamName stream, Version version, const E& data, std::string_view command = {}) {
  RecordedEvent recorded;
  recorded.meta.position = position;
  recorded.meta.stream = stream;
  recorded.meta.version = version;
  recorded.meta.event_id = EventId(Uuid::v5(Uuid{}, std::to_string(position)));
  recorded.meta.partition_key = PartitionKey(stream.id);
  recorded.meta.partition = partition_of(recorded.meta.partition_key);
  recorded.meta.recorded_at = midnight + std::chrono::milliseconds(position);
  recorded.meta.by.command = CommandId(Uuid::v5(Uuid{}, command.empty() ? "command of " + std::to_string(position) : std::string(command)));
  recorded.type = std::string(type_name<E>());
  recorded.data = encode(data);
  return recorded;
}

UserRegistered registered() {
  UserRegistered data{};
  data.email_claim = claim("e-mail");
  data.handle_claim = claim("handle");
  return data;
}

ClaimChange row(std::string_view name, Uuid id, std::optional<Time> retired_at = {}, std::string category = "user") {
  return {claim(name), ClaimHolder{std::move(category), id, retired_at}};
}

/// Rows as the table gives them: by key.
std::vector<ClaimChange> sorted(std::vector<ClaimChange> rows) {
  std::ranges::sort(rows, {}, &ClaimChange::key);
  return rows;
}

struct Log : testing::Test {
  void take(const RecordedEvent& recorded) { check.take(recorded); }
  LogCheck check;
  const StreamName user_stream{"user", user};
  const StreamName space_stream{"watch-space", space};
};

TEST_F(Log, that_is_clean_passes) {
  take(event(1, user_stream, 1, registered(), "a"));
  take(event(2, space_stream, 1, WatchSpaceCreated{"Mira & Ken", "UTC"}, "b"));
  take(event(3, space_stream, 2, MemberJoined{ProfileId(user), SpaceRole::owner}, "b"));
  check.compare_claims({}, sorted({row("e-mail", user), row("handle", user)}), true);
  EXPECT_THAT(check.shown(), IsEmpty());
  EXPECT_EQ(check.streams(), 2U);
  EXPECT_EQ(check.commands(), 2U);
}

TEST_F(Log, with_a_gap_is_noticed) {
  take(event(1, user_stream, 1, registered()));
  take(event(3, user_stream, 2, DisplayNameChanged{}));
  EXPECT_THAT(check.shown(), ElementsAre(HasSubstr("positions are dense")));
}

TEST_F(Log, whose_stream_skips_a_version_is_noticed) {
  take(event(1, user_stream, 1, registered()));
  take(event(2, user_stream, 3, DisplayNameChanged{}));
  EXPECT_THAT(check.shown(), ElementsAre(HasSubstr("versions are dense")));
}

TEST_F(Log, that_goes_back_in_time_is_noticed) {
  take(event(1, user_stream, 1, registered()));
  RecordedEvent earlier = event(2, user_stream, 2, DisplayNameChanged{});
  earlier.meta.recorded_at = midnight;
  take(earlier);
  EXPECT_THAT(check.shown(), ElementsAre(HasSubstr("recorded before")));
}

TEST_F(Log, that_has_a_command_twice_is_noticed) {
  take(event(1, user_stream, 1, registered(), "a"));
  take(event(2, space_stream, 1, WatchSpaceCreated{"Mira & Ken", "UTC"}, "b"));
  take(event(3, user_stream, 2, DisplayNameChanged{}, "a"));
  EXPECT_THAT(check.shown(), ElementsAre(HasSubstr("twice")));
}

TEST_F(Log, with_an_event_that_nobody_knows_is_noticed) {
  RecordedEvent unknown = event(1, user_stream, 1, registered());
  unknown.type = "SomethingElse";
  take(unknown);
  EXPECT_THAT(check.shown(), ElementsAre(HasSubstr("SomethingElse")));
}

TEST_F(Log, whose_claims_differ_is_noticed) {
  take(event(1, user_stream, 1, registered()));
  check.compare_claims({}, sorted({row("e-mail", space), row("of nobody", user)}), true);
  EXPECT_THAT(check.shown(),
              testing::UnorderedElementsAre(HasSubstr("is held by"), HasSubstr("follows from no event"), HasSubstr("is missing")));
}

TEST_F(Log, retires_a_former_claim) {
  take(event(1, user_stream, 1, registered()));
  HandleChanged changed{};
  changed.handle_claim = claim("new");
  changed.former_handle_claim = claim("handle");
  take(event(2, user_stream, 2, changed));
  check.compare_claims({}, sorted({row("e-mail", user), row("new", user), row("handle", user, midnight + std::chrono::milliseconds(2))}),
                       true);
  EXPECT_THAT(check.shown(), IsEmpty());
}

TEST_F(Log, is_compared_page_by_page) {
  take(event(1, user_stream, 1, registered()));
  const auto rows = sorted({row("e-mail", user), row("handle", user)});
  check.compare_claims({}, {rows[0]}, false);
  check.compare_claims(rows[0].key, {rows[1]}, false);
  check.compare_claims(rows[1].key, {}, true);
  EXPECT_THAT(check.shown(), IsEmpty());
}

}  // namespace
}  // namespace bloomwatch::ops
