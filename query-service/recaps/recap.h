// A recap as its statement finds it: of a person over all spaces that they ever were in, or of a space. The page shows it as JSON, the card
// as a picture; both read it here. Source of what counts where: projector/recaps/recaps.h.
// Of who has left a space no score and no name is shown; what they watched with the others stays.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/recap_period.h"
#include "query-service/analytics/figures.h"
#include "query-service/dashboard/compatibility.h"
#include "query-service/dashboard/taste.h"
#include "query-service/keyring.h"
#include "query-service/page_rows.h"
#include "query-service/recaps/figures.h"
#include "runtime/postgres.h"

namespace bloomwatch {

inline constexpr int recap_titles_max = 5;  ///< of each list of titles, and of taste twins
/// Of a period's rated titles, so many are looked at for the best and for the widest gap: who has left may change their order.
inline constexpr int rated_examined_max = 50;
/// A person's gaps are looked for among so many of each space's titles with the widest gaps of all, and of all spaces among
/// rated_examined_max.
inline constexpr int own_gaps_examined_max = 200;
/// Sessions of one day and space that are looked at.
inline constexpr int evenings_of_day_max = 100;
/// Genres are those of so many of the most watched titles.
inline constexpr int genre_titles_max = 500;

struct RecapTitle {
  TitleId title_id;
  AnimeId anime_id;
  std::string preferred_title;
};
BOOST_DESCRIBE_STRUCT(RecapTitle, (), (title_id, anime_id, preferred_title))

struct WatchedTitle : RecapTitle {
  std::int64_t episodes = 0;
};
BOOST_DESCRIBE_STRUCT(WatchedTitle, (RecapTitle), (episodes))

struct RatedTitle : RecapTitle {
  double score = 0;                      ///< of several members their mean
  std::vector<ScoreAnswer> scores = {};  ///< of present members; of a person's own recap only theirs
};
BOOST_DESCRIBE_STRUCT(RatedTitle, (RecapTitle), (score, scores))

/// A session at the beginning or the end of a period.
struct RecapSession : WatchedTitle {
  WatchSessionId session_id = {};
  std::string day = {};  ///< 2026-11-03, in the session's own time zone
};
BOOST_DESCRIBE_STRUCT(RecapSession, (WatchedTitle), (session_id, day))

struct Binge {
  std::string day;
  std::int64_t episodes = 0;
  std::vector<WatchedTitle> titles;  ///< of that day, the most watched first
};
BOOST_DESCRIBE_STRUCT(Binge, (), (day, episodes, titles))

struct Disagreement : RecapTitle {
  double gap = 0;
  std::vector<ScoreAnswer> scores = {};
};
BOOST_DESCRIBE_STRUCT(Disagreement, (RecapTitle), (gap, scores))

struct TasteTwins {
  std::vector<ProfileId> user_ids;          ///< of a person's own recap only the other
  std::optional<std::string> display_name;  ///< of that other; null in a space's recap
  std::int64_t score = 0;                   ///< as compatibility
  double average_gap = 0;
  std::int64_t rated_together_count = 0;
};
BOOST_DESCRIBE_STRUCT(TasteTwins, (), (user_ids, display_name, score, average_gap, rated_together_count))

struct RecapWatched {
  std::int64_t sessions = 0;
  std::int64_t episodes = 0;
  std::optional<double> hours = 0.0;  ///< to one decimal; null if no minute is known
  WatchTime time = watch_time(0, 0, 0);
};
BOOST_DESCRIBE_STRUCT(RecapWatched, (), (sessions, episodes, hours, time))

struct RecapMember : RecapWatched {
  ProfileId user_id = {};
  std::optional<std::string> display_name = {};
  bool recap_consent = false;
};
BOOST_DESCRIBE_STRUCT(RecapMember, (RecapWatched), (user_id, display_name, recap_consent))

/// What was watched of a genre. A title counts for each of its genres.
struct RecapGenre {
  std::string genre;
  std::int64_t episodes = 0;
  std::int64_t title_count = 0;
};
BOOST_DESCRIBE_STRUCT(RecapGenre, (), (genre, episodes, title_count))

/// What both kinds of recap say.
struct Recap : RecapWatched {
  std::string period = {};
  std::string from = {};  ///< 2026-11-01
  std::string to = {};    ///< 2026-11-30
  std::string time_zone = {};
  bool over = false;  ///< nothing that happens from now on belongs to it
  std::int64_t days_watched = 0;
  std::int64_t title_count = 0;
  std::vector<WatchedTitle> titles = {};  ///< the most watched
  std::vector<RecapGenre> genres = {};    ///< the most watched, of titles whose genres the catalogue knows today
  std::optional<RecapSession> first = {};
  std::optional<RecapSession> last = {};
  std::optional<Binge> binge = {};
  std::optional<RecapStreak> longest_streak = {};
  std::int64_t rated_count = 0;
  std::vector<RatedTitle> best_rated = {};
  std::optional<Disagreement> biggest_disagreement = {};
  std::vector<TasteTwins> taste_twins = {};
};
BOOST_DESCRIBE_STRUCT(Recap, (RecapWatched),
                      (period, from, to, time_zone, over, days_watched, title_count, titles, genres, first, last, binge, longest_streak,
                       rated_count, best_rated, biggest_disagreement, taste_twins))

struct MyRecap : Recap {
  ProfileId user_id = {};
  std::optional<std::string> display_name = {};
  std::optional<double> average_score = {};  ///< of the scores given, to two decimals
};
BOOST_DESCRIBE_STRUCT(MyRecap, (Recap), (user_id, display_name, average_score))

struct SpaceRecap : Recap {
  WatchSpaceId watch_space_id = {};
  std::string name = {};
  std::vector<RecapMember> members = {};  ///< present ones, in the order of their joining
};
BOOST_DESCRIBE_STRUCT(SpaceRecap, (Recap), (watch_space_id, name, members))

/// The branches of a statement that find a recap, and the parameters of both: the profile's or the space's id, then those of the period.
/// `clauses`: more of WITH, `name AS (…), …`.
void add_my_recap(PageSql& sql, const std::string& clauses = {});
void add_space_recap(PageSql& sql, const std::string& clauses = {});
/// The branch that finds the genres, which cards do not show.
void add_my_genres(PageSql& sql);
void add_space_genres(PageSql& sql);
PageSql::Columns recap_columns();
pg::Params recap_params(const Uuid& whose, const RecapPeriod& period, Time now);

/// Which members a space's recap is about: all present ones, or those who agreed to be shown.
enum class RecapMembers { present, agreed };

/// Nothing if there is no such profile (yet).
std::optional<MyRecap> read_my_recap(const PageRows& rows, const RecapPeriod& period, Time now, Keyring& keys);
/// Nothing if there is no such space (yet).
std::optional<SpaceRecap> read_space_recap(const PageRows& rows, const RecapPeriod& period, Time now, Keyring& keys, RecapMembers of);

}  // namespace bloomwatch
