// Signing up: whether e-mail and handle are free is asked first, then come hash, key and password row, then the command, whose claims
// decide.
#include "command-service/accounts/flows.h"
#include "command-service/accounts/register_user.h"
#include "runtime/trusted_proxies.h"

namespace bloomwatch::accounts {
namespace {

void sign_up(Flows& flows, Call call, RegisterUser command) {
  const UserId account(Uuid::v7(call.now));
  command.user.value = account;
  command.password_id.value = PasswordId(Uuid::v7(call.now));
  command.email_claim.value = email_claim(flows.edge.keys, command.email.text());
  command.handle_claim.value = handle_claim(flows.edge.keys, command.handle.text());
  call.frame.by.account = account;
  call.frame.by.profile = ProfileId(account.uuid);
  Actor actor{.account = account, .profile = ProfileId(account.uuid), .session = {}, .now = call.now, .key = DataKey::make(account)};

  const auto body = [](const Answer& answer, const RegisterUser&) { return done_body(answer); };
  auto write_and_submit = [&flows, body, actor, password = command.password.take()](Call& moved, RegisterUser accepted) mutable {
    flows.secrets.put_account(*actor.key, *accepted.password_id, hash_password(password));
    submit(flows.edge, std::move(moved), std::move(accepted), std::move(actor), body);
  };
  ask_before(flows.edge, flows.password_pool, std::move(call), std::move(command), actor, body, std::move(write_and_submit));
}

}  // namespace

http::Handler register_user(Flows& flows) {
  return [&flows](http::Request request, http::Responder respond) {
    auto call = begin_call(flows.edge, std::move(request), std::move(respond));
    if (!call) return;
    auto command = read_body<RegisterUser>(*call);
    if (!command) return;
    const std::size_t peer = std::hash<std::string>()(client_network(call->request.peer));
    if (call->refuse_until(flows.registration_limit.take(peer, TokenBuckets::Clock::now()))) return;
    sign_up(flows, std::move(*call), std::move(*command));
  };
}

}  // namespace bloomwatch::accounts
