// The writer's machine, one rule a test: what the simulation cannot name. The domain is the simulation's bank, the log a line of inputs.
#include "command-service/writer.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/unit/writer_simulation/bank.h"

namespace bloomwatch {
namespace {

using simulation::BankWork;
using simulation::Wish;
using simulation::WishKind;
using std::chrono::milliseconds;
using Kind = Answer::Kind;

/// A writer that leads an empty log; loads find nothing unless told otherwise.
class WriterTest : public testing::Test {
 protected:
  explicit WriterTest(WriterLimits limits = {.pipelined_commands_min = 1})
      : machine_(simulation::make_account_state, [this](Time) { return EventId(simulation::small_uuid(3, ++event_ids_)); }, limits) {
    machine_.start({});
  }

  std::uint64_t submit(const Wish& wish, std::optional<std::uint64_t> key = {}, std::uint8_t body = 0) {
    const std::uint64_t number = ++commands_;
    CommandFrame frame{.by = {.command = CommandId(simulation::small_uuid(6, number))}, .body_mac = {body}};
    if (key) frame.key = IdempotencyKey(simulation::small_uuid(4, *key));
    machine_.submit(std::make_unique<BankWork>(std::move(frame), wish, simulation::small_uuid(5, number),
                                               [this, number](const BankWork&, const Answer& answer) {
                                                 answers_.emplace_back(number, answer, std::string(answer.refusal));
                                               }),
                    now_);
    return number;
  }

  void step() {
    WriterOutputs out = machine_.step(now_);
    for (auto& append : out.appends) appends_.push_back(std::move(append));
    for (auto& load : out.loads) loads_.push_back(std::move(load));
    if (out.key_page) page_ = out.key_page;
    if (out.read_tail) tail_asked_ = out.read_tail;
    for (auto& snapshot : out.snapshots) snapshots_.push_back(std::move(snapshot));
  }
  /// Steps, answers every load with nothing, steps again.
  void load_nothing() {
    step();
    for (const auto& load : std::exchange(loads_, {}))
      machine_.loaded(load.id, {.as_of = machine_.confirmed().position, .events = {}, .claims = {}, .idempotency = {}});
    step();
  }
  /// The log has no record of any key, and the machine knows. Account 0 is held from here on.
  void know_no_key_is_recorded() {
    submit(pay_in(0));
    load_nothing();
    finish(AppendResult::committed);
    answers_.clear();
    machine_.keys_read(*page_, std::vector<IdempotencyKey>{});
  }
  void finish(AppendResult result) {
    const BatchId id = appends_.front().id;
    appends_.erase(appends_.begin());
    machine_.append_finished(id, result);
  }
  void empty_tail() {
    step();
    ASSERT_TRUE(tail_asked_.has_value());
    machine_.tail({.head = *std::exchange(tail_asked_, std::nullopt), .events = {}, .whole = true});
  }

  struct Heard {
    std::uint64_t command;
    Answer answer;
    std::string refusal;
  };
  std::vector<std::uint64_t> order_of_answers() const {
    std::vector<std::uint64_t> order;
    for (const Heard& heard : answers_) order.push_back(heard.command);
    return order;
  }

  static Wish pay_in(int account, int amount = 1) { return {.kind = WishKind::pay_in, .account = account, .amount = amount}; }
  static Wish pay_out(int account, int amount = 1) { return {.kind = WishKind::pay_out, .account = account, .amount = amount}; }

  std::uint64_t event_ids_ = 0, commands_ = 0;
  Time now_{milliseconds(1000)};
  WriterMachine machine_;
  std::vector<WriterOutputs::Append> appends_;
  std::vector<WriterOutputs::Load> loads_;
  std::vector<StreamSnapshot> snapshots_;
  std::optional<KeyPage> page_;
  std::optional<LogPoint> tail_asked_;
  std::vector<Heard> answers_;
};

using Writer = WriterTest;

TEST_F(Writer, asks_for_what_all_commands_miss_in_one_load) {
  submit(pay_in(0));
  submit(pay_in(1), 7);
  submit(pay_out(0));
  step();
  ASSERT_EQ(loads_.size(), 1U);
  EXPECT_EQ(loads_[0].request.streams.size(), 2U);
  EXPECT_EQ(loads_[0].request.keys.size(), 1U);
  EXPECT_TRUE(appends_.empty());
}

TEST_F(Writer, decides_on_what_the_batch_before_decided_and_answers_after_the_commit) {
  submit(pay_in(0, 5));
  submit(pay_out(0, 3));
  submit(pay_out(0, 3));
  load_nothing();
  ASSERT_EQ(appends_.size(), 1U);
  EXPECT_EQ(appends_[0].batch.events.size(), 2U);
  EXPECT_EQ(appends_[0].batch.events[1].version, 2);
  EXPECT_TRUE(answers_.empty());
  finish(AppendResult::committed);
  ASSERT_EQ(answers_.size(), 3U);
  EXPECT_EQ(answers_[1].answer.position, 2);
  EXPECT_EQ(answers_[2].refusal, "overdrawn");
  EXPECT_EQ(answers_[2].answer.position, 2);
}

TEST_F(Writer, tells_the_snapshot_of_a_stream_when_the_batch_that_it_ends_with_is_in_the_log) {
  const Version every = SnapshotPace().every;
  for (Version i = 0; i < every - 1; ++i) submit(pay_in(0));
  load_nothing();
  submit(pay_in(0));
  step();
  submit(pay_in(0));
  step();
  ASSERT_EQ(appends_.size(), 3U);
  const EventId last = appends_[1].batch.events.back().event_id;
  finish(AppendResult::committed);
  step();
  EXPECT_TRUE(snapshots_.empty());
  finish(AppendResult::committed);
  step();
  ASSERT_EQ(snapshots_.size(), 1U);
  EXPECT_EQ(snapshots_[0],
            (StreamSnapshot{simulation::stream_of(0), every, last, simulation::account_shape, std::to_string(every) + " 0 0 -1"}));
}

TEST_F(Writer, tells_no_snapshot_of_what_failed) {
  for (Version i = 0; i < SnapshotPace().every; ++i) submit(pay_in(0));
  load_nothing();
  finish(AppendResult::fence_lost);
  empty_tail();
  EXPECT_TRUE(snapshots_.empty());
}

TEST_F(Writer, tells_the_snapshot_of_a_long_stream_that_it_loaded) {
  submit(pay_out(0, 7));
  step();
  ASSERT_EQ(loads_.size(), 1U);
  LoadResult loaded{.as_of = 0, .events = {}};
  loaded.snapshots.push_back(
      {simulation::stream_of(0), 100, EventId(simulation::small_uuid(3, 900)), simulation::account_shape, "5 0 0 -1"});
  for (Version version = 101; version <= 100 + SnapshotPace().every; ++version) {
    RecordedEvent& event = loaded.events.emplace_back();
    event.meta.stream = simulation::stream_of(0);
    event.meta.version = version;
    event.meta.event_id = EventId(simulation::small_uuid(3, 800 + static_cast<std::uint64_t>(version)));
    event.type = simulation::paid_in;
    event.data = "1";
  }
  machine_.loaded(loads_[0].id, loaded);
  step();
  ASSERT_EQ(snapshots_.size(), 1U);
  EXPECT_EQ(snapshots_[0].version, 132);
  EXPECT_EQ(snapshots_[0].event_id, loaded.events.back().meta.event_id);
  EXPECT_EQ(snapshots_[0].state, "37 0 0 -1");
  ASSERT_EQ(appends_.size(), 1U);
  EXPECT_EQ(appends_[0].batch.events.at(0).version, 133);
}

TEST_F(Writer, sends_a_batch_without_events_to_prove_that_a_refusal_is_true) {
  submit(pay_out(0));
  load_nothing();
  ASSERT_EQ(appends_.size(), 1U);
  EXPECT_TRUE(appends_[0].batch.events.empty());
  EXPECT_TRUE(answers_.empty());
  finish(AppendResult::committed);
  EXPECT_EQ(answers_.at(0).answer.kind, Kind::refused);
}

TEST_F(Writer, chains_the_fences_of_batches_in_flight) {
  submit(pay_in(0));
  load_nothing();
  submit(pay_in(0));
  step();
  ASSERT_EQ(appends_.size(), 2U);
  EXPECT_EQ(appends_[0].batch.fence, LogPoint{});
  EXPECT_EQ(appends_[1].batch.fence.position, 1);
  EXPECT_EQ(appends_[1].batch.fence.event_id, appends_[0].batch.events[0].event_id);
}

TEST_F(Writer, does_not_let_one_that_waits_for_a_load_hold_up_others) {
  submit(pay_in(0));
  load_nothing();
  submit(pay_in(1));
  submit(pay_in(0));
  step();
  ASSERT_EQ(appends_.size(), 2U);
  EXPECT_EQ(appends_[1].batch.events[0].stream, simulation::stream_of(0));
  EXPECT_EQ(loads_.size(), 1U);
}

TEST_F(Writer, keeps_the_order_of_commands_that_need_the_same) {
  submit(pay_in(0, 2));
  step();
  submit(pay_out(0, 1));
  step();
  submit(pay_out(0, 1));
  submit(pay_out(0, 1));
  load_nothing();
  finish(AppendResult::committed);
  EXPECT_EQ(order_of_answers(), (std::vector<std::uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(answers_[3].refusal, "overdrawn");
}

TEST_F(Writer, answers_a_repeat_in_flight_with_the_outcome_of_the_first) {
  submit(pay_in(0), 9);
  submit(pay_in(0), 9);
  submit(pay_in(0), 9, 1);
  load_nothing();
  EXPECT_EQ(appends_.at(0).batch.events.size(), 1U);
  EXPECT_EQ(appends_.at(0).batch.idempotency.size(), 1U);
  finish(AppendResult::committed);
  ASSERT_EQ(answers_.size(), 3U);
  EXPECT_TRUE(answers_[1].answer.repeated);
  EXPECT_EQ(answers_[1].answer.id, answers_[0].answer.id);
  EXPECT_EQ(answers_[1].answer.command, answers_[0].answer.command);
  EXPECT_EQ(answers_[2].answer.kind, Kind::key_reused);
}

TEST_F(Writer, decides_a_fresh_key_without_a_load) {
  know_no_key_is_recorded();
  submit(pay_in(0), 9);
  step();
  EXPECT_TRUE(loads_.empty());
  ASSERT_EQ(appends_.size(), 1U);
  EXPECT_EQ(appends_[0].batch.idempotency.size(), 1U);
  EXPECT_EQ(machine_.counters().fresh_keys, 1U);
}

TEST_F(Writer, looks_for_a_key_that_the_log_refused) {
  know_no_key_is_recorded();
  submit(pay_in(0), 9);
  step();
  finish(AppendResult::fence_lost);
  empty_tail();
  step();
  ASSERT_EQ(loads_.size(), 1U);
  EXPECT_EQ(loads_[0].request.keys.size(), 1U);
}

TEST_F(Writer, looks_for_a_key_before_an_outcome_that_no_index_contradicts) {
  know_no_key_is_recorded();
  submit({.kind = WishKind::try_forbidden}, 9);
  step();
  EXPECT_TRUE(appends_.empty());
  ASSERT_EQ(loads_.size(), 1U);
  EXPECT_EQ(loads_[0].request.keys.size(), 1U);
  load_nothing();
  finish(AppendResult::committed);
  EXPECT_EQ(answers_.at(0).refusal, "forbidden");
}

TEST_F(Writer, keeps_the_order_of_one_key_while_a_stream_is_loaded) {
  know_no_key_is_recorded();
  submit(pay_in(1), 9);
  submit(pay_in(0), 9, 1);
  load_nothing();
  finish(AppendResult::committed);
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[0].answer.kind, Kind::done);
  EXPECT_EQ(answers_[1].answer.kind, Kind::key_reused);
}

TEST_F(Writer, does_not_record_an_outcome_that_is_not_recordable) {
  submit({.kind = WishKind::try_forbidden}, 9);
  submit(pay_in(0), 9);
  load_nothing();
  finish(AppendResult::committed);
  EXPECT_EQ(answers_.at(0).refusal, "forbidden");
  EXPECT_EQ(answers_.at(1).answer.kind, Kind::done);
}

TEST_F(Writer, remembers_a_refusal_that_came_with_events) {
  submit({.kind = WishKind::warn}, 9);
  load_nothing();
  ASSERT_EQ(appends_.at(0).batch.events.size(), 1U);
  EXPECT_EQ(appends_.at(0).batch.idempotency.at(0).refusal, "warned");
  finish(AppendResult::committed);
  EXPECT_EQ(answers_.at(0).answer.kind, Kind::refused);
  EXPECT_EQ(answers_.at(0).answer.version, 1);
}

TEST_F(Writer, writes_one_net_change_per_claim_and_none_where_nothing_changed) {
  const auto take = [](int account, int name) { return Wish{.kind = WishKind::take_name, .account = account, .name = name}; };
  submit(take(0, 0));
  submit(take(0, 1));
  submit({.kind = WishKind::give_up_name, .account = 0});
  submit(take(1, 1));
  load_nothing();
  while (!loads_.empty()) load_nothing();
  ASSERT_EQ(appends_.size(), 1U);
  ASSERT_EQ(appends_[0].batch.claims.size(), 1U);
  EXPECT_EQ(appends_[0].batch.claims[0].key, simulation::claim_of(1));
  EXPECT_EQ(appends_[0].batch.claims[0].holder->id, simulation::stream_of(1).id);
}

TEST_F(Writer, does_not_decide_what_has_waited_too_long) {
  const auto late = submit(pay_in(0));
  now_ += milliseconds(1);
  submit(pay_in(0));
  step();
  now_ += WriterLimits().wait_max;
  load_nothing();
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0].command, late);
  EXPECT_EQ(answers_[0].answer.kind, Kind::unavailable);
  ASSERT_EQ(appends_.size(), 1U);
  EXPECT_EQ(appends_[0].batch.events.size(), 1U);
}

TEST_F(Writer, never_lets_recorded_at_go_back) {
  submit(pay_in(0));
  load_nothing();
  now_ -= milliseconds(500);
  submit(pay_in(0));
  step();
  EXPECT_EQ(appends_.at(1).batch.events[0].recorded_at, appends_.at(0).batch.events[0].recorded_at);
}

TEST_F(Writer, fails_a_command_whose_decider_throws_and_goes_on) {
  submit({.kind = WishKind::throw_up});
  submit(pay_in(0));
  load_nothing();
  EXPECT_EQ(answers_.at(0).answer.kind, Kind::failed);
  EXPECT_EQ(appends_.at(0).batch.events.size(), 1U);
}

TEST_F(Writer, appends_one_by_one_what_failed_twice_and_fails_only_the_culprit) {
  submit(pay_in(0));
  submit({.kind = WishKind::poison, .account = 1});
  submit(pay_in(2));
  load_nothing();
  for (int attempt = 0; attempt < 2; ++attempt) {
    ASSERT_EQ(appends_.at(0).batch.events.size(), 3U);
    finish(AppendResult::data_error);
    empty_tail();
    load_nothing();
  }
  ASSERT_EQ(appends_.size(), 3U);
  EXPECT_EQ(appends_[1].batch.events.at(0).type, simulation::poisoned);
  finish(AppendResult::committed);
  finish(AppendResult::data_error);
  finish(AppendResult::fence_lost);
  empty_tail();
  load_nothing();
  finish(AppendResult::committed);
  ASSERT_EQ(answers_.size(), 3U);
  EXPECT_EQ(answers_[1].command, 2U);
  EXPECT_EQ(answers_[1].answer.kind, Kind::failed);
  EXPECT_EQ(answers_[1].answer.cause, "the log refuses its data");
  EXPECT_EQ(answers_[2].answer.kind, Kind::done);
}

TEST_F(Writer, turns_away_what_was_not_sent_when_it_leads_no_more_and_waits_for_the_rest) {
  submit(pay_in(0));
  load_nothing();
  submit(pay_in(1));
  step();
  machine_.stop();
  EXPECT_EQ(order_of_answers(), std::vector<std::uint64_t>{2});
  EXPECT_EQ(answers_[0].answer.kind, Kind::unavailable);
  EXPECT_FALSE(machine_.idle());
  finish(AppendResult::committed);
  EXPECT_EQ(answers_.at(1).answer.kind, Kind::done);
  EXPECT_TRUE(machine_.idle());
  submit(pay_in(0));
  EXPECT_EQ(answers_.at(2).answer.kind, Kind::unavailable);
}

TEST_F(Writer, says_unknown_only_where_the_tail_cannot_tell) {
  submit(pay_in(0));
  submit(pay_out(1));
  load_nothing();
  machine_.stop();
  finish(AppendResult::connection_lost);
  step();
  ASSERT_TRUE(tail_asked_.has_value());
  machine_.tail_unreachable();
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[0].answer.kind, Kind::unknown);
  EXPECT_EQ(answers_[1].answer.kind, Kind::unavailable) << "a refusal would have changed nothing";
}

class GatheringWriter : public WriterTest {
 protected:
  GatheringWriter() : WriterTest({.pipelined_commands_min = 3}) {
    submit(pay_in(0));
    load_nothing();
  }
};

TEST_F(GatheringWriter, lets_commands_gather_while_a_batch_is_in_flight) {
  ASSERT_EQ(appends_.size(), 1U);
  submit(pay_in(0));
  submit(pay_in(0));
  step();
  EXPECT_EQ(appends_.size(), 1U);
  submit(pay_in(0));
  step();
  ASSERT_EQ(appends_.size(), 2U) << "enough of them do not wait";
  EXPECT_EQ(appends_[1].batch.events.size(), 3U);
}

TEST_F(GatheringWriter, keeps_nobody_waiting_when_nothing_is_in_flight) {
  submit(pay_in(0));
  step();
  finish(AppendResult::committed);
  step();
  ASSERT_EQ(appends_.size(), 1U);
  EXPECT_EQ(appends_[0].batch.events.size(), 1U);
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(GatheringWriter, says_how_many_more_commands_the_next_batch_waits_for) {
  EXPECT_EQ(machine_.commands_wanted(), 3U);
  submit(pay_in(0));
  EXPECT_EQ(machine_.commands_wanted(), 2U);
  finish(AppendResult::committed);
  step();
  EXPECT_EQ(machine_.commands_wanted(), 3U) << "the one that waited is in flight";
  finish(AppendResult::committed);
  EXPECT_EQ(machine_.commands_wanted(), 1U);
}

class SmallWriter : public WriterTest {
 protected:
  SmallWriter()
      : WriterTest({.queue_max = 6,
                    .batch_commands_max = 2,
                    .batches_in_flight_max = 2,
                    .pipelined_commands_min = 1,
                    .memory_bytes_max = 0,
                    .stream_length_max = 3}) {}
};

TEST_F(SmallWriter, answers_busy_when_the_queue_is_full) {
  for (int i = 0; i < 7; ++i) submit(pay_in(0));
  EXPECT_EQ(order_of_answers(), std::vector<std::uint64_t>{7});
  EXPECT_EQ(answers_[0].answer.kind, Kind::busy);
}

TEST_F(SmallWriter, bounds_batches_and_those_in_flight) {
  for (int i = 0; i < 6; ++i) submit(pay_in(i));
  load_nothing();
  while (!loads_.empty()) load_nothing();
  ASSERT_EQ(appends_.size(), 2U);
  EXPECT_EQ(appends_[0].batch.events.size(), 2U);
  EXPECT_GT(machine_.commands_wanted(), 1'000'000U) << "however many come, they wait for one of the two";
  finish(AppendResult::committed);
  step();
  EXPECT_EQ(appends_.size(), 2U);
}

TEST_F(SmallWriter, refuses_to_make_a_stream_too_long) {
  for (int i = 0; i < 4; ++i) submit(pay_in(0));
  load_nothing();
  finish(AppendResult::committed);
  finish(AppendResult::committed);
  EXPECT_EQ(answers_.at(3).refusal, "stream_full");
}

TEST_F(SmallWriter, has_room_in_a_full_stream_for_what_always_fits) {
  submit({.kind = WishKind::take_name, .account = 0, .name = 1});
  for (int i = 0; i < 3; ++i) submit(pay_in(0));
  submit({.kind = WishKind::give_up_name, .account = 0});
  while (answers_.size() < 5) {
    load_nothing();
    finish(AppendResult::committed);
  }
  EXPECT_EQ(answers_.at(3).refusal, "stream_full");
  EXPECT_EQ(answers_.at(4).answer.kind, Kind::done);
  EXPECT_EQ(answers_.at(4).answer.version, 4);
}

TEST_F(SmallWriter, evicts_everything_once_nothing_is_under_way) {
  submit(pay_in(0));
  load_nothing();
  EXPECT_EQ(machine_.facts().size(), 1U) << "a stream that a batch in flight has touched stays";
  finish(AppendResult::committed);
  step();
  EXPECT_EQ(machine_.facts().size(), 0U);
}

}  // namespace
}  // namespace bloomwatch
