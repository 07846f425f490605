// How the refusals of spaces are shown.
#include "command-service/spaces/refusals.h"

#include "command-service/refusal_table.h"
#include "command-service/spaces/watch_space.h"

namespace bloomwatch::spaces {
namespace {

using enum Refusal;
constexpr auto table = std::to_array<RefusalRow<Refusal>>({
    {no_such_space, 404, "There is no such watch space", "You are a member of no watch space with this id."},
    {owners_only, 403, "Only owners of the watch space may do this", "Ask an owner of the space."},
    {no_such_member, 404, "There is no such member", "Nobody with this id is a member of the watch space."},
    {last_owner, 409, "A watch space always has an owner", "Make somebody else an owner first."},
    {already_a_member, 409, "They are a member already", "Whoever this invitation is for is a member of the watch space."},
    {space_full, 409, "The watch space is full", "A watch space has at most {} members.", members_max},
    {too_many_people, 409, "The watch space has had too many people",
     "At most {} people are or were members of a watch space. Those who were can come back.", people_max},
    {invitation_open, 409, "There is an open invitation for this address", "Revoke it before you send another."},
    {too_many_invitations, 409, "The watch space has too many open invitations",
     "At most {} invitations are open at a time; revoke some first.", open_invitations_max},
    {no_such_invitation, 404, "There is no such invitation",
     "Check that the link, or the id, is complete; whoever sent it can send another."},
    {invitation_for_another, 403, "The invitation is for somebody else", "It was sent to another e-mail address than your account's."},
    {invitation_accepted, 409, "The invitation was accepted before", "An invitation can be used once; another can be sent."},
    {invitation_revoked, 410, "The invitation was revoked", "Another can be sent."},
    {invitation_expired, 410, "The invitation has expired", "Another can be sent."},
});

}  // namespace

const Problem* problem_of(std::string_view refusal) {
  static const RefusalTable rows = make_refusal_table(table);
  return find_refusal(rows, refusal);
}

}  // namespace bloomwatch::spaces
