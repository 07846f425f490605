// What an event changes, by a key that stays: `rating`, `sharedStatus`, `notes`. History shows it, filters by it and finds the value that
// was there before by it. Every event has one: a new event without a line here does not compile where history is folded.
#pragma once

#include <algorithm>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "events/codec.h"

namespace bloomwatch {

// Accounts.
constexpr std::string_view field_of(const UserRegistered*) { return "account"; }
constexpr std::string_view field_of(const PasswordChanged*) { return "password"; }
constexpr std::string_view field_of(const DisplayNameChanged*) { return "displayName"; }
constexpr std::string_view field_of(const HandleChanged*) { return "handle"; }
constexpr std::string_view field_of(const AvatarChanged*) { return "avatarUrl"; }
constexpr std::string_view field_of(const TimeZoneChanged*) { return "timeZone"; }
constexpr std::string_view field_of(const LanguageChanged*) { return "language"; }
constexpr std::string_view field_of(const PrivacyChanged*) { return "privacy"; }
constexpr std::string_view field_of(const AccountRoleChanged*) { return "accountRole"; }
constexpr std::string_view field_of(const LoginSessionStarted*) { return "loginSession"; }
constexpr std::string_view field_of(const LoginSessionRefreshed*) { return "loginSession"; }
constexpr std::string_view field_of(const LoginSessionEnded*) { return "loginSession"; }

// Spaces. Joining, leaving and the role between are one thing, which events change by two fields.
constexpr std::string_view field_of(const WatchSpaceCreated*) { return "watchSpace"; }
constexpr std::string_view field_of(const WatchSpaceRenamed*) { return "name"; }
constexpr std::string_view field_of(const WatchSpaceTimeZoneChanged*) { return "timeZone"; }
constexpr std::string_view field_of(const WatchSpaceThemeChanged*) { return "theme"; }
constexpr std::string_view field_of(const MemberJoined*) { return "membership"; }
constexpr std::string_view field_of(const MemberLeft*) { return "membership"; }
constexpr std::string_view field_of(const MemberRemoved*) { return "membership"; }
constexpr std::string_view field_of(const MemberRoleChanged*) { return "role"; }
constexpr std::string_view field_of(const OwnershipTransferred*) { return "role"; }
constexpr std::string_view field_of(const SessionConsentChanged*) { return "sessionConsent"; }
constexpr std::string_view field_of(const MemberInvited*) { return "invitation"; }
constexpr std::string_view field_of(const InvitationRevoked*) { return "invitation"; }
constexpr std::string_view field_of(const RecapConsentChanged*) { return "recapConsent"; }

// Tracking.
constexpr std::string_view field_of(const AnimeAdded*) { return "anime"; }
constexpr std::string_view field_of(const AnimeRemoved*) { return "anime"; }
constexpr std::string_view field_of(const AnimeRestored*) { return "anime"; }
constexpr std::string_view field_of(const SharedStatusChanged*) { return "sharedStatus"; }
constexpr std::string_view field_of(const SharedProgressChanged*) { return "sharedEpisodesWatched"; }
constexpr std::string_view field_of(const MoodChanged*) { return "mood"; }
constexpr std::string_view field_of(const VibeChanged*) { return "vibe"; }
constexpr std::string_view field_of(const PitchChanged*) { return "pitch"; }
constexpr std::string_view field_of(const ParticipantStatusChanged*) { return "status"; }
constexpr std::string_view field_of(const ParticipantProgressChanged*) { return "episodesWatched"; }
constexpr std::string_view field_of(const StartDateChanged*) { return "startedOn"; }
constexpr std::string_view field_of(const FinishDateChanged*) { return "finishedOn"; }
constexpr std::string_view field_of(const TimesRewatchedChanged*) { return "timesRewatched"; }
constexpr std::string_view field_of(const AnimeRated*) { return "rating"; }
constexpr std::string_view field_of(const RatingCleared*) { return "rating"; }
constexpr std::string_view field_of(const RatingNotesChanged*) { return "notes"; }
constexpr std::string_view field_of(const WatchSessionRecorded*) { return "session"; }
constexpr std::string_view field_of(const WatchSessionRemoved*) { return "session"; }
constexpr std::string_view field_of(const WatchSessionRestored*) { return "session"; }
constexpr std::string_view field_of(const WatchSessionNotesChanged*) { return "sessionNotes"; }
constexpr std::string_view field_of(const AttendanceConfirmed*) { return "attendance"; }
constexpr std::string_view field_of(const AttendanceDeclined*) { return "attendance"; }
constexpr std::string_view field_of(const AttendanceReopened*) { return "attendance"; }

// The catalogue.
constexpr std::string_view field_of(const TitleAdded*) { return "title"; }
constexpr std::string_view field_of(const TitleReferencesAdded*) { return "references"; }
constexpr std::string_view field_of(const TitleReferencesRemoved*) { return "references"; }
constexpr std::string_view field_of(const TitleNamesChanged*) { return "names"; }
constexpr std::string_view field_of(const TitleDetailsChanged*) { return "details"; }
constexpr std::string_view field_of(const TitleGenresChanged*) { return "genres"; }
constexpr std::string_view field_of(const TitleTagsChanged*) { return "tags"; }
constexpr std::string_view field_of(const TitleStudiosChanged*) { return "studios"; }
constexpr std::string_view field_of(const TitleProducersChanged*) { return "producers"; }
constexpr std::string_view field_of(const TitleRelationsChanged*) { return "related"; }
constexpr std::string_view field_of(const TitleStandingChanged*) { return "standing"; }
constexpr std::string_view field_of(const TitleAvailabilityChanged*) { return "availability"; }
constexpr std::string_view field_of(const TitleMerged*) { return "merge"; }
constexpr std::string_view field_of(const TitleAbsorbed*) { return "merge"; }

// Recaps and audit.
constexpr std::string_view field_of(const RecapShared*) { return "recapShare"; }
constexpr std::string_view field_of(const RecapShareRevoked*) { return "recapShare"; }
constexpr std::string_view field_of(const AuditQueried*) { return "auditQuery"; }

template <class E>
inline constexpr std::string_view field = field_of(static_cast<const E*>(nullptr));

/// The names of all types of events that change the field; none if there is no such field.
std::vector<std::string> types_of_field(std::string_view field);

/// How many types one question may name.
inline constexpr std::size_t event_types_max = 20;

/// The stored name of a type of events, as a client gives it.
struct EventTypeName {
  std::string name;

  using Wire = std::string;
  static std::expected<EventTypeName, std::string> from(Wire wire);
  const Wire& wire() const { return name; }
  bool operator==(const EventTypeName&) const = default;
};

/// Several of them.
struct EventTypeNames {
  std::vector<std::string> names;

  using Wire = std::vector<EventTypeName>;
  static std::expected<EventTypeNames, std::string> from(const Wire& wire);
  Wire wire() const;
  bool operator==(const EventTypeNames&) const = default;
};

/// A field, as a client gives it.
struct FieldName {
  std::string name;

  using Wire = std::string;
  static std::expected<FieldName, std::string> from(Wire wire);
  const Wire& wire() const { return name; }
  bool operator==(const FieldName&) const = default;
};

}  // namespace bloomwatch
