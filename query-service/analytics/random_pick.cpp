// GET …/analytics/random-pick. A seed orders the backlog by a hash of each anime's id, so that a pick stays the pick while others go, and
// mostly while others come. Moods are opened here, one after another in that order, until one fits.
#include <random>

#include "query-service/analytics/figures.h"
#include "query-service/analytics/pages.h"
#include "query-service/boxes.h"
#include "query-service/dashboard/page.h"
#include "query-service/spaces/members.h"
#include "query-service/tracking/rows.h"

namespace bloomwatch {
namespace {

namespace column = tracking_column;

namespace kind {
constexpr std::int16_t counts = row_kind::own + 10;  // number: looked at; n1: short enough; n2: of unknown length
}  // namespace kind

struct RandomPickAnswer {
  WatchSpaceId watch_space_id;
  std::optional<AnimeFields> pick;
  std::string_view seed;                  ///< says the same again
  std::int64_t considered_count = 0;      ///< of the backlog, at most random_pick_among_max
  std::int64_t fitting_count = 0;         ///< of those, what the filters leave
  std::int64_t unknown_length_count = 0;  ///< left out because nobody knows how many episodes they have
  std::string_view label;
  std::string_view label_key;  ///< picked, backlog-empty, nothing-fits
};
BOOST_DESCRIBE_STRUCT(RandomPickAnswer, (),
                      (watch_space_id, pick, seed, considered_count, fitting_count, unknown_length_count, label, label_key))

/// $1 space, $2 the seed's hash, $3 how many anime, $4 how many episodes at most or null.
std::string statement_text(bool by_mood) {
  const std::string fits = "($4::integer IS NULL OR f.episode_count <= $4)";
  PageSql sql({Model::spaces, Model::tracking}, "$1", tracking_columns());
  sql.with(
      "few AS MATERIALIZED (SELECT anime, episode_count, mood IS NOT NULL AS has_mood FROM read_tracking.anime WHERE watch_space = $1"
      " AND shared_status = 'backlog' ORDER BY updated_at DESC, anime DESC LIMIT " +
      std::to_string(random_pick_among_max) + "), chosen AS MATERIALIZED (SELECT a.* FROM (SELECT f.anime FROM few AS f WHERE " + fits +
      (by_mood ? " AND f.has_mood" : "") +
      " ORDER BY uuid_hash_extended(f.anime, $2), f.anime LIMIT $3) AS p LEFT JOIN read_tracking.anime AS a ON a.anime = p.anime)");
  add_members(sql, "at1");
  sql.rows(kind::counts,
           {{"number", "count(*)"},
            {"n1", "(count(*) FILTER (WHERE " + fits + "))::integer"},
            {"n2", "(count(*) FILTER (WHERE f.episode_count IS NULL))::integer"}},
           "FROM few AS f");
  sql.rows(tracking_kind::anime, anime_values(), "FROM chosen AS a");
  sql.rows(row_kind::key, {{"id", "authors.account"}, {"bytes", "k.wrapped"}},
           keys_of("SELECT unnest(ARRAY[mood, vibe, pitch]) AS box FROM chosen"));
  return sql.text();
}

/// FNV-1a: any text as a number, the same everywhere and always.
std::int64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return static_cast<std::int64_t>(hash);
}

std::string fresh_seed() {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  return std::to_string(random() >> 12U);
}

}  // namespace

std::expected<PickSeed, std::string> PickSeed::from(Wire wire) {
  if (wire.empty() || wire.size() > bytes_max) return std::unexpected("must have 1 to " + std::to_string(bytes_max) + " bytes");
  return PickSeed{std::move(wire)};
}

std::expected<PickMood, std::string> PickMood::from(Wire wire) {
  if (wire.empty() || wire.size() > bytes_max) return std::unexpected("must have 1 to " + std::to_string(bytes_max) + " bytes");
  return PickMood{std::move(wire)};
}

std::expected<EpisodesMax, std::string> EpisodesMax::from(Wire wire) {
  if (wire < 1 || wire > 1'000'000) return std::unexpected("must be a whole number from 1 to 1000000");
  return EpisodesMax{wire};
}

std::expected<Question, Problem> RandomPickPage::ask(const Visit&) {
  static const pg::Statement any(statement_text(false));
  static const pg::Statement by_mood(statement_text(true));
  if (!seed) seed = PickSeed{fresh_seed()};
  std::optional<std::int32_t> episodes;
  if (max_episodes) episodes = static_cast<std::int32_t>(max_episodes->value);
  return Question{mood ? &by_mood : &any,
                  pg::Params(watch_space, hash_of(seed->text), static_cast<std::int64_t>(mood ? random_pick_among_max : 1), episodes)};
}

std::expected<Shown, Problem> RandomPickPage::show(const PageRows& rows, const Visit&, Keyring& keys) const {
  RandomPickAnswer answer{watch_space, {}, seed->text, 0, 0, 0, {}, {}};
  const pg::Row counts = rows.of(kind::counts).front();
  answer.considered_count = counts.get<std::int64_t>(PageRows::number_column);
  answer.fitting_count = mood ? 0 : counts.get<std::int32_t>(column::n1);
  if (max_episodes) answer.unknown_length_count = counts.get<std::int32_t>(column::n2);
  for (const pg::Row row : rows.of(tracking_kind::anime)) {
    if (mood) {
      const auto text = keys.open(row.get<std::optional<std::string_view>>(column::t9));
      if (!text || !speaks_of(*text, mood->text)) continue;
      ++answer.fitting_count;
    }
    if (!answer.pick) show_anime(row, watch_space, keys, answer.pick.emplace());
  }
  answer.label_key = answer.pick ? "picked" : answer.considered_count == 0 ? "backlog-empty" : "nothing-fits";
  answer.label = answer.pick ? "How about this one" : answer.considered_count == 0 ? "The backlog is empty" : "Nothing in the backlog fits";
  return Shown{json::to_string(answer)};
}

}  // namespace bloomwatch
