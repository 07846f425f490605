// The rows of the read model `tracking` as pages read them: an anime, a participant's entry, a watch session, and the keys that open their
// texts. One layout of columns for the list, the detail, the sessions and the dashboard.
#pragma once

#include <string_view>
#include <vector>

#include "query-service/keyring.h"
#include "query-service/page_rows.h"
#include "query-service/tracking/answer.h"

namespace bloomwatch {

/// Kinds of rows of these pages.
namespace tracking_kind {
inline constexpr std::int16_t anime = row_kind::own;
inline constexpr std::int16_t entry = row_kind::own + 1;
inline constexpr std::int16_t session = row_kind::own + 2;
inline constexpr std::int16_t same_title = row_kind::own + 3;  ///< `id`: another anime of the space that turned out to be the title of this
}  // namespace tracking_kind

/// The columns, whose use depends on the kind of row.
namespace tracking_column {
inline constexpr int id2 = PageRows::own_column;  ///< anime: title; entry: profile; session: anime; member: account
inline constexpr int id3 = id2 + 1;               ///< anime: added_by; session: created_by
inline constexpr int at1 = id3 + 1;               ///< anime: added_at; session: session_date; member: joined_at
inline constexpr int at2 = at1 + 1;               ///< updated_at
inline constexpr int at3 = at2 + 1;               ///< session: created_at
inline constexpr int n1 = at3 + 1;                ///< anime: episode_count; entry: episodes; session: start_episode
inline constexpr int n2 = n1 + 1;                 ///< anime: episode_minutes; entry: times_rewatched; session: end_episode
inline constexpr int n3 = n2 + 1;                 ///< anime: season_year; entry: score_tenths
inline constexpr int n4 = n3 + 1;                 ///< anime: shared_episodes
inline constexpr int n5 = n4 + 1;                 ///< anime: session_count
inline constexpr int t1 = n5 + 1;                 ///< anime: media_source; entry: notes; session: notes; member: role
inline constexpr int t2 = t1 + 1;                 ///< anime: media_id; session: precision; member: session_consent
inline constexpr int t3 = t2 + 1;                 ///< anime: english; session: the anime's preferred title
inline constexpr int t4 = t3 + 1;                 ///< anime: native
inline constexpr int t5 = t4 + 1;                 ///< anime: cover_image_url
inline constexpr int t6 = t5 + 1;                 ///< anime: format
inline constexpr int t7 = t6 + 1;                 ///< anime: season
inline constexpr int t8 = t7 + 1;                 ///< anime: shared_status
inline constexpr int t9 = t8 + 1;                 ///< anime: mood
inline constexpr int t10 = t9 + 1;                ///< anime: vibe
inline constexpr int t11 = t10 + 1;               ///< anime: pitch
inline constexpr int t12 = t11 + 1;               ///< anime: sort_title
inline constexpr int j1 = t12 + 1;                ///< entry: started_on; session: participants
inline constexpr int j2 = j1 + 1;                 ///< entry: finished_on
}  // namespace tracking_column

PageSql::Columns tracking_columns();

/// The SQL of the version of an anime `a`: the greatest of its row's and its entries'.
inline constexpr std::string_view anime_version =
    "GREATEST(a.version, (SELECT max(v.version) FROM read_tracking.entries AS v WHERE v.anime = a.anime))";
/// An anime `a` of read_tracking.anime. A page that reads the entries anyway asks for `a.version` and compares versions itself.
PageSql::Values anime_values(std::string_view version = anime_version);
/// An entry `e` of read_tracking.entries, which may be absent, of the anime `of_anime`.
PageSql::Values entry_values(const std::string& of_anime);
/// A session `s` of read_tracking.sessions.
PageSql::Values session_values();

/// Shows what is in an anime's row.
void show_anime(const pg::Row& row, WatchSpaceId space, const Keyring& keys, AnimeFields& into);
/// An entry's side of a participant.
ParticipantAnswer show_entry(const pg::Row& row, const Keyring& keys);
/// Participants of the past are left out: `members` are the current ones.
WatchSessionAnswer show_session(const pg::Row& row, const std::vector<ProfileId>& members, const Keyring& keys);

}  // namespace bloomwatch
