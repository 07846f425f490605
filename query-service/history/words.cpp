// The sentence of every event.
#include "query-service/history/words.h"

#include <fmt/format.h>

#include "events/fields.h"
#include "query-service/history/values.h"

namespace bloomwatch {
namespace {

constexpr std::string_view forgotten_person = "a forgotten person";
constexpr std::string_view somebody = "somebody";

/// A sentence begins with a capital; names stay as people write them.
std::string begin_sentence(std::string words) {
  if (words == forgotten_person) words.front() = 'A';
  if (words == somebody) words.front() = 'S';
  return words;
}

/// One overload an event: one that is forgotten does not compile.
struct Sentence {
  const Scene& scene;
  const ChangeValue& before;
  const ChangeValue& after;

  std::string name(const std::optional<ProfileId>& profile) const {
    const auto found = profile ? scene.names.find(*profile) : scene.names.end();
    if (found == scene.names.end()) return std::string(somebody);
    return found->second.value_or(std::string(forgotten_person));
  }
  std::string person() const { return name(scene.person); }
  /// Who did it.
  std::string by() const { return scene.actor ? begin_sentence(name(scene.actor)) : "The system"; }
  /// Who did it where nobody was signed in yet: whom it is about.
  std::string self() const { return begin_sentence(name(scene.actor ? scene.actor : scene.person)); }
  bool is_ones_own() const { return scene.actor == scene.person; }
  std::string whose() const { return is_ones_own() ? "their" : person() + "'s"; }
  std::string anime() const { return scene.title ? *scene.title : "an anime"; }
  std::string of_anime(std::string_view what) const { return fmt::format("the {} of {}", what, anime()); }
  std::string own_of_anime(std::string_view what) const { return fmt::format("{} {} of {}", whose(), what, anime()); }

  /// `what` got another value: both are said.
  std::string changed(const std::string& what, std::string_view unit = "") const {
    if (before.there() && after.there()) return fmt::format("{} changed {} from {} to {}{}", by(), what, before.words, after.words, unit);
    if (after.there()) return fmt::format("{} set {} to {}{}", by(), what, after.words, unit);
    if (before.there()) return fmt::format("{} cleared {} (it was {}{})", by(), what, before.words, unit);
    return fmt::format("{} changed {}", by(), what);
  }
  /// The same of a longer text, which a sentence does not repeat.
  std::string rewrote(const std::string& what) const {
    return fmt::format("{} {} {}", by(), !after.there() ? "cleared" : before.there() ? "changed" : "wrote", what);
  }
  /// The episodes of a session, if they are known.
  static std::string of_episodes(const ChangeValue& session) { return session.there() ? " (" + session.words + ")" : ""; }

  std::string operator()(const UserRegistered&) const { return self() + " signed up"; }
  std::string operator()(const PasswordChanged&) const {
    return fmt::format("{} changed {} password, which ended every other log-in session", by(), whose());
  }
  std::string operator()(const DisplayNameChanged&) const { return changed(whose() + " display name"); }
  std::string operator()(const HandleChanged&) const { return changed(whose() + " handle"); }
  std::string operator()(const AvatarChanged&) const { return changed(whose() + " picture"); }
  std::string operator()(const TimeZoneChanged&) const { return changed(whose() + " time zone"); }
  std::string operator()(const LanguageChanged&) const { return changed(whose() + " language"); }
  std::string operator()(const PrivacyChanged&) const { return changed(whose() + " privacy"); }
  std::string operator()(const AccountRoleChanged&) const { return changed(whose() + " role"); }
  std::string operator()(const LoginSessionStarted&) const { return self() + " logged in"; }
  std::string operator()(const LoginSessionRefreshed&) const { return self() + " stayed logged in"; }
  std::string operator()(const LoginSessionEnded& e) const {
    switch (e.reason) {
      case LoginSessionEnd::logged_out:
        return self() + " logged out";
      case LoginSessionEnd::ended_by_owner:
        return self() + " ended a log-in session";
      case LoginSessionEnd::refresh_token_reused:
        break;
    }
    return "A log-in session of " + person() + " was ended, because its refresh token was used twice";
  }

  std::string operator()(const WatchSpaceCreated&) const { return fmt::format("{} made the watch space {}", by(), after.words); }
  std::string operator()(const WatchSpaceRenamed&) const { return changed("the name of the watch space"); }
  std::string operator()(const WatchSpaceTimeZoneChanged&) const { return changed("the time zone of the watch space"); }
  std::string operator()(const WatchSpaceThemeChanged&) const { return changed("the theme of the watch space"); }
  std::string operator()(const MemberJoined&) const {
    if (is_ones_own()) return fmt::format("{} joined the watch space as {}", by(), after.words);
    return fmt::format("{} brought {} back into the watch space as {}", by(), person(), after.words);
  }
  std::string operator()(const MemberLeft&) const {
    if (is_ones_own()) return by() + " left the watch space";
    return fmt::format("{} took {} out of the watch space", by(), person());
  }
  std::string operator()(const MemberRemoved&) const { return fmt::format("{} removed {} from the watch space", by(), person()); }
  std::string operator()(const MemberRoleChanged&) const { return changed(whose() + " role in the watch space"); }
  std::string operator()(const OwnershipTransferred& e) const {
    if (scene.actor == e.from) return fmt::format("{} handed the watch space over to {}", by(), name(e.to));
    return fmt::format("{} handed the watch space over from {} to {}", by(), name(e.from), name(e.to));
  }
  std::string operator()(const SessionConsentChanged&) const { return changed(whose() + " consent to watch sessions"); }
  std::string operator()(const MemberInvited&) const { return fmt::format("{} invited somebody as {}", by(), after.words); }
  std::string operator()(const InvitationRevoked&) const { return by() + " revoked an invitation"; }
  std::string operator()(const RecapConsentChanged&) const { return changed(whose() + " consent to recap cards"); }

  std::string operator()(const AnimeAdded&) const { return fmt::format("{} added {} ({})", by(), anime(), after.words); }
  std::string operator()(const AnimeRemoved&) const { return fmt::format("{} removed {} from the watch space", by(), anime()); }
  std::string operator()(const AnimeRestored&) const { return fmt::format("{} brought {} back into the watch space", by(), anime()); }
  std::string operator()(const SharedStatusChanged&) const { return changed(of_anime("shared status")); }
  std::string operator()(const SharedProgressChanged&) const { return changed(of_anime("shared progress"), " episodes"); }
  std::string operator()(const MoodChanged&) const { return changed(of_anime("mood")); }
  std::string operator()(const VibeChanged&) const { return changed(of_anime("vibe")); }
  std::string operator()(const PitchChanged&) const { return rewrote(of_anime("pitch")); }
  std::string operator()(const ParticipantStatusChanged&) const { return changed(own_of_anime("status")); }
  std::string operator()(const ParticipantProgressChanged&) const { return changed(own_of_anime("progress"), " episodes"); }
  std::string operator()(const StartDateChanged&) const { return changed(own_of_anime("start date")); }
  std::string operator()(const FinishDateChanged&) const { return changed(own_of_anime("finish date")); }
  std::string operator()(const TimesRewatchedChanged&) const { return changed(own_of_anime("number of rewatches")); }
  std::string operator()(const AnimeRated&) const {
    if (before.there() || !is_ones_own()) return changed(own_of_anime("score"));
    return fmt::format("{} gave {} a score of {}", by(), anime(), after.words);
  }
  std::string operator()(const RatingCleared&) const { return changed(own_of_anime("score")); }
  std::string operator()(const RatingNotesChanged&) const { return rewrote(whose() + " notes on " + anime()); }
  std::string operator()(const WatchSessionRecorded& e) const {
    std::string with;
    for (const Attendee& attendee : e.participants)
      if (attendee.profile != scene.actor) with += (with.empty() ? " with " : ", ") + name(attendee.profile);
    return fmt::format("{} recorded {} of {}{}", by(), after.words, anime(), with);
  }
  std::string operator()(const WatchSessionRemoved&) const {
    return fmt::format("{} took back a watch session of {}{}", by(), anime(), of_episodes(before));
  }
  std::string operator()(const WatchSessionRestored&) const {
    return fmt::format("{} restored a watch session of {}{}", by(), anime(), of_episodes(after));
  }
  std::string operator()(const WatchSessionNotesChanged&) const { return rewrote("the notes of a watch session of " + anime()); }
  std::string operator()(const AttendanceConfirmed&) const { return changed(attendance()); }
  std::string operator()(const AttendanceDeclined&) const { return changed(attendance()); }
  std::string operator()(const AttendanceReopened&) const { return changed(attendance()); }
  std::string attendance() const { return whose() + " attendance at a watch session of " + anime(); }

  std::string title() const { return scene.title ? *scene.title : "a title"; }
  /// Whose word it is.
  static std::string from_source(const std::string& source) { return source.empty() ? "" : " by " + source; }
  std::string of_title(std::string_view what, const std::string& source) const {
    return changed(fmt::format("the {} of {}{}", what, title(), from_source(source)));
  }
  std::string operator()(const TitleAdded& e) const {
    return fmt::format("{} added {} to the catalogue{}", by(), after.words.empty() ? title() : after.words, from_source(e.source));
  }
  std::string operator()(const TitleReferencesAdded&) const {
    return fmt::format("{} gave {} the references {}", by(), title(), after.words);
  }
  std::string operator()(const TitleReferencesRemoved&) const {
    return fmt::format("{} took the references {} from {}", by(), before.words, title());
  }
  std::string operator()(const TitleNamesChanged& e) const { return of_title("names", e.source); }
  std::string operator()(const TitleDetailsChanged& e) const {
    return fmt::format("{} changed the details of {}{}", by(), title(), from_source(e.source));
  }
  std::string operator()(const TitleGenresChanged& e) const { return of_title("genres", e.source); }
  std::string operator()(const TitleTagsChanged& e) const { return of_title("tags", e.source); }
  std::string operator()(const TitleStudiosChanged& e) const { return of_title("studios", e.source); }
  std::string operator()(const TitleProducersChanged& e) const { return of_title("producers", e.source); }
  std::string operator()(const TitleRelationsChanged& e) const { return of_title("related titles", e.source); }
  std::string operator()(const TitleStandingChanged& e) const {
    return fmt::format("{} changed the standing of {}{}", by(), title(), from_source(e.source));
  }
  std::string operator()(const TitleAvailabilityChanged& e) const { return of_title("availability", e.source); }
  std::string operator()(const TitleMerged&) const { return fmt::format("{} merged {} into another title", by(), title()); }
  std::string operator()(const TitleAbsorbed&) const { return fmt::format("{} merged another title into {}", by(), title()); }

  std::string operator()(const RecapShared& e) const {
    return fmt::format("{} shared {} recap of {}", by(), e.watch_space ? "a watch space's" : whose(), e.period);
  }
  std::string operator()(const RecapShareRevoked&) const {
    return by() + " took back the link to a recap" + (before.there() ? " of " + before.words : "");
  }
  std::string operator()(const AuditQueried& e) const {
    const std::string whom = e.person ? "the audit of " + (e.person == scene.actor ? "themselves" : name(e.person)) : "the audit";
    return fmt::format("{} looked into {}{}", by(), whom, after.words.empty() ? "" : ": " + after.words);
  }
};

/// What is told as gone was there before, what is back is there now: both are what was added or recorded.
template <class E>
constexpr bool brings_back = std::is_same_v<E, AnimeRestored> || std::is_same_v<E, WatchSessionRestored>;
/// Says itself what it takes away.
template <class E>
constexpr bool names_what_goes = std::is_same_v<E, TitleReferencesRemoved>;

}  // namespace

Telling tell(const Scene& scene) {
  return visit_event(scene.event, [&]<class E>(const E& e) {
    ChangeValue before = scene.before != nullptr ? value_in(*scene.before, field<E>, scene.person, scene.keys) : initial_value(scene.event);
    ChangeValue after = value_in(scene.event, field<E>, scene.person, scene.keys);
    if constexpr (brings_back<E> || names_what_goes<E>) std::swap(before, after);
    Telling telling{.before = before.json, .after = after.json, .summary = Sentence{scene, before, after}(e)};
    telling.forgotten = before.forgotten || after.forgotten;
    return telling;
  });
}

}  // namespace bloomwatch
