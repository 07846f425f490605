// From rows to a recap.
#include "query-service/recaps/recap.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "projector/analytics/analytics.h"
#include "query-service/recaps/recap_rows.h"
#include "query-service/spaces/members.h"
#include "query-service/tracking/answer.h"

namespace bloomwatch {
namespace {

namespace column = recap_column;

constexpr MemberColumns member_columns = {column::id2, column::t1, column::t2, column::at1};

enum class Mark : std::int64_t { first, last, binge };

std::int64_t b(const pg::Row& row, int number) { return row.get<std::int64_t>(column::b1 + number - 1); }
std::int64_t number_of(const pg::Row& row) { return row.get<std::int64_t>(PageRows::number_column); }

std::string text_of(const pg::Row& row) {
  return std::string(row.get<std::optional<std::string_view>>(PageRows::text_column).value_or(std::string_view()));
}

RecapTitle title_of_row(const pg::Row& row) { return {row.get<TitleId>(column::id2), row.get<AnimeId>(PageRows::id_column), text_of(row)}; }

WatchedTitle watched_title(const pg::Row& row) { return {title_of_row(row), b(row, 1)}; }

void take_watched(RecapWatched& into, std::int64_t sessions, std::int64_t episodes, std::int64_t minutes, std::int64_t untimed) {
  into.sessions = sessions;
  into.episodes = episodes;
  into.time = watch_time(episodes, minutes, untimed);
  into.hours = hours_of(into.time.minutes);
}
void take_watched(RecapWatched& into, const pg::Row& row) { take_watched(into, b(row, 1), b(row, 2), b(row, 3), b(row, 4)); }

void take_period(Recap& recap, const RecapPeriod& period, std::string_view zone, Time now) {
  recap.period = period.wire();
  recap.from = date_text(period.first_day());
  recap.to = date_text(period.end_day() - std::chrono::days(1));
  recap.time_zone = zone;
  recap.over = period.is_over(zone, now);
}

std::vector<RecapDay> days_of(const PageRows& rows) {
  std::vector<RecapDay> days;
  for (const pg::Row row : rows.of(recap_kind::day)) days.push_back({row.get<std::int32_t>(column::n1), b(row, 2)});
  return days;
}

/// Of one mark in the order of the sessions' time; of a binge the titles, the most watched first.
std::vector<pg::Row> evenings_of(const PageRows& rows, Mark mark) {
  std::vector<pg::Row> found;
  for (const pg::Row row : rows.of(recap_kind::evening))
    if (number_of(row) == static_cast<std::int64_t>(mark)) found.push_back(row);
  std::ranges::sort(found, {},
                    [](const pg::Row& row) { return std::pair(row.get<Time>(column::at1), row.get<WatchSessionId>(column::id3)); });
  return found;
}

RecapSession session_of(const pg::Row& row) {
  return {watched_title(row), row.get<WatchSessionId>(column::id3), date_text(date_of_day(row.get<std::int32_t>(column::n1)))};
}

Binge binge_of(const RecapDay& day, const std::vector<pg::Row>& evenings) {
  std::map<TitleId, WatchedTitle> titles;
  for (const pg::Row& row : evenings) {
    WatchedTitle title = watched_title(row);
    const auto [found, fresh] = titles.try_emplace(title.title_id, title);
    if (!fresh) found->second.episodes += title.episodes;
  }
  Binge binge{date_text(date_of_day(day.day)), day.episodes, {}};
  for (auto& [id, title] : titles) binge.titles.push_back(std::move(title));
  std::ranges::sort(binge.titles, {}, [](const WatchedTitle& title) { return std::pair(-title.episodes, title.title_id); });
  if (binge.titles.size() > recap_titles_max) binge.titles.resize(recap_titles_max);
  return binge;
}

void take_days(Recap& recap, const PageRows& rows) {
  const std::vector<RecapDay> days = days_of(rows);
  recap.days_watched = static_cast<std::int64_t>(days.size());
  recap.longest_streak = longest_streak(days);
  if (const RecapDay* day = biggest_binge(days)) recap.binge = binge_of(*day, evenings_of(rows, Mark::binge));
  if (const auto first = evenings_of(rows, Mark::first); !first.empty()) recap.first = session_of(first.front());
  if (const auto last = evenings_of(rows, Mark::last); !last.empty()) recap.last = session_of(last.back());
}

void take_titles(Recap& recap, const PageRows& rows) {
  for (const pg::Row row : rows.of(recap_kind::title)) {
    recap.title_count = number_of(row);
    recap.titles.push_back(watched_title(row));
  }
  for (const pg::Row row : rows.of(recap_kind::genre)) recap.genres.push_back({text_of(row), b(row, 1), number_of(row)});
  std::ranges::sort(recap.genres, {}, [](const RecapGenre& genre) { return std::pair(-genre.episodes, genre.genre); });
}

TasteTwins twins_of(const TastePair& pair) {
  const PairGaps gaps{{pair.one, pair.other}, pair.rated, pair.gap_tenths};
  const PairCompatibility found = compatibility_of(std::span(&gaps, 1), pair.rated).pairs.front();
  return {{pair.one, pair.other}, {}, found.score, found.average_gap, found.rated_together_count};
}

// --------------------------------------------------------------------------------------------------------------------- of a person

void take_own_scores(MyRecap& recap, const PageRows& rows) {
  const pg::Row count = rows.of(recap_kind::rated_count).front();
  recap.rated_count = number_of(count);
  if (recap.rated_count > 0) recap.average_score = mean_points(b(count, 1), recap.rated_count);
  std::set<TitleId> seen;  // the same title in two spaces is one
  for (const pg::Row row : rows.of(recap_kind::best)) {
    if (recap.best_rated.size() == recap_titles_max) break;
    RatedTitle title{title_of_row(row), points(row.get<std::int32_t>(column::n1))};
    if (seen.insert(title.title_id).second) recap.best_rated.push_back(std::move(title));
  }
  for (const pg::Row row : rows.of(recap_kind::widest)) {
    const std::int32_t mine = row.get<std::int32_t>(column::n1), theirs = row.get<std::int32_t>(column::n2);
    recap.biggest_disagreement = Disagreement{title_of_row(row), points(std::abs(mine - theirs)), {}};
    recap.biggest_disagreement->scores = {{recap.user_id, points(mine)}, {row.get<ProfileId>(column::id3), points(theirs)}};
  }
}

void take_own_twins(MyRecap& recap, const PageRows& rows, Keyring& keys) {
  for (const pg::Row row : rows.of(recap_kind::taste)) {
    const auto other = row.get<ProfileId>(column::id2);
    TasteTwins twins = twins_of({recap.user_id, other, b(row, 1), number_of(row)});
    twins.user_ids = {other};
    if (const auto wrapped = row.get<std::optional<std::string_view>>(PageRows::bytes_column))
      keys.add(row.get<UserId>(column::id3), *wrapped);
    twins.display_name = keys.open(row.get<std::optional<std::string_view>>(PageRows::text_column));
    recap.taste_twins.push_back(std::move(twins));
  }
}

// ---------------------------------------------------------------------------------------------------------------------- of a space

/// The scores of a row's members among `shown`.
Scores scores_among(const pg::Row& row, const std::vector<RecapMember>& shown) {
  auto scores = json::read<Scores>(row.get<std::string_view>(column::j1));
  if (!scores) throw std::runtime_error("the scores of a row of read_recaps.rated are unreadable");
  std::erase_if(*scores, [&](const auto& entry) { return std::ranges::find(shown, entry.first, &RecapMember::user_id) == shown.end(); });
  return std::move(*scores);
}

std::vector<ScoreAnswer> score_answers(const Scores& scores, const std::vector<RecapMember>& shown) {
  std::vector<ScoreAnswer> answers;
  for (const RecapMember& member : shown)
    if (const auto found = scores.find(member.user_id); found != scores.end()) answers.push_back({member.user_id, points(found->second)});
  return answers;
}

/// By the mean of the scores that are shown, then by how many there are, then by the anime's id, the newest first.
void take_best(SpaceRecap& recap, const PageRows& rows) {
  std::vector<RatedTitle> titles;
  for (const pg::Row row : rows.of(recap_kind::best)) {
    const Scores scores = scores_among(row, recap.members);
    if (!scores.empty()) titles.push_back({title_of_row(row), mean_score(scores), score_answers(scores, recap.members)});
  }
  std::ranges::sort(titles, std::ranges::greater(),
                    [](const RatedTitle& title) { return std::tuple(title.score, title.scores.size(), title.anime_id); });
  if (titles.size() > recap_titles_max) titles.resize(recap_titles_max);
  recap.best_rated = std::move(titles);
}

void take_widest(SpaceRecap& recap, const PageRows& rows) {
  std::pair<std::int16_t, AnimeId> widest = {0, {}};
  for (const pg::Row row : rows.of(recap_kind::widest)) {
    const Scores scores = scores_among(row, recap.members);
    const std::pair found(spread_of(scores), row.get<AnimeId>(PageRows::id_column));
    if (found.first == 0 || found <= widest) continue;
    widest = found;
    recap.biggest_disagreement = Disagreement{title_of_row(row), points(found.first), score_answers(scores, recap.members)};
  }
}

void take_twins(SpaceRecap& recap, const PageRows& rows) {
  const auto place = [&](ProfileId profile) {
    return std::ranges::find(recap.members, profile, &RecapMember::user_id) - recap.members.begin();
  };
  const auto count = static_cast<std::ptrdiff_t>(recap.members.size());
  std::vector<TastePair> pairs;
  for (const pg::Row row : rows.of(recap_kind::taste)) {
    TastePair pair{row.get<ProfileId>(PageRows::id_column), row.get<ProfileId>(column::id2), b(row, 1), number_of(row)};
    if (place(pair.one) < count && place(pair.other) < count) pairs.push_back(pair);
  }
  sort_by_taste(pairs);
  if (pairs.size() > recap_titles_max) pairs.resize(recap_titles_max);
  for (TastePair& pair : pairs) {
    if (place(pair.other) < place(pair.one)) std::swap(pair.one, pair.other);
    recap.taste_twins.push_back(twins_of(pair));
  }
}

void take_members(SpaceRecap& recap, const PageRows& rows, Keyring& keys, RecapMembers of) {
  std::map<ProfileId, pg::Row> totals;
  for (const pg::Row row : rows.of(recap_kind::member_total)) totals.emplace(row.get<ProfileId>(PageRows::id_column), row);
  for (const MemberAnswer& member : show_members(rows, member_columns, keys)) {
    if (of == RecapMembers::agreed && !member.recap_consent) continue;
    RecapMember& shown = recap.members.emplace_back();
    shown.user_id = member.user_id;
    shown.display_name = member.display_name;
    shown.recap_consent = member.recap_consent;
    if (const auto total = totals.find(member.user_id); total != totals.end()) take_watched(shown, total->second);
  }
}

}  // namespace

std::optional<MyRecap> read_my_recap(const PageRows& rows, const RecapPeriod& period, Time now, Keyring& keys) {
  const PageRows::Range found = rows.of(recap_kind::owner);
  if (found.empty()) return std::nullopt;
  const pg::Row owner = found.front();
  MyRecap recap;
  recap.user_id = owner.get<ProfileId>(PageRows::id_column);
  if (const auto wrapped = owner.get<std::optional<std::string_view>>(PageRows::bytes_column))
    keys.add(owner.get<UserId>(column::id2), *wrapped);
  recap.display_name = keys.open(owner.get<std::optional<std::string_view>>(PageRows::text_column));
  take_period(recap, period, owner.get<std::string_view>(column::t1), now);
  // Scores belong to the calendars of the spaces that they were given in.
  for (const pg::Row row : rows.of(recap_kind::zone))
    if (const auto zone = row.get<std::optional<std::string_view>>(PageRows::text_column))
      recap.over = recap.over && period.is_over(*zone, now);
  std::int64_t sums[4] = {};
  for (const pg::Row row : rows.of(recap_kind::day))
    for (int i = 0; i < 4; ++i) sums[i] += b(row, i + 1);
  take_watched(recap, sums[0], sums[1], sums[2], sums[3]);
  take_days(recap, rows);
  take_titles(recap, rows);
  take_own_scores(recap, rows);
  take_own_twins(recap, rows, keys);
  return recap;
}

std::optional<SpaceRecap> read_space_recap(const PageRows& rows, const RecapPeriod& period, Time now, Keyring& keys, RecapMembers of) {
  const PageRows::Range found = rows.of(recap_kind::owner);
  if (found.empty()) return std::nullopt;
  const pg::Row owner = found.front();
  SpaceRecap recap;
  recap.watch_space_id = owner.get<WatchSpaceId>(PageRows::id_column);
  recap.name = text_of(owner);
  take_period(recap, period, owner.get<std::string_view>(column::t1), now);
  for (const pg::Row row : rows.of(recap_kind::total)) take_watched(recap, row);
  take_members(recap, rows, keys, of);
  take_days(recap, rows);
  take_titles(recap, rows);
  recap.rated_count = number_of(rows.of(recap_kind::rated_count).front());
  take_best(recap, rows);
  take_widest(recap, rows);
  take_twins(recap, rows);
  return recap;
}

}  // namespace bloomwatch
