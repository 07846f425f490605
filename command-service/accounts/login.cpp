// Logging in and staying so: an e-mail and a password become a session and its tokens; a refresh token becomes the next pair.
#include <algorithm>
#include <boost/describe.hpp>

#include "command-service/accounts/flows.h"
#include "command-service/accounts/login_session.h"
#include "command-service/accounts/person.h"
#include "command-service/accounts/refresh_login_session.h"
#include "command-service/accounts/start_login_session.h"

namespace bloomwatch::accounts {
namespace {

struct Credentials {
  std::string email;  ///< any text: what is no address has no account
  GivenPassword password;
};
BOOST_DESCRIBE_STRUCT(Credentials, (), (email, password))

struct RefreshRequest {
  std::string refresh_token;
};
BOOST_DESCRIBE_STRUCT(RefreshRequest, (), (refresh_token))

struct Tokens {
  std::string access_token;
  std::string token_type = "Bearer";
  std::int64_t expires_in = 0;  ///< seconds
  std::string refresh_token;
  json::Raw user;
};
BOOST_DESCRIBE_STRUCT(Tokens, (), (access_token, token_type, expires_in, refresh_token, user))

/// What is shown to somebody whose session goes on: a pair of tokens and who they are. A repeat's access token ends when the first one did.
http::Response welcome(const Flows& flows, const Answer& answer, const Person& person, const std::optional<DataKey>& key,
                       const RefreshClaim& next, Time at) {
  const Time expires_at = (answer.repeated ? answer.command.uuid.time().value() : at) + access_token_life;
  const Principal principal{.account = person.account,
                            .profile = *person.profile,
                            .session = next.session,
                            .password = person.password,
                            .expires_at = expires_at};
  http::Response response = done_response(
      flows.edge, answer,
      json::to_string(Tokens{.access_token = flows.edge.authenticator.tokens().mint(principal),
                             .expires_in = std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(expires_at - at).count()),
                             .refresh_token = flows.refresh_tokens.mint(next),
                             .user = {person_json(person, key)}}));
  response.status = 200;  // not 201: nothing that has an address was made
  return response;
}

/// The account that has the e-mail; the nil account if none has.
UserId account_of(Flows& flows, std::string_view email) {
  const LoadResult found = flows.readers.load({.streams = {}, .claims = {email_claim(flows.edge.keys, email)}, .keys = {}});
  for (const ClaimChange& claim : found.claims)
    if (claim.holder && claim.holder->category == User::category && !claim.holder->retired_at) return UserId(claim.holder->id);
  return {};
}

template <class State>
State state_of(const LoadResult& loaded, const Uuid& stream) {
  dispatch::Holder<State> holder;
  for (const RecordedEvent& event : loaded.events)
    if (event.meta.stream == StreamName{State::category, stream}) holder.apply(event);
  return holder.state;
}

/// Whether the request is a repeat, by its Idempotency-Key, of what opened or renewed a session that has ended since. The writer would
/// answer it as it did then, and tokens would be made for it. A session that ends after this look has its tokens refused as any other's,
/// and a password that changes after it is not the one that they are made with: `before` is what the person was read from.
bool revives_a_session(Flows& flows, const Call& call, UserId account, const LoadResult& before) {
  if (before.idempotency.empty()) return false;
  const IdempotencyRecord& record = before.idempotency.front();
  if (!record.refusal.empty() || record.body_mac != call.frame.body_mac) return false;
  const LoadResult now =
      flows.readers.load({.streams = {{User::category, account.uuid}, {LoginSession::category, record.id}}, .claims = {}, .keys = {}});
  return !state_of<LoginSession>(now, record.id).goes_on(state_of<User>(now, account.uuid));
}

Actor actor_of(Call& call, const Person& person, SessionId session, std::optional<DataKey> key) {
  call.frame.by.account = person.account;
  call.frame.by.profile = person.profile;
  call.respond.speaks_for(person.account.uuid);
  return {.account = person.account, .profile = *person.profile, .session = session, .now = call.now, .key = std::move(key)};
}

/// Blocks. Takes the same steps, and so the same time, whether or not there is such an account.
void prove(Flows& flows, Call& call, Credentials credentials) {
  const UserId account = account_of(flows, credentials.email);
  const LoadResult loaded = flows.readers.load(account_and_key(call, account));
  const Person person = person_from(account, loaded.events);
  const auto hash = flows.secrets.password_hash(person.password, person.account);
  if (!flows.passwords.matches(hash, credentials.password.take())) return refuse(call, Refusal::wrong_credentials);
  if (revives_a_session(flows, call, account, loaded)) return refuse(call, Refusal::login_session_ended);

  StartLoginSession command{.user = person.account, .proven = person.password};
  command.session.value = SessionId(Uuid::v7(call.now));
  if (const auto user_agent = call.request.header("User-Agent")) command.device = device_from(*user_agent);
  const auto key = flows.secrets.data_key(person.account);
  Actor actor = actor_of(call, person, *command.session, key);
  submit_and_reply(flows.edge, call, std::move(command), std::move(actor),
                   [&flows, person, key, at = call.now, request = call.request.request_id](const Answer& answer, const StartLoginSession&) {
                     if (answer.kind != Answer::Kind::done) return problem_response(answer, request);
                     return welcome(flows, answer, person, key, {SessionId(answer.id), person.account, 0}, at);
                   });
}

/// Blocks. Whether the token is still the latest is the decider's to say.
void renew(Flows& flows, Call& call, const RefreshClaim& claim) {
  const LoadResult loaded = flows.readers.load(account_and_key(call, claim.account));
  const Person person = person_from(claim.account, loaded.events);
  if (!person.profile) return refuse(call, Refusal::refresh_token_unknown);
  if (revives_a_session(flows, call, claim.account, loaded)) return refuse(call, Refusal::login_session_ended);
  const auto key = flows.secrets.data_key(person.account);
  const RefreshLoginSession command{.session = claim.session, .user = claim.account, .generation = claim.generation};
  Actor actor = actor_of(call, person, claim.session, key);
  submit_and_reply(
      flows.edge, call, command, std::move(actor),
      [&flows, person, key, at = call.now, request = call.request.request_id](const Answer& answer, const RefreshLoginSession& sent) {
        if (answer.kind == Answer::Kind::done)
          return welcome(flows, answer, person, key, {sent.session, sent.user, sent.generation + 1}, at);
        // A token that was copied: its session's access tokens are refused from this answer on.
        if (answer.refusal == bloomwatch::refuse(Refusal::refresh_token_reused).name)
          flows.edge.authenticator.ended().session_ended(sent.session, at);
        return problem_response(answer, request);
      });
}

}  // namespace

http::Handler log_in(Flows& flows) {
  return [&flows](http::Request request, http::Responder respond) {
    auto call = begin_call(flows.edge, std::move(request), std::move(respond));
    if (!call) return;
    auto credentials = read_body<Credentials>(*call);
    if (!credentials) return;
    if (auto email = checked_email(credentials->email)) credentials->email = std::move(*email);  // as it was registered
    const ClaimKey email = email_claim(flows.edge.keys, credentials->email);
    if (call->refuse_until(flows.login_limit.take(as_text(email.uuid.bytes), call->request.peer, LoginLimit::Clock::now()))) return;
    run_on(flows.password_pool, std::move(*call),
           [&flows, credentials = std::move(*credentials)](Call& moved) mutable { prove(flows, moved, std::move(credentials)); });
  };
}

http::Handler refresh(Flows& flows) {
  return [&flows](http::Request request, http::Responder respond) {
    auto call = begin_call(flows.edge, std::move(request), std::move(respond));
    if (!call) return;
    const auto body = read_body<RefreshRequest>(*call);
    if (!body) return;
    const auto claim = flows.refresh_tokens.check(body->refresh_token);
    if (!claim) return refuse(*call, Refusal::refresh_token_unknown);
    if (call->refuse_until(flows.refresh_limit.take(std::hash<UserId>()(claim->account), TokenBuckets::Clock::now()))) return;
    run_on(flows.pool, std::move(*call), [&flows, claim = *claim](Call& moved) { renew(flows, moved, claim); });
  };
}

}  // namespace bloomwatch::accounts
