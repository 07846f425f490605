// The fold of `recaps`. An evening adds to its day and to those of who was there; a score changes two rows of its anime, two of its rater
// and a sum per other rater. No fold's cost grows with the space beyond that.
#include "projector/recaps/recaps.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <limits>

#include "projector/analytics/analytics.h"
#include "projector/bounded_list.h"

namespace bloomwatch {
namespace {

WatchSpaceId space_of(const Meta& meta) { return WatchSpaceId(meta.partition_key.uuid); }

// ------------------------------------------------------------------------------------------------------------------------- evenings

void count_attendee(Recaps& model, const RecapEveningRow& row, ProfileId profile, std::int64_t count) {
  MemberDaySum& day = model.member_days[{profile, row.day, *row.watch_space}];
  day.sessions += count;
  day.episodes += count * row.episodes;
  if (row.episode_minutes)
    day.minutes += count * row.episodes * *row.episode_minutes;
  else
    day.untimed += count * row.episodes;
  model.member_titles[{profile, month_of_day(row.day), row.title, row.anime}].episodes += count * row.episodes;
}

void note_change(Recaps& model, const RecapEveningRow& row, const Meta& meta) {
  model.changes.put({space_of(meta), month_of_day(row.day), meta.position});
}

void count_evening(Recaps& model, const RecapEveningRow& row, const Meta& meta, std::int64_t count) {
  model.days[{*row.watch_space, row.day}].episodes += count * row.episodes;
  model.titles[{*row.watch_space, month_of_day(row.day), row.title, row.anime}].episodes += count * row.episodes;
  for (const ProfileId profile : row.present) count_attendee(model, row, profile, count);
  note_change(model, row, meta);
}

/// Of an evening that was taken back, who was there is remembered for when it is restored, and counted nowhere.
void set_present(Recaps& model, RecapEveningRow& row, ProfileId profile, const Meta& meta, bool present) {
  const auto found = std::ranges::find(row.present, profile);
  if ((found != row.present.end()) == present) return;
  if (row.watch_space) count_attendee(model, row, profile, present ? 1 : -1);
  if (present)
    row.present.push_back(profile);
  else
    row.present.erase(found);
  note_change(model, row, meta);
}

// --------------------------------------------------------------------------------------------------------------------------- scores

/// The month that it is in the space; of an anime never one before a month that it was rated in, as a space's new time zone may have it.
std::int32_t present_month(const Recaps& model, const RecapAnimeRow& row, const Meta& meta) {
  const RecapSpaceRow* space = model.spaces.peek(space_of(meta));
  std::int32_t month = month_of_day(day_number(date_in(space == nullptr ? "UTC" : space->time_zone, meta.recorded_at)));
  for (const auto& [profile, score] : row.scores) month = std::max(month, score.month);
  for (const auto& [profile, former] : row.former_scores)
    for (const FormerScore& score : former) month = std::max(month, score.month);
  return month;
}

/// A month and its year, as rows are keyed.
std::array<std::int32_t, 2> periods_of(std::int32_t month) { return {month, month / 100}; }

bool given_in(const GivenScore& score, std::int32_t period) {
  return score.month != 0 && (score.month == period || score.month / 100 == period);
}

/// The month in which a score was given that is said now; 0: not known, or no more.
std::int32_t month_given(const RecapAnimeRow& row, ProfileId profile, std::int32_t present, const Meta& meta) {
  if (meta.by.origin.kind == OriginKind::import) return 0;
  if (!meta.undoes) return present;
  const auto former = row.former_scores.find(profile);
  if (former == row.former_scores.end()) return 0;
  const auto brought_back = std::ranges::find(former->second, *meta.undoes, &FormerScore::ended_by);
  return brought_back == former->second.end() ? 0 : brought_back->month;
}

/// Before the event clears or replaces a score.
void remember_score(RecapAnimeRow& row, ProfileId profile, const Meta& meta) {
  const auto score = row.scores.find(profile);
  if (score == row.scores.end()) return;
  projection::add_bounded(row.former_scores[profile], {meta.event_id, score->second.month}, former_scores_max);
}

RatedRow rated_row(const RecapAnimeRow& row, std::int32_t period) {
  RatedRow rated;
  rated.watch_space = *row.watch_space;
  rated.period = period;
  rated.anime = row.anime;
  rated.title = row.title;
  std::int32_t sum = 0;
  std::int16_t least = std::numeric_limits<std::int16_t>::max();
  std::int16_t most = 0;
  for (const auto& [profile, score] : row.scores) {
    rated.score_tenths[profile] = score.tenths;
    sum += score.tenths;
    least = std::min(least, score.tenths);
    most = std::max(most, score.tenths);
  }
  rated.mean_thousandths = sum * 100 / static_cast<std::int32_t>(row.scores.size());
  rated.spread_tenths = static_cast<std::int16_t>(most - least);
  return rated;
}

/// Writes what the present month and its year say of the anime, now that `profile` has said something else of it.
void retell(Recaps& model, const RecapAnimeRow& row, ProfileId profile, std::int32_t month, const Meta& meta) {
  const auto own = row.scores.find(profile);
  for (const std::int32_t period : periods_of(month)) {
    if (std::ranges::any_of(row.scores, [&](const auto& entry) { return given_in(entry.second, period); }))
      model.rated.put(rated_row(row, period));
    else
      model.rated.remove({*row.watch_space, period, row.anime});
    if (own != row.scores.end() && given_in(own->second, period))
      model.own_scores.put({profile, period, row.anime, row.title, own->second.tenths});
    else
      model.own_scores.remove({profile, period, row.anime});
  }
  model.changes.put({*row.watch_space, month, meta.position});
}

/// Adds (1) or takes out (−1) what two have both said of the anime.
void count_gap(Recaps& model, const RecapAnimeRow& row, std::int32_t month, ProfileId one, ProfileId other, std::int64_t count) {
  const projection::Pair pair(one, other);
  TasteMonthSum& sum = model.taste[{*row.watch_space, pair.low, pair.high, month}];
  sum.rated += count;
  sum.gap_tenths += count * std::abs(row.scores.at(one).tenths - row.scores.at(other).tenths);
}

/// The same with all who have rated it.
void count_gaps_of(Recaps& model, const RecapAnimeRow& row, std::int32_t month, ProfileId profile, std::int64_t count) {
  if (!row.scores.contains(profile)) return;
  for (const auto& [other, score] : row.scores)
    if (other != profile) count_gap(model, row, month, profile, other, count);
}

void count_all_gaps(Recaps& model, const RecapAnimeRow& row, std::int32_t month, std::int64_t count) {
  for (auto one = row.scores.begin(); one != row.scores.end(); ++one)
    for (auto other = std::next(one); other != row.scores.end(); ++other) count_gap(model, row, month, one->first, other->first, count);
}

/// Of an anime that has left its space nothing is said.
RecapAnimeRow& standing(Recaps& model, const Meta& meta) {
  RecapAnimeRow& row = model.anime.at(meta.key<AnimeId>());
  if (!row.watch_space) throw projection::MissingRow("the event is about an anime that has left its space");
  return row;
}

}  // namespace

void Recaps::apply(const WatchSpaceCreated& e, const Meta& meta) { spaces[meta.key<WatchSpaceId>()].time_zone = e.time_zone; }

void Recaps::apply(const WatchSpaceTimeZoneChanged& e, const Meta& meta) { spaces.at(meta.key<WatchSpaceId>()).time_zone = e.time_zone; }

void Recaps::apply(const MemberJoined& e, const Meta& meta) { member_spaces.put({e.profile, meta.key<WatchSpaceId>()}); }

void Recaps::apply(const AnimeAdded& e, const Meta& meta) {
  RecapAnimeRow& row = anime[meta.key<AnimeId>()];
  row.watch_space = e.watch_space;
  row.title = e.title;
  row.episode_minutes = e.snapshot.episode_minutes;
}

void Recaps::apply(const AnimeRated& e, const Meta& meta) {
  RecapAnimeRow& row = standing(*this, meta);
  const std::int32_t month = present_month(*this, row, meta);
  const GivenScore given{e.score_tenths, month_given(row, e.profile, month, meta)};
  count_gaps_of(*this, row, month, e.profile, -1);
  remember_score(row, e.profile, meta);
  row.scores[e.profile] = given;
  count_gaps_of(*this, row, month, e.profile, 1);
  retell(*this, row, e.profile, month, meta);
}

void Recaps::apply(const RatingCleared& e, const Meta& meta) {
  RecapAnimeRow& row = standing(*this, meta);
  const std::int32_t month = present_month(*this, row, meta);
  count_gaps_of(*this, row, month, e.profile, -1);
  remember_score(row, e.profile, meta);
  row.scores.erase(e.profile);
  retell(*this, row, e.profile, month, meta);
}

void Recaps::apply(const WatchSessionRecorded& e, const Meta& meta) {
  const RecapAnimeRow& watched = standing(*this, meta);
  RecapEveningRow& row = evenings[e.session];
  row.watch_space = watched.watch_space;
  row.day = day_number(date_in(e.time_zone, e.session_date));
  row.session_date = e.session_date;
  row.anime = watched.anime;
  row.title = watched.title;
  row.episodes = e.end_episode - e.start_episode + 1;
  row.episode_minutes = watched.episode_minutes;
  for (const Attendee& attendee : e.participants)
    if (attendee.attendance == Attendance::present) row.present.push_back(attendee.profile);
  count_evening(*this, row, meta, 1);
}

void Recaps::apply(const AttendanceConfirmed& e, const Meta& meta) { set_present(*this, evenings.at(e.session), e.profile, meta, true); }

void Recaps::apply(const AttendanceDeclined& e, const Meta& meta) { set_present(*this, evenings.at(e.session), e.profile, meta, false); }

void Recaps::apply(const AttendanceReopened& e, const Meta& meta) { set_present(*this, evenings.at(e.session), e.profile, meta, false); }

void Recaps::apply(const WatchSessionRemoved& e, const Meta& meta) {
  RecapEveningRow& row = evenings.at(e.session);
  if (!row.watch_space) return;
  count_evening(*this, row, meta, -1);
  row.watch_space.reset();
}

void Recaps::apply(const WatchSessionRestored& e, const Meta& meta) {
  RecapEveningRow& row = evenings.at(e.session);
  if (row.watch_space) return;
  row.watch_space = space_of(meta);
  count_evening(*this, row, meta, 1);
}

/// Pages find no title of what has left its space; how close people are no longer rests on it.
void Recaps::apply(const AnimeRemoved&, const Meta& meta) {
  RecapAnimeRow& row = standing(*this, meta);
  count_all_gaps(*this, row, present_month(*this, row, meta), -1);
  row.watch_space.reset();
  changes.put({space_of(meta), every_month, meta.position});
}

void Recaps::apply(const AnimeRestored&, const Meta& meta) {
  RecapAnimeRow& row = anime.at(meta.key<AnimeId>());
  if (row.watch_space) return;
  row.watch_space = space_of(meta);
  count_all_gaps(*this, row, present_month(*this, row, meta), 1);
  changes.put({space_of(meta), every_month, meta.position});
}

void Recaps::apply(const RecapShared& e, const Meta& meta) {
  shares.put({meta.key<RecapShareId>(), meta.by.profile.value_or(ProfileId{}), e.watch_space, e.period, e.token_claim, meta.recorded_at});
}

void Recaps::apply(const RecapShareRevoked&, const Meta& meta) { shares.remove(meta.key<RecapShareId>()); }

}  // namespace bloomwatch
