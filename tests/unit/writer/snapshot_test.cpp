// What snapshots of aggregates look like. Rows of a shape are read as long as it is counted, so a text here that does not come back as it
// was means: raise the aggregate's `snapshot_shape`, and write the new text down. That none leaves something out is proved by every test of
// a decider (tests/decider.cpp).
#include <gtest/gtest.h>

#include <string_view>

#include "command-service/aggregates.h"

namespace bloomwatch {
namespace {

struct Kept {
  std::string_view category;
  std::int32_t shape;
  std::string_view text;
};

constexpr Kept kept[] = {
    {"anime", 1,
     R"({"watchSpace":"00000000-0000-4000-8000-000000000001","removedFrom":null,)"
     R"("title":"00000000-0000-4000-8000-000000000002","episodeCount":28,"sharedStatus":"watching","sharedEpisodes":3,)"
     R"("mood":"00000000-0000-4000-8000-000000000003","vibe":null,"pitch":null,)"
     R"("participants":{"00000000-0000-4000-8000-000000000004":{"status":"finished","episodes":28,"timesRewatched":1,)"
     R"("startedOn":{"year":2026,"month":11,"day":null},"finishedOn":{"year":2026,"month":11,"day":21},"scoreTenths":95,)"
     R"("notes":"00000000-0000-4000-8000-000000000005"}},)"
     R"("sessions":{"00000000-0000-4000-8000-000000000006":{"endEpisode":3,"advanceProgress":true,)"
     R"("participants":[{"profile":"00000000-0000-4000-8000-000000000004","attendance":"present"}],"notes":null}},)"
     R"("removedSessions":{}})"},
    {"watch-space", 1,
     R"({"exists":true,"name":"Mira & Ken","timeZone":"Europe/Berlin","theme":"night",)"
     R"("members":{"00000000-0000-4000-8000-000000000004":{"role":"owner","consent":"automatic","recapConsent":true}},)"
     R"("formerMembers":["00000000-0000-4000-8000-000000000007"],)"
     R"("invitations":{"00000000-0000-4000-8000-000000000008":{"invitee":"00000000-0000-4000-8000-000000000009",)"
     R"("tokenClaim":"00000000-0000-4000-8000-000000000010","role":"member",)"
     R"("sender":"00000000-0000-4000-8000-000000000004","expiresAt":"2026-11-28T12:00:00.000Z","revoked":false,)"
     R"("acceptedBy":"00000000-0000-4000-8000-000000000011"}}})"},
    {"user", 1,
     R"({"profile":"00000000-0000-4000-8000-000000000004","emailClaim":"00000000-0000-4000-8000-000000000012",)"
     R"("handleClaim":"00000000-0000-4000-8000-000000000013","displayName":"","avatarUrl":null,)"
     R"("timeZone":"Europe/Berlin","language":"de","privacy":"public","role":"admin",)"
     R"("password":"00000000-0000-4000-8000-000000000014","continuingSession":"00000000-0000-4000-8000-000000000015",)"
     R"("handleChangedAt":"2026-11-21T12:00:00.000Z"})"},
    {"login-session", 2,
     R"({"id":"00000000-0000-4000-8000-000000000015","account":"00000000-0000-4000-8000-000000000004",)"
     R"("password":"00000000-0000-4000-8000-000000000014","generation":7,"ended":false,)"
     R"("usedAt":"2026-11-21T12:00:00.000Z"})"},
};

TEST(Snapshots, are_read_as_they_were_written) {
  for (const Kept& each : kept) {
    const auto state = make_state(each.category);
    EXPECT_EQ(state->snapshot_shape(), each.shape) << each.category;
    state->restore(each.text);
    EXPECT_EQ(state->snapshot(), each.text) << each.category;
  }
}

TEST(Snapshots, of_every_category_that_has_them_are_written_down_here) {
  SnapshotShapes shapes;
  for (const Kept& each : kept) shapes.emplace(each.category, each.shape);
  EXPECT_EQ(shapes, snapshot_shapes());
}

TEST(Snapshots, that_cannot_be_read_say_what_to_do) {
  try {
    make_state("anime")->restore("{}");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string_view(error.what()).find("log.snapshots may be emptied"), std::string_view::npos);
  }
}

}  // namespace
}  // namespace bloomwatch
