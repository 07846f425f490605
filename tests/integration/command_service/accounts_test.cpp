// Signing up, in, on and out, against a real Postgres.
#include <dlfcn.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <future>
#include <mutex>

#include "command-service/accounts/flows.h"
#include "command-service/secrets.h"
#include "tests/integration/command_service/service_fixture.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;

/// What the passwords that were checked cost: of each the parameters of its hash, `$argon2id$v=19$m=65536,t=2,p=1`.
class PasswordChecks {
 public:
  void add(std::string_view hash) {
    std::size_t end = 0;
    for (int part = 0; part < 3; ++part) end = hash.find('$', end + 1);
    const std::lock_guard lock(mutex_);
    costs_.emplace_back(hash.substr(0, end));
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(costs_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> costs_;
} password_checks;

}  // namespace

/// libsodium's, which does the work: a program's own function is taken before a library's.
extern "C" int crypto_pwhash_str_verify(const char* hash, const char* password, unsigned long long size) {
  using Verify = int(const char*, const char*, unsigned long long);
  static auto* const verify = reinterpret_cast<Verify*>(::dlsym(RTLD_NEXT, "crypto_pwhash_str_verify"));
  password_checks.add(hash);
  return verify(hash, password, size);
}

namespace {

class Accounts : public CommandServiceTest {
 protected:
  static std::expected<Principal, Problem> authenticate(const Authenticator& elsewhere, const std::string& token) {
    http::Request request;
    request.add_header("Authorization", "Bearer " + token);
    http::Responder nobody;
    return elsewhere.authenticate(request, nobody, now());
  }
  /// Whether an authenticator of another process comes to refuse the token within a second.
  static bool refused_within_a_second(const Authenticator& elsewhere, const std::string& token) {
    for (int i = 0; i < 50; ++i) {
      if (!allowed(elsewhere, token)) return true;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }
  static bool allowed(const Authenticator& elsewhere, const std::string& token) { return authenticate(elsewhere, token).has_value(); }
  static void wait_until_ready(const Authenticator& authenticator) {
    for (int i = 0; !authenticator.ready() && i < 500; ++i) std::this_thread::sleep_for(20ms);
    EXPECT_TRUE(authenticator.ready());
  }
};

TEST_F(Accounts, every_route_but_the_door_wants_a_token) {
  for (const http::RouteEntry& route : routes_->table()) {
    if (route.access == http::Access::anyone) continue;
    const Reply reply = send(route.method, route.pattern, "{}");
    EXPECT_EQ(reply.status, 401) << route.pattern;
    EXPECT_TRUE(std::ranges::any_of(reply.headers, [](const auto& h) { return h.first == "WWW-Authenticate"; })) << route.pattern;
  }
}

TEST_F(Accounts, a_registration_repeated_with_its_key_answers_the_same) {
  const std::string body = R"({"email":"mira@example.org","handle":"mira","displayName":"Mira","password":"a long password"})";
  const Reply first = post("/api/auth/register", body, "", {{"Idempotency-Key", "once"}});
  const Reply again = post("/api/auth/register", body, "", {{"Idempotency-Key", "once"}});
  EXPECT_EQ(first.status, 201) << first.body;
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(log_in_reply("MIRA@example.org", "a long password").status, 200) << "an e-mail is the same in any case";
}

TEST_F(Accounts, an_email_is_one_persons_though_two_register_at_once) {
  const auto try_it = [this](const std::string& handle) {
    return post("/api/auth/register", R"({"email":"same@example.org","handle":")" + handle + R"(","password":"a long password"})").status;
  };
  auto one = std::async(std::launch::async, try_it, "first_one");
  auto two = std::async(std::launch::async, try_it, "second_one");
  EXPECT_EQ(one.get() + two.get(), 201 + 409);
}

TEST_F(Accounts, log_in_takes_an_email_as_it_was_registered) {
  const Reply made = post("/api/auth/register", R"({"email":" mira@example.org ","handle":"mira","password":"a long password"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(log_in_reply(" mira@example.org ", "a long password").status, 200);
  EXPECT_EQ(log_in_reply("mira@example.org", "a long password").status, 200);
}

TEST_F(Accounts, log_in_tells_nobody_who_has_an_account) {
  register_person("mira");
  const Reply wrong = log_in_reply("mira@example.org", "another password");
  const Reply unknown = log_in_reply("nobody@example.org", "another password");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(wrong.json().type, unknown.json().type);
  EXPECT_TRUE(std::ranges::any_of(wrong.headers, [](const auto& h) { return h.first == "WWW-Authenticate"; }));
}

TEST_F(Accounts, log_in_checks_one_password_whoever_has_an_account) {
  register_person("mira");
  password_checks.take();
  EXPECT_EQ(log_in_reply("mira@example.org", "another password").status, 401);
  const std::vector<std::string> known = password_checks.take();
  EXPECT_THAT(known, testing::ElementsAre(testing::StartsWith("$argon2id$v=19$m=65536,")));
  for (const std::string email : {"nobody@example.org", "no address"}) {
    EXPECT_EQ(log_in_reply(email, "another password").status, 401);
    EXPECT_EQ(password_checks.take(), known) << email;
  }
  // Nor does it tell whose account it was that has been forgotten.
  connection().query("DELETE FROM secrets.keys");
  connection().query("DELETE FROM secrets.passwords");
  EXPECT_EQ(log_in_reply("mira@example.org", "a long password").status, 401);
  EXPECT_EQ(password_checks.take(), known);
}

TEST_F(Accounts, guessing_is_slowed_down) {
  register_person("mira");
  Reply reply{};
  for (int i = 0; i < 40 && reply.status != 429; ++i) reply = log_in_reply("mira@example.org", "wrong");
  EXPECT_EQ(reply.status, 429);
  EXPECT_TRUE(std::ranges::any_of(reply.headers, [](const auto& h) { return h.first == "Retry-After"; }));
}

TEST_F(Accounts, a_refresh_token_used_twice_ends_its_session_everywhere) {
  Hub other_hub;
  const Authenticator elsewhere(keys_, url_, other_hub);
  const Person mira = register_person("mira");
  const auto refresh = [this](const std::string& token) { return post("/api/auth/refresh", R"({"refreshToken":")" + token + R"("})"); };
  const Reply next = refresh(mira.refresh_token);
  ASSERT_EQ(next.status, 200) << next.body;
  EXPECT_NE(next.json().refresh_token, mira.refresh_token);
  EXPECT_EQ(refresh(mira.refresh_token).json().type, "/problems/refresh-token-reused");
  EXPECT_EQ(refresh(*next.json().refresh_token).status, 401);
  EXPECT_EQ(send(http::Method::patch, "/api/me", R"({"language":"de"})", *next.json().access_token).status, 401) << "at once here";
  EXPECT_TRUE(refused_within_a_second(elsewhere, *next.json().access_token)) << "soon elsewhere";
}

TEST_F(Accounts, a_refresh_repeated_with_its_key_shows_the_same_token) {
  const Person mira = register_person("mira");
  const std::string body = R"({"refreshToken":")" + mira.refresh_token + R"("})";
  const Reply first = post("/api/auth/refresh", body, "", {{"Idempotency-Key", "r1"}});
  const Reply again = post("/api/auth/refresh", body, "", {{"Idempotency-Key", "r1"}});
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.json().refresh_token, first.json().refresh_token);
}

TEST_F(Accounts, a_repeat_revives_no_session_that_has_ended) {
  const auto ends = [&](const std::string& handle, bool by_refresh, const auto& end) {
    const Person mira = register_person(handle);
    const Headers key = {{"Idempotency-Key", handle}};
    const std::string path = by_refresh ? "/api/auth/refresh" : "/api/auth/login";
    const std::string body = by_refresh ? R"({"refreshToken":")" + mira.refresh_token + R"("})"
                                        : R"({"email":")" + mira.email + R"(","password":")" + mira.password + R"("})";
    const Reply first = post(path, body, "", key);
    ASSERT_EQ(first.status, 200) << first.body;
    EXPECT_EQ(post(path, body, "", key).status, 200);
    end(*first.json().access_token, mira);
    const Reply again = post(path, body, "", key);
    EXPECT_EQ(again.status, 401) << handle << ' ' << again.body;
  };
  const auto log_out = [this](const std::string& token, const Person&) { post("/api/auth/logout", "", token); };
  const auto reuse = [this](const std::string&, const Person& person) {
    post("/api/auth/refresh", R"({"refreshToken":")" + person.refresh_token + R"("})");
  };
  const auto change_password = [this](const std::string&, const Person& person) {
    Person elsewhere = person;
    log_in(elsewhere);
    const Reply changed =
        post("/api/me/password", R"({"currentPassword":"a long password","newPassword":"a better password"})", elsewhere.access_token);
    EXPECT_EQ(changed.status, 200) << changed.body;
  };
  ends("mira", true, log_out);
  ends("ken", false, log_out);
  ends("eve", true, reuse);
  ends("ada", true, change_password);
}

TEST_F(Accounts, a_wrong_current_password_changes_nothing_whatever_the_key_was_used_for) {
  const Person mira = register_person("mira");
  const Headers key = {{"Idempotency-Key", "k1"}};
  EXPECT_EQ(send(http::Method::patch, "/api/me", R"({"language":"de"})", mira.access_token, key).status, 200);
  restart();  // the writer holds no key in memory
  const std::string wrong = R"({"currentPassword":"a wrong password","newPassword":"a better password"})";
  EXPECT_EQ(post("/api/me/password", wrong, mira.access_token, key).status, 422);
  connection().script("DELETE FROM log.idempotency");  // a day later
  restart();
  EXPECT_EQ(post("/api/me/password", wrong, mira.access_token, key).status, 403);
  EXPECT_EQ(log_in_reply(mira.email, mira.password).status, 200);
  const std::string right = R"({"currentPassword":"a long password","newPassword":"a better password"})";
  EXPECT_EQ(post("/api/me/password", right, mira.access_token, key).status, 422) << "that key's outcome is that it was refused";
}

TEST_F(Accounts, a_password_change_repeated_with_its_key_answers_the_same) {
  const Person mira = register_person("mira");
  const std::string body = R"({"currentPassword":"a long password","newPassword":"a better password"})";
  const Reply first = post("/api/me/password", body, mira.access_token, {{"Idempotency-Key", "k1"}});
  const Reply again = post("/api/me/password", body, mira.access_token, {{"Idempotency-Key", "k1"}});
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(log_in_reply(mira.email, "a better password").status, 200);
}

TEST_F(Accounts, one_account_refreshes_only_so_often) {
  Person mira = register_person("mira");
  Reply reply{};
  for (int i = 0; i < 100 && reply.status != 429; ++i)
    reply = post("/api/auth/refresh", R"({"refreshToken":")" + mira.refresh_token + R"("})");
  EXPECT_EQ(reply.status, 429);
  const Person ken = register_person("ken");
  EXPECT_EQ(post("/api/auth/refresh", R"({"refreshToken":")" + ken.refresh_token + R"("})").status, 200);
}

TEST_F(Accounts, a_repeats_access_token_ends_when_the_first_one_did) {
  const Person mira = register_person("mira");
  const std::string body = R"({"refreshToken":")" + mira.refresh_token + R"("})";
  const auto expires_at = [&] {
    const Reply reply = post("/api/auth/refresh", body, "", {{"Idempotency-Key", "r1"}});
    EXPECT_EQ(reply.status, 200) << reply.body;
    return AccessTokens(keys_).check(*reply.json().access_token, now())->expires_at;
  };
  const Time first = expires_at();
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(expires_at(), first);
}

TEST_F(Accounts, logging_out_holds_within_a_second_in_other_processes_also_in_later_ones) {
  Hub other_hub;
  const Authenticator elsewhere(keys_, url_, other_hub);
  Person mira = register_person("mira");
  const std::string ended = mira.access_token;
  log_in(mira);
  wait_until_ready(elsewhere);
  EXPECT_TRUE(allowed(elsewhere, ended));
  EXPECT_EQ(post("/api/auth/logout", "", ended).status, 200);
  EXPECT_EQ(post("/api/auth/logout", "", ended).status, 401) << "at once here";
  EXPECT_TRUE(refused_within_a_second(elsewhere, ended));
  EXPECT_TRUE(allowed(elsewhere, mira.access_token));

  Hub later_hub;
  const Authenticator later(keys_, url_, later_hub);
  wait_until_ready(later);
  EXPECT_FALSE(allowed(later, ended)) << "it is ready only after it has read the ends of the last minutes";
  EXPECT_TRUE(allowed(later, mira.access_token));
}

TEST_F(Accounts, nobody_is_let_in_before_the_ends_are_known) {
  Hub other_hub;
  const Authenticator unready(keys_, "postgresql:///nowhere?host=/nonexistent", other_hub);
  const Person mira = register_person("mira");
  const auto who = authenticate(unready, mira.access_token);
  ASSERT_FALSE(who);
  EXPECT_EQ(who.error().status, 503);
}

TEST_F(Accounts, a_new_password_ends_all_sessions_but_its_own) {
  Hub other_hub;
  const Authenticator elsewhere(keys_, url_, other_hub);
  Person mira = register_person("mira");
  const std::string other = mira.access_token;
  log_in(mira);
  const auto change = [this, &mira](const std::string& current, const Headers& headers) {
    return post("/api/me/password", R"({"currentPassword":")" + current + R"(","newPassword":"a better password"})", mira.access_token,
                headers);
  };
  EXPECT_EQ(change("not my password", {}).status, 403);
  const Reply changed = change(mira.password, {{"Idempotency-Key", "p1"}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  const Reply again = change(mira.password, {{"Idempotency-Key", "p1"}});
  EXPECT_EQ(again.body, changed.body) << "a repeat is answered though the password that it proves is the former one";
  EXPECT_EQ(send(http::Method::patch, "/api/me", R"({"language":"de"})", other).status, 401);
  EXPECT_TRUE(refused_within_a_second(elsewhere, other));
  EXPECT_TRUE(allowed(elsewhere, mira.access_token));
  EXPECT_EQ(send(http::Method::patch, "/api/me", R"({"language":"de"})", mira.access_token).status, 200);
  EXPECT_EQ(log_in_reply(mira.email, mira.password).status, 401);
  EXPECT_EQ(log_in_reply(mira.email, "a better password").status, 200);
}

TEST_F(Accounts, what_is_refused_leaves_no_secret) {
  const Person mira = register_person("mira");
  const Person ken = register_person("ken");
  const std::string invitations = "/api/watch-spaces/" + make_space(mira) + "/invitations";
  const auto register_as = [this](const std::string& email, const std::string& handle, const Headers& headers = {}) {
    return post("/api/auth/register", R"({"email":")" + email + R"(","handle":")" + handle + R"(","password":"a long password"})", "",
                headers)
        .status;
  };
  const auto invite = [&](const std::string& email, const Person& by, const Headers& headers = {}) {
    return post(invitations, R"({"email":")" + email + R"("})", by.access_token, headers).status;
  };
  const Headers once = {{"Idempotency-Key", "once"}}, refused = {{"Idempotency-Key", "refused"}};
  ASSERT_EQ(register_as("ann@example.org", "ann", once), 201);
  ASSERT_EQ(invite("eve@example.org", mira, once), 201);
  const auto secrets = [this] {
    return std::array{count("secrets.keys"), count("secrets.passwords"), count("secrets.invitation_addresses")};
  };
  const auto before = secrets();
  EXPECT_EQ(register_as(mira.email, "another"), 409);
  EXPECT_EQ(register_as("another@example.org", "mira"), 409);
  EXPECT_EQ(register_as("another@example.org", "admin"), 409);
  EXPECT_EQ(invite(mira.email, mira), 409);
  EXPECT_EQ(invite("eve@example.org", mira), 409);
  EXPECT_EQ(invite("another@example.org", ken), 404);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(register_as(mira.email, "another", refused), 409);
    EXPECT_EQ(invite(mira.email, mira, refused), 409);
  }
  EXPECT_EQ(register_as("another@example.org", "another", refused), 422) << "a refusal is remembered";
  EXPECT_EQ(invite("another@example.org", mira, refused), 422);
  EXPECT_EQ(register_as("ann@example.org", "ann", once), 201) << "nor does a repeat";
  EXPECT_EQ(invite("eve@example.org", mira, once), 201);
  EXPECT_EQ(secrets(), before);
}

TEST_F(Accounts, the_sweep_takes_what_no_event_names_and_nothing_else) {
  const Person mira = register_person("mira");
  const std::string space = make_space(mira);
  ASSERT_EQ(post("/api/watch-spaces/" + space + "/invitations", R"({"email":"ken@example.org"})", mira.access_token).status, 201);
  pg::Pool pool({.url = url_});
  Secrets secrets(pool, keys_);
  secrets.put_account(DataKey::make(UserId(Uuid::v7(now()))), PasswordId(Uuid::v7(now())), "unnamed");
  secrets.put_password(PasswordId(Uuid::v7(now())), UserId(*Uuid::parse(mira.id)), "unnamed, of an account that there is");
  secrets.put_invitation_address(InvitationId(Uuid::v7(now())), WatchSpaceId(*Uuid::parse(space)), "unnamed@example.org");

  const Secrets::Swept young = secrets.sweep();
  EXPECT_EQ(young.keys + young.passwords + young.invitation_addresses, 0) << "a command may still be on its way";
  const Secrets::Swept swept = secrets.sweep(0h);
  EXPECT_EQ(swept.keys, 1);
  EXPECT_EQ(swept.passwords, 2);
  EXPECT_EQ(swept.invitation_addresses, 1);
  EXPECT_EQ(count("secrets.keys"), 1);
  EXPECT_EQ(count("secrets.passwords"), 1);
  EXPECT_EQ(count("secrets.invitation_addresses"), 1);
  EXPECT_EQ(log_in_reply(mira.email, mira.password).status, 200);
}

TEST_F(Accounts, the_sweep_takes_the_address_of_an_invitation_that_was_accepted) {
  const Person mira = register_person("mira");
  const Person ken = register_person("ken");
  const std::string path = "/api/watch-spaces/" + make_space(mira) + "/invitations";
  const Reply invited = post(path, R"({"email":"ken@example.org"})", mira.access_token);
  ASSERT_EQ(post(path, R"({"email":"eve@example.org"})", mira.access_token).status, 201);
  pg::Pool pool({.url = url_});
  Secrets secrets(pool, keys_);
  EXPECT_EQ(secrets.sweep(0h).invitation_addresses, 0);
  ASSERT_EQ(post("/api/watch-spaces/invitations/" + *invited.json().token + "/accept", "", ken.access_token).status, 200);
  EXPECT_EQ(secrets.sweep(0h).invitation_addresses, 1);
  EXPECT_EQ(count("secrets.invitation_addresses"), 1);
}

TEST_F(Accounts, the_sweep_takes_former_passwords) {
  const Person mira = register_person("mira");
  const std::string change = R"({"currentPassword":")" + mira.password + R"(","newPassword":"a better password"})";
  ASSERT_EQ(post("/api/me/password", change, mira.access_token).status, 200);
  pg::Pool pool({.url = url_});
  Secrets secrets(pool, keys_);
  EXPECT_EQ(secrets.sweep(0h).passwords, 1);
  EXPECT_EQ(log_in_reply(mira.email, mira.password).status, 401);
  EXPECT_EQ(log_in_reply(mira.email, "a better password").status, 200);
}

TEST_F(Accounts, the_sweep_takes_what_is_left_of_who_was_forgotten) {
  const Person mira = register_person("mira");
  const Person ken = register_person("ken");
  const std::string path = "/api/watch-spaces/" + make_space(mira) + "/invitations";
  for (const std::string who : {"ken", "eve"})
    ASSERT_EQ(post(path, R"({"email":")" + who + R"(@example.org"})", mira.access_token).status, 201);
  connection().query("DELETE FROM secrets.keys WHERE account = '" + ken.id + "'");
  pg::Pool pool({.url = url_});
  const Secrets::Swept swept = Secrets(pool, keys_).sweep(0h);
  EXPECT_EQ(swept.passwords, 1);
  EXPECT_EQ(swept.invitation_addresses, 1);
  EXPECT_EQ(log_in_reply(ken.email, ken.password).status, 401);
  EXPECT_EQ(log_in_reply(mira.email, mira.password).status, 200);
  EXPECT_EQ(count("secrets.invitation_addresses"), 1) << "nobody has eve's address yet";
}

TEST_F(Accounts, invitations_are_slowed_down_whoever_may_send_them) {
  const Person mira = register_person("mira");
  const std::string path = "/api/watch-spaces/" + Uuid::v7(now()).to_string() + "/invitations";
  Reply reply;
  for (int i = 0; i < 1000 && reply.status != 429; ++i) reply = post(path, R"({"email":"ken@example.org"})", mira.access_token);
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(count("secrets.invitation_addresses"), 0);
  const Person ken = register_person("ken");
  EXPECT_EQ(post(path, R"({"email":"mira@example.org"})", ken.access_token).status, 404);
}

TEST_F(Accounts, registrations_are_slowed_down_by_network_address) {
  const auto register_from = [this](const std::string& peer, int number) {
    const std::string name = "person" + std::to_string(number);
    http::Request request;
    request.method = http::Method::post;
    request.path = "/api/auth/register";
    request.body = R"({"email":")" + name + R"(@example.org","handle":")" + name + R"(","password":"a long password"})";
    request.peer = peer;
    return begin(std::move(request));
  };
  // At once, so that few come back meanwhile; what the pool that hashes passwords cannot take is answered 503, and counts, too.
  std::vector<std::future<http::Response>> answers;
  const int at_once = static_cast<int>(accounts::registrations_max) + 100;
  for (int i = 0; i < at_once; ++i) answers.push_back(register_from("192.0.2.1", i));
  answers.push_back(register_from("192.0.2.2", at_once));
  EXPECT_NE(answers.back().get().status, 429) << "another address";
  answers.pop_back();
  int slowed = 0;
  for (auto& answer : answers) {
    const http::Response response = answer.get();
    if (response.status != 429) continue;
    ++slowed;
    EXPECT_TRUE(std::ranges::any_of(response.headers, [](const auto& h) { return h.first == "Retry-After"; }));
  }
  EXPECT_GT(slowed, 0);
  EXPECT_LE(slowed, 100);
}

TEST_F(Accounts, without_its_key_an_account_says_nothing_personal_any_more) {
  Person mira = register_person("mira");
  connection().query("DELETE FROM secrets.keys");
  restart();
  const Reply refused = send(http::Method::patch, "/api/me", R"({"displayName":"Another"})", mira.access_token);
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_EQ(refused.json().type, "/problems/data-key-missing");
  EXPECT_EQ(send(http::Method::patch, "/api/me", R"({"language":"de"})", mira.access_token).status, 200) << "what is not personal goes on";
  EXPECT_EQ(count("secrets.keys"), 0) << "only registration makes keys";
}

TEST_F(Accounts, no_secret_is_in_the_log) {
  const Person mira = register_person("mira");
  const std::string space = make_space(mira);
  const Reply invited =
      post("/api/watch-spaces/" + space + "/invitations", R"({"email":"ken@example.org"})", mira.access_token, {{"Idempotency-Key", "i1"}});
  ASSERT_EQ(invited.status, 201) << invited.body;
  const Reply again =
      post("/api/watch-spaces/" + space + "/invitations", R"({"email":"ken@example.org"})", mira.access_token, {{"Idempotency-Key", "i1"}});
  EXPECT_EQ(again.body, invited.body) << "token and expiry are shown again";
  for (const std::string& secret : {*invited.json().token, mira.refresh_token, mira.access_token, std::string("$argon2id"),
                                    std::string("ken@example.org"), mira.email}) {
    EXPECT_EQ(count("log.events e WHERE e::text LIKE '%" + secret + "%'"), 0) << secret;
    EXPECT_EQ(count("log.idempotency i WHERE i::text LIKE '%" + secret + "%'"), 0) << secret;
  }
}

}  // namespace
}  // namespace bloomwatch::test
