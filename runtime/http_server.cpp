// The HTTP/1.1 server: Beast parses, Asio waits, answers are written by hand into one buffer a connection.
// Each connection belongs to one thread, so its state needs no locks; what other threads answer goes through that thread's mailbox, one
// post for all that gather. Source of the rules: RFC 9110, RFC 9112.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <condition_variable>
#include <cstring>
#include <ctime>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include "runtime/http.h"
#include "runtime/invariant.h"
#include "runtime/logging.h"
#include "runtime/problem.h"

namespace bloomwatch::http {
namespace {

namespace asio = boost::asio;
namespace parsing = boost::beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Error = boost::system::error_code;

// Everything runs on an io_context and says so by type: Asio's type-erased default executor costs a few percent of a request.
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;

constexpr auto awaitably = asio::as_tuple(asio::use_awaitable_t<Executor>());

constexpr std::size_t read_bytes_at_start = 4 * 1024;
constexpr std::size_t read_bytes_for_body = 64 * 1024;
constexpr std::size_t read_bytes_kept_max = 16 * 1024;
/// Answers waiting for a client that takes none: above this, its further requests are not read.
constexpr std::size_t unsent_bytes_max = 1024 * 1024;
/// A refused request's body is read and thrown away up to here, so that the connection can go on; beyond it the connection ends.
constexpr std::size_t discarded_bytes_max = 64 * 1024;
/// After a last answer, what still arrives is thrown away for so long, so that the client can read that answer before a reset.
constexpr std::chrono::milliseconds linger_max{1'000};
constexpr std::size_t linger_bytes_max = 4 * 1024 * 1024;
/// Buffers that grew beyond this are given back when they are empty.
constexpr std::size_t buffer_bytes_kept_max = 64 * 1024;
constexpr std::size_t body_bytes_reserved_max = 64 * 1024;
constexpr std::chrono::milliseconds accept_retry{50};
constexpr std::chrono::milliseconds tick_max{500};
constexpr std::chrono::milliseconds tick_min{10};

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && same_ignoring_case(text.substr(text.size() - end.size()), end);
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

Method method_of(parsing::verb verb) {
  switch (verb) {
    case parsing::verb::get:
      return Method::get;
    case parsing::verb::head:
      return Method::head;
    case parsing::verb::post:
      return Method::post;
    case parsing::verb::put:
      return Method::put;
    case parsing::verb::patch:
      return Method::patch;
    case parsing::verb::delete_:
      return Method::del;
    case parsing::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

/// Request ids: version 7, so that they sort by time. They need to be unique, not secret, so a small generator of each thread makes them
/// (the system's would cost a call into the kernel for every request).
class RequestIds {
 public:
  RequestIds() {
    if (::getrandom(state_.data(), sizeof state_, 0) != static_cast<ssize_t>(sizeof state_))
      throw std::system_error(errno, std::generic_category(), "getrandom");
  }

  Uuid next() {
    Uuid id;
    const std::array<std::uint64_t, 2> random = {draw(), draw()};
    std::memcpy(id.bytes.data(), random.data(), sizeof random);
    const auto millis = static_cast<std::uint64_t>(now().time_since_epoch().count());
    for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x70);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
    return id;
  }

 private:
  /// xoroshiro128++ (Blackman and Vigna).
  std::uint64_t draw() {
    const std::uint64_t a = state_[0];
    const std::uint64_t b = state_[1] ^ a;
    const std::uint64_t drawn = std::rotl(a + state_[1], 17) + a;
    state_[0] = std::rotl(a, 49) ^ b ^ (b << 21);
    state_[1] = std::rotl(b, 28);
    return drawn;
  }

  std::array<std::uint64_t, 2> state_ = {};
};

/// The id that a caller gave its request: X-Correlation-Id as a UUID, else the trace id of a W3C traceparent.
std::optional<Uuid> correlation_of(const Request& request) {
  if (const auto id = request.header("X-Correlation-Id")) return Uuid::parse(*id);
  const auto parent = request.header("traceparent");
  if (!parent || parent->size() < 55 || (*parent)[2] != '-' || (*parent)[35] != '-') return std::nullopt;
  const std::string_view trace = parent->substr(3, 32);
  std::string text;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    text += trace[i];
  }
  const auto id = Uuid::parse(text);
  return id && !id->is_nil() ? id : std::nullopt;
}

/// One message's parser. Fields go straight into the request, the body too while it is wanted and within its limit.
class Parser final : public parsing::basic_parser<true> {
 public:
  Request request;
  std::string target;
  std::size_t hosts = 0;
  bool has_transfer_encoding = false;
  bool only_chunked = false;
  bool expects_continue = false;
  bool is_head = false;
  bool has_content_encoding = false;
  bool keeps_body = false;
  std::size_t body_bytes = 0;
  std::size_t body_bytes_max = discarded_bytes_max;
  int version = 11;
  bool body_too_large = false;

  Parser() {
    body_limit(boost::none);  // routes differ; checked here
    eager(false);             // stops after the header, when the route is looked for
  }

 private:
  void on_request_impl(parsing::verb verb, boost::beast::string_view, boost::beast::string_view text, int version_number, Error&) override {
    version = version_number;
    request.method = method_of(verb);
    target = text;
  }

  void on_response_impl(int, boost::beast::string_view, int, Error&) override {}

  void on_field_impl(parsing::field field, boost::beast::string_view name, boost::beast::string_view value, Error&) override {
    if (header_done_) return;  // a trailer says nothing that we want
    switch (field) {
      case parsing::field::host:
        ++hosts;
        break;
      case parsing::field::transfer_encoding:
        only_chunked = !has_transfer_encoding && same_ignoring_case(value, "chunked");
        has_transfer_encoding = true;
        break;
      case parsing::field::expect:
        expects_continue = same_ignoring_case(value, "100-continue");
        break;
      case parsing::field::content_encoding:
        has_content_encoding = !same_ignoring_case(value, "identity");
        break;
      default:
        break;
    }
    request.add_header(name, value);
  }

  void on_header_impl(Error&) override { header_done_ = true; }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Error&) override {
    if (length && keeps_body) request.body.reserve(std::min<std::size_t>(*length, body_bytes_reserved_max));
  }

  std::size_t on_body_impl(boost::beast::string_view bytes, Error& error) override {
    body_bytes += bytes.size();
    if (body_bytes > body_bytes_max) {
      body_too_large = true;
      error = parsing::error::body_limit;
      return 0;
    }
    if (keeps_body) request.body += bytes;
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, Error&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view bytes, Error& error) override {
    return on_body_impl(bytes, error);
  }

  void on_finish_impl(Error&) override {}

  bool header_done_ = false;
};

struct Answer {
  std::shared_ptr<Connection> connection;
  std::uint64_t slot;
  Response response;
};

/// Answers of handlers that gave up without one carry this instead of a status; the connection knows the request's id and says the rest.
constexpr int status_abandoned = -500;
constexpr int status_threw = -503;

}  // namespace

/// One thread of the server, its connections, its clock and its mailbox. Kept alive by its connections: a socket must not outlive its
/// context.
struct IoThread {
  asio::io_context context{1};
  const Routes* routes = nullptr;
  const ServerOptions* options = nullptr;
  std::atomic<std::size_t>* open_connections = nullptr;
  std::function<void()> on_closed;

  std::vector<std::weak_ptr<Connection>> connections;  ///< swept by ticks
  Clock::time_point clock = Clock::now();              ///< coarse: moved by ticks
  std::string date_line;
  RequestIds request_ids;
  bool draining = false;

  std::mutex mutex;
  std::vector<Answer> mailbox;
  bool posted = false;
  bool closed = false;
  std::vector<Answer> opened;  ///< the mailbox being read; keeps its capacity

  void deliver(Answer answer);
  void open_mailbox();
  void close_mailbox();
  void refresh_date();
};

constexpr std::uint64_t no_slot = std::numeric_limits<std::uint64_t>::max();

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<IoThread> io, Socket socket) : io_(std::move(io)), socket_(std::move(socket)), wake_(io_->context) {
    wake_.expires_at(Clock::time_point::max());
    active_at_ = io_->clock;
  }

  void start();
  /// From any thread.
  void answer(std::uint64_t slot, Response response);
  /// On the connection's thread only, like all that follows.
  void complete(std::uint64_t slot, Response response);
  void flush();
  void tick(Clock::time_point clock);
  void drain();
  void abort();

  bool is_aborted() const { return aborted_; }

  bool flush_due = false;  ///< while a mailbox is being opened

 private:
  enum class State { between, header, body };
  enum class Step { read, pause, end };

  struct Pending {
    Uuid request_id;
    Clock::time_point received_at;
    std::string_view pattern;
    std::size_t route = route_none;
    Method method = Method::other;
    bool keep_alive = true;
    bool http_1_0 = false;
    bool answered = false;
    std::string bytes = {};  ///< an answer that waits for those before it
  };

  Awaitable<void> run();
  Awaitable<void> finish();
  Awaitable<void> wait();

  Step advance();
  Step begin();
  std::optional<Step> parse_header();
  std::optional<Step> parse_body();
  void on_header();
  std::optional<Problem> look_at_header();
  std::optional<Problem> find_route();
  void read_target();
  void on_request();
  void refuse(Problem problem);
  Step fail(Problem problem);
  Step fail(const Error& error);
  void say_continue();
  std::uint64_t push_pending(bool keep_alive);
  void call(std::uint64_t slot);

  void serialise(std::string& out, const Pending& pending, Response& response, bool close);
  void pop_answered();
  void write_rest();
  void notify() {
    if (waiting_) wake_.cancel();
  }
  void make_room();

  std::shared_ptr<IoThread> io_;  // first, so that it goes last
  Socket socket_;
  Timer wake_;
  std::string peer_;

  std::vector<char> in_;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::optional<Parser> parser_;
  std::size_t header_bytes_ = 0;
  State state_ = State::between;
  Routes::Match match_;
  std::optional<Problem> refusal_;
  bool continue_due_ = false;

  std::deque<Pending> pending_;
  std::uint64_t first_slot_ = 0;
  std::uint64_t dispatching_ = no_slot;

  std::string out_;
  std::string in_flight_;
  std::size_t in_flight_sent_ = 0;
  bool writing_ = false;

  bool ending_ = false;  ///< no further request is read; what is pending is answered
  bool aborted_ = false;
  bool lingering_ = false;
  bool timed_out_ = false;
  bool reading_ = false;
  bool waiting_ = false;
  Clock::time_point active_at_;
  Clock::time_point request_deadline_;
  Clock::time_point write_deadline_;
  Clock::time_point linger_deadline_;
};

namespace {
thread_local IoThread* this_thread = nullptr;
}

// Mailbox ----------------------------------------------------------------------------------------------------------------------------

void IoThread::deliver(Answer answer) {
  {
    const std::lock_guard lock(mutex);
    if (closed) return;
    mailbox.push_back(std::move(answer));
    if (posted) return;
    posted = true;
  }
  asio::post(context, [this] { open_mailbox(); });
}

void IoThread::open_mailbox() {
  {
    const std::lock_guard lock(mutex);
    posted = false;
    opened.swap(mailbox);
  }
  for (Answer& answer : opened) {
    answer.connection->complete(answer.slot, std::move(answer.response));
    answer.connection->flush_due = true;
  }
  for (Answer& answer : opened) {
    if (!std::exchange(answer.connection->flush_due, false)) continue;
    answer.connection->flush();
  }
  opened.clear();
}

void IoThread::close_mailbox() {
  std::vector<Answer> dropped;
  const std::lock_guard lock(mutex);
  closed = true;
  dropped.swap(mailbox);
}

void IoThread::refresh_date() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc = {};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 64> text = {};
  const std::size_t size = std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
  date_line.assign(text.data(), size);
}

// Answers ----------------------------------------------------------------------------------------------------------------------------

void Connection::answer(std::uint64_t slot, Response response) {
  if (this_thread == io_.get() && dispatching_ == slot) return complete(slot, std::move(response));
  io_->deliver({shared_from_this(), slot, std::move(response)});
}

void Connection::complete(std::uint64_t slot, Response response) {
  if (aborted_ || slot < first_slot_) return;
  const std::size_t index = slot - first_slot_;
  invariant(index < pending_.size() && !pending_[index].answered, "a request is answered once");
  Pending& pending = pending_[index];
  if (response.status == status_abandoned) response = to_response(problems::internal(pending.request_id), pending.request_id);
  if (response.status == status_threw) response = to_response(problems::unavailable(pending.request_id), pending.request_id);
  if (io_->options->on_answered)
    io_->options->on_answered(
        {pending.route, pending.pattern, pending.method, response.status, Clock::now() - pending.received_at, response.body.size()});
  pending.answered = true;
  const bool last = (!pending.keep_alive) || (index + 1 == pending_.size() && (ending_ || (io_->draining && state_ == State::between)));
  if (last) ending_ = true;
  serialise(index == 0 ? out_ : pending.bytes, pending, response, last);
  pop_answered();
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

void Connection::serialise(std::string& out, const Pending& pending, Response& response, bool close) {
  const auto header = [&out](std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    // A line break in a value would begin a header of somebody else's choosing.
    for (const char c : value) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    out += "\r\n";
  };
  const bool bodiless = response.status == 204 || response.status == 304 || response.status / 100 == 1;
  out.reserve(out.size() + 384 + response.body.size());
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_of(response.status);
  out += "\r\n";
  out += io_->date_line;
  if (!response.content_type.empty()) header("Content-Type", response.content_type);
  if (!bodiless) {
    out += "Content-Length: ";
    out += std::to_string(response.body.size());
    out += "\r\n";
  }
  out += "X-Request-Id: ";
  out += pending.request_id.to_string();
  out += "\r\nX-Content-Type-Options: nosniff\r\n";
  bool caching_said = false;
  for (const auto& [name, value] : response.headers) {
    caching_said |= same_ignoring_case(name, "Cache-Control");
    header(name, value);
  }
  if (!caching_said && (pending.pattern.empty() || pending.pattern.starts_with("/api"))) out += "Cache-Control: no-store\r\n";
  if (!io_->options->server_name.empty()) header("Server", io_->options->server_name);
  if (close)
    out += "Connection: close\r\n";
  else if (pending.http_1_0)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
  if (!bodiless && pending.method != Method::head) out += response.body;
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
  write_deadline_ = io_->clock + io_->options->write_stall_max + tick_max;
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
  if (pending_.size() >= io_->options->pipelined_max || out_.size() + in_flight_.size() > unsent_bytes_max) return Step::pause;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(io_->options->header_bytes_max));
  header_bytes_ = 0;
  refusal_.reset();
  state_ = State::header;
  request_deadline_ = io_->clock + io_->options->request_max;
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
    const std::size_t bytes_max = io_->options->header_bytes_max;
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
    if (parser_->body_too_large) return fail(refusal_ ? std::move(*refusal_) : problems::payload_too_large(parser_->body_bytes_max));
    if (error == parsing::error::need_more) {
      // What is not consumed here is a chunk's head or the trailer.
      if (in_end_ - in_begin_ >= io_->options->header_bytes_max) return fail(problems::header_too_large(io_->options->header_bytes_max));
      return make_room(), Step::read;
    }
    if (error) return fail(error);
  }
  return std::nullopt;
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
  request.peer = peer_;
  parser_->is_head = request.method == Method::head;
  refusal_ = look_at_header();
  if (ending_) return;
  state_ = State::body;
  if (parser_->is_done()) return;
  if (refusal_) {
    const auto length = parser_->content_length();
    if (parser_->expects_continue || (length && *length > discarded_bytes_max)) {
      fail(std::move(*refusal_));
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
  if (parser_->hosts > 1 || (parser_->hosts == 0 && parser_->version == 11)) {
    fail(problems::malformed("A request names its host once."));
    return std::nullopt;
  }
  return find_route();
}

std::optional<Problem> Connection::find_route() {
  Request& request = parser_->request;
  match_ = {};
  read_target();
  if (request.path == "*" && request.method == Method::options) return std::nullopt;
  auto query = parse_query(parser_->target, io_->options->query_params_max);
  if (!query || request.path.empty()) return problems::malformed("The address is not well encoded, or has too many parameters.");
  request.query = std::move(*query);
  match_ = io_->routes->find(request.method, request.path);
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
  std::string_view type = given.substr(0, given.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  if (!same_ignoring_case(type, "application/json") && !ends_with_ignoring_case(type, "+json"))
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
  if (refusal_) return complete(slot, to_response(*std::exchange(refusal_, std::nullopt), parser_->request.request_id));
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
    log::error("http", "a handler threw", {{"request", id}, {"route", pattern}, {"error", exception.what()}});
  } catch (...) {
    log::error("http", "a handler threw", {{"request", id}, {"route", pattern}});
  }
  dispatching_ = no_slot;
}

std::uint64_t Connection::push_pending(bool keep_alive) {
  const Request& request = parser_->request;
  Pending pending;
  pending.request_id = request.request_id;
  pending.received_at = request.received_at;
  pending.pattern = request.pattern;
  if (match_.entry != nullptr && !request.pattern.empty())
    pending.route = static_cast<std::size_t>(match_.entry - io_->routes->table().data());
  pending.method = parser_->is_head ? Method::head : request.method;
  pending.keep_alive = keep_alive;
  pending.http_1_0 = parser_->version < 11;
  pending_.push_back(std::move(pending));
  if (!keep_alive) ending_ = true;
  return first_slot_ + pending_.size() - 1;
}

/// Answers what cannot be read to its end, as the connection's last word.
Connection::Step Connection::fail(Problem problem) {
  Request& request = parser_->request;
  if (request.request_id.is_nil()) {
    request.request_id = io_->request_ids.next();
    request.received_at = Clock::now();
  }
  state_ = State::between;
  complete(push_pending(false), to_response(problem, request.request_id));
  return Step::end;
}

Connection::Step Connection::fail(const Error& error) {
  if (error == parsing::error::bad_version) return fail(problems::version_not_supported());
  return fail(problems::malformed("It is not HTTP: " + error.message() + "."));
}

// Life -------------------------------------------------------------------------------------------------------------------------------

void Connection::start() {
  Error error;
  socket_.non_blocking(true, error);
  socket_.set_option(tcp::no_delay(true), error);
  const auto endpoint = socket_.remote_endpoint(error);
  if (!error) peer_ = endpoint.address().to_string();
  in_.resize(read_bytes_at_start);
  io_->connections.push_back(weak_from_this());
  asio::co_spawn(
      io_->context, [self = shared_from_this()] { return self->run(); },
      [self = shared_from_this()](std::exception_ptr failure) {
        if (failure) log::error("http", "a connection failed", {{"peer", self->peer_}});
        self->abort();
        --*self->io_->open_connections;
        self->io_->on_closed();
      });
}

Awaitable<void> Connection::run() {
  while (!aborted_) {
    const Step step = advance();
    flush();
    if (aborted_ || step == Step::end) break;
    if (step == Step::pause) {
      co_await wait();
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
  } else if (pending_.empty() && !writing_ && clock > active_at_ + io_->options->idle_max) {
    abort();
  }
}

/// No more requests: one that is being read or answered is the last.
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

// Server -----------------------------------------------------------------------------------------------------------------------------

struct Server::State {
  Routes routes;
  ServerOptions options;
  std::atomic<std::size_t> open_connections = 0;
  std::vector<std::shared_ptr<IoThread>> io;
  std::vector<asio::executor_work_guard<Executor>> work;
  std::vector<std::thread> threads;
  std::optional<Acceptor> acceptor;
  std::optional<Timer> accept_pause;
  std::uint16_t port = 0;
  std::size_t next_io = 0;
  std::mutex mutex;
  std::condition_variable all_closed;
  bool started = false;
  bool stopped = false;

  State(Routes r, ServerOptions o) : routes(std::move(r)), options(std::move(o)) {}
  void listen();
  Awaitable<void> accept();
  void turn_away(Socket socket);
  static Awaitable<void> tick(IoThread& io, std::chrono::milliseconds every);
  bool wait_until_closed(std::chrono::milliseconds wait_max);
};

void Server::State::listen() {
  constexpr int backlog_max = 4096;
  acceptor.emplace(io.front()->context);
  try {
    const tcp::endpoint endpoint(asio::ip::make_address(options.bind), options.port);
    acceptor->open(endpoint.protocol());
    acceptor->set_option(Acceptor::reuse_address(true));
    acceptor->bind(endpoint);
    acceptor->listen(backlog_max);
    acceptor->non_blocking(true);
    port = acceptor->local_endpoint().port();
  } catch (const boost::system::system_error& failure) {
    throw std::system_error(failure.code(), "cannot listen on " + options.bind + ":" + std::to_string(options.port));
  }
}

/// Connections go to the threads in turn, which balances them better than the kernel's hash does.
Awaitable<void> Server::State::accept() {
  while (acceptor->is_open()) {
    const auto& target = io[next_io];
    auto [error, socket] = co_await acceptor->async_accept(target->context, awaitably);
    if (!acceptor->is_open()) break;
    if (error) {
      log::warning("http", "a connection could not be accepted", {{"error", error.message()}});
      accept_pause->expires_after(accept_retry);
      co_await accept_pause->async_wait(awaitably);
      continue;
    }
    if (open_connections.load() >= options.connections_max) {
      turn_away(std::move(socket));
      continue;
    }
    next_io = (next_io + 1) % io.size();
    ++open_connections;
    asio::post(target->context,
               [&target, s = std::move(socket)]() mutable { std::make_shared<Connection>(target, std::move(s))->start(); });
  }
}

void Server::State::turn_away(Socket socket) {
  const Uuid id = io.front()->request_ids.next();
  const Response response = to_response(problems::overloaded(), id);
  std::string text =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\nConnection: close\r\nX-Request-Id: ";
  text += id.to_string() + "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n\r\n" + response.body;
  Error ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(Socket::shutdown_both, ignored);
}

/// Moves a thread's clock and looks after its connections' deadlines: one timer for all of them. Runs until its context stops.
Awaitable<void> Server::State::tick(IoThread& io, std::chrono::milliseconds every) {
  Timer timer(io.context);
  while (true) {
    timer.expires_after(every);
    co_await timer.async_wait(awaitably);
    io.clock = Clock::now();
    io.refresh_date();
    for (std::size_t i = 0; i < io.connections.size();) {
      const auto connection = io.connections[i].lock();
      if (!connection || connection->is_aborted()) {
        std::swap(io.connections[i], io.connections.back());
        io.connections.pop_back();
        continue;
      }
      connection->tick(io.clock);
      ++i;
    }
  }
}

bool Server::State::wait_until_closed(std::chrono::milliseconds wait_max) {
  std::unique_lock lock(mutex);
  return all_closed.wait_for(lock, wait_max, [this] { return open_connections.load() == 0; });
}

Server::Server(Routes routes, ServerOptions options) : state_(std::make_unique<State>(std::move(routes), std::move(options))) {
  State& state = *state_;
  for (unsigned i = 0; i < std::max(1u, state.options.threads); ++i) {
    auto io = std::make_shared<IoThread>();
    io->routes = &state.routes;
    io->options = &state.options;
    io->open_connections = &state.open_connections;
    io->on_closed = [&state] {
      const std::lock_guard lock(state.mutex);
      if (state.open_connections.load() == 0) state.all_closed.notify_all();
    };
    io->refresh_date();
    state.work.emplace_back(io->context.get_executor());
    state.io.push_back(std::move(io));
  }
  state.accept_pause.emplace(state.io.front()->context);
  state.listen();
}

Server::~Server() { stop(); }

std::uint16_t Server::port() const { return state_->port; }
const Routes& Server::routes() const { return state_->routes; }
std::size_t Server::connections() const { return state_->open_connections.load(); }

void Server::start() {
  State& state = *state_;
  invariant(!state.started, "a server is started once");
  state.started = true;
  const auto shortest = std::min({state.options.idle_max, state.options.request_max, state.options.write_stall_max});
  const auto every = std::clamp(shortest / 4, tick_min, tick_max);
  for (const auto& io : state.io) asio::co_spawn(io->context, State::tick(*io, every), asio::detached);
  asio::co_spawn(state.io.front()->context, state.accept(), asio::detached);
  for (const auto& io : state.io) {
    state.threads.emplace_back([io] {
      this_thread = io.get();
      io->context.run();
    });
  }
}

void Server::stop() {
  State& state = *state_;
  if (std::exchange(state.stopped, true)) return;
  if (state.started) {
    asio::post(state.io.front()->context, [&state] {
      Error ignored;
      state.acceptor->close(ignored);
      state.accept_pause->cancel();
    });
    const auto each = [&state](auto action) {
      for (const auto& io : state.io) {
        asio::post(io->context, [&thread = *io, action] {
          thread.draining = true;
          for (const auto& weak : thread.connections)
            if (const auto connection = weak.lock()) action(*connection);
        });
      }
    };
    each([](Connection& connection) { connection.drain(); });
    if (!state.wait_until_closed(state.options.drain_max)) {
      log::warning("http", "connections were cut off", {{"count", state.open_connections.load()}});
      each([](Connection& connection) { connection.abort(); });
      state.wait_until_closed(std::chrono::seconds(1));
    }
  }
  for (const auto& io : state.io) io->close_mailbox();
  state.work.clear();
  for (const auto& io : state.io) io->context.stop();
  for (auto& thread : state.threads) thread.join();
  // What still waits in a context (a tick, a mailbox) is let go of here, on one thread, before the contexts go.
  state.acceptor.reset();
  state.accept_pause.reset();
}

}  // namespace bloomwatch::http
