// The fold of `analytics`. An anime's or an evening's row says what it adds to the sums; a change takes that out, changes the row, and adds
// it again. So no fold's cost grows with the space: at most the raters of one anime, or who was there one evening.
#include "projector/analytics/analytics.h"

#include <algorithm>
#include <ranges>

#include "projector/bounded_list.h"

namespace bloomwatch {
namespace {

std::int64_t& count_of(SpaceNumbers& sum, TrackingStatus status) {
  switch (status) {
    case TrackingStatus::watching:
      return sum.watching;
    case TrackingStatus::finished:
      return sum.finished;
    case TrackingStatus::paused:
      return sum.paused;
    case TrackingStatus::dropped:
      return sum.dropped;
    case TrackingStatus::backlog:
      break;
  }
  return sum.backlog;
}

/// Adds (1) or takes out (−1) episodes of a title of so many minutes each.
template <class Sum>
void count_episodes(Sum& sum, std::int64_t episodes, const std::optional<std::int32_t>& minutes, int count) {
  sum.episodes += count * episodes;
  if (minutes)
    sum.minutes += count * episodes * *minutes;
  else
    sum.untimed += count * episodes;
}

/// What an anime's status and shared progress add.
void count_anime(Analytics& model, const CountedAnimeRow& row, int count) {
  if (!row.watch_space) return;
  SpaceNumbers& sum = model.spaces[*row.watch_space];
  count_of(sum, row.shared_status) += count;
  count_episodes(sum, row.shared_episodes, row.episode_minutes, count);
  if (!row.episode_minutes && row.shared_episodes > 0) sum.untimed_titles += count;
}

void count_score(Analytics& model, const CountedAnimeRow& row, TitleId title, ProfileId profile, const Meta& meta, int count) {
  const auto score = row.score_tenths.find(profile);
  if (!row.watch_space || score == row.score_tenths.end()) return;
  model.scores[{*row.watch_space, profile, score->second}].anime += count;
  model.votes[{title, meta.partition, score->second}].votes += count;
}

/// What an evening adds for one who was there.
void count_attendee(Analytics& model, const EveningRow& row, const Attendee& attendee, int count) {
  if (!row.watch_space || attendee.attendance != Attendance::present) return;
  for (const std::int32_t month : {all_months, month_of_day(row.day)}) {
    MemberMonthSum& sum = model.member_months[{*row.watch_space, month, attendee.profile}];
    sum.sessions += count;
    count_episodes(sum, row.episodes, row.episode_minutes, count);
  }
}

void count_evening(Analytics& model, const EveningRow& row, int count) {
  if (!row.watch_space) return;
  for (const std::int32_t month : {all_months, month_of_day(row.day)}) {
    MonthSum& sum = model.months[{*row.watch_space, month}];
    sum.sessions += count;
    count_episodes(sum, row.episodes, row.episode_minutes, count);
  }
  model.days[{*row.watch_space, row.day}].sessions += count;
  for (const Attendee& attendee : row.participants) count_attendee(model, row, attendee, count);
}

void set_attendance(Analytics& model, EveningRow& row, ProfileId profile, Attendance attendance) {
  const auto found = std::ranges::find(row.participants, profile, &Attendee::profile);
  if (found == row.participants.end()) throw projection::MissingRow("the event is about somebody who was not asked to the session");
  count_attendee(model, row, *found, -1);
  found->attendance = attendance;
  count_attendee(model, row, *found, 1);
}

WatchSpaceId space_of(const Meta& meta) { return WatchSpaceId(meta.partition_key.uuid); }

/// A moment of the space itself.
void tell(Analytics& model, const Meta& meta, MomentKind kind, std::optional<ProfileId> profile) {
  model.moments.put({space_of(meta), meta.position, meta.recorded_at, kind, profile, {}, {}});
}

void tell_added(Analytics& model, const CountedAnimeRow& row) {
  model.moments.put({*row.watch_space, row.added_position, row.added_at, MomentKind::anime_added, row.added_by, row.anime, {}});
}

const Finish* told_finish(const CountedAnimeRow& row) {
  const auto last = std::ranges::find(row.finishes | std::views::reverse, true, &Finish::stands);
  return last == row.finishes.rend() ? nullptr : &*last;
}
void tell_finish(Analytics& model, const CountedAnimeRow& row) {
  const Finish* told = told_finish(row);
  if (!row.watch_space || told == nullptr) return;
  model.moments.put({*row.watch_space, told->position, told->at, MomentKind::anime_finished, told->by, row.anime, {}});
}
void untell_finish(Analytics& model, const CountedAnimeRow& row) {
  const Finish* told = told_finish(row);
  if (row.watch_space && told != nullptr) model.moments.remove({*row.watch_space, told->position});
}

void tell_session(Analytics& model, const EveningRow& row) {
  model.moments.put({*row.watch_space, row.position, row.session_date, MomentKind::session, row.recorded_by, row.anime, row.session});
}

}  // namespace

void Analytics::apply(const WatchSpaceCreated&, const Meta& meta) { tell(*this, meta, MomentKind::space_created, meta.by.profile); }

void Analytics::apply(const MemberJoined& e, const Meta& meta) { tell(*this, meta, MomentKind::member_joined, e.profile); }

void Analytics::apply(const MemberLeft& e, const Meta& meta) { tell(*this, meta, MomentKind::member_left, e.profile); }

void Analytics::apply(const MemberRemoved& e, const Meta& meta) { tell(*this, meta, MomentKind::member_left, e.profile); }

void Analytics::apply(const AnimeAdded& e, const Meta& meta) {
  CountedAnimeRow& row = anime[meta.key<AnimeId>()];
  row.watch_space = e.watch_space;
  row.shared_status = e.shared_status;
  row.episode_minutes = e.snapshot.episode_minutes;
  row.added_by = meta.by.profile.value_or(ProfileId{});
  row.added_at = meta.recorded_at;
  row.added_position = meta.position;
  count_anime(*this, row, 1);
  tell_added(*this, row);
}

/// The timeline tells of the last time that an anime was finished, if that stands. Going on with it leaves that told, and so does an undo
/// of something else; an undo of it takes it back, and then the one before is told. An import says that something was finished, and not
/// when: it is not told, nor what an undo of something later brings back.
void Analytics::apply(const SharedStatusChanged& e, const Meta& meta) {
  CountedAnimeRow& row = anime.at(meta.key<AnimeId>());
  count_anime(*this, row, -1);
  row.shared_status = e.status;
  count_anime(*this, row, 1);
  const bool finished = e.status == TrackingStatus::finished;
  untell_finish(*this, row);
  if (!meta.undoes && finished && meta.by.origin.kind != OriginKind::import)
    projection::add_bounded(row.finishes, {meta.position, meta.by.profile, meta.recorded_at, true, {meta.event_id}}, finishes_max);
  if (meta.undoes) {
    const auto undone = std::ranges::find_if(
        row.finishes, [&](const Finish& finish) { return std::ranges::find(finish.said_by, *meta.undoes) != finish.said_by.end(); });
    if (undone != row.finishes.end()) {
      undone->stands = finished;
      projection::add_bounded(undone->said_by, meta.event_id, sayings_max);
    }
  }
  tell_finish(*this, row);
}

void Analytics::apply(const SharedProgressChanged& e, const Meta& meta) {
  CountedAnimeRow& row = anime.at(meta.key<AnimeId>());
  count_anime(*this, row, -1);
  row.shared_episodes = e.episodes;
  count_anime(*this, row, 1);
}

void Analytics::apply(const AnimeRated& e, const Meta& meta) {
  CountedAnimeRow& row = anime.at(meta.key<AnimeId>());
  count_score(*this, row, e.title, e.profile, meta, -1);
  row.score_tenths[e.profile] = e.score_tenths;
  count_score(*this, row, e.title, e.profile, meta, 1);
}

void Analytics::apply(const RatingCleared& e, const Meta& meta) {
  CountedAnimeRow& row = anime.at(meta.key<AnimeId>());
  count_score(*this, row, e.title, e.profile, meta, -1);
  row.score_tenths.erase(e.profile);
}

void Analytics::apply(const WatchSessionRecorded& e, const Meta& meta) {
  const CountedAnimeRow& watched = anime.at(meta.key<AnimeId>());
  EveningRow& row = evenings[e.session];
  row.watch_space = space_of(meta);
  row.anime = watched.anime;
  row.session_date = e.session_date;
  row.day = day_number(date_in(e.time_zone, e.session_date));
  row.episodes = e.end_episode - e.start_episode + 1;
  row.episode_minutes = watched.episode_minutes;
  row.participants = e.participants;
  row.recorded_by = meta.by.profile.value_or(ProfileId{});
  row.position = meta.position;
  count_evening(*this, row, 1);
  tell_session(*this, row);
}

void Analytics::apply(const AttendanceConfirmed& e, const Meta&) {
  set_attendance(*this, evenings.at(e.session), e.profile, Attendance::present);
}

void Analytics::apply(const AttendanceDeclined& e, const Meta&) {
  set_attendance(*this, evenings.at(e.session), e.profile, Attendance::declined);
}

void Analytics::apply(const AttendanceReopened& e, const Meta&) {
  set_attendance(*this, evenings.at(e.session), e.profile, Attendance::invited);
}

void Analytics::apply(const WatchSessionRemoved& e, const Meta& meta) {
  EveningRow& row = evenings.at(e.session);
  count_evening(*this, row, -1);
  row.watch_space.reset();
  moments.remove({space_of(meta), row.position});
}

void Analytics::apply(const WatchSessionRestored& e, const Meta& meta) {
  EveningRow& row = evenings.at(e.session);
  row.watch_space = space_of(meta);
  count_evening(*this, row, 1);
  tell_session(*this, row);
}

/// An anime is removed only when no evening of it stands: undoing that it was added asks for what came after to be undone first.
void Analytics::apply(const AnimeRemoved& e, const Meta& meta) {
  CountedAnimeRow& row = anime.at(meta.key<AnimeId>());
  count_anime(*this, row, -1);
  for (const auto& [profile, score] : row.score_tenths) count_score(*this, row, e.title, profile, meta, -1);
  untell_finish(*this, row);
  row.watch_space.reset();
  moments.remove({space_of(meta), row.added_position});
}

void Analytics::apply(const AnimeRestored& e, const Meta& meta) {
  CountedAnimeRow& row = anime.at(meta.key<AnimeId>());
  row.watch_space = space_of(meta);
  count_anime(*this, row, 1);
  for (const auto& [profile, score] : row.score_tenths) count_score(*this, row, e.title, profile, meta, 1);
  tell_added(*this, row);
  tell_finish(*this, row);
}

}  // namespace bloomwatch
