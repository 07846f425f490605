// Rows of JSON by AniList's id.
#include "query-service/anilist/media_store.h"

#include <exception>

#include "runtime/json.h"
#include "runtime/logging.h"

namespace bloomwatch::anilist {
namespace {

constexpr std::string_view log_module = "anilist";

pg::Options connection(const std::string& database_url) {
  pg::Options options;
  options.url = database_url;
  options.application_name = "bloomwatch anilist";
  return options;
}

pg::Pipeline::Limits pipeline_limits() {
  pg::Pipeline::Limits limits;
  limits.connections = 1;
  return limits;
}

const pg::Statement& find_statement() {
  static const pg::Statement statement("SELECT media, fetched_at FROM anilist.media WHERE id = $1");
  return statement;
}

const pg::Statement& keep_statement() {
  static const pg::Statement statement(
      "INSERT INTO anilist.media AS m (id, fetched_at, titles, popularity, media) VALUES ($1, $2, lower($3), $4, $5) "
      "ON CONFLICT (id) DO UPDATE SET fetched_at = excluded.fetched_at, titles = excluded.titles, popularity = excluded.popularity, "
      "media = excluded.media WHERE m.fetched_at <= excluded.fetched_at");
  return statement;
}

const pg::Statement& forget_statement() {
  static const pg::Statement statement("DELETE FROM anilist.media WHERE id = $1");
  return statement;
}

const pg::Statement& search_statement() {
  static const pg::Statement statement(
      "SELECT media, fetched_at FROM anilist.media WHERE position(lower($1) IN titles) > 0 ORDER BY popularity DESC, id LIMIT $2");
  return statement;
}

const pg::Statement& sweep_old_statement() {
  static const pg::Statement statement("DELETE FROM anilist.media WHERE fetched_at < $1");
  return statement;
}

const pg::Statement& sweep_many_statement() {
  static const pg::Statement statement(
      "DELETE FROM anilist.media WHERE id IN (SELECT id FROM anilist.media ORDER BY fetched_at DESC OFFSET $1)");
  return statement;
}

std::optional<KeptMedia> read_row(const pg::Row& row) {
  auto media = json::read<Media>(row.get<std::string_view>(0), json::Unknown::ignored);
  if (!media) return std::nullopt;
  return KeptMedia{std::move(*media), row.get<Time>(1)};
}

std::string titles_of(const Media& media) {
  std::string titles = media.preferred_title;
  const auto add = [&titles](const std::string& title) { titles += '\n' + title; };
  if (media.preferred_title_english) add(*media.preferred_title_english);
  if (media.preferred_title_native) add(*media.preferred_title_native);
  for (const std::string& synonym : media.synonyms) add(synonym);
  return titles;
}

/// Runs what asks Postgres; a trouble of its is logged, and that is all.
void without_fail(std::string_view what, const std::function<void()>& ask) {
  try {
    ask();
  } catch (const pg::Error& error) {
    log::warning(log_module, "the cache of media cannot be used", {{"operation", what}, {"error", error.what()}});
  }
}

}  // namespace

MediaStore::MediaStore(const std::string& database_url)
    : pool_(connection(database_url), {.connections_max = 2, .checkout_timeout = pg::Milliseconds(2000)}),
      pipeline_(connection(database_url), pipeline_limits()) {}

void MediaStore::find(std::int32_t id, Callback callback) {
  pipeline_.submit(find_statement(), pg::Params(id),
                   [callback = std::move(callback)](std::expected<pg::Result, pg::Error> outcome) mutable {
                     if (!outcome) log::warning(log_module, "the cache of media cannot be read", {{"error", outcome.error().what()}});
                     callback(outcome && !outcome->empty() ? read_row((*outcome)[0]) : std::nullopt);
                   });
}

void MediaStore::keep(const Media& media, Time fetched_at) {
  without_fail("keep", [&] {
    const std::string text = json::to_string(media);
    auto connection = pool_.checkout();
    connection->run(keep_statement(),
                    pg::Params(media.anilist_media_id, fetched_at, titles_of(media), media.popularity.value_or(0), pg::Jsonb{text}));
    if (writes_.fetch_add(1) % writes_between_sweeps == 0) sweep(*connection, fetched_at);
  });
}

void MediaStore::forget(std::int32_t id) {
  without_fail("forget", [&] { pool_.checkout()->run(forget_statement(), pg::Params(id)); });
}

std::vector<KeptMedia> MediaStore::search(std::string_view text, std::int64_t limit) {
  std::vector<KeptMedia> found;
  if (text.size() < text_bytes_min) return found;
  without_fail("search", [&] {
    for (const pg::Row row : pool_.checkout()->run(search_statement(), pg::Params(text, limit)))
      if (auto kept = read_row(row)) found.push_back(std::move(*kept));
  });
  return found;
}

void MediaStore::sweep(pg::Connection& connection, Time now) {
  connection.run(sweep_old_statement(), pg::Params(now - age_max));
  connection.run(sweep_many_statement(), pg::Params(rows_max));
}

}  // namespace bloomwatch::anilist
