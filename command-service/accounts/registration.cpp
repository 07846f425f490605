// Signing up: hash, key and password row first, then the command, whose claims decide whether e-mail and handle are free.
#include "command-service/accounts/flows.h"
#include "command-service/accounts/register_user.h"
#include "runtime/trusted_proxies.h"

namespace bloomwatch::accounts {
namespace {

/// Blocks: hashes the password and writes the secrets that the event will name.
void sign_up(Flows& flows, Call& call, RegisterUser command) {
  const UserId account(Uuid::v7(call.now));
  command.user.value = account;
  command.password_id.value = PasswordId(Uuid::v7(call.now));
  command.email_claim.value = email_claim(flows.edge.keys, command.email.text());
  command.handle_claim.value = handle_claim(flows.edge.keys, command.handle.text());
  const DataKey key = flows.secrets.make_account(account, *command.password_id, hash_password(command.password.take()));

  call.frame.by.account = account;
  call.frame.by.profile = ProfileId(account.uuid);
  Actor actor{.account = account, .profile = ProfileId(account.uuid), .session = {}, .now = call.now, .key = key};
  submit(flows.edge, std::move(call), std::move(command), std::move(actor),
         [](const Answer& answer, const RegisterUser&) { return done_body(answer); });
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
    run_on(flows.password_pool, std::move(*call),
           [&flows, command = std::move(*command)](Call& moved) mutable { sign_up(flows, moved, std::move(command)); });
  };
}

}  // namespace bloomwatch::accounts
