// What takes each event back. The former value comes from folding the stream up to the event; texts and scores as they were said then.
#include "command-service/undo/plan.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

#include "events/codec.h"

namespace bloomwatch::undo {
namespace {

using TrackingEvent = TrackingPlan::Event;
using SpaceEvent = SpacePlan::Event;

// ------------------------------------------------------------------------------------------------------------------------------- anime

/// An anime's past in the words in which it was said: deciders know of a text only a mark, and of a score not how its source had it.
struct Said {
  struct Own {
    std::optional<AnimeRated> rating = {};
    std::optional<Personal> notes = {};
  };

  Anime anime;
  MediaReference media = {};
  std::optional<Personal> mood = {}, vibe = {}, pitch = {};
  std::map<ProfileId, Own> own;
  std::map<WatchSessionId, std::optional<Personal>> session_notes;

  void take(const RecordedEvent& event) {
    decode_one_of<AnimeEvents>(event, [&](const auto& e) {
      keep(e);
      anime.evolve(e);
    });
  }

 private:
  void keep(const auto&) {}
  void keep(const AnimeAdded& e) { media = e.media; }
  void keep(const MoodChanged& e) { mood = e.mood; }
  void keep(const VibeChanged& e) { vibe = e.vibe; }
  void keep(const PitchChanged& e) { pitch = e.pitch; }
  void keep(const AnimeRated& e) { own[e.profile].rating = e; }
  void keep(const RatingCleared& e) { own[e.profile].rating.reset(); }
  void keep(const RatingNotesChanged& e) { own[e.profile].notes = e.notes; }
  void keep(const WatchSessionNotesChanged& e) { session_notes[e.session] = e.notes; }
};

/// One overload for each event of an anime: the event that takes it back to what was `before`. What a session had moved is moved back in
/// its name.
struct TakeBack {
  Said& before;

  const Anime::Participant& own(ProfileId profile) const { return before.anime.participant(profile); }
  TrackingEvent rating(ProfileId profile, TitleId title) const {
    if (const auto& former = before.own[profile].rating) return *former;
    return RatingCleared{profile, title};
  }
  TrackingEvent attendance(const auto& e) const {
    const auto session = before.anime.sessions.find(e.session);
    const auto former = session == before.anime.sessions.end() ? std::nullopt : session->second.attendance_of(e.profile);
    if (former == Attendance::present) return AttendanceConfirmed{e.session, e.profile, e.title};
    if (former == Attendance::declined) return AttendanceDeclined{e.session, e.profile, e.title};
    return AttendanceReopened{e.session, e.profile, e.title};
  }

  TrackingEvent operator()(const AnimeAdded& e) const { return AnimeRemoved{e.title, e.title_claim}; }
  TrackingEvent operator()(const AnimeRemoved& e) const { return AnimeRestored{e.title, e.title_claim}; }
  TrackingEvent operator()(const AnimeRestored& e) const { return AnimeRemoved{e.title, e.title_claim}; }
  TrackingEvent operator()(const SharedStatusChanged& e) const { return SharedStatusChanged{before.anime.shared_status, e.session}; }
  TrackingEvent operator()(const SharedProgressChanged& e) const { return SharedProgressChanged{before.anime.shared_episodes, e.session}; }
  TrackingEvent operator()(const MoodChanged&) const { return MoodChanged{before.mood}; }
  TrackingEvent operator()(const VibeChanged&) const { return VibeChanged{before.vibe}; }
  TrackingEvent operator()(const PitchChanged&) const { return PitchChanged{before.pitch}; }
  TrackingEvent operator()(const ParticipantStatusChanged& e) const {
    return ParticipantStatusChanged{e.profile, e.title, own(e.profile).status, e.session};
  }
  TrackingEvent operator()(const ParticipantProgressChanged& e) const {
    return ParticipantProgressChanged{e.profile, e.title, own(e.profile).episodes, e.session};
  }
  TrackingEvent operator()(const StartDateChanged& e) const { return StartDateChanged{e.profile, e.title, own(e.profile).started_on}; }
  TrackingEvent operator()(const FinishDateChanged& e) const { return FinishDateChanged{e.profile, e.title, own(e.profile).finished_on}; }
  TrackingEvent operator()(const TimesRewatchedChanged& e) const {
    return TimesRewatchedChanged{e.profile, e.title, own(e.profile).times_rewatched};
  }
  TrackingEvent operator()(const AnimeRated& e) const { return rating(e.profile, e.title); }
  TrackingEvent operator()(const RatingCleared& e) const { return rating(e.profile, e.title); }
  TrackingEvent operator()(const RatingNotesChanged& e) const {
    return RatingNotesChanged{e.profile, e.title, before.own[e.profile].notes};
  }
  TrackingEvent operator()(const WatchSessionRecorded& e) const { return WatchSessionRemoved{e.session, e.title}; }
  TrackingEvent operator()(const WatchSessionRemoved& e) const { return WatchSessionRestored{e.session, e.title}; }
  TrackingEvent operator()(const WatchSessionRestored& e) const { return WatchSessionRemoved{e.session, e.title}; }
  TrackingEvent operator()(const WatchSessionNotesChanged& e) const {
    return WatchSessionNotesChanged{e.session, before.session_notes[e.session]};
  }
  TrackingEvent operator()(const AttendanceConfirmed& e) const { return attendance(e); }
  TrackingEvent operator()(const AttendanceDeclined& e) const { return attendance(e); }
  TrackingEvent operator()(const AttendanceReopened& e) const { return attendance(e); }
};

/// Who alone may take the change back: the member whose own it is. An evening is everybody's, and what it moved with it.
std::optional<ProfileId> owner_of(Stream change) {
  std::optional<ProfileId> owner;
  bool evening = false;
  for (const RecordedEvent& event : change)
    decode_one_of<AnimeEvents>(event, [&]<class E>(const E& e) {
      if constexpr (requires { e.participants; } || std::is_same_v<E, WatchSessionRemoved> || std::is_same_v<E, WatchSessionRestored>)
        evening = true;
      else if constexpr (requires { e.profile; })
        owner = e.profile;
    });
  return evening ? std::nullopt : owner;
}

// ------------------------------------------------------------------------------------------------------------------------------- space

/// One overload for each event of a space that can be taken back.
struct TakeBackInSpace {
  const WatchSpace& before;

  std::optional<SpaceEvent> operator()(const auto&) const { return std::nullopt; }
  std::optional<SpaceEvent> operator()(const WatchSpaceRenamed&) const { return WatchSpaceRenamed{before.name}; }
  std::optional<SpaceEvent> operator()(const WatchSpaceThemeChanged&) const { return WatchSpaceThemeChanged{before.theme}; }
  std::optional<SpaceEvent> operator()(const MemberRoleChanged& e) const {
    return MemberRoleChanged{e.profile, before.is_owner(e.profile) ? SpaceRole::owner : SpaceRole::member};
  }
  /// Who was an owner beside them stays one.
  std::optional<SpaceEvent> operator()(const OwnershipTransferred& e) const {
    if (before.is_owner(e.to)) return MemberRoleChanged{e.from, SpaceRole::owner};
    return OwnershipTransferred{.from = e.to, .to = e.from};
  }
};

// --------------------------------------------------------------------------------------------------------------------- in the way

/// What an event is about: two that are about the same thing stand in each other's way.
struct Topic {
  std::string_view what = {};
  Uuid whose = {};  ///< a member, or a session
  Uuid asked = {};  ///< a session's attendee

  /// Whether `later` changed what this is about. Who comes and goes has roles; of a session everything stands and falls with it.
  bool is_in_the_way_of(const Topic& undone) const {
    if (what == "anime" || undone.what == "anime") return true;
    if (what == "session" || undone.what == "session") return whose == undone.whose;
    return what == undone.what && whose == undone.whose && asked == undone.asked;
  }
};

template <class E>
Topic topic_of(const E& e) {
  constexpr std::string_view name = type_name<E>();
  if constexpr (name.starts_with("Anime") && name != "AnimeRated")
    return {"anime"};
  else if constexpr (name.starts_with("WatchSession") && name != "WatchSessionNotesChanged")
    return {"session", e.session.uuid};
  else if constexpr (name == "WatchSessionNotesChanged")
    return {"notes", e.session.uuid};
  else if constexpr (name.starts_with("Attendance"))
    return {"attendance", e.session.uuid, e.profile.uuid};
  else if constexpr (name == "AnimeRated" || name == "RatingCleared")
    return {"rating", e.profile.uuid};
  else if constexpr (name.starts_with("Member") && requires { e.profile; })
    return {"role", e.profile.uuid};
  else if constexpr (requires { e.profile; })
    return {name, e.profile.uuid};
  else
    return {name};
}

/// A transfer is about the roles of two.
std::vector<Topic> topics_of(const OwnershipTransferred& e) { return {{"role", e.from.uuid}, {"role", e.to.uuid}}; }
std::vector<Topic> topics_of(const auto& e) { return {topic_of(e)}; }

template <class State, class Plan>
std::optional<Position> last_in_the_way(Stream stream, const Change& change, const Plan& plan, const State& now) {
  std::vector<Topic> lost;
  for (const auto& step : plan.steps)
    if (!stands(step.event, now, plan.after))
      std::visit([&](const auto& e) { std::ranges::copy(topics_of(e), std::back_inserter(lost)); }, step.event);
  for (const RecordedEvent& event : change.since(stream) | std::views::reverse) {
    bool found = false;
    decode_one_of<typename State::Events>(event, [&](const auto& e) {
      for (const Topic& later : topics_of(e))
        found = found || std::ranges::any_of(lost, [&](const Topic& topic) { return later.is_in_the_way_of(topic); });
    });
    if (found) return event.meta.position;
  }
  return std::nullopt;
}

template <class State>
State fold(Stream events) {
  State state;
  for (const RecordedEvent& event : events)
    decode_one_of<typename State::Events>(event, [&](const auto& e) {
      if constexpr (requires { state.evolve(e, event.meta); })
        state.evolve(e, event.meta);
      else
        state.evolve(e);
    });
  return state;
}

}  // namespace

std::optional<Change> find_change(Stream stream, Position position) {
  const auto found = std::ranges::find(stream, position, [](const RecordedEvent& event) { return event.meta.position; });
  if (found == stream.end()) return std::nullopt;
  const CommandId command = found->meta.by.command;
  const auto is_of_it = [&](const RecordedEvent& event) { return event.meta.by.command == command; };
  const auto first = std::ranges::find_if(stream, is_of_it);
  const auto last = std::find_if_not(first, stream.end(), is_of_it);
  return Change{static_cast<std::size_t>(first - stream.begin()), static_cast<std::size_t>(last - first)};
}

std::optional<Position> undone_at(Stream stream, const Change& change) {
  // From the end: whether an undo still holds is known before what it undid is looked at.
  std::map<EventId, Position> undone;
  for (const RecordedEvent& event : change.since(stream) | std::views::reverse)
    if (event.meta.undoes && !undone.contains(event.meta.event_id)) undone.try_emplace(*event.meta.undoes, event.meta.position);
  const auto found = undone.find(change.of(stream).front().meta.event_id);
  if (found == undone.end()) return std::nullopt;
  return found->second;
}

TrackingPlan plan_tracking(Stream stream, const Change& change) {
  TrackingPlan plan;
  Said said;
  for (const RecordedEvent& event : change.before(stream)) said.take(event);
  for (const RecordedEvent& event : change.of(stream)) {
    decode_one_of<AnimeEvents>(event, [&](const auto& e) { plan.steps.push_back({event.meta.event_id, TakeBack{said}(e)}); });
    said.take(event);
  }
  std::ranges::reverse(plan.steps);
  if (std::holds_alternative<AnimeRestored>(plan.steps.front().event)) plan.restores = said.media;
  plan.after = std::move(said.anime);
  plan.only = owner_of(change.of(stream));
  if (undone_at(stream, change)) plan.refusal = Refusal::already_undone;
  return plan;
}

SpacePlan plan_space(Stream stream, const Change& change) {
  SpacePlan plan;
  plan.after = fold<WatchSpace>(change.with(stream));
  for (std::size_t i = 0; i < change.count; ++i) {
    const RecordedEvent& event = stream[change.first + i];
    const WatchSpace before = fold<WatchSpace>(stream.first(change.first + i));
    std::optional<SpaceEvent> back;
    decode_one_of<WatchSpaceEvents>(event, [&](const auto& e) { back = TakeBackInSpace{before}(e); });
    if (!back) {
      plan.refusal = Refusal::cannot_be_undone;
      return plan;
    }
    plan.steps.push_back({event.meta.event_id, *back});
  }
  std::ranges::reverse(plan.steps);
  if (undone_at(stream, change)) plan.refusal = Refusal::already_undone;
  return plan;
}

std::optional<Position> in_the_way(Stream stream, const Change& change, const TrackingPlan& plan) {
  return last_in_the_way(stream, change, plan, fold<Anime>(stream));
}

std::optional<Position> in_the_way(Stream stream, const Change& change, const SpacePlan& plan) {
  return last_in_the_way(stream, change, plan, fold<WatchSpace>(stream));
}

}  // namespace bloomwatch::undo
