// What every page does alike: who asks, what is asked, one statement, how new its rows are, then JSON. A page says only what is its own
// (the Page concept below); it is added with one line in service.cpp.
// A page that is older than `?atLeast=` is not shown: it waits for the models that it reads, and is asked again.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <expected>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "events/access.h"
#include "events/position_token.h"
#include "query-service/as_of.h"
#include "query-service/cursor.h"
#include "query-service/keyring.h"
#include "query-service/limit.h"
#include "query-service/page_rows.h"
#include "query-service/page_wait.h"
#include "query-service/waiting.h"
#include "runtime/http.h"
#include "runtime/hub.h"
#include "runtime/json.h"
#include "runtime/postgres.h"
#include "runtime/problem.h"

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace bloomwatch {

class Metrics;

/// What every page's query may say. A page inherits it, or ListQuery, and adds its path's ids and its own parameters.
struct PageQuery {
  std::optional<PositionToken> at_least = {};  ///< older than this is not shown
};
BOOST_DESCRIBE_STRUCT(PageQuery, (), (at_least))

/// Items of a list.
using PageLimit = Limit<200, 50>;

struct ListQuery : PageQuery {
  std::optional<PageLimit> limit = {};
  std::optional<std::string> cursor = {};

  std::int64_t items_max() const { return limit.value_or(PageLimit{}).value; }
};
BOOST_DESCRIBE_STRUCT(ListQuery, (PageQuery), (limit, cursor))

/// Who asks for a page, when and where.
struct Visit {
  Principal by;
  std::string path;   ///< as sent, without the query
  std::string epoch;  ///< the present one
  Time now;
  const Cursors* cursors = nullptr;
  std::optional<Position> as_of = {};  ///< where the page is shown as it was; none: as it is
  bool may_see_invitations = true;     ///< of the space, where they were its owner then: whether they are today

  /// What a cursor is a place in: a list of then goes on as of then.
  std::string list() const { return as_of ? path + "?asOf=" + PositionToken{epoch, *as_of}.wire() : path; }
  /// Where a list goes on: the same path and limit, from the place on. The cursor carries sort and filters.
  template <class Place>
  std::string next(const ListQuery& query, const Place& place) const {
    return list() + (as_of ? "&limit=" : "?limit=") + std::to_string(query.items_max()) + "&cursor=" + cursors->make(epoch, list(), place);
  }
};

/// The statement of a page and its parameters.
struct Question {
  const pg::Statement* statement;
  pg::Params params;
};

/// A page as JSON; a list also says where it goes on.
struct Shown {
  std::string body;
  std::optional<std::string> next = {};
  std::string content_type = {};  ///< empty: JSON
  /// Not shown: the lean statement did not bring all that is needed, and the page will ask thoroughly now. Never said twice.
  bool ask_again = false;

  static Shown again() { return {{}, {}, {}, true}; }
};

/// `{"items": […], "next": …}`, rendered item by item.
template <class Items>
Shown show_list(const Items& items, std::optional<std::string> next) {
  Shown shown;
  shown.body = "{\"items\":";
  json::write(shown.body, items);
  shown.body += ",\"next\":";
  json::write(shown.body, next);
  shown.body += '}';
  shown.next = std::move(next);
  return shown;
}

/// A page: a described struct that derives from PageQuery and has the parameters of its path and its query by name.
/// `models`: those that its statement reads. `access` member: rows of kind row_kind::member say who may see it. `access` admin: a row of
/// kind row_kind::admin says that who asks may see it (add_admin); nobody else is told what is wrong with what they ask.
/// `ask` makes the question and may be called again; `show` renders what came, or says that `ask` now has a better question. What is shown
/// comes from one run of one statement always. Both are pure but for what they keep in the page.
/// One with `take_accept(std::string_view)` is told the Accept header, if there is one.
/// One with `prepare(visit, at_least, deadline, go_on)` gets ready outside Postgres first, elsewhere, and then calls
/// `go_on(std::expected<Position, Problem>)`, once: up to where what it has is known, which bounds the position that the answer names.
/// One with a parameter `as_of`, of a space, can also be shown as it was (query-service/as_of.h).
template <class P>
concept Page = std::derived_from<P, PageQuery> && requires(P page, const Visit& visit, const PageRows& rows, Keyring& keys) {
  { P::pattern } -> std::convertible_to<std::string_view>;
  { P::access } -> std::convertible_to<http::Access>;
  { std::span<const Model>(P::models) };
  { page.ask(visit) } -> std::same_as<std::expected<Question, Problem>>;
  { page.show(rows, visit, keys) } -> std::same_as<std::expected<Shown, Problem>>;
};

/// How to connect for page statements. They are keyed index reads, whatever the statistics say of a table that was just filled: their plan
/// is made once, and only of index scans and nested loops, which also keep the order of their outer rows. Read-only.
pg::Options page_connection(const std::string& database_url);

/// What is told of a space that is not there or not one's own: nothing that would tell the two apart.
Problem no_such_space();
/// Likewise of an anime, a session.
Problem no_such_anime();

/// What those are told who are no admins, whatever they ask.
Problem admins_only();
/// Adds the branch of row_kind::admin, for the account of parameter $1. The page reads Model::people.
void add_admin(PageSql& sql);

/// A page under way: its request, its question, how long it may wait. The typed rest is below.
class OpenPage {
 public:
  OpenPage(const http::Request& request, http::Responder answer);
  virtual ~OpenPage() = default;
  /// Whether `prepare` must have gone on before it is asked.
  virtual bool prepares() const { return false; }
  /// Gets ready what its question rests on, and calls once, from any thread, with what stands against it if something does.
  virtual void prepare(std::move_only_function<void(std::expected<void, Problem>)>) {}
  virtual std::expected<Question, Problem> ask() = 0;
  virtual std::expected<Shown, Problem> show(const PageRows& rows, Keyring& keys) = 0;

  std::string_view pattern;
  std::span<const Model> models;
  bool members_only = false;
  bool admins_only = false;
  std::optional<Problem> refusal = {};  ///< what admins are told instead of the page
  std::optional<AsOf> as_of = {};
  WatchSpaceId space = {};  ///< whose past it is, with `as_of`
  Visit visit;
  Position at_least = 0;
  Position known_up_to = std::numeric_limits<Position>::max();  ///< what it shows beside its rows
  std::chrono::steady_clock::time_point asked_at;
  std::chrono::steady_clock::time_point deadline;
  std::optional<std::chrono::seconds> preferred_wait;  ///< as the client asked, if it did
  std::optional<std::string> known;                    ///< the tags of what the client has already
  bool negotiates = false;                             ///< the Accept header has a say in what is shown
  bool waited = false;
  int runs = 0;
  std::size_t route = 0;
  Uuid request_id;
  http::Responder answer;
};

/// Answers pages from the read models. Safe from all threads; the routes that it is given must be gone before it is.
class Pages {
 public:
  struct Options {
    std::string database_url;
    std::size_t connections = 2;  ///< for pages; two keep two cores busy
  };

  /// Connects in the background: pages answer 503 until Postgres can be reached. All references outlive it.
  Pages(const Options& options, const MasterKeys& keys, const Authenticator& who, Hub& hub, Metrics& metrics);
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  /// Adds a page's route. `equip` gives each page what it needs beside its parameters.
  template <Page P, std::invocable<P&> Equip>
  void add(http::Routes& routes, Equip equip) {
    const std::size_t route = add_route(P::pattern);
    routes.add(http::Method::get, P::pattern, P::access, [this, route, equip](const http::Request& request, http::Responder answer) {
      open<P>(route, equip, request, std::move(answer));
    });
  }
  template <Page P>
  void add(http::Routes& routes) {
    add<P>(routes, [](P&) {});
  }

  /// Whether the database has been reached.
  bool ready() const;

 private:
  struct Route;
  template <Page P>
  class Typed;

  std::size_t add_route(std::string_view pattern);
  template <Page P>
  void open(std::size_t route, const std::invocable<P&> auto& equip, const http::Request& request, http::Responder answer);
  /// Who asks; nothing if the request was answered.
  std::optional<Principal> admit(const http::Request& request, http::Responder& answer) const;
  void begin(std::unique_ptr<OpenPage> page, const http::Request& request, const Principal& by,
             const std::optional<PositionToken>& at_least);
  void run(std::unique_ptr<OpenPage> page);
  std::optional<Model> known_to_be_behind(const OpenPage& page) const;
  void wait(std::unique_ptr<OpenPage> page, Model model);
  void submit(std::unique_ptr<OpenPage> page, Question question);
  void took(std::unique_ptr<OpenPage> page, std::expected<pg::Result, pg::Error> outcome);
  void refuse_parked(OpenPage& page, const PageRows& rows);
  void render(std::unique_ptr<OpenPage> page, const PageRows& rows);
  void finish(OpenPage& page, Position position, std::expected<Shown, Problem> shown);
  void refuse(OpenPage& page, const Problem& problem);
  std::string epoch() const;
  void look_at_epoch();
  void look_at_checkpoints();
  void took_checkpoints(const pg::Result& checkpoints);
  const PartitionHeads& partition_heads();

  KeyCache keys_;
  Cursors cursors_;
  const Authenticator& who_;
  Metrics& metrics_;
  std::vector<std::unique_ptr<Route>> routes_;
  mutable std::mutex epoch_mutex_;
  std::string epoch_;  // empty: not known yet
  const std::string database_url_;
  Hub& hub_;
  std::mutex heads_mutex_;
  std::unique_ptr<PartitionHeads> heads_;  // from when checkpoints are first seen to be kept by partition
  std::atomic<int> looks_ = 0;             // at the checkpoints, asked for and not answered
  Waiting waiting_;
  std::unique_ptr<PastPages> past_;  // the pipeline's last answers may still go there
  pg::Pipeline pipeline_;
  std::jthread watch_;  // the epoch, once a second; last, so that it ends first
};

// ---------------------------------------------------------------------------------------------------------------------------------

template <Page P>
class Pages::Typed final : public OpenPage {
 public:
  Typed(P page, const http::Request& request, http::Responder responder) : OpenPage(request, std::move(responder)), page_(std::move(page)) {
    pattern = P::pattern;
    models = P::models;
    members_only = P::access == http::Access::member || P::access == http::Access::owner;
    admins_only = P::access == http::Access::admin;
    negotiates = requires { page_.take_accept(std::string_view()); };
    if constexpr (requires { page_.as_of; }) {
      as_of = page_.as_of;
      space = page_.watch_space;
    }
  }
  bool prepares() const override { return preparing; }
  void prepare(std::move_only_function<void(std::expected<void, Problem>)> go_on) override {
    if constexpr (preparing)
      page_.prepare(visit, at_least, deadline, [this, go_on = std::move(go_on)](std::expected<Position, Problem> ready) mutable {
        if (!ready) return go_on(std::unexpected(std::move(ready.error())));
        known_up_to = *ready;
        go_on({});
      });
  }
  std::expected<Question, Problem> ask() override { return page_.ask(visit); }
  std::expected<Shown, Problem> show(const PageRows& rows, Keyring& keys) override { return page_.show(rows, visit, keys); }

 private:
  static constexpr bool preparing =
      requires(P page, const Visit& of, std::move_only_function<void(std::expected<Position, Problem>)> go_on) {
        page.prepare(of, Position(), std::chrono::steady_clock::time_point(), std::move(go_on));
      };

  P page_;
};

/// Path and query into a page's members by name; what is wrong in the path is not found, in the query 400.
template <Page P>
std::expected<P, Problem> read_page(const http::Request& request) {
  json::Parameters parameters = request.path_params;
  parameters.insert(parameters.end(), request.query.begin(), request.query.end());
  auto page = json::read_query<P>(parameters);
  if (page) return std::move(*page);
  for (json::FieldError& error : page.error()) {
    const bool in_path = request.path_param(std::string_view(error.pointer).substr(1)).has_value();
    const bool in_query = request.query_param(std::string_view(error.pointer).substr(1)).has_value();
    if (in_path && !in_query) error.in = json::In::path;
  }
  return std::unexpected(problems::wrong_fields(std::move(page.error())));
}

template <Page P>
void Pages::open(std::size_t route, const std::invocable<P&> auto& equip, const http::Request& request, http::Responder answer) {
  const auto by = admit(request, answer);
  if (!by) return;
  auto read = read_page<P>(request);
  std::optional<Problem> refusal;
  if (!read) {
    if constexpr (P::access != http::Access::admin) return answer(to_response(read.error(), request.request_id));
    refusal = std::move(read.error());
    read.emplace();
  }
  if constexpr (requires { read->take_accept(std::string_view()); })
    if (const auto accept = request.header("Accept")) read->take_accept(*accept);
  equip(*read);
  const auto at_least = read->at_least;
  auto page = std::make_unique<Typed<P>>(std::move(*read), request, std::move(answer));
  page->route = route;
  page->refusal = std::move(refusal);
  begin(std::move(page), request, *by, at_least);
}

}  // namespace bloomwatch
