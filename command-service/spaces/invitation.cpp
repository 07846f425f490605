// From the request to the command that names the address's row, which is written if the invitation would be accepted, and back to the
// token.
#include "command-service/spaces/invitation.h"

#include <boost/describe.hpp>
#include <memory>
#include <utility>

#include "command-service/blocking.h"
#include "command-service/spaces/invite_member.h"

namespace bloomwatch::spaces {
namespace {

struct Invited {
  Uuid id;
  std::string token;
  Time expires_at;
  Version version;
  Position position;
};
BOOST_DESCRIBE_STRUCT(Invited, (), (id, token, expires_at, version, position))

/// A repeat shows what was shown first: both the token and the expiry follow from the first command's id.
Time expiry_of(const Edge& edge, CommandId command) { return command.uuid.time().value() + edge.invitation_life; }

std::string invited(const Edge& edge, const Answer& answer) {
  return json::to_string(Invited{.id = answer.id,
                                 .token = invitation_token(edge.keys, answer.command),
                                 .expires_at = expiry_of(edge, answer.command),
                                 .version = answer.version,
                                 .position = answer.position});
}

}  // namespace

std::string invitation_token(const MasterKeys& keys, CommandId command) {
  return base64_url(as_text(keyed_hash_256(keys.one_time, {"invitation", as_text(command.uuid.bytes)})));
}

http::Handler invite(const Edge& edge, Secrets& secrets, WorkPool& pool) {
  return [&edge, &secrets, &pool, limit = std::make_unique<TokenBuckets>(invitations_max, invitations_per_second)](
             http::Request request, http::Responder respond) {
    auto call = begin_call(edge, std::move(request), std::move(respond));
    if (!call) return;
    auto command = read_body<InviteMember>(*call);
    if (!command) return;
    if (call->refuse_beyond(*limit)) return;
    mint_ids(*command, call->now);
    const CommandId id = call->frame.by.command;
    command->invitee.value = email_claim(edge.keys, command->email.text());
    command->token_claim.value = invitation_claim(edge.keys, invitation_token(edge.keys, id));
    command->expires_at.value = expiry_of(edge, id);
    const auto body = [&edge](const Answer& answer, const InviteMember&) { return invited(edge, answer); };
    const auto write_and_submit = [&edge, &secrets, body](Call& moved, InviteMember accepted) {
      secrets.put_invitation_address(*accepted.invitation, accepted.watch_space, accepted.email.text());
      Actor actor = moved.actor();
      submit(edge, std::move(moved), std::move(accepted), std::move(actor), body);
    };
    Actor actor = call->actor();
    ask_before(edge, pool, std::move(*call), std::move(*command), std::move(actor), body, write_and_submit);
  };
}

}  // namespace bloomwatch::spaces
