// The client against a wire that answers as told, on a clock that runs only while it waits.
#include "query-service/anilist/client.h"

#include <gtest/gtest.h>

#include <deque>

namespace bloomwatch::anilist {
namespace {

using namespace std::chrono_literals;
using Answer = std::expected<http::Response, http::NoAnswer>;

constexpr std::string_view frieren =
    R"({"data":{"Media":{"id":154587,"title":{"romaji":"Sousou no Frieren","english":null,"native":"葬送のフリーレン"},"episodes":28}}})";

Answer json_answer(int status, std::string_view body, http::Parameters headers = {}) {
  return http::Response{status, "application/json", std::move(headers), std::string(body)};
}
Answer good() { return json_answer(200, frieren); }
Answer rate_limited(http::Parameters headers = {}) {
  return json_answer(429, R"({"data":null,"errors":[{"message":"Too Many Requests.","status":429}]})", std::move(headers));
}
Answer broken(int status = 500) { return json_answer(status, R"({"errors":[{"message":"Internal Server Error","status":500}]})"); }
Answer outage() {
  return json_answer(403, R"({"data":null,"errors":[{"message":"The AniList API has been temporarily disabled","status":403}]})");
}
Answer banned() { return http::Response{403, "text/html; charset=UTF-8", {}, "<!DOCTYPE html><title>Blocked</title>"}; }
Answer cut_off() { return std::unexpected(http::NoAnswer{http::NoAnswer::Why::cut_off, "cut"}); }

/// Answers in turn, the last one for ever; keeps when it was asked.
class AniList : public testing::Test {
 protected:
  std::expected<Media, Failure> ask(std::chrono::milliseconds within = 8s) { return client_.media(154587, now_ + within); }
  void answers(std::initializer_list<Answer> answers) { answers_ = answers; }
  void time_passes(std::chrono::milliseconds time) { now_ += time; }
  std::chrono::milliseconds since_start(std::size_t request) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(asked_.at(request) - start);
  }

  static constexpr TimePoint start = TimePoint(1000h);
  TimePoint now_ = start;
  std::deque<Answer> answers_;
  std::vector<TimePoint> asked_;
  Metrics metrics_;
  Client client_{{.pace = {.limit_assumed = 30, .window = 60s, .spacing_min = 0ms},
                  .breaker = {.failures_max = 5, .open_for = 30s},
                  .attempts_max = 3,
                  .attempt_max = 5s,
                  .pause_first = 1s,
                  .pause_max = 4s},
                 {.now = [this] { return now_; },
                  .wall_now = [] { return Time(std::chrono::seconds(1'800'000'000)); },
                  .random = [] { return 0.5; },
                  .wait_until = [this](TimePoint at) { now_ = std::max(now_, at); },
                  .stop = [] {},
                  .send =
                      [this](const std::string&, Milliseconds) {
                        asked_.push_back(now_);
                        Answer answer = answers_.front();
                        if (answers_.size() > 1) answers_.pop_front();
                        return answer;
                      }},
                 metrics_};
};

TEST_F(AniList, tells_of_an_anime) {
  answers({good()});
  const auto media = ask();
  ASSERT_TRUE(media);
  EXPECT_EQ(media->preferred_title, "Sousou no Frieren");
}

TEST_F(AniList, is_asked_again_after_pauses_with_jitter_that_grow) {
  answers({broken(), cut_off(), good()});
  EXPECT_TRUE(ask());
  ASSERT_EQ(asked_.size(), 3u);
  EXPECT_EQ(since_start(1), 500ms) << "half of the first bound";
  EXPECT_EQ(since_start(2), 1500ms) << "and half of the second, which is twice as much";
}

TEST_F(AniList, is_asked_no_more_than_so_often_and_not_beyond_the_deadline) {
  answers({broken(503)});
  EXPECT_EQ(ask().error().trouble, Trouble::server_error);
  EXPECT_EQ(asked_.size(), 3u);
  EXPECT_EQ(ask(400ms).error().trouble, Trouble::server_error);
  EXPECT_EQ(asked_.size(), 4u) << "the pause would have ended after the deadline";
}

TEST_F(AniList, is_waited_for_as_long_as_a_429_says_if_that_is_soon) {
  answers({rate_limited({{"retry-after", "3"}, {"x-ratelimit-remaining", "0"}}), good()});
  EXPECT_TRUE(ask());
  EXPECT_EQ(since_start(1), 3s);
}

TEST_F(AniList, is_not_waited_for_if_its_429_says_nothing) {
  answers({rate_limited(), good()});
  const auto first = ask();
  EXPECT_EQ(first.error().trouble, Trouble::busy);
  EXPECT_EQ(asked_.size(), 1u);
  EXPECT_GE(first.error().retry_after, 59s);
  EXPECT_EQ(ask().error().trouble, Trouble::busy);
  EXPECT_EQ(asked_.size(), 1u) << "nobody asks within the window";
  time_passes(60s);
  EXPECT_TRUE(ask());
}

TEST_F(AniList, says_by_a_reset_when_the_budget_is_full_again) {
  answers({rate_limited({{"x-ratelimit-reset", "1800000004"}}), good()});
  EXPECT_TRUE(ask());
  EXPECT_EQ(since_start(1), 4s);
}

TEST_F(AniList, is_left_alone_after_an_outage_and_tried_once_later) {
  answers({outage(), outage(), good()});
  EXPECT_EQ(ask().error().trouble, Trouble::outage);
  EXPECT_EQ(asked_.size(), 1u) << "not worth another attempt";
  EXPECT_EQ(ask().error().trouble, Trouble::resting);
  time_passes(30s);
  EXPECT_EQ(ask().error().trouble, Trouble::outage);
  time_passes(30s);
  const auto resting = ask();
  EXPECT_EQ(resting.error().trouble, Trouble::resting) << "twice as long this time";
  EXPECT_EQ(resting.error().retry_after, 30s);
  time_passes(30s);
  EXPECT_TRUE(ask());
  EXPECT_TRUE(ask());
  EXPECT_EQ(asked_.size(), 4u);
}

TEST_F(AniList, is_left_alone_when_it_answers_with_a_page_of_html) {
  answers({banned()});
  EXPECT_EQ(ask().error().trouble, Trouble::banned);
  EXPECT_EQ(ask().error().trouble, Trouble::resting);
}

TEST_F(AniList, may_refuse_a_question_without_being_down) {
  answers({json_answer(404, R"({"errors":[{"message":"Not Found.","status":404}],"data":{"Media":null}})")});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask().error().trouble, Trouble::not_found);
  EXPECT_EQ(asked_.size(), 10u);
}

TEST_F(AniList, is_asked_thirty_times_a_minute_and_no_more) {
  answers({good()});
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(ask());
  EXPECT_EQ(ask().error().trouble, Trouble::busy);
  EXPECT_TRUE(ask(120s)) << "who can wait is let in when the window is over";
  EXPECT_EQ(since_start(30), 60s);
}

TEST_F(AniList, rests_while_its_turn_would_come_too_late_and_while_it_is_down) {
  answers({rate_limited(), outage()});
  EXPECT_FALSE(client_.rests(now_ + 8s));
  EXPECT_EQ(ask().error().trouble, Trouble::busy);
  EXPECT_TRUE(client_.rests(now_ + 8s));
  EXPECT_FALSE(client_.rests(now_ + 120s)) << "who can wait reaches it";
  time_passes(60s);
  EXPECT_FALSE(client_.rests(now_ + 8s));
  EXPECT_EQ(ask().error().trouble, Trouble::outage);
  EXPECT_TRUE(client_.rests(now_ + 120s));
}

TEST_F(AniList, is_asked_by_nobody_once_stopped) {
  answers({good()});
  client_.stop();
  EXPECT_EQ(ask().error().trouble, Trouble::cancelled);
  EXPECT_TRUE(asked_.empty());
}

TEST(Surroundings, take_https_only) {
  EXPECT_THROW(surroundings_of("http://graphql.anilist.co", ""), std::runtime_error);
  EXPECT_THROW(surroundings_of("", ""), std::runtime_error);
}

}  // namespace
}  // namespace bloomwatch::anilist
