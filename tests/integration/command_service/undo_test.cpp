// What an undo costs, and whom: it reads a whole stream, so not for strangers, not without end, and not in front of others.
#include <algorithm>
#include <future>
#include <vector>

#include "command-service/undo/undo_change.h"
#include "tests/integration/command_service/service_fixture.h"

namespace bloomwatch::test {
namespace {

class Undo : public CommandServiceTest {
 protected:
  std::string undo_of(std::int64_t position) const { return space_path_ + "/history/" + std::to_string(position) + "/undo"; }
  Reply undo(std::int64_t position, const Person& person, const std::string& key = "") {
    return post(undo_of(position), "", person.access_token, key.empty() ? Headers{} : Headers{{"Idempotency-Key", key}});
  }
  /// One whose answer is not waited for.
  std::future<http::Response> begin_as(const Person& person, http::Method method, const std::string& path, const std::string& body = "") {
    http::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.request_id = Uuid::v7(now());
    request.add_header("Authorization", "Bearer " + person.access_token);
    return begin(std::move(request));
  }
  void join(const Person& person) {
    const Reply invited = post(space_path_ + "/invitations", R"({"email":")" + person.email + R"("})", mira_.access_token);
    ASSERT_EQ(post("/api/watch-spaces/invitations/" + *invited.json().token + "/accept", "", person.access_token).status, 200);
  }
  /// Where the anime came to have this mood.
  std::int64_t change_mood(const std::string& mood) {
    const Reply changed = send(http::Method::patch, anime_path_, R"({"mood":")" + mood + R"("})", mira_.access_token);
    EXPECT_EQ(changed.status, 200) << changed.body;
    return changed.json().position.value_or(0);
  }

  Person mira_ = register_person("mira");
  Person ken_ = register_person("ken");
  const std::string space_path_ = "/api/watch-spaces/" + make_space(mira_);
  const std::string anime_path_ =
      space_path_ + "/anime/" + *post(space_path_ + "/anime", R"({"anilistMediaId":154587})", mira_.access_token).json().id;
};

TEST_F(Undo, reads_nothing_for_strangers) {
  const std::int64_t change = change_mood("calm");
  // A past that nobody can read tells who tried.
  connection().query("ALTER TABLE log.events DISABLE TRIGGER events_are_immutable");
  connection().query("UPDATE log.events SET type = 'NeverHeardOf' WHERE position = " + std::to_string(change));
  EXPECT_EQ(undo(change, mira_).status, 500);
  const Reply refused = undo(change, ken_);
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.json().type, "/problems/no-such-space");
}

TEST_F(Undo, repeated_with_its_key_by_who_has_gone_answers_the_same) {
  join(ken_);
  const std::int64_t change = change_mood("calm");
  const Reply first = undo(change, ken_, "once");
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(send(http::Method::del, space_path_ + "/members/me", "", ken_.access_token).status, 200);
  EXPECT_EQ(undo(change, ken_, "once").body, first.body);
  EXPECT_EQ(undo(change + 1, ken_, "once").status, 422);
  EXPECT_EQ(undo(change, ken_, "another").status, 404);
}

TEST_F(Undo, refused_to_a_stranger_stays_so_under_its_key) {
  const std::int64_t change = change_mood("calm");
  EXPECT_EQ(undo(change, ken_, "early").json().type, "/problems/no-such-space");
  join(ken_);
  EXPECT_EQ(undo(change, ken_, "early").json().type, "/problems/no-such-space");
  EXPECT_EQ(undo(change, ken_, "late").status, 200);
}

TEST_F(Undo, refused_for_what_came_later_says_so_again_under_its_key) {
  const std::int64_t first = change_mood("calm"), second = change_mood("loud");
  for (int i = 0; i < 2; ++i) {
    const Reply refused = undo(first, mira_, "once");
    EXPECT_EQ(refused.json().type, "/problems/changed-since");
    EXPECT_EQ(refused.json().position, second);
  }
  EXPECT_EQ(undo(second, mira_).status, 200);
  EXPECT_EQ(undo(first, mira_, "once").status, 409);
  EXPECT_EQ(undo(first, mira_).status, 200);
}

TEST_F(Undo, one_account_undoes_only_so_often) {
  const std::int64_t change = change_mood("calm");
  Reply reply{};
  for (int i = 0; i < 1000 && reply.status != 429; ++i) reply = undo(change, ken_);
  EXPECT_EQ(reply.status, 429);
  EXPECT_TRUE(std::ranges::any_of(reply.headers, [](const auto& header) { return header.first == "Retry-After"; }));
  EXPECT_EQ(undo(change, mira_).status, 200);
}

TEST_F(Undo, of_what_is_long_keeps_no_refresh_waiting) {
  join(ken_);
  std::vector<std::future<http::Response>> changes;
  constexpr int changes_made = 2'000;
  for (int i = 0; i < changes_made; ++i) {
    const std::string number = std::to_string(i);
    changes.push_back(begin_as(mira_, http::Method::patch, anime_path_,
                               R"({"mood":"mood )" + number + R"(","vibe":"vibe )" + number + R"(","pitch":"pitch )" + number + R"("})"));
  }
  for (auto& change : changes) ASSERT_EQ(change.get().status, 200);
  const Reply rated = send(http::Method::patch, anime_path_ + "/participant-rating", R"({"score":8})", mira_.access_token);
  std::vector<std::future<http::Response>> undos;
  for (int i = 0; i < static_cast<int>(undo::undos_max); ++i)
    undos.push_back(begin_as(ken_, http::Method::post, undo_of(*rated.json().position)));
  EXPECT_EQ(post("/api/auth/refresh", R"({"refreshToken":")" + mira_.refresh_token + R"("})").status, 200);
  const auto waits = [](const auto& answer) { return answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready; };
  EXPECT_GT(std::ranges::count_if(undos, waits), static_cast<int>(undo::undos_max) / 2);
  for (auto& refused : undos) EXPECT_EQ(refused.get().status, 403) << "what Mira said of herself";
}

}  // namespace
}  // namespace bloomwatch::test
