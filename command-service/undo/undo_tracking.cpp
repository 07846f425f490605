// The decision about taking back a change of an anime.
#include "command-service/undo/undo_tracking.h"

#include <algorithm>

#include "command-service/spaces/access.h"

namespace bloomwatch {
namespace undo {
namespace {

/// Who has said nothing is as a fresh one.
bool same_participants(const Anime& one, const Anime& other) {
  return std::ranges::all_of(one.participants, [&](const auto& entry) { return entry.second == other.participant(entry.first); });
}

/// Whether the two say the same, evenings that were taken back aside.
bool same_anime(const Anime& one, const Anime& other) {
  return one.watch_space == other.watch_space && one.shared_status == other.shared_status && one.shared_episodes == other.shared_episodes &&
         one.mood == other.mood && one.vibe == other.vibe && one.pitch == other.pitch && one.sessions == other.sessions &&
         same_participants(one, other) && same_participants(other, one);
}

/// The session, whether it counts or was taken back; null if there is none.
const Anime::Session* find_session(const Anime& anime, WatchSessionId id) {
  if (const auto found = anime.sessions.find(id); found != anime.sessions.end()) return &found->second;
  const auto removed = anime.removed_sessions.find(id);
  return removed == anime.removed_sessions.end() ? nullptr : &removed->second;
}

/// Whether both have the session, it counts in both or in neither, and they say the same of it.
bool same_session(const Anime& one, const Anime& other, WatchSessionId id, auto part) {
  const Anime::Session* here = find_session(one, id);
  const Anime::Session* there = find_session(other, id);
  return here != nullptr && there != nullptr && one.sessions.contains(id) == other.sessions.contains(id) && part(*here) == part(*there);
}

/// One overload for each event that takes back: what must be as it was left.
struct StandsInTracking {
  const Anime& now;
  const Anime& after;

  bool same_own(ProfileId profile, auto part) const { return now.participant(profile).*part == after.participant(profile).*part; }
  bool same_attendance(const auto& e) const {
    return same_session(now, after, e.session, [&](const auto& session) { return session.attendance_of(e.profile); });
  }

  bool operator()(const SharedStatusChanged&) const { return now.shared_status == after.shared_status; }
  bool operator()(const SharedProgressChanged&) const { return now.shared_episodes == after.shared_episodes; }
  bool operator()(const MoodChanged&) const { return now.mood == after.mood; }
  bool operator()(const VibeChanged&) const { return now.vibe == after.vibe; }
  bool operator()(const PitchChanged&) const { return now.pitch == after.pitch; }
  bool operator()(const ParticipantStatusChanged& e) const { return same_own(e.profile, &Anime::Participant::status); }
  bool operator()(const ParticipantProgressChanged& e) const { return same_own(e.profile, &Anime::Participant::episodes); }
  bool operator()(const StartDateChanged& e) const { return same_own(e.profile, &Anime::Participant::started_on); }
  bool operator()(const FinishDateChanged& e) const { return same_own(e.profile, &Anime::Participant::finished_on); }
  bool operator()(const TimesRewatchedChanged& e) const { return same_own(e.profile, &Anime::Participant::times_rewatched); }
  bool operator()(const AnimeRated& e) const { return same_own(e.profile, &Anime::Participant::score_tenths); }
  bool operator()(const RatingCleared& e) const { return same_own(e.profile, &Anime::Participant::score_tenths); }
  bool operator()(const RatingNotesChanged& e) const { return same_own(e.profile, &Anime::Participant::notes); }
  bool operator()(const WatchSessionNotesChanged& e) const {
    return same_session(now, after, e.session, [](const auto& session) { return session.notes; });
  }
  bool operator()(const AttendanceConfirmed& e) const { return same_attendance(e); }
  bool operator()(const AttendanceDeclined& e) const { return same_attendance(e); }
  bool operator()(const AttendanceReopened& e) const { return same_attendance(e); }
  bool operator()(const WatchSessionRemoved& e) const {
    return same_session(now, after, e.session, [](const auto& session) { return session; });
  }
  bool operator()(const WatchSessionRestored& e) const {
    return same_session(now, after, e.session, [](const auto& session) { return session; });
  }
  bool operator()(const AnimeRemoved&) const { return same_anime(now, after); }
  bool operator()(const AnimeRestored&) const { return now.removed_from == after.removed_from; }
};

}  // namespace

bool stands(const TrackingPlan::Event& step, const Anime& now, const Anime& after) {
  return now.watch_space == after.watch_space && std::visit(StandsInTracking{now, after}, step);
}

}  // namespace undo

UndoTracking::Undone UndoTracking::decide(const Actor& by, const Anime& now, const WatchSpace& space, const Claims& claims,
                                          TitleHolder tracked) const {
  using undo::Refusal;
  if (const auto refused = spaces::refuse_strangers(by, space)) return *refused;
  if (plan->only && plan->only != by.profile) return refuse(Refusal::change_of_another);
  if (plan->refusal) return refuse(*plan->refusal);
  Undone undone;
  for (const auto& [undoes, event] : plan->steps) {
    if (!undo::stands(event, now, plan->after)) return refuse(Refusal::changed_since);
    std::visit([&](const auto& typed) { undone.add_undoing(undoes, typed); }, event);
    if (std::holds_alternative<AnimeRemoved>(event)) undone.release(*title_claim);
    if (!std::holds_alternative<AnimeRestored>(event)) continue;
    if (claims.holder(*title_claim) || tracked.anime) return refuse(Refusal::changed_since);
    undone.take(*title_claim);
  }
  return undone;
}

}  // namespace bloomwatch
