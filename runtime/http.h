// HTTP/1.1 as the services see it: a request, a response, routes and a server. Beast and Asio stay behind it, in http.cpp.
// A handler gets a request and a responder that it may call later, from any thread, once; answers leave each connection in the order of
// its requests. Limits are named in ServerOptions and RouteOptions; what breaks them is answered as problem+json before a handler sees it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/trusted_proxies.h"
#include "runtime/uuid.h"

namespace bloomwatch {
struct Problem;
}

namespace bloomwatch::http {

enum class Method { get, head, post, put, patch, del, options, other };

/// `GET`, `DELETE` …
std::string_view to_string(Method method);

/// Who may use a route. Whoever makes a route's handler enforces it, and a test walks the table; a HeaderCheck may refuse earlier.
enum class Access { anyone, signed_in, member, owner, moderator, admin, operators };

/// `anyone`, `signed-in` …
std::string_view to_string(Access access);

/// What a route takes as its body. `none`: a body is read and thrown away. `any`: whatever its Content-Type.
enum class Content { json, any, none };

inline constexpr std::size_t body_bytes_max_default = 1'048'576;

struct RouteOptions {
  std::size_t body_bytes_max = body_bytes_max_default;  ///< larger: 413
  std::optional<Content> content = {};                  ///< default: none for GET, else json
  bool body_required = false;                           ///< neither Content-Length nor chunked: 411
};

/// Decoded names and values, in their order.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// One request, whole: headers and body have been read and are within their limits. A value: keeps nothing of the connection.
struct Request {
  Method method = Method::get;  ///< GET for a HEAD on a GET route
  std::string path;             ///< as sent, without the query, not decoded
  std::string_view pattern;     ///< of the route, `/api/watch-spaces/{watchSpace}`; lives as long as the server
  Access access = Access::anyone;
  Parameters path_params;  ///< by the names of the pattern, decoded, UTF-8
  Parameters query;        ///< decoded, UTF-8
  std::string body;
  Uuid request_id;      ///< fresh, version 7; answered as X-Request-Id
  Uuid correlation_id;  ///< from X-Correlation-Id (a UUID) or traceparent (its trace id); else the request's own id
  std::string peer;     ///< the client's address without port, see ServerOptions::trusted_proxies
  std::chrono::steady_clock::time_point received_at = {};

  /// The value of the first header of that name (any case); several lines of one name are not joined.
  std::optional<std::string_view> header(std::string_view name) const;
  /// The values of all headers of that name as the one list that they are, joined by commas (RFC 9110 §5.3).
  std::optional<std::string> header_list(std::string_view name) const;
  /// The token of `Authorization: Bearer …` (RFC 9110 §11.4, RFC 6750 §2.1); nothing where no token or another scheme came.
  std::optional<std::string_view> bearer_token() const;
  /// The first query parameter of that name.
  std::optional<std::string_view> query_param(std::string_view name) const;
  /// The path parameter of that name.
  std::optional<std::string_view> path_param(std::string_view name) const;

  /// Adds a header; for tests and the server.
  void add_header(std::string_view name, std::string_view value);

 private:
  struct Field {
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  std::string header_text_;
  std::vector<Field> fields_;
};

/// One answer. The server adds Date, Content-Length, X-Request-Id, X-Content-Type-Options and, below /api, Cache-Control: no-store unless
/// set.
struct Response {
  int status = 200;
  std::string content_type = {};  ///< empty: no body is described
  Parameters headers = {};
  std::string body = {};
  // For the log only, never sent:
  Uuid user = {};          ///< whom the request spoke for, as its responder was told
  std::string cause = {};  ///< what was broken
};

/// A 200 (or other) answer of JSON text.
Response json_response(std::string body, int status = 200);

class Connection;

/// The way back for one answer. Move-only; call it once, from any thread; answers given from outside the server's threads cost one post for
/// all that gather meanwhile. Let go without an answer, it answers 500 by itself. After the server or the connection is gone it does
/// nothing.
class Responder {
 public:
  Responder() = default;
  Responder(std::shared_ptr<Connection> connection, std::uint64_t slot);
  /// For tests and for requests that do not come from a socket: `sink` gets the answer.
  explicit Responder(std::move_only_function<void(Response)> sink);
  Responder(Responder&& other) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  void operator()(Response response);
  /// Says whom the request speaks for, once that is known: for the line that is logged of it.
  void speaks_for(const Uuid& user) { user_ = user; }
  /// Whether it still waits for its answer.
  explicit operator bool() const { return connection_ || sink_; }

 private:
  void abandon() noexcept;

  std::shared_ptr<Connection> connection_;
  std::uint64_t slot_ = 0;
  Uuid user_;
  std::move_only_function<void(Response)> sink_;
};

/// While one lives, answers that its thread gives to connections of servers are kept, and go on their way when it ends: for who has many
/// answers at once, so that each of the server's threads is woken once for all, and not by the first of them. One in another does nothing.
class AnswersTogether {
 public:
  AnswersTogether();
  ~AnswersTogether();
  AnswersTogether(const AnswersTogether&) = delete;
  AnswersTogether& operator=(const AnswersTogether&) = delete;

 private:
  bool outermost_;
};

/// Called on any of the server's threads, several at once; must not block. What it throws is logged and answered 503 with an incident id.
using Handler = std::move_only_function<void(Request, Responder) const>;

/// What is asked once a request's header is read and its body is still to come: why it is refused, nothing if it may go on. As a Handler.
using HeaderCheck = std::move_only_function<std::optional<Problem>(const Request&) const>;

/// One line of the route table.
struct RouteEntry {
  Method method;
  std::string pattern;
  Access access;
  RouteOptions options;
};

/// Method and pattern → handler. Patterns are `/literal/{parameter}/…`; where both would do, a literal segment wins over a parameter.
/// Filled before the server starts, read-only after. Two routes of the same method and shape break an invariant.
class Routes {
 public:
  Routes();
  Routes(Routes&&) noexcept;
  Routes& operator=(Routes&&) noexcept;
  ~Routes();

  void add(Method method, std::string_view pattern, Access access, Handler handler, RouteOptions options = {});

  /// Asked on every route that is not for anyone, so that only those who may send a body fill the room that there is for all bodies
  /// (ServerOptions::bodies_bytes_max). A body takes its time to come, and the handler checks again.
  void check_headers(HeaderCheck check);
  /// Empty if there is none.
  const HeaderCheck& header_check() const;

  /// All routes in the order of their adding: for tests that walk them, and for descriptions.
  const std::vector<RouteEntry>& table() const;

  /// A route that fits a path.
  struct Match {
    const Handler* handler = nullptr;   ///< null: no route, or none of that method
    const RouteEntry* entry = nullptr;  ///< of the handler
    Parameters path_params;             ///< of the handler
    std::string allow;                  ///< the methods of routes that fit the path, `GET, HEAD, OPTIONS`; empty: not found
    bool malformed = false;             ///< the path's percent-encoding or UTF-8 is broken
  };
  /// Finds by the path as sent (not decoded, without the query). HEAD finds GET.
  Match find(Method method, std::string_view path) const;

  /// Runs a request through the routes without a socket: finds, fills `path_params`, calls. For tests and in-process requests.
  void dispatch(Request request, Responder responder) const;

 private:
  struct Tree;
  std::unique_ptr<Tree> tree_;
};

inline constexpr std::size_t route_none = static_cast<std::size_t>(-1);

/// What is told of each answer, to count it.
struct Exchange {
  std::size_t route;         ///< index in Routes::table(); route_none where none was found
  std::string_view pattern;  ///< empty where no route was found
  Method method;
  int status;
  std::chrono::nanoseconds duration;  ///< from the whole header read to the answer given
  std::size_t body_bytes;             ///< of the answer
};

/// Called on the server's threads for each answer.
using Observer = std::move_only_function<void(const Exchange&) const>;

struct ServerOptions {
  std::string bind = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one, see Server::port()
  unsigned threads = 2;
  std::size_t header_bytes_max = 16'384;              ///< request line and headers; more: 431
  std::size_t bodies_bytes_max = 268'435'456;         ///< of all bodies being read at once, those of over 64 KiB half of it; more: 503
  std::size_t answers_bytes_max = 268'435'456;        ///< of all answers not taken yet; more: who has most of them waiting is closed
  std::size_t connections_max = 10'000;               ///< more: 503 and closed
  std::size_t pipelined_max = 64;                     ///< unanswered requests of one connection; more are not read yet
  std::size_t query_params_max = 64;                  ///< more: 400
  std::chrono::milliseconds idle_max{60'000};         ///< between requests; then closed
  std::chrono::milliseconds request_max{30'000};      ///< from a request's first byte to its last; then 408
  std::chrono::milliseconds write_stall_max{30'000};  ///< a client that takes no byte of its answers; then closed
  std::chrono::milliseconds drain_max{10'000};        ///< how long stop() waits for answers in flight
  std::string server_name = {};                       ///< the Server header; empty: none
  TrustedProxies trusted_proxies = {};                ///< who may say whom a request is from
  Observer on_answered = {};
  bool log_requests = true;  ///< a line for each at level debug, and for those that failed here (5xx) always
};

/// Listens from the constructor on (throws std::system_error if it cannot bind), answers between start() and stop().
class Server {
 public:
  Server(Routes routes, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  const Routes& routes() const;
  /// Starts the threads. Once.
  void start();
  /// Accepts no more, closes idle connections, lets answers in flight out for at most drain_max, ends the threads. Blocks; may be repeated.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Decodes percent-encoding (and `+` as a space where `plus_is_space`). Nothing if it is malformed, holds U+0000 or is no UTF-8.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// Splits and decodes `a=1&b=2`. Nothing if malformed or more than `params_max`.
std::optional<Parameters> parse_query(std::string_view text, std::size_t params_max);

}  // namespace bloomwatch::http
