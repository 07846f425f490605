// What does not depend on a test's command and events, compiled once for all deciders' tests.
#include "tests/decider.h"

#include "command-service/aggregates.h"

namespace bloomwatch::testing {
namespace {

std::vector<std::string> events_of(const Decided& decided) {
  std::vector<std::string> texts;
  for (const NewEvent& event : decided.events) texts.push_back(std::string(event.type) + ' ' + event.data);
  return texts;
}

}  // namespace

std::vector<std::string> Outcome::events() const { return events_of(decided_); }

Outcome& Outcome::expect(const std::vector<std::string>& events, std::string_view refusal) {
  ::testing::ScopedTrace trace(where_.file_name(), static_cast<int>(where_.line()), "when");
  EXPECT_EQ(events_of(decided_), events);
  EXPECT_EQ(decided_.refusal, refusal);
  return *this;
}

Outcome& Outcome::changes_claim(const ClaimChange& change) {
  ::testing::ScopedTrace trace(where_.file_name(), static_cast<int>(where_.line()), "when");
  EXPECT_THAT(decided_.claims, ::testing::Contains(change));
  return *this;
}

Outcome& Outcome::changes_no_claim() {
  ::testing::ScopedTrace trace(where_.file_name(), static_cast<int>(where_.line()), "when");
  EXPECT_TRUE(decided_.claims.empty());
  return *this;
}

Outcome& Outcome::once() {
  ::testing::ScopedTrace trace(where_.file_name(), static_cast<int>(where_.line()), "when, once more");
  EXPECT_THAT(events_of(repeated_), ::testing::IsEmpty());
  EXPECT_EQ(repeated_.refusal, "");
  return *this;
}

Outcome& Outcome::answers(Uuid id) {
  ::testing::ScopedTrace trace(where_.file_name(), static_cast<int>(where_.line()), "when");
  EXPECT_EQ(decided_.id.to_string(), id.to_string());
  return *this;
}

World::World() : facts_(std::make_unique<Facts>(make_state)) {}

World& World::take(const Past& past) {
  for (const RecordedEvent& event : past.events) append(event);
  return *this;
}

void World::append(RecordedEvent event) {
  facts_->put_fresh(event.meta.stream);
  HeldStream& held = facts_->changing(event.meta.stream);
  event.meta.version = held.version + 1;
  held.state->apply(event);
  facts_->set_version(event.meta.stream, event.meta.version);
  go_through_a_snapshot(event.meta.stream);
}

/// What is decided next is decided on what a snapshot says: so each test of a decider also tells whether snapshots leave something out.
void World::go_through_a_snapshot(const StreamName& stream) {
  HeldStream& held = facts_->changing(stream);
  if (!held.state->snapshot_shape()) return;
  auto restored = make_state(stream.category);
  restored->restore(held.state->snapshot());
  held.state = std::move(restored);
}

/// What nobody gave is not there. More at once than the writer loads for a command fails.
void World::fetch(const Work& work) {
  for (int round = 0; round < 8; ++round) {
    LoadRequest missing;
    Needs needs(*facts_, missing);
    work.needs(needs);
    if (missing.streams.empty() && missing.claims.empty()) return;
    EXPECT_LE(missing.streams.size() + missing.claims.size(), WriterLimits{}.command_facts_max);
    for (const StreamName& name : missing.streams) facts_->put_fresh(name);
    for (const ClaimKey claim : missing.claims) facts_->put(claim, std::nullopt);
  }
  ADD_FAILURE() << "the command goes on asking";
}

void World::complete(NewEvent& event, const CommandFrame& frame, Time recorded_at) {
  const Version version = facts_->stream(event.stream).version + 1;
  event.version = version;
  event.recorded_at = recorded_at;
  event.by = frame.by;
  facts_->set_version(event.stream, version);
}

}  // namespace bloomwatch::testing
