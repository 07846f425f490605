// Pages that wait: woken by the hub, by a look at the checkpoints, by their deadline; never lost, never twice.
#include "query-service/waiting.h"

#include <gtest/gtest.h>

#include <atomic>

#include "query-service/pages.h"

namespace bloomwatch {
namespace {

using namespace std::chrono_literals;

class Sleeper final : public OpenPage {
 public:
  explicit Sleeper(std::chrono::milliseconds patience) : OpenPage(http::Request{}, http::Responder([](http::Response) {})) {
    deadline = std::chrono::steady_clock::now() + patience;
  }
  std::expected<Question, Problem> ask() override { return std::unexpected(Problem{}); }
  std::expected<Shown, Problem> show(const PageRows&, Keyring&) override { return std::unexpected(Problem{}); }
};

class Waiting_ : public testing::Test {
 protected:
  Waiting::Actions actions() {
    return {[this](std::unique_ptr<OpenPage>) { ++again; }, [this](std::unique_ptr<OpenPage>) { ++late; }, [this] { ++looks; }};
  }
  bool eventually(const auto& condition) {
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(1ms);
    return condition();
  }
  static std::unique_ptr<OpenPage> sleeper(std::chrono::milliseconds patience, std::size_t account = 0) {
    auto page = std::make_unique<Sleeper>(patience);
    page->visit.by.account = UserId(Uuid{{static_cast<std::uint8_t>(account >> 8), static_cast<std::uint8_t>(account)}});
    return page;
  }

  Hub hub;
  std::atomic<int> again = 0;
  std::atomic<int> late = 0;
  std::atomic<int> looks = 0;
};

TEST_F(Waiting_, wakes_those_whose_position_the_model_has_reached) {
  Waiting waiting(hub, actions());
  waiting.add(sleeper(10s), Model::spaces, 5);
  waiting.add(sleeper(10s), Model::spaces, 6);
  waiting.add(sleeper(10s), Model::dashboard, 5);
  hub.publish(Hub::model_topic("spaces"), 5);
  EXPECT_EQ(again, 1);
  hub.publish(Hub::model_topic("spaces"), 7);
  EXPECT_EQ(again, 2);
  EXPECT_EQ(waiting.size(), 1u);
  waiting.reached(Model::dashboard, 5);
  EXPECT_EQ(again, 3);
  EXPECT_EQ(late, 0);
}

TEST_F(Waiting_, turns_away_who_would_be_one_too_many) {
  Waiting waiting(hub, actions());
  for (std::size_t i = 0; i < Waiting::waiting_max; ++i) waiting.add(sleeper(60s, i), i % 2 == 0 ? Model::spaces : Model::people, 5);
  EXPECT_EQ(late, 0);
  waiting.add(sleeper(60s, Waiting::waiting_max), Model::tracking, 5);
  EXPECT_EQ(late, 1);
}

TEST_F(Waiting_, leaves_room_to_others_whatever_one_account_asks_for) {
  Waiting waiting(hub, actions());
  const auto add = [&](std::size_t account, Position position) { waiting.add(sleeper(60s, account), Model::spaces, position); };
  for (std::size_t i = 0; i < Waiting::waiting_of_one_max; ++i) add(1, i == 0 ? 5 : 6);
  EXPECT_EQ(late, 0);
  add(1, 6);
  EXPECT_EQ(late, 1);
  add(2, 6);
  EXPECT_EQ(late, 1);
  waiting.reached(Model::spaces, 5);
  EXPECT_EQ(again, 1);
  add(1, 6);
  EXPECT_EQ(late, 1) << "one less waits";
}

TEST_F(Waiting_, misses_nothing_that_was_said_before_it_came) {
  Waiting waiting(hub, actions());
  hub.publish(Hub::model_topic("tracking"), 9);
  waiting.add(sleeper(10s), Model::tracking, 9);
  EXPECT_EQ(again, 1);
}

TEST_F(Waiting_, is_too_late_at_its_deadline_and_looks_at_the_checkpoints_meanwhile) {
  Waiting waiting(hub, actions());
  waiting.add(sleeper(100ms), Model::people, 1);
  EXPECT_TRUE(eventually([&] { return late == 1; }));
  EXPECT_EQ(again, 0);
  EXPECT_GE(looks, 1);
}

TEST_F(Waiting_, does_not_spin_when_the_hub_is_ahead_of_the_database) {
  Waiting waiting(hub, actions());
  hub.publish(Hub::model_topic("people"), 100);
  auto page = sleeper(10s);
  page->runs = Waiting::hinted_runs_max;
  waiting.add(std::move(page), Model::people, 50);
  EXPECT_EQ(again, 0);
  EXPECT_TRUE(eventually([&] { return looks > 0; }));
  waiting.reached(Model::people, 50);
  EXPECT_EQ(again, 1);
}

TEST_F(Waiting_, answers_everybody_when_it_closes) {
  Waiting waiting(hub, actions());
  waiting.add(sleeper(10s), Model::people, 1);
  waiting.close();
  EXPECT_EQ(late, 1);
  waiting.add(sleeper(10s), Model::people, 1);
  EXPECT_EQ(late, 2);
  hub.publish(Hub::model_topic("people"), 5);
  EXPECT_EQ(again, 0);
}

}  // namespace
}  // namespace bloomwatch
