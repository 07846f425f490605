// The value of every event.
#include "query-service/history/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "events/fields.h"
#include "query-service/media_answer.h"
#include "runtime/json.h"

namespace bloomwatch {
namespace {

struct RegisteredValue {
  std::optional<std::string> email;
  std::optional<std::string> handle;
  std::optional<std::string> display_name;
};
BOOST_DESCRIBE_STRUCT(RegisteredValue, (), (email, handle, display_name))

struct LoginValue {
  std::optional<std::string> device;
};
BOOST_DESCRIBE_STRUCT(LoginValue, (), (device))

struct LogoutValue {
  LoginSessionEnd reason;
};
BOOST_DESCRIBE_STRUCT(LogoutValue, (), (reason))

struct SpaceValue {
  std::string_view name;
  std::string_view time_zone;
  std::optional<std::string> theme;
};
BOOST_DESCRIBE_STRUCT(SpaceValue, (), (name, time_zone, theme))

struct InvitationValue {
  InvitationId id;
  SpaceRole role;
  Time expires_at;
};
BOOST_DESCRIBE_STRUCT(InvitationValue, (), (id, role, expires_at))

struct AnimeValue {
  TitleId title_id;
  MediaAnswer media;
  std::optional<std::string> romaji;
  std::optional<std::string> english;
  std::optional<std::string> native;
  std::optional<std::int32_t> episode_count;
  TrackingStatus shared_status;
};
BOOST_DESCRIBE_STRUCT(AnimeValue, (), (title_id, media, romaji, english, native, episode_count, shared_status))

struct AttendeeValue {
  ProfileId user_id;
  Attendance attendance;
};
BOOST_DESCRIBE_STRUCT(AttendeeValue, (), (user_id, attendance))

struct SessionValue {
  WatchSessionId id;
  Time session_date;
  SessionPrecision precision;
  std::string_view time_zone;
  std::int32_t start_episode;
  std::int32_t end_episode;
  std::vector<AttendeeValue> participants;
};
BOOST_DESCRIBE_STRUCT(SessionValue, (), (id, session_date, precision, time_zone, start_episode, end_episode, participants))

struct RecapValue {
  std::string_view period;
  std::optional<ProfileId> user_id;
  std::optional<WatchSpaceId> watch_space_id;
};
BOOST_DESCRIBE_STRUCT(RecapValue, (), (period, user_id, watch_space_id))

struct TitleValue {
  std::string_view source;
  std::vector<MediaAnswer> media;
  std::vector<TitleName> names;
  TitleDetails details;
  std::vector<std::string> genres;
  std::vector<std::string> studios;
};
BOOST_DESCRIBE_STRUCT(TitleValue, (), (source, media, names, details, genres, studios))

struct DetailsValue {
  std::string_view source;
  TitleDetails details;
  std::vector<std::string> cleared;
};
BOOST_DESCRIBE_STRUCT(DetailsValue, (), (source, details, cleared))

struct MergedValue {
  TitleId title_id;
};
BOOST_DESCRIBE_STRUCT(MergedValue, (), (title_id))

/// What a source says of one fact, in words a few of it.
std::string few_of(const std::vector<std::string>& all) {
  constexpr std::size_t shown = 3;
  if (all.empty()) return "none";
  std::string words;
  for (std::size_t i = 0; i < std::min(all.size(), shown); ++i) words += (i > 0 ? ", " : "") + all[i];
  return all.size() > shown ? fmt::format("{} and {} more", words, all.size() - shown) : words;
}
template <class T, class Word>
ChangeValue list(const std::vector<T>& values, Word word) {
  std::vector<std::string> words;
  for (const T& value : values) words.push_back(word(value));
  return {json::to_string(values), few_of(words)};
}
ChangeValue words_of(const std::vector<std::string>& values) { return {json::to_string(values), few_of(values)}; }
ChangeValue references(const std::vector<MediaReference>& media) {
  std::vector<std::string> words;
  for (const MediaReference& reference : media) words.push_back(reference.source + ":" + reference.id);
  return {json::to_string(media_answers(media)), few_of(words)};
}

ChangeValue text(std::string_view plain) { return {json::to_string(plain), "“" + std::string(plain) + "”"}; }
ChangeValue text(const std::optional<std::string>& plain) { return plain ? text(std::string_view(*plain)) : ChangeValue{}; }
/// A name that needs no quotes: a time zone, a language.
ChangeValue name(std::string_view plain) { return {json::to_string(plain), std::string(plain)}; }
template <class Enum>
ChangeValue word(Enum value) {
  return name(json::name_of(value));
}
ChangeValue number(std::int64_t value) { return {std::to_string(value), std::to_string(value)}; }
/// Tenths of the ten-scale: 85 is 8.5.
ChangeValue score(std::int16_t tenths) {
  const std::string shown = tenths % 10 == 0 ? std::to_string(tenths / 10) : fmt::format("{}.{}", tenths / 10, tenths % 10);
  return {shown, shown};
}
ChangeValue date(const std::optional<PartialDate>& date) {
  if (!date) return {};
  std::string words = fmt::format("{:04}", date->year);
  if (date->month) words += fmt::format("-{:02}", *date->month);
  if (date->day) words += fmt::format("-{:02}", *date->day);
  return {json::to_string(*date), words};
}
template <class Struct>
ChangeValue object(const Struct& value, std::string words = {}) {
  return {json::to_string(value), std::move(words)};
}

std::string episodes(std::int32_t first, std::int32_t last) {
  return first == last ? fmt::format("episode {}", first) : fmt::format("episodes {}–{}", first, last);
}

/// One overload an event: one that is forgotten does not compile.
struct ValueIn {
  std::string_view asked;
  const std::optional<ProfileId>& person;
  const Keyring& keys;

  template <class E>
  bool asks() const {
    return asked == field<E>;
  }
  std::optional<std::string> opened(const Personal& personal) const { return keys.open(std::string_view(personal.box)); }
  ChangeValue sealed(const Personal& personal) const {
    const auto plain = opened(personal);
    if (plain) return text(std::string_view(*plain));
    return {"null", "a text that is forgotten", true};
  }
  ChangeValue sealed(const std::optional<Personal>& personal) const { return personal ? sealed(*personal) : ChangeValue{}; }

  ChangeValue operator()(const UserRegistered& e) const {
    if (asks<DisplayNameChanged>()) return sealed(e.display_name);
    if (asks<HandleChanged>()) return sealed(e.handle);
    const RegisteredValue value{opened(e.email), opened(e.handle), opened(e.display_name)};
    ChangeValue shown = object(value);
    shown.forgotten = !value.handle;
    return shown;
  }
  ChangeValue operator()(const PasswordChanged&) const { return {}; }
  ChangeValue operator()(const DisplayNameChanged& e) const { return sealed(e.display_name); }
  ChangeValue operator()(const HandleChanged& e) const { return sealed(e.handle); }
  ChangeValue operator()(const AvatarChanged& e) const { return sealed(e.avatar_url); }
  ChangeValue operator()(const TimeZoneChanged& e) const { return name(e.time_zone); }
  ChangeValue operator()(const LanguageChanged& e) const { return name(e.language); }
  ChangeValue operator()(const PrivacyChanged& e) const { return word(e.privacy); }
  ChangeValue operator()(const AccountRoleChanged& e) const { return word(e.role); }
  ChangeValue operator()(const LoginSessionStarted& e) const {
    const LoginValue value{e.device ? opened(*e.device) : std::nullopt};
    ChangeValue shown = object(value);
    shown.forgotten = e.device && !value.device;
    return shown;
  }
  ChangeValue operator()(const LoginSessionRefreshed&) const { return {}; }
  ChangeValue operator()(const LoginSessionEnded& e) const { return object(LogoutValue{e.reason}); }

  ChangeValue operator()(const WatchSpaceCreated& e) const {
    if (asks<WatchSpaceRenamed>()) return text(std::string_view(e.name));
    if (asks<WatchSpaceTimeZoneChanged>()) return name(e.time_zone);
    if (asks<WatchSpaceThemeChanged>()) return text(e.theme);
    return object(SpaceValue{e.name, e.time_zone, e.theme}, "“" + e.name + "”");
  }
  ChangeValue operator()(const WatchSpaceRenamed& e) const { return text(std::string_view(e.name)); }
  ChangeValue operator()(const WatchSpaceTimeZoneChanged& e) const { return name(e.time_zone); }
  ChangeValue operator()(const WatchSpaceThemeChanged& e) const { return text(e.theme); }
  ChangeValue operator()(const MemberJoined& e) const {
    if (asks<SessionConsentChanged>()) return word(SessionConsent::automatic);
    if (asks<RecapConsentChanged>()) return {"false", "no"};
    return word(e.role);
  }
  ChangeValue operator()(const MemberLeft&) const { return {}; }
  ChangeValue operator()(const MemberRemoved&) const { return {}; }
  ChangeValue operator()(const MemberRoleChanged& e) const { return word(e.role); }
  ChangeValue operator()(const OwnershipTransferred& e) const { return word(person == e.from ? SpaceRole::member : SpaceRole::owner); }
  ChangeValue operator()(const SessionConsentChanged& e) const { return word(e.consent); }
  ChangeValue operator()(const MemberInvited& e) const {
    return object(InvitationValue{e.invitation, e.role, e.expires_at}, std::string(json::name_of(e.role)));
  }
  ChangeValue operator()(const InvitationRevoked&) const { return {}; }
  ChangeValue operator()(const RecapConsentChanged& e) const { return {e.consent ? "true" : "false", e.consent ? "yes" : "no"}; }

  ChangeValue operator()(const AnimeAdded& e) const {
    if (asks<SharedStatusChanged>()) return word(e.shared_status);
    const TitleSnapshot& known = e.snapshot;
    return object(AnimeValue{e.title, media_answer(e.media.source, e.media.id), known.romaji, known.english, known.native,
                             known.episode_count, e.shared_status},
                  std::string(json::name_of(e.shared_status)));
  }
  ChangeValue operator()(const AnimeRemoved&) const { return {}; }
  ChangeValue operator()(const AnimeRestored&) const { return {}; }
  ChangeValue operator()(const SharedStatusChanged& e) const { return word(e.status); }
  ChangeValue operator()(const SharedProgressChanged& e) const { return number(e.episodes); }
  ChangeValue operator()(const MoodChanged& e) const { return sealed(e.mood); }
  ChangeValue operator()(const VibeChanged& e) const { return sealed(e.vibe); }
  ChangeValue operator()(const PitchChanged& e) const { return sealed(e.pitch); }
  ChangeValue operator()(const ParticipantStatusChanged& e) const { return word(e.status); }
  ChangeValue operator()(const ParticipantProgressChanged& e) const { return number(e.episodes); }
  ChangeValue operator()(const StartDateChanged& e) const { return date(e.started_on); }
  ChangeValue operator()(const FinishDateChanged& e) const { return date(e.finished_on); }
  ChangeValue operator()(const TimesRewatchedChanged& e) const { return number(e.times); }
  ChangeValue operator()(const AnimeRated& e) const { return score(e.score_tenths); }
  ChangeValue operator()(const RatingCleared&) const { return {}; }
  ChangeValue operator()(const RatingNotesChanged& e) const { return sealed(e.notes); }
  ChangeValue operator()(const WatchSessionRecorded& e) const {
    SessionValue value{e.session, e.session_date, e.precision, e.time_zone, e.start_episode, e.end_episode, {}};
    for (const Attendee& attendee : e.participants) value.participants.push_back({attendee.profile, attendee.attendance});
    return object(value, episodes(e.start_episode, e.end_episode));
  }
  ChangeValue operator()(const WatchSessionRemoved&) const { return {}; }
  ChangeValue operator()(const WatchSessionRestored&) const { return {}; }
  ChangeValue operator()(const WatchSessionNotesChanged& e) const { return sealed(e.notes); }
  ChangeValue operator()(const AttendanceConfirmed&) const { return word(Attendance::present); }
  ChangeValue operator()(const AttendanceDeclined&) const { return word(Attendance::declined); }
  ChangeValue operator()(const AttendanceReopened&) const { return word(Attendance::invited); }

  ChangeValue operator()(const TitleAdded& e) const {
    return object(TitleValue{e.source, media_answers(e.media), e.names, e.details, e.genres, e.studios},
                  e.names.empty() ? "" : e.names.front().text);
  }
  ChangeValue operator()(const TitleReferencesAdded& e) const { return references(e.media); }
  ChangeValue operator()(const TitleReferencesRemoved& e) const { return references(e.media); }
  ChangeValue operator()(const TitleNamesChanged& e) const {
    return list(e.names, [](const TitleName& name) { return name.text; });
  }
  ChangeValue operator()(const TitleDetailsChanged& e) const {
    std::vector<std::string> cleared;
    for (const std::string& detail : e.cleared) cleared.push_back(json::name_of_member(detail));
    return object(DetailsValue{e.source, e.details, std::move(cleared)});
  }
  ChangeValue operator()(const TitleGenresChanged& e) const { return words_of(e.genres); }
  ChangeValue operator()(const TitleTagsChanged& e) const { return words_of(e.tags); }
  ChangeValue operator()(const TitleStudiosChanged& e) const { return words_of(e.studios); }
  ChangeValue operator()(const TitleProducersChanged& e) const { return words_of(e.producers); }
  ChangeValue operator()(const TitleRelationsChanged& e) const { return references(e.related); }
  ChangeValue operator()(const TitleStandingChanged& e) const { return object(e.standing); }
  ChangeValue operator()(const TitleAvailabilityChanged& e) const {
    return list(e.offers, [](const Offer& offer) { return offer.provider + " (" + offer.region + ")"; });
  }
  ChangeValue operator()(const TitleMerged& e) const { return object(MergedValue{e.merged_into}); }
  ChangeValue operator()(const TitleAbsorbed& e) const { return object(MergedValue{e.absorbed}); }

  ChangeValue operator()(const RecapShared& e) const { return object(RecapValue{e.period, e.profile, e.watch_space}, e.period); }
  ChangeValue operator()(const RecapShareRevoked&) const { return {}; }
  ChangeValue operator()(const AuditQueried& e) const {
    AuditQueried shown = e;
    const auto why = e.reason ? opened(*e.reason) : std::nullopt;
    shown.reason = why.transform([](const std::string& plain) { return Personal{plain}; });  // of its kind in JSON: a text
    return {encode(shown), why.value_or(""), e.reason && !why};
  }
};

}  // namespace

ChangeValue value_in(const AnyEvent& event, std::string_view field, const std::optional<ProfileId>& person, const Keyring& keys) {
  return visit_event(event, ValueIn{field, person, keys});
}

ChangeValue initial_value(const AnyEvent& event) {
  return visit_event(event, []<class E>(const E&) -> ChangeValue {
    constexpr auto is = []<class... Es>(boost::mp11::mp_list<Es...>) { return (std::is_same_v<E, Es> || ...); };
    if constexpr (is(boost::mp11::mp_list<SharedProgressChanged, ParticipantProgressChanged, TimesRewatchedChanged>{})) return number(0);
    if constexpr (is(boost::mp11::mp_list<SharedStatusChanged, ParticipantStatusChanged>{})) return word(TrackingStatus::backlog);
    if constexpr (is(boost::mp11::mp_list<AttendanceConfirmed, AttendanceDeclined>{})) return word(Attendance::invited);
    if constexpr (std::is_same_v<E, SessionConsentChanged>) return word(SessionConsent::automatic);
    if constexpr (std::is_same_v<E, RecapConsentChanged>) return {"false", "no"};
    if constexpr (std::is_same_v<E, TimeZoneChanged>) return name(initial_time_zone);
    if constexpr (std::is_same_v<E, LanguageChanged>) return name(initial_language);
    if constexpr (std::is_same_v<E, PrivacyChanged>) return word(initial_privacy);
    if constexpr (std::is_same_v<E, AccountRoleChanged>) return word(AccountRole::user);
    return {};
  });
}

}  // namespace bloomwatch
