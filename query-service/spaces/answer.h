// A watch space as pages show it. Texts are views into the rows that they came from.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/spaces.h"

namespace bloomwatch {

struct MemberAnswer {
  ProfileId user_id;
  std::optional<std::string> display_name;  ///< null: forgotten
  std::string_view role;
  Time joined_at;
  std::string_view session_consent;
  bool recap_consent = false;  ///< may be shown on the space's recap cards
};
BOOST_DESCRIBE_STRUCT(MemberAnswer, (), (user_id, display_name, role, joined_at, session_consent, recap_consent))

enum class InvitationStatus { pending, accepted, revoked, expired };
BOOST_DESCRIBE_ENUM(InvitationStatus, pending, accepted, revoked, expired)

struct InvitationAnswer {
  InvitationId id;
  std::optional<std::string> email;  ///< null: forgotten
  std::string_view role;
  InvitationStatus status;
  ProfileId invited_by;
  Time created_at;
  Time expires_at;
  std::optional<Time> accepted_at;
};
BOOST_DESCRIBE_STRUCT(InvitationAnswer, (), (id, email, role, status, invited_by, created_at, expires_at, accepted_at))

struct SpaceAnswer {
  WatchSpaceId id;
  std::string_view name;
  std::string_view time_zone;
  std::optional<std::string_view> theme;
  ProfileId created_by;
  Time created_at;
  Time updated_at;
  Version version = 0;
  std::vector<MemberAnswer> members;                         ///< in the order of their joining
  std::optional<std::vector<InvitationAnswer>> invitations;  ///< newest first; null to members who are no owners
};
BOOST_DESCRIBE_STRUCT(SpaceAnswer, (), (id, name, time_zone, theme, created_by, created_at, updated_at, version, members, invitations))

}  // namespace bloomwatch
