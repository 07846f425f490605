// The life of a connection. Source of the rules: RFC 9110, RFC 9112.
#include "runtime/http_connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/beast/http/error.hpp>
#include <exception>
#include <utility>

#include "runtime/ascii.h"
#include "runtime/http_answer.h"
#include "runtime/invariant.h"
#include "runtime/logging.h"

namespace bloomwatch::http {
namespace {

namespace asio = boost::asio;
namespace parsing = boost::beast::http;
using Error = boost::system::error_code;

constexpr std::size_t read_bytes_at_start = 4'096;
constexpr std::size_t read_bytes_for_body = 65'536;
constexpr std::size_t read_bytes_kept_max = 16'384;
/// Answers waiting for a client that takes none, or for those before them: above this, its further requests are not read.
constexpr std::size_t unsent_bytes_max = 1'048'576;
/// After a last answer, what still arrives is thrown away for so long, so that the client can read that answer before a reset.
constexpr std::chrono::milliseconds linger_max{1'000};
constexpr std::size_t linger_bytes_max = 4'194'304;
/// Buffers that grew beyond this are given back when they are empty.
constexpr std::size_t buffer_bytes_kept_max = 65'536;

/// What is said for a handler that gave no answer.
Response given_up(const Response& by_handler, const Uuid& request_id) {
  Response response = to_response(by_handler.status == status_threw ? problems::unavailable(request_id, "the handler threw")
                                                                    : problems::internal(request_id, "the handler gave no answer"),
                                  request_id);
  response.user = by_handler.user;
  return response;
}

/// What routes call the watch space that they are about.
constexpr std::string_view space_param = "watchSpace";

}  // namespace

void Connection::answer(std::uint64_t slot, Response response) {
  if (this_io_thread == io_.get() && dispatching_ == slot) return complete(slot, std::move(response));
  deliver({shared_from_this(), slot, std::move(response)});
}

void Connection::complete(std::uint64_t slot, Response response) {
  if (aborted_ || slot < first_slot_) {
    if (!response.cause.empty()) log::error("http", "an answer came too late", {{"user", response.user}, {"error", response.cause}});
    return;
  }
  const std::size_t index = slot - first_slot_;
  invariant(index < pending_.size() && !pending_[index].answered, "a request is answered once");
  Pending& pending = pending_[index];
  if (response.status < 0) response = given_up(response, pending.request_id);
  const Clock::duration took = Clock::now() - pending.received_at;
  if (io_->share.options.on_answered)
    io_->share.options.on_answered({pending.route, pending.pattern, pending.method, response.status, took, response.body.size()});
  if (io_->share.options.log_requests) note(pending, response, took);
  pending.answered = true;
  const bool last = (!pending.keep_alive) || (index + 1 == pending_.size() && (ending_ || (io_->draining && state_ == State::between)));
  if (last) ending_ = true;
  append_answer(index == 0 ? out_ : pending.bytes, response,
                {pending.request_id, pending.pattern, io_->date_line, io_->share.options.server_name, pending.method == Method::head, last,
                 pending.http_1_0});
  pop_answered();
}

/// The line of a request: it has the route's pattern and never the path, which may hold a token. Who is turned away because too much is
/// asked (503) is counted; a line for each would only be more to do.
void Connection::note(const Pending& pending, const Response& response, Clock::duration took) const {
  const bool failed = !response.cause.empty();
  const log::Level level = failed ? log::Level::error : log::Level::debug;
  if (!log::is_on(level) || (failed && !io_->may_say_failure())) return;
  const std::uint64_t unsaid = failed ? std::exchange(io_->failures_unsaid, 0) : 0;
  log::write(level, "http", "answered",
             {{"request", pending.request_id},
              {"correlation", pending.correlation_id},
              {"user", response.user},
              {"space", pending.space},
              {"method", to_string(pending.method)},
              {"route", pending.pattern},
              {"status", response.status},
              {"milliseconds", std::chrono::duration<double, std::milli>(took).count()},
              {"error", response.cause},
              {"unsaid", unsaid == 0 ? std::string() : std::to_string(unsaid)}});
}

void Connection::pop_answered() {
  while (!pending_.empty() && pending_.front().answered) {
    out_ += pending_.front().bytes;
    pending_.pop_front();
    ++first_slot_;
  }
  if (!pending_.empty()) return;
  active_at_ = io_->clock;
  if (continue_due_) say_continue();
}

std::size_t Connection::answer_bytes_held() const {
  std::size_t bytes = out_.size() + in_flight_.size();
  for (const Pending& pending : pending_) bytes += pending.bytes.size();
  return bytes;
}

void Connection::flush() {
  if (aborted_) return;
  if (!writing_ && !out_.empty()) {
    Error error;
    const std::size_t sent = socket_.write_some(asio::buffer(out_), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) return abort();
    if (sent == out_.size()) {
      out_.clear();
      if (out_.capacity() > buffer_bytes_kept_max) out_.shrink_to_fit();
    } else {
      in_flight_.swap(out_);
      out_.clear();
      in_flight_sent_ = sent;
      writing_ = true;
      write_rest();
    }
  }
  notify();
}

void Connection::write_rest() {
  write_deadline_ = io_->clock + io_->share.options.write_stall_max + tick_max;
  socket_.async_write_some(asio::buffer(in_flight_.data() + in_flight_sent_, in_flight_.size() - in_flight_sent_),
                           [self = shared_from_this()](const Error& error, std::size_t sent) {
                             if (self->aborted_) return;
                             // A timeout cancels the read, and with it this write, which simply goes on.
                             if (error && error != asio::error::operation_aborted) return self->abort();
                             self->in_flight_sent_ += sent;
                             if (self->in_flight_sent_ < self->in_flight_.size()) return self->write_rest();
                             self->in_flight_.clear();
                             if (self->in_flight_.capacity() > buffer_bytes_kept_max) self->in_flight_.shrink_to_fit();
                             self->writing_ = false;
                             self->active_at_ = self->io_->clock;
                             self->flush();
                           });
}

// Requests ---------------------------------------------------------------------------------------------------------------------------

Connection::Step Connection::advance() {
  while (!ending_) {
    if (state_ == State::between) {
      if (const Step step = begin(); step != Step::read || state_ == State::between) return step;
    }
    if (state_ == State::header) {
      if (const auto step = parse_header()) return *step;
    }
    if (state_ == State::body) {
      if (const auto step = parse_body()) return *step;
    }
    state_ = State::between;
    on_request();
    parser_.reset();
  }
  return Step::end;
}

/// Begins a request if there is something to begin with.
Connection::Step Connection::begin() {
  // Some clients end a body with a line break too many (RFC 9112 §2.2).
  while (in_begin_ < in_end_ && (in_[in_begin_] == '\r' || in_[in_begin_] == '\n')) ++in_begin_;
  if (in_begin_ == in_end_) {
    in_begin_ = in_end_ = 0;
    if (in_.size() > read_bytes_kept_max) in_ = std::vector<char>(read_bytes_at_start);
    if (!io_->draining) return Step::read;
    ending_ = true;
    return Step::end;
  }
  if (pending_.size() >= io_->share.options.pipelined_max || answer_bytes_held() > unsent_bytes_max) return Step::pause;
  parser_ = std::make_unique<Parser>(io_->body_bytes_held, io_->share.options.bodies_bytes_max / io_->share.options.threads);
  parser_->header_limit(static_cast<std::uint32_t>(io_->share.options.header_bytes_max));
  header_bytes_ = 0;
  refusal_.reset();
  state_ = State::header;
  request_deadline_ = io_->clock + io_->share.options.request_max;
  return Step::read;
}

/// Nothing: the header is whole. Else what to do about it.
std::optional<Connection::Step> Connection::parse_header() {
  while (!parser_->is_header_done()) {
    Error error;
    const std::size_t used = parser_->put(asio::const_buffer(in_.data() + in_begin_, in_end_ - in_begin_), error);
    in_begin_ += used;
    header_bytes_ += used;
    const bool more = error == parsing::error::need_more;
    const std::size_t bytes_max = io_->share.options.header_bytes_max;
    if (error == parsing::error::header_limit || header_bytes_ + (more ? in_end_ - in_begin_ : 0) > bytes_max)
      return fail(parser_->target.empty() ? problems::uri_too_long() : problems::header_too_large(bytes_max));
    if (more) return make_room(), Step::read;
    if (error) return fail(error);
  }
  on_header();
  return ending_ ? std::optional(Step::end) : std::nullopt;
}

std::optional<Connection::Step> Connection::parse_body() {
  while (!parser_->is_done()) {
    if (in_begin_ == in_end_) return make_room(), Step::read;
    Error error;
    in_begin_ += parser_->put(asio::const_buffer(in_.data() + in_begin_, in_end_ - in_begin_), error);
    if (parser_->body_refusal != Parser::BodyRefusal::none) return fail(why_no_body());
    if (error == parsing::error::need_more) {
      // What is not consumed here is a chunk's head or the trailer.
      if (in_end_ - in_begin_ >= io_->share.options.header_bytes_max)
        return fail(problems::header_too_large(io_->share.options.header_bytes_max));
      return make_room(), Step::read;
    }
    if (error) return fail(error);
  }
  return std::nullopt;
}

Problem Connection::why_no_body() {
  if (refusal_) return *refusal_;
  if (parser_->body_refusal == Parser::BodyRefusal::too_many_held) return problems::overloaded();
  return problems::payload_too_large(parser_->body_bytes_max);
}

/// Room for at least one more byte behind what is unread.
void Connection::make_room() {
  if (in_begin_ > 0) {
    std::copy(in_.begin() + static_cast<std::ptrdiff_t>(in_begin_), in_.begin() + static_cast<std::ptrdiff_t>(in_end_), in_.begin());
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  const bool in_body = state_ == State::body && in_.size() < read_bytes_for_body;
  if (in_body && parser_->content_length_remaining().value_or(read_bytes_for_body) > in_.size())
    in_.resize(read_bytes_for_body);
  else if (in_end_ == in_.size())
    in_.resize(in_.size() * 2);
}

void Connection::on_header() {
  Request& request = parser_->request;
  request.received_at = Clock::now();
  request.request_id = io_->request_ids.next();
  request.correlation_id = correlation_of(request).value_or(request.request_id);
  const TrustedProxies& proxies = io_->share.options.trusted_proxies;
  request.peer = proxies ? proxies.client(peer_, request.header_list("X-Forwarded-For")) : peer_;
  refusal_ = look_at_header();
  if (ending_) return;
  state_ = State::body;
  if (parser_->is_done()) return;
  if (refusal_) {
    const auto length = parser_->content_length();
    if (parser_->expects_continue || (length && *length > discarded_bytes_max)) {
      fail(*refusal_);
      return;
    }
    parser_->keeps_body = false;
    parser_->body_bytes_max = discarded_bytes_max;
  } else if (parser_->expects_continue && in_begin_ == in_end_) {
    continue_due_ = true;
    if (pending_.empty()) say_continue();
  }
}

void Connection::say_continue() {
  continue_due_ = false;
  out_ += "HTTP/1.1 100 Continue\r\n\r\n";
}

/// Why this request is refused before its body is read, if it is. What leaves the connection unusable ends it here.
std::optional<Problem> Connection::look_at_header() {
  if (parser_->has_transfer_encoding && !parser_->only_chunked) {
    fail(problems::not_implemented("Only the transfer coding `chunked` is understood."));
    return std::nullopt;
  }
  // RFC 9112 §6.1: what a sender of HTTP/1.0 means by it nobody knows, nor where the next request begins.
  if (parser_->has_transfer_encoding && parser_->version < 11) {
    fail(problems::malformed("HTTP/1.0 has no Transfer-Encoding."));
    return std::nullopt;
  }
  if (parser_->hosts > 1 || (parser_->hosts == 0 && parser_->version == 11)) {
    fail(problems::malformed("A request names its host once."));
    return std::nullopt;
  }
  if (auto refusal = find_route()) return refusal;
  const HeaderCheck& check = io_->share.routes.header_check();
  if (!check || !match_.handler || parser_->request.access == Access::anyone || parser_->is_done()) return std::nullopt;
  return check(parser_->request);
}

std::optional<Problem> Connection::find_route() {
  Request& request = parser_->request;
  match_ = {};
  read_target();
  if (request.path == "*" && request.method == Method::options) return std::nullopt;
  auto query = parse_query(parser_->target, io_->share.options.query_params_max);
  if (!query || request.path.empty()) return problems::malformed("The address is not well encoded, or has too many parameters.");
  request.query = std::move(*query);
  match_ = io_->share.routes.find(request.method, request.path);
  if (match_.malformed) return problems::malformed("The path is not well encoded.");
  if (!match_.handler) {
    if (match_.allow.empty()) return problems::not_found();
    if (request.method == Method::options) return std::nullopt;
    return problems::method_not_allowed(match_.allow);
  }
  request.pattern = match_.entry->pattern;
  request.access = match_.entry->access;
  request.path_params = std::move(match_.path_params);
  if (parser_->is_head) request.method = Method::get;
  const RouteOptions& options = match_.entry->options;
  const auto length = parser_->content_length();
  if (options.body_required && !length && !parser_->chunked()) return problems::length_required();
  parser_->body_bytes_max = options.body_bytes_max;
  if (length && *length > options.body_bytes_max) return problems::payload_too_large(options.body_bytes_max);
  parser_->keeps_body = options.content != Content::none;
  if (options.content != Content::json || (parser_->is_done())) return std::nullopt;
  const std::string_view given = request.header("Content-Type").value_or("");
  const std::string_view type = ascii::trimmed(given.substr(0, given.find(';')));
  if (!ascii::same_ignoring_case(type, "application/json") && !ascii::ends_with_ignoring_case(type, "+json"))
    return problems::unsupported_media_type("Send JSON, and say so: Content-Type: application/json");
  if (parser_->has_content_encoding) return problems::unsupported_media_type("Send it without a Content-Encoding.");
  return std::nullopt;
}

/// Splits the target into path and query (which stays in `target`); leaves the path empty if it is no path.
void Connection::read_target() {
  std::string_view target = parser_->target;
  Request& request = parser_->request;
  const bool asterisk = target == "*" && request.method == Method::options;
  if (!target.starts_with('/') && !asterisk) {
    // The absolute form (RFC 9112 §3.2.2): what is before the path is the host, which we do not route by.
    const std::size_t scheme = target.find("://");
    const std::size_t path = scheme == std::string_view::npos ? scheme : target.find_first_of("/?", scheme + 3);
    if (scheme == std::string_view::npos) {
      parser_->target.clear();
      return;
    }
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (request.path.empty()) request.path = "/";
  parser_->target = question == std::string_view::npos ? std::string() : std::string(target.substr(question + 1));
}

/// A whole request: answer it or hand it to its handler.
void Connection::on_request() {
  continue_due_ = false;
  const std::uint64_t slot = push_pending(parser_->keep_alive());
  if (refusal_) return complete(slot, to_response(*refusal_, parser_->request.request_id));
  if (match_.handler) return call(slot);
  Response response;
  response.status = 204;
  response.headers.emplace_back("Allow", match_.allow.empty() ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" : match_.allow);
  complete(slot, std::move(response));
}

void Connection::call(std::uint64_t slot) {
  const Uuid id = parser_->request.request_id;
  const std::string_view pattern = parser_->request.pattern;
  dispatching_ = slot;
  try {
    (*match_.handler)(std::move(parser_->request), Responder(shared_from_this(), slot));
  } catch (const std::exception& exception) {
    if (io_->may_say_failure()) log::error("http", "a handler threw", {{"request", id}, {"route", pattern}, {"error", exception.what()}});
  } catch (...) {
    if (io_->may_say_failure()) log::error("http", "a handler threw", {{"request", id}, {"route", pattern}});
  }
  dispatching_ = no_slot;
}

std::uint64_t Connection::push_pending(bool keep_alive) {
  const Request& request = parser_->request;
  Pending pending;
  pending.request_id = request.request_id;
  pending.correlation_id = request.correlation_id;
  if (const auto space = request.path_param(space_param)) pending.space = Uuid::parse(*space).value_or(Uuid());
  pending.received_at = request.received_at;
  pending.pattern = request.pattern;
  if (match_.entry != nullptr && !request.pattern.empty())
    pending.route = static_cast<std::size_t>(match_.entry - io_->share.routes.table().data());
  pending.method = parser_->is_head ? Method::head : request.method;
  pending.keep_alive = keep_alive;
  pending.http_1_0 = parser_->version < 11;
  pending_.push_back(std::move(pending));
  if (!keep_alive) ending_ = true;
  return first_slot_ + pending_.size() - 1;
}

/// Answers what cannot be read to its end, as the connection's last word.
Connection::Step Connection::fail(const Problem& problem) {
  Request& request = parser_->request;
  if (request.request_id.is_nil()) {
    request.request_id = io_->request_ids.next();
    request.received_at = Clock::now();
  }
  state_ = State::between;
  continue_due_ = false;
  complete(push_pending(false), to_response(problem, request.request_id));
  return Step::end;
}

Connection::Step Connection::fail(const Error& error) {
  if (error == parsing::error::bad_version) return fail(problems::version_not_supported());
  return fail(problems::malformed("It is not HTTP: " + error.message() + "."));
}

// Life -------------------------------------------------------------------------------------------------------------------------------

void Connection::say(const std::exception_ptr& failure) const try { std::rethrow_exception(failure); } catch (const std::exception& error) {
  log::error("http", "a connection failed", {{"peer", peer_}, {"error", error.what()}});
}

void Connection::start() {
  Error error;
  socket_.non_blocking(true, error);
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  const auto endpoint = socket_.remote_endpoint(error);
  if (!error) peer_ = endpoint.address().to_string();
  in_.resize(read_bytes_at_start);
  io_->connections.push_back(weak_from_this());
  asio::co_spawn(
      io_->context, [self = shared_from_this()] { return self->run(); },
      [self = shared_from_this()](const std::exception_ptr& failure) {
        if (failure) self->say(failure);
        self->abort();
        --self->io_->share.open_connections;
        self->io_->share.on_closed();
      });
}

Awaitable<void> Connection::run() {
  while (!aborted_) {
    const Step step = advance();
    flush();
    if (aborted_ || step == Step::end) break;
    if (step == Step::pause) {
      // All that it pauses for may be gone with the flush: then nobody would wake it.
      if (!pending_.empty() || writing_) co_await wait();
      continue;
    }
    reading_ = true;
    const auto [error, size] = co_await socket_.async_read_some(asio::buffer(in_.data() + in_end_, in_.size() - in_end_), awaitably);
    reading_ = false;
    in_end_ += size;
    const bool timed_out = std::exchange(timed_out_, false);
    if (!error) continue;
    if (error == asio::error::operation_aborted && !aborted_) {
      if (timed_out && state_ != State::between)
        fail(problems::request_timeout());
      else if (!ending_)
        continue;
    } else if (error != asio::error::eof) {
      co_return abort();
    }
    ending_ = true;
  }
  co_await finish();
}

/// Until something changes: an answer, a written buffer, the end.
Awaitable<void> Connection::wait() {
  waiting_ = true;
  co_await wake_.async_wait(awaitably);
  waiting_ = false;
}

/// Lets the last answers out, then closes so that the client can still read them.
Awaitable<void> Connection::finish() {
  flush();
  while (!aborted_ && (!pending_.empty() || writing_)) co_await wait();
  if (aborted_) co_return;
  Error ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  parser_.reset();
  lingering_ = true;
  linger_deadline_ = io_->clock + linger_max;
  for (std::size_t total = 0; !aborted_ && total < linger_bytes_max;) {
    const auto [error, size] = co_await socket_.async_read_some(asio::buffer(in_), awaitably);
    if (error) break;
    total += size;
  }
}

void Connection::abort() {
  if (std::exchange(aborted_, true)) return;
  Error ignored;
  socket_.close(ignored);
  first_slot_ += pending_.size();
  pending_.clear();
  std::string().swap(out_);  // who has yet to answer may keep the connection for a while
  notify();
}

void Connection::tick(Clock::time_point clock) {
  if (aborted_) return;
  if ((writing_ && clock > write_deadline_) || (lingering_ && clock > linger_deadline_)) return abort();
  if (!reading_ || lingering_) return;
  Error ignored;
  if (state_ != State::between) {
    if (clock <= request_deadline_) return;
    timed_out_ = true;
    socket_.cancel(ignored);
  } else if (pending_.empty() && !writing_ && clock > active_at_ + io_->share.options.idle_max) {
    abort();
  }
}

void Connection::drain() {
  if (aborted_) return;
  if (lingering_ || (reading_ && state_ == State::between && pending_.empty() && !writing_)) return abort();
  if (!reading_ || state_ != State::between) return;
  ending_ = true;
  Error ignored;
  socket_.cancel(ignored);
}

// Responder --------------------------------------------------------------------------------------------------------------------------

Responder::Responder(std::shared_ptr<Connection> connection, std::uint64_t slot) : connection_(std::move(connection)), slot_(slot) {}

void Responder::operator()(Response response) {
  response.user = user_;
  if (const auto connection = std::exchange(connection_, nullptr)) return connection->answer(slot_, std::move(response));
  invariant(static_cast<bool>(sink_), "a request is answered once");
  auto sink = std::exchange(sink_, nullptr);
  sink(std::move(response));
}

void Responder::abandon() noexcept {
  if (!*this) return;
  Response response;
  response.status = std::uncaught_exceptions() > 0 ? status_threw : status_abandoned;
  if (sink_) response.status = -response.status;
  try {
    (*this)(std::move(response));
  } catch (const std::exception& exception) {
    log::error("http", "an abandoned request could not be answered", {{"error", exception.what()}});
  }
}

}  // namespace bloomwatch::http
