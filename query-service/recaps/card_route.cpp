// From a token to a picture.
#include "query-service/recaps/card_route.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <exception>

#include "events/recap_share_claim.h"
#include "query-service/pages.h"
#include "query-service/recaps/card_words.h"
#include "query-service/recaps/recap.h"
#include "query-service/recaps/recap_rows.h"
#include "runtime/entity_tag.h"
#include "runtime/logging.h"
#include "runtime/metrics.h"

namespace bloomwatch {
namespace {

constexpr std::string_view queue_full = "53300";
/// Part of every version: raise it when cards are drawn otherwise.
constexpr std::string_view drawing_version = "1";

/// One answer for what is wrong, malformed, revoked or forgotten.
Problem no_such_card() { return problems::not_found("There is no such recap card, or it is no longer shared."); }

// ------------------------------------------------------------------------------------------------------------------------ statements

/// WITH clauses that find a link that leads somewhere by its claim, and what its card's version is made of: the last changes of what it
/// shows (their sum, as changes in spaces of one person are not folded in the order of their positions), by which fold, names and consents.
/// A model that has not come as far as the recap's last change is part of the version until it has.
std::string door_clauses(const std::string& claim) {
  const std::string month = "CASE WHEN length(s.period) = 7 THEN right(s.period, 2)::integer END";
  return "link AS MATERIALIZED (SELECT s.share, s.shared_by, s.watch_space, s.period, left(s.period, 4)::integer * 100 + COALESCE(" +
         month + ", 1) AS first_month, left(s.period, 4)::integer * 100 + COALESCE(" + month +
         ", 12) AS last_month FROM read_recaps.shares AS s LEFT JOIN read_spaces.members AS m ON m.watch_space = s.watch_space AND"
         " m.profile = s.shared_by WHERE s.token_claim = " +
         claim +
         " AND (s.watch_space IS NULL OR m.joined_at <= s.shared_at) LIMIT 1),"
         " link_spaces AS MATERIALIZED (SELECT l.watch_space FROM link AS l WHERE l.watch_space IS NOT NULL UNION ALL SELECT m.watch_space"
         " FROM link AS l LEFT JOIN read_recaps.member_spaces AS m ON m.profile = l.shared_by WHERE l.watch_space IS NULL),"
         " changed AS MATERIALIZED (SELECT c.position, c.partition FROM link AS l CROSS JOIN link_spaces AS s CROSS JOIN LATERAL (SELECT"
         " position, partition FROM read_recaps.changes WHERE watch_space = s.watch_space AND (month = 0 OR month BETWEEN l.first_month AND"
         " l.last_month) OFFSET 0) AS c),"
         " shown AS MATERIALIZED (SELECT m.profile FROM link AS l LEFT JOIN read_spaces.members AS m ON m.watch_space = l.watch_space WHERE"
         " m.recap_consent UNION ALL SELECT l.shared_by FROM link AS l WHERE l.watch_space IS NULL),"
         " card_version AS MATERIALIZED (SELECT concat_ws('/', (SELECT epoch FROM log.epoch), l.share, l.period, (SELECT sum(position) "
         "FROM changed), (SELECT concat_ws(':', max(version), max(generation)) FROM projection.checkpoints WHERE slot = 'live' AND model ="
         " 'recaps'),"
         " (SELECT s.version FROM read_spaces.spaces AS s WHERE s.watch_space = l.watch_space),"
         " (SELECT string_agg(concat_ws(':', p.profile, a.version, k.account IS NOT NULL), ',' ORDER BY p.profile) FROM shown AS w"
         " LEFT JOIN read_people.profiles AS p ON p.profile = w.profile LEFT JOIN read_people.accounts AS a ON a.account = p.account"
         " LEFT JOIN secrets.keys AS k ON k.account = p.account),"
         " (SELECT string_agg(concat_ws(':', k.model, k.position), ',' ORDER BY k.model, k.partition, k.position) FROM changed AS c CROSS"
         " JOIN LATERAL (SELECT * FROM projection.checkpoints WHERE slot = 'live' AND model IN ('spaces', 'tracking', 'analytics') AND"
         " partition IN (-1, c.partition) AND position < c.position OFFSET 0) AS k)) AS text FROM link AS l)";
}

/// $1 the claim.
const pg::Statement& door_statement() {
  static const pg::Statement statement(
      "WITH " + door_clauses("$1") +
      " SELECT l.shared_by, l.watch_space, l.period, v.text, EXISTS (SELECT FROM projection.parked WHERE slot = 'live' AND model IN"
      " ('spaces', 'recaps') AND partition_key = COALESCE(l.watch_space, l.shared_by)) FROM link AS l CROSS JOIN card_version AS v");
  return statement;
}

void add_version(PageSql& sql) { sql.rows(recap_kind::version, {{"text", "v.text"}}, "FROM card_version AS v"); }

std::string my_card_text() {
  PageSql sql({Model::people, Model::spaces, Model::tracking, Model::recaps}, "$1", recap_columns());
  add_my_recap(sql, door_clauses("$8"));
  add_version(sql);
  return sql.text();
}

std::string space_card_text() {
  PageSql sql({Model::people, Model::spaces, Model::tracking, Model::analytics, Model::recaps}, "$1", recap_columns());
  add_space_recap(sql, door_clauses("$8"));
  add_version(sql);
  return sql.text();
}

const pg::Statement& card_statement(bool of_space) {
  static const pg::Statement of_a_person(my_card_text());
  static const pg::Statement of_a_space(space_card_text());
  return of_space ? of_a_space : of_a_person;
}

// --------------------------------------------------------------------------------------------------------------------------- answers

struct CardQuery {
  std::optional<CardTheme> theme = {};
};
BOOST_DESCRIBE_STRUCT(CardQuery, (), (theme))

/// `<token>.svg` in its two parts; nothing if it is none.
std::optional<std::pair<std::string_view, CardFormat>> parts_of(std::string_view card) {
  constexpr std::size_t ending_size = 4;
  if (card.size() <= ending_size) return std::nullopt;
  const std::string_view token = card.substr(0, card.size() - ending_size), ending = card.substr(card.size() - ending_size);
  if (ending == ".svg") return std::pair(token, CardFormat::svg);
  if (ending == ".png") return std::pair(token, CardFormat::png);
  return std::nullopt;
}

http::Response bodiless(std::string tag, int status) {
  http::Response response;
  response.status = status;
  // Kept by whoever likes, and asked for again each time: a link can be taken back.
  response.headers = {{"ETag", std::move(tag)}, {"Cache-Control", "public, no-cache"}};
  return response;
}

http::Response picture_response(const std::string& version, CardFormat format, const std::string& picture) {
  http::Response response = bodiless(version, 200);
  response.content_type = format == CardFormat::svg ? "image/svg+xml" : "image/png";
  // An SVG opened by itself is a document: it may do nothing but be looked at.
  response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox");
  response.headers.emplace_back("Cross-Origin-Resource-Policy", "cross-origin");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.body = picture;
  return response;
}

}  // namespace

// ----------------------------------------------------------------------------------------------------------------------------- cache

CardCache::Picture CardCache::find(const std::string& version) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(version);
  if (place == places_.end()) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, place->second);
  return place->second->picture;
}

void CardCache::put(const std::string& version, Picture picture) {
  const std::lock_guard lock(mutex_);
  if (picture->size() > bytes_max_ || places_.contains(version)) return;
  bytes_ += picture->size();
  by_use_.push_front({version, std::move(picture)});
  places_[version] = by_use_.begin();
  while (bytes_ > bytes_max_) {
    bytes_ -= by_use_.back().picture->size();
    places_.erase(by_use_.back().version);
    by_use_.pop_back();
  }
}

// ----------------------------------------------------------------------------------------------------------------------------- cards

struct RecapCards::Asked {
  ClaimKey claim;
  CardTheme theme = CardTheme::pastel;
  CardFormat format = CardFormat::svg;
  std::optional<std::string> known;  ///< If-None-Match
  Uuid request_id;
  http::Responder answer = {};

  void refuse(const Problem& problem) { answer(to_response(problem, request_id)); }
  /// The entity tag of a picture of that version.
  std::string tag(const MasterKeys& keys, std::string_view version) const {
    const auto hash =
        keyed_hash(keys.claims, {"recap-card", drawing_version, version, json::name_of(theme), format == CardFormat::svg ? "svg" : "png"});
    return '"' + base64_url(as_text(hash)) + '"';
  }
  /// The same request without its way back.
  Asked without_answer() const { return {claim, theme, format, {}, request_id, {}}; }
};

/// What the link leads to.
struct RecapCards::Door {
  ProfileId shared_by;
  std::optional<WatchSpaceId> watch_space;
  RecapPeriod period;
};

RecapCards::RecapCards(const std::string& database_url, const MasterKeys& keys, Metrics& metrics)
    : keys_(keys),
      key_cache_(keys),
      drawing_seconds_(metrics.histogram("bloomwatch_recap_card_drawing_seconds", "Drawing a recap card", latency_bounds())),
      unchanged_(metrics.counter("bloomwatch_recap_card_unchanged_total", "Recap cards that their reader had already (304)")),
      kept_(metrics.counter("bloomwatch_recap_card_kept_total", "Recap cards that had been drawn before")),
      pool_("recap-cards", drawing_threads, drawing_queue_max),
      pipeline_(page_connection(database_url), [] {
        pg::Pipeline::Limits limits;
        limits.connections = 1;
        return limits;
      }()) {}

RecapCards::~RecapCards() { pool_.stop(); }

void RecapCards::add_route(http::Routes& routes) {
  routes.add(http::Method::get, "/api/recap-cards/{card}", http::Access::anyone,
             [this](const http::Request& request, http::Responder answer) { open(request, std::move(answer)); });
}

void RecapCards::open(const http::Request& request, http::Responder answer) {
  auto query = json::read_query<CardQuery>(request.query);
  if (!query) return answer(to_response(problems::wrong_fields(std::move(query.error())), request.request_id));
  const std::string card(request.path_param("card").value_or(""));
  const auto parts = parts_of(card);
  if (!parts) return answer(to_response(no_such_card(), request.request_id));
  Asked asked{.claim = recap_share_claim(keys_, parts->first),
              .theme = query->theme.value_or(CardTheme::pastel),
              .format = parts->second,
              .known = http::known_tags(request),
              .request_id = request.request_id,
              .answer = std::move(answer)};
  pg::Params params(asked.claim);
  pipeline_.submit(door_statement(), std::move(params),
                   [this, moved = std::move(asked)](std::expected<pg::Result, pg::Error> outcome) mutable {
                     enter(std::move(moved), std::move(outcome));
                   });
}

/// What of a link is known after one keyed read: that it leads nowhere, that nothing is new, or that its picture was drawn before.
void RecapCards::enter(Asked asked, std::expected<pg::Result, pg::Error> outcome) {
  if (!outcome) {
    if (outcome.error().sqlstate() == queue_full) return asked.refuse(problems::overloaded());
    return asked.refuse(problems::unavailable(asked.request_id, outcome.error().what()));
  }
  try {
    if (outcome->empty()) return asked.refuse(no_such_card());
    const pg::Row row = (*outcome)[0];
    if (row.get<bool>(4)) return asked.refuse(problems::read_model_behind());
    const auto period = RecapPeriod::from(row.get<std::string>(2));
    if (!period) return asked.refuse(no_such_card());
    const Door door{row.get<ProfileId>(0), row.get<std::optional<WatchSpaceId>>(1), *period};
    const std::string version = asked.tag(keys_, row.get<std::string_view>(3));
    if (asked.known && http::none_match_has(*asked.known, version)) {
      unchanged_.Increment();
      return asked.answer(bodiless(version, 304));
    }
    if (const auto picture = cache_.find(version)) {
      kept_.Increment();
      return asked.answer(picture_response(version, asked.format, *picture));
    }
    const Asked again = asked.without_answer();
    if (wait_for(version, asked).value_or(false)) read(again, door, version);
  } catch (const std::exception& error) {
    if (asked.answer) return asked.refuse(problems::internal(asked.request_id, error.what()));
    log::error("recap-cards", "a card could not be looked up", {{"request", asked.request_id}, {"error", error.what()}});
  }
}

void RecapCards::read(const Asked& asked, const Door& door, const std::string& version) {
  pg::Params params = recap_params(door.watch_space ? door.watch_space->uuid : door.shared_by.uuid, door.period, now());
  params.add(asked.claim);
  pipeline_.submit(card_statement(door.watch_space.has_value()), std::move(params),
                   [this, again = asked.without_answer(), door, version](std::expected<pg::Result, pg::Error> outcome) {
                     took(again, door, version, std::move(outcome));
                   });
}

void RecapCards::took(const Asked& asked, const Door& door, const std::string& version, std::expected<pg::Result, pg::Error> outcome) {
  if (!outcome) {
    return refuse_all(version, [&](const Uuid& id) { return problems::unavailable(id, outcome.error().what()); });
  }
  try {
    const PageRows rows(*outcome);
    Keyring keys(key_cache_);
    std::optional<RecapCard> card;
    if (door.watch_space) {
      if (const auto recap = read_space_recap(rows, door.period, now(), keys, RecapMembers::agreed)) card = card_of(*recap);
    } else if (const auto recap = read_my_recap(rows, door.period, now(), keys); recap && recap->display_name) {
      card = card_of(*recap);
    }
    const PageRows::Range found = rows.of(recap_kind::version);  // none: revoked since
    if (found.empty() || !card) return refuse_all(version, [](const Uuid&) { return no_such_card(); });
    draw(asked, version, asked.tag(keys_, found.front().get<std::string_view>(PageRows::text_column)), std::move(*card));
  } catch (const std::exception& error) {
    refuse_all(version, [&](const Uuid& id) { return problems::internal(id, error.what()); });
  }
}

/// `version`: what the requests that wait have asked for; `drawn_version`: what was read for them, which may be newer.
void RecapCards::draw(const Asked& asked, const std::string& version, const std::string& drawn_version, RecapCard card) {
  WorkPool::Job job = [this, theme = asked.theme, format = asked.format, version, drawn_version, card = std::move(card)] {
    try {
      const auto began = std::chrono::steady_clock::now();
      const auto picture = std::make_shared<const std::string>(draw_card(card, theme, format));
      drawing_seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
      cache_.put(drawn_version, picture);
      for (Waiter& waiter : waiters_of(version)) waiter.answer(picture_response(drawn_version, format, *picture));
    } catch (const std::exception& error) {
      refuse_all(version, [&](const Uuid& id) { return problems::internal(id, error.what()); });
    }
  };
  if (!pool_.submit(job)) refuse_all(version, [](const Uuid&) { return problems::overloaded(); });
}

std::optional<bool> RecapCards::wait_for(const std::string& version, Asked& asked) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_count_ < waiting_max) {
      ++waiting_count_;
      auto& waiters = waiting_[version];
      waiters.push_back({asked.request_id, std::move(asked.answer)});
      return waiters.size() == 1;
    }
  }
  asked.refuse(problems::overloaded());
  return std::nullopt;
}

std::vector<RecapCards::Waiter> RecapCards::waiters_of(const std::string& version) {
  const std::lock_guard lock(mutex_);
  std::vector<Waiter> waiters = std::move(waiting_[version]);
  waiting_.erase(version);
  waiting_count_ -= waiters.size();
  return waiters;
}

void RecapCards::refuse_all(const std::string& version, const std::function<Problem(const Uuid&)>& problem) {
  for (Waiter& waiter : waiters_of(version)) waiter.answer(to_response(problem(waiter.request_id), waiter.request_id));
}

}  // namespace bloomwatch
