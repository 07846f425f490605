// One request's way: its turn, the wire, the verdict, what is learnt from it, and perhaps another attempt.
#include "query-service/anilist/client.h"

#include <algorithm>
#include <memory>
#include <random>
#include <stdexcept>

#include "runtime/http_client.h"
#include "runtime/json.h"
#include "runtime/logging.h"

namespace bloomwatch::anilist {
namespace {

constexpr std::string_view module = "anilist";

/// For waits that an end cuts short.
struct Alarm {
  std::mutex mutex;
  std::condition_variable rang;
  bool stopped = false;

  void wait_until(TimePoint at) {
    std::unique_lock lock(mutex);
    rang.wait_until(lock, at, [&] { return stopped; });
  }
  void stop() {
    const std::lock_guard lock(mutex);
    stopped = true;
    rang.notify_all();
  }
};

Milliseconds until(TimePoint at, TimePoint now) { return std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(at - now)); }

double random_fraction() {
  thread_local std::mt19937_64 generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace

Surroundings surroundings_of(const std::string& url, const std::string& ca_file) {
  if (!url.starts_with("https://")) throw std::runtime_error("--anilist-url must begin with https://");
  const auto alarm = std::make_shared<Alarm>();
  const auto wire = std::make_shared<http::Client>(http::Client::Options{.ca_file = ca_file});
  Surroundings real;
  real.now = [] { return std::chrono::steady_clock::now(); };
  real.wall_now = [] { return bloomwatch::now(); };
  real.random = random_fraction;
  real.wait_until = [alarm](TimePoint at) { alarm->wait_until(at); };
  real.stop = [alarm, wire] {
    alarm->stop();
    wire->cancel();
  };
  real.send = [wire, url](const std::string& body, Milliseconds time_max) {
    return wire->post({.url = url,
                       .headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}},
                       .body = body,
                       .time_max = time_max,
                       .body_bytes_max = answer_bytes_max});
  };
  return real;
}

Client::Client(Options options, Surroundings surroundings, Metrics& metrics)
    : options_(options),
      surroundings_(std::move(surroundings)),
      metrics_(metrics),
      breaker_state_(metrics.gauge("bloomwatch_anilist_breaker_state", "0: AniList is asked, 1: it is tried, 2: it is left alone")),
      breaker_opened_(metrics.counter("bloomwatch_anilist_breaker_opened_total", "How often AniList was found to be down")),
      seconds_(metrics.histogram("bloomwatch_anilist_request_seconds", "One request to AniList", latency_bounds())),
      pace_(options.pace),
      breaker_(options.breaker) {}

void Client::stop() {
  stopped_.store(true);
  surroundings_.stop();
}

bool Client::rests(TimePoint deadline) {
  const std::lock_guard lock(mutex_);
  return !breaker_.would_take(surroundings_.now()) || pace_.next() >= deadline;
}

std::expected<SearchPage, Failure> Client::search(std::string_view text, int page, TimePoint deadline) {
  const auto answer = ask("search", search_body(text, page), deadline);
  if (!answer) return std::unexpected(answer.error());
  auto found = read_search(*answer);
  if (found) return std::move(*found);
  log::warning(module, "an answer of AniList could not be read", {{"operation", "search"}});
  return std::unexpected(Failure{Trouble::nonsense, {}, {}});
}

std::expected<Media, Failure> Client::media(std::int32_t id, TimePoint deadline) {
  const auto answer = ask("media", media_body(id), deadline);
  if (!answer) return std::unexpected(answer.error());
  auto found = read_media(*answer);
  if (found && found->anilist_media_id == id) return std::move(*found);
  log::warning(module, "an answer of AniList could not be read", {{"operation", "media"}});
  return std::unexpected(Failure{Trouble::nonsense, {}, {}});
}

std::expected<std::string, Failure> Client::ask(std::string_view operation, const std::string& body, TimePoint deadline) {
  for (int number = 1;; ++number) {
    if (const auto refused = wait_for_turn(deadline)) {
      count(operation, json::name_of(refused->trouble));
      return std::unexpected(*refused);
    }
    std::string answer;
    const Verdict verdict = attempt(body, deadline, answer);
    learn(verdict);
    count(operation, verdict.trouble ? json::name_of(*verdict.trouble) : "ok");
    if (!verdict.trouble) return answer;
    if (*verdict.trouble != Trouble::not_found && *verdict.trouble != Trouble::cancelled)
      log::warning(module, "AniList did not answer as asked",
                   {{"operation", operation}, {"trouble", json::name_of(*verdict.trouble)}, {"error", verdict.why}, {"attempt", number}});
    const TimePoint again = surroundings_.now() + pause_before(number);
    if (!worth_retrying(*verdict.trouble) || number == options_.attempts_max || again >= deadline)
      return std::unexpected(failure_of(verdict));
    surroundings_.wait_until(again);
  }
}

/// Nothing: the request may go, and is counted as sent.
std::optional<Failure> Client::wait_for_turn(TimePoint deadline) {
  while (true) {
    if (stopped_.load()) return Failure{Trouble::cancelled, {}, {}};
    const TimePoint now = surroundings_.now();
    if (now >= deadline) return Failure{Trouble::busy, {}, {}};
    TimePoint turn;
    {
      const std::lock_guard lock(mutex_);
      if (!breaker_.would_take(now)) return Failure{Trouble::resting, until(breaker_.closed_until(), now), {}};
      turn = pace_.next();
      if (turn <= now && breaker_.take(now)) {
        pace_.sent(now);
        show_state();
        return std::nullopt;
      }
    }
    if (turn >= deadline) return Failure{Trouble::busy, until(turn, now), {}};
    surroundings_.wait_until(turn);
  }
}

Verdict Client::attempt(const std::string& body, TimePoint deadline, std::string& answer) {
  const TimePoint started = surroundings_.now();
  // A deadline that is very near still gets a moment, or the attempt would be of no use to anybody.
  const Milliseconds left = std::max(Milliseconds(50), until(deadline, started));
  auto response = surroundings_.send(body, std::min(options_.attempt_max, left));
  seconds_.Observe(std::chrono::duration<double>(surroundings_.now() - started).count());
  if (!response) return judge(response.error());
  Verdict verdict = judge(*response, surroundings_.wall_now());
  answer = std::move(response->body);
  return verdict;
}

void Client::learn(const Verdict& verdict) {
  const TimePoint now = surroundings_.now();
  const std::lock_guard lock(mutex_);
  pace_.answered(verdict.rate, now);
  const Breaker::State before = breaker_.state();
  if (verdict.trouble == Trouble::cancelled || verdict.trouble == Trouble::rate_limited)
    breaker_.undecided();
  else if (verdict.trouble && is_failure(*verdict.trouble))
    breaker_.failed(now, is_down(*verdict.trouble));
  else
    breaker_.succeeded();
  if (breaker_.state() == Breaker::State::open && before != Breaker::State::open) {
    breaker_opened_.Increment();
    log::warning(module, "AniList is down and is left alone", {{"seconds", until(breaker_.closed_until(), now).count() / 1000}});
  }
  if (breaker_.state() == Breaker::State::closed && before != Breaker::State::closed) log::info(module, "AniList answers again");
  show_state();
}

/// Full jitter: anything up to a bound that doubles, so that those who failed together do not come back together.
Milliseconds Client::pause_before(int attempt) const {
  const Milliseconds bound = std::min(options_.pause_max, options_.pause_first * (1 << std::min(attempt - 1, 16)));
  return std::chrono::floor<Milliseconds>(surroundings_.random() * std::chrono::duration<double, std::milli>(bound));
}

Failure Client::failure_of(const Verdict& verdict) {
  const TimePoint now = surroundings_.now();
  const std::lock_guard lock(mutex_);
  return {*verdict.trouble, until(std::max(pace_.next(), breaker_.closed_until()), now), verdict.invalid_search};
}

void Client::count(std::string_view operation, std::string_view outcome) {
  metrics_
      .counter("bloomwatch_anilist_requests_total", "Requests to AniList by what came of them",
               {{"operation", std::string(operation)}, {"outcome", std::string(outcome)}})
      .Increment();
}

void Client::show_state() {
  breaker_state_.Set(breaker_.state() == Breaker::State::closed ? 0 : breaker_.state() == Breaker::State::half_open ? 1 : 2);
}

}  // namespace bloomwatch::anilist
