// The fold of `spaces`. Every event moves the space row's version on; members and invitations are rows of their own.
#include "projector/spaces/spaces.h"

namespace bloomwatch {
namespace {

/// The event's space, its version and time noted.
SpaceRow& changed_space(Spaces& model, const Meta& meta) {
  SpaceRow& space = model.spaces.at(meta.key<WatchSpaceId>());
  space.updated_at = meta.recorded_at;
  space.version = meta.version;
  return space;
}

}  // namespace

void Spaces::apply(const WatchSpaceCreated& e, const Meta& meta) {
  SpaceRow& space = spaces[meta.key<WatchSpaceId>()];
  space.name = e.name;
  space.time_zone = e.time_zone;
  space.theme = e.theme;
  space.created_by = meta.by.profile.value_or(ProfileId{});
  space.created_at = meta.recorded_at;
  space.updated_at = meta.recorded_at;
  space.version = meta.version;
}

void Spaces::apply(const WatchSpaceRenamed& e, const Meta& meta) { changed_space(*this, meta).name = e.name; }

void Spaces::apply(const WatchSpaceTimeZoneChanged& e, const Meta& meta) { changed_space(*this, meta).time_zone = e.time_zone; }

void Spaces::apply(const WatchSpaceThemeChanged& e, const Meta& meta) { changed_space(*this, meta).theme = e.theme; }

void Spaces::apply(const MemberJoined& e, const Meta& meta) {
  const WatchSpaceId space = changed_space(*this, meta).watch_space;
  MemberRow& member = members[{space, e.profile}];
  member.role = e.role;
  member.session_consent = SessionConsent::automatic;
  member.recap_consent = false;
  member.joined_at = meta.recorded_at;
  if (!e.invitation) return;
  InvitationRow& invitation = invitations.at(*e.invitation);
  invitation.accepted_by = e.profile;
  invitation.accepted_at = meta.recorded_at;
}

void Spaces::apply(const MemberLeft& e, const Meta& meta) { members.erase({changed_space(*this, meta).watch_space, e.profile}); }

void Spaces::apply(const MemberRemoved& e, const Meta& meta) { members.erase({changed_space(*this, meta).watch_space, e.profile}); }

void Spaces::apply(const MemberRoleChanged& e, const Meta& meta) {
  members.at({changed_space(*this, meta).watch_space, e.profile}).role = e.role;
}

void Spaces::apply(const OwnershipTransferred& e, const Meta& meta) {
  const WatchSpaceId space = changed_space(*this, meta).watch_space;
  members.at({space, e.from}).role = SpaceRole::member;
  members.at({space, e.to}).role = SpaceRole::owner;
}

void Spaces::apply(const SessionConsentChanged& e, const Meta& meta) {
  members.at({changed_space(*this, meta).watch_space, e.profile}).session_consent = e.consent;
}

void Spaces::apply(const RecapConsentChanged& e, const Meta& meta) {
  members.at({changed_space(*this, meta).watch_space, e.profile}).recap_consent = e.consent;
}

void Spaces::apply(const MemberInvited& e, const Meta& meta) {
  const WatchSpaceId space = changed_space(*this, meta).watch_space;
  InvitationRow& invitation = invitations[e.invitation];
  invitation.watch_space = space;
  invitation.role = e.role;
  invitation.invitee = e.invitee;
  invitation.invited_by = meta.by.profile.value_or(ProfileId{});
  invitation.created_at = meta.recorded_at;
  invitation.expires_at = e.expires_at;
}

void Spaces::apply(const InvitationRevoked& e, const Meta& meta) {
  changed_space(*this, meta);
  invitations.at(e.invitation).revoked_at = meta.recorded_at;
}

}  // namespace bloomwatch
