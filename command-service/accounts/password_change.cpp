// A new password: the current one is checked and the new one's row written before the command goes on.
#include "command-service/accounts/change_password.h"
#include "command-service/accounts/flows.h"
#include "command-service/accounts/person.h"

namespace bloomwatch::accounts {
namespace {

/// Blocks: checks one password and hashes another. A wrong one goes on unproven, for the decider to refuse: a repeat, by its
/// Idempotency-Key, of a change that was made proves the former password, and is answered as then.
void change(Flows& flows, Call& call, ChangePassword command) {
  const UserId account = call.principal->account;
  const LoadResult loaded = flows.readers.load({.streams = {{User::category, account.uuid}}, .claims = {}, .keys = {}});
  const Person person = person_from(account, loaded.events);
  const auto hash = flows.secrets.password_hash(person.password, account);
  command.password.value = PasswordId(Uuid::v7(call.now));
  if (flows.passwords.matches(hash, command.current_password.take())) {
    command.proven.value = person.password;
    flows.secrets.put_password(*command.password, account, hash_password(command.new_password.take()));
  }
  const Principal by = *call.principal;
  const Actor actor = call.actor();
  submit(flows.edge, std::move(call), std::move(command), actor,
         [&flows, by, at = actor.now](const Answer& answer, const ChangePassword& sent) {
           // Other sessions' tokens are refused from this answer on.
           if (!answer.repeated) flows.edge.authenticator.ended().password_changed(by.account, *sent.password, by.session, at);
           return done_body(answer);
         });
}

}  // namespace

http::Handler change_password(Flows& flows) {
  return [&flows](http::Request request, http::Responder respond) {
    auto call = begin_call(flows.edge, std::move(request), std::move(respond));
    if (!call) return;
    auto command = read_body<ChangePassword>(*call);
    if (!command) return;
    const Uuid& account = call->principal->account.uuid;
    if (call->refuse_until(flows.login_limit.take(as_text(account.bytes), call->request.peer, LoginLimit::Clock::now()))) return;
    run_on(flows.password_pool, std::move(*call),
           [&flows, command = std::move(*command)](Call& moved) mutable { change(flows, moved, std::move(command)); });
  };
}

}  // namespace bloomwatch::accounts
