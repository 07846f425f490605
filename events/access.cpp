// Tokens that carry their own proof, and the follower that takes it back.
#include "events/access.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "events/codec.h"
#include "events/log.h"
#include "runtime/logging.h"
#include "runtime/postgres.h"
#include "runtime/sleep.h"

namespace bloomwatch {
namespace {

constexpr char access_version = 1;
constexpr char refresh_version = 1;
constexpr char operator_version = 1;
constexpr std::size_t mac_bytes = 32;
constexpr std::size_t access_payload_bytes = 1 + 4 * 16 + 8;
constexpr std::size_t refresh_payload_bytes = 1 + 2 * 16 + 4;
constexpr std::size_t operator_payload_bytes = 1 + 8;

/// base64 of `bytes` without padding.
constexpr std::size_t text_bytes(std::size_t bytes) { return (bytes * 4 + 2) / 3; }

template <class Tag>
void put(std::string& out, const Id<Tag>& id) {
  out += as_text(id.uuid.bytes);
}

void put(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(static_cast<std::uint8_t>(number >> shift));
}

void put(std::string& out, Time time) { put(out, static_cast<std::uint64_t>(time.time_since_epoch().count()), 8); }

/// Takes values from the front of a payload whose length is known to be right.
class Take {
 public:
  explicit Take(std::string_view from) : from_(from) {}

  template <class IdType>
  IdType id() {
    IdType id;
    const std::string_view bytes = from_.substr(0, 16);
    std::memcpy(id.uuid.bytes.data(), bytes.data(), bytes.size());
    from_.remove_prefix(16);
    return id;
  }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes; ++i) number = number << 8 | static_cast<std::uint8_t>(from_[i]);
    from_.remove_prefix(bytes);
    return number;
  }
  Time time() { return Time(std::chrono::milliseconds(static_cast<std::int64_t>(number(8)))); }

 private:
  std::string_view from_;
};

std::string with_mac(const SecretKey& key, std::string_view purpose, const std::string& payload) {
  return base64_url(payload + std::string(as_text(keyed_hash_256(key, {purpose, payload}))));
}

/// The payload of a token that is ours and whole.
std::optional<std::string> checked(const SecretKey& key, std::string_view purpose, char version, std::size_t payload_bytes,
                                   std::string_view token) {
  if (token.size() != text_bytes(payload_bytes + mac_bytes)) return std::nullopt;
  auto bytes = parse_base64_url(token);
  if (!bytes || bytes->size() != payload_bytes + mac_bytes || bytes->front() != version) return std::nullopt;
  const std::string_view mac = std::string_view(*bytes).substr(payload_bytes);
  if (!equal_secrets(as_text(keyed_hash_256(key, {purpose, std::string_view(*bytes).substr(0, payload_bytes)})), mac)) return std::nullopt;
  bytes->resize(payload_bytes);
  return bytes;
}

/// One remembered token. A thread keeps as many as there are slots; two that share one take turns.
struct RememberedToken {
  std::uint64_t instance = 0;
  std::string token;
  Principal principal;
};
constexpr std::size_t remembered_tokens = 8192;  // two megabytes a thread

RememberedToken& remembered_slot(std::string_view token) {
  thread_local std::vector<RememberedToken> slots(remembered_tokens);
  return slots[std::hash<std::string_view>{}(token) % remembered_tokens];
}

std::atomic<std::uint64_t> instances{0};

}  // namespace

AccessTokens::AccessTokens(const MasterKeys& keys) : key_(keys.access_tokens), instance_(++instances) {}

std::string AccessTokens::mint(const Principal& principal) const {
  std::string payload(1, access_version);
  put(payload, principal.session);
  put(payload, principal.account);
  put(payload, principal.profile);
  put(payload, principal.password);
  put(payload, principal.expires_at);
  return with_mac(key_, "access", payload);
}

std::optional<Principal> AccessTokens::verify(std::string_view token) const {
  const auto payload = checked(key_, "access", access_version, access_payload_bytes, token);
  if (!payload) return std::nullopt;
  Take take(std::string_view(*payload).substr(1));
  Principal principal;
  principal.session = take.id<SessionId>();
  principal.account = take.id<UserId>();
  principal.profile = take.id<ProfileId>();
  principal.password = take.id<PasswordId>();
  principal.expires_at = take.time();
  return principal;
}

std::optional<Principal> AccessTokens::check(std::string_view token, Time now) const {
  RememberedToken& remembered = remembered_slot(token);
  if (remembered.instance != instance_ || !equal_secrets(remembered.token, token)) {
    const auto principal = verify(token);
    if (!principal) return std::nullopt;
    remembered = {instance_, std::string(token), *principal};
  }
  if (remembered.principal.expires_at <= now) return std::nullopt;
  return remembered.principal;
}

std::string RefreshTokens::mint(const RefreshClaim& claim) const {
  std::string payload(1, refresh_version);
  put(payload, claim.session);
  put(payload, claim.account);
  put(payload, static_cast<std::uint64_t>(claim.generation), 4);
  return with_mac(key_, "refresh", payload);
}

std::optional<RefreshClaim> RefreshTokens::check(std::string_view token) const {
  const auto payload = checked(key_, "refresh", refresh_version, refresh_payload_bytes, token);
  if (!payload) return std::nullopt;
  Take take(std::string_view(*payload).substr(1));
  RefreshClaim claim;
  claim.session = take.id<SessionId>();
  claim.account = take.id<UserId>();
  claim.generation = static_cast<std::int32_t>(take.number(4));
  return claim;
}

std::string OperatorTokens::mint(Time expires_at) const {
  std::string payload(1, operator_version);
  put(payload, expires_at);
  return with_mac(key_, "operator", payload);
}

bool OperatorTokens::admits(std::string_view token, Time now) const {
  const auto payload = checked(key_, "operator", operator_version, operator_payload_bytes, token);
  return payload && Take(std::string_view(*payload).substr(1)).time() > now;
}

void SessionEnds::session_ended(SessionId session, Time at) { sessions_.insert_or_assign(session, at); }

void SessionEnds::password_changed(UserId account, PasswordId current, SessionId continuing, Time at) {
  // The same news may come twice, and from this process before an older one from the log.
  const auto [known, fresh] = passwords_.try_emplace(account, Password{current, continuing, at});
  if (!fresh && at >= known->second.at) known->second = {current, continuing, at};
}

void SessionEnds::forget_before(Time time) {
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second < time; });
  std::erase_if(passwords_, [&](const auto& entry) { return entry.second.at < time; });
}

bool SessionEnds::allows(const Principal& principal) const {
  if (sessions_.contains(principal.session)) return false;
  const auto changed = passwords_.find(principal.account);
  return changed == passwords_.end() || principal.password == changed->second.current || principal.session == changed->second.continuing;
}

/// Reads the ends from the log, one look after another.
class EndedSessions::Follower {
 public:
  explicit Follower(const std::string& database_url)
      : connection_(
            {.url = database_url,
             .application_name = "bloomwatch ended sessions",
             .statement_timeout = std::chrono::milliseconds(10'000),
             // By index events_session_ends, also if it was planned on an empty log; planning each look anew costs more than the look.
             .settings = {{"enable_seqscan", "off"}, {"plan_cache_mode", "force_generic_plan"}}}),
        position_(LogReader(database_url, "bloomwatch ended sessions").position_at(now() - ended_session_memory)) {}

  /// Gives `ends` what the log holds beyond the last look.
  void look(EndedSessions& ended) {
    static const pg::Statement statement(
        "SELECT head.position, e.position, e.type, e.schema_version, e.stream_id, e.recorded_at, e.data"
        "  FROM (SELECT position FROM log.events ORDER BY position DESC LIMIT 1) head"
        "  LEFT JOIN (SELECT * FROM log.events WHERE position > $1 AND type IN ('LoginSessionEnded', 'PasswordChanged')) e ON true"
        " ORDER BY e.position");
    const pg::Result result = connection_.run(statement, pg::Params(position_));
    for (const pg::Row row : result) {
      position_ = std::max(position_, row.get<Position>(0));
      if (row.null(1)) continue;
      take(row, ended);
    }
  }

 private:
  static void take(const pg::Row& row, EndedSessions& ended) {
    RecordedEvent event;
    event.meta.position = row.get<Position>(1);
    event.type = row.get<std::string>(2);
    event.schema_version = row.get<int>(3);
    event.data = row.get<std::string>(6);
    const Uuid stream = row.get<Uuid>(4);
    const Time at = row.get<Time>(5);
    if (event.type == type_name<LoginSessionEnded>()) {
      ended.session_ended(SessionId(stream), at);
    } else {
      const AnyEvent decoded = decode(event);
      const auto* changed = decoded.get_if<PasswordChanged>();
      if (changed == nullptr) throw_undecodable(event, "it ends no session");
      ended.password_changed(UserId(stream), changed->password, changed->continuing_session, at);
    }
  }

  pg::Connection connection_;
  Position position_;
};

EndedSessions::EndedSessions(std::string database_url, Hub& hub)
    : database_url_(std::move(database_url)), subscription_(hub.subscribe(Hub::log_topic, [this](std::int64_t) {
        const std::lock_guard lock(wake_mutex_);
        wake_ = true;
        woken_.notify_one();
      })) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

EndedSessions::~EndedSessions() {
  subscription_.reset();
  thread_.request_stop();
}

bool EndedSessions::ready() const {
  const auto looked_at = looked_at_.load(std::memory_order_acquire);
  return looked_at != 0 && std::chrono::steady_clock::now().time_since_epoch().count() - looked_at <
                               std::chrono::duration_cast<std::chrono::steady_clock::duration>(staleness_max).count();
}

bool EndedSessions::allows(const Principal& principal) const {
  const std::shared_lock lock(ends_mutex_);
  return ends_.allows(principal);
}

void EndedSessions::session_ended(SessionId session, Time at) {
  const std::lock_guard lock(ends_mutex_);
  ends_.session_ended(session, at);
}

void EndedSessions::password_changed(UserId account, PasswordId current, SessionId continuing, Time at) {
  const std::lock_guard lock(ends_mutex_);
  ends_.password_changed(account, current, continuing, at);
}

void EndedSessions::run(const std::stop_token& stop) {
  std::unique_ptr<Follower> follower;
  // Ends are forgotten by a clock that never jumps ahead: one that does, and back, would bring sessions to life.
  const Time started = now();
  const auto started_steady = std::chrono::steady_clock::now();
  auto swept = started_steady;
  bool said = false;
  while (!stop.stop_requested()) {
    try {
      // A look is as old as its beginning: what is committed during it may be missing.
      const auto begun = std::chrono::steady_clock::now();
      if (!follower) follower = std::make_unique<Follower>(database_url_);
      follower->look(*this);
      looked_at_.store(begun.time_since_epoch().count(), std::memory_order_release);
      said = false;
      pause(stop, poll_spacing);
    } catch (const std::exception& error) {
      // The database is away, or holds what cannot be read; from `staleness_max` on nobody is let in. A new follower reads the last minutes
      // again, which is harmless.
      if (!std::exchange(said, true)) log::warning("access", "the log cannot be followed for ended sessions", {{"error", error.what()}});
      follower.reset();
      pause(stop, poll_every);
    }
    const auto steady = std::chrono::steady_clock::now();
    if (steady - swept < std::chrono::seconds(10)) continue;
    swept = steady;
    const Time at = std::min(now(), started + std::chrono::duration_cast<Time::duration>(steady - started_steady));
    const std::lock_guard lock(ends_mutex_);
    ends_.forget_before(at - ended_session_memory);
  }
}

void EndedSessions::pause(const std::stop_token& stop, std::chrono::milliseconds least) {
  sleep_for(stop, least);
  std::unique_lock lock(wake_mutex_);
  woken_.wait_for(lock, stop, poll_every - least, [this] { return wake_; });
  wake_ = false;
}

namespace {

/// RFC 6750 §3: with an error code only where a token was sent.
Problem refused(std::string_view detail, bool token_sent) {
  Problem problem = problems::unauthorized(std::string(detail));
  if (token_sent) {
    std::erase_if(problem.headers, [](const auto& header) { return header.first == "WWW-Authenticate"; });
    problem.headers.emplace_back("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  }
  return problem;
}

}  // namespace

Authenticator::Authenticator(const MasterKeys& keys, std::string database_url, Hub& hub)
    : tokens_(keys), ended_(std::move(database_url), hub) {}

std::expected<Principal, Problem> Authenticator::authenticate(const http::Request& request, http::Responder& answer, Time now) const {
  const auto token = request.bearer_token();
  if (!token) return std::unexpected(refused("Send an access token: Authorization: Bearer …", false));
  const auto principal = tokens_.check(*token, now);
  if (!principal) return std::unexpected(refused("The access token is wrong or has expired.", true));
  answer.speaks_for(principal->account.uuid);
  if (!ended_.ready()) return std::unexpected(problems::unavailable(request.request_id, "it is not known which sessions have ended"));
  if (!ended_.allows(*principal)) return std::unexpected(refused("This session has ended.", true));
  return *principal;
}

}  // namespace bloomwatch
