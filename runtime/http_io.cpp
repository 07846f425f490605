// The mailbox, the ids and the ticks of one thread of the server.
#include "runtime/http_io.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <boost/asio/post.hpp>
#include <ctime>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>

#include "runtime/http_connection.h"
#include "runtime/logging.h"

namespace bloomwatch::http {

thread_local IoThread* this_io_thread = nullptr;

namespace {

/// What AnswersTogether keeps of this thread; null where there is none.
thread_local std::vector<Answer>* kept_answers = nullptr;

}  // namespace

AnswersTogether::AnswersTogether() : outermost_(kept_answers == nullptr) {
  thread_local std::vector<Answer> answers;  // keeps its capacity
  if (outermost_) kept_answers = &answers;
}

AnswersTogether::~AnswersTogether() {
  if (!outermost_) return;
  std::vector<Answer>& answers = *std::exchange(kept_answers, nullptr);
  const auto thread_of = [](const Answer& answer) { return &answer.connection->io(); };
  std::ranges::sort(answers, {}, thread_of);  // of one connection in any order: they have their slots
  for (auto first = answers.begin(); first != answers.end();) {
    const auto last = std::find_if(first, answers.end(), [&](const Answer& answer) { return thread_of(answer) != thread_of(*first); });
    thread_of(*first)->deliver({first, last});
    first = last;
  }
  answers.clear();
}

void deliver(Answer answer) {
  if (kept_answers != nullptr) return kept_answers->push_back(std::move(answer));
  IoThread& io = answer.connection->io();
  io.deliver({&answer, 1});
}

RequestIds::RequestIds() {
  if (::getrandom(state_.data(), sizeof state_, 0) != static_cast<ssize_t>(sizeof state_))
    throw std::system_error(errno, std::generic_category(), "getrandom");
}

Uuid RequestIds::next() {
  const auto millis = static_cast<std::uint64_t>(now().time_since_epoch().count());
  return Uuid::v7(millis << 12 | draw() >> 52, draw());
}

/// xoroshiro128++ (Blackman and Vigna).
std::uint64_t RequestIds::draw() {
  const std::uint64_t a = state_[0];
  const std::uint64_t b = state_[1] ^ a;
  const std::uint64_t drawn = std::rotl(a + state_[1], 17) + a;
  state_[0] = std::rotl(a, 49) ^ b ^ (b << 21);
  state_[1] = std::rotl(b, 28);
  return drawn;
}

void IoThread::deliver(std::span<Answer> answers) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    std::ranges::move(answers, std::back_inserter(mailbox_));
    if (posted_) return;
    posted_ = true;
  }
  boost::asio::post(context, [this] { open_mailbox(); });
}

void IoThread::open_mailbox() {
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
    opened_.swap(mailbox_);
  }
  for (Answer& answer : opened_) {
    answer.connection->complete(answer.slot, std::move(answer.response));
    answer.connection->flush_due = true;
  }
  for (Answer& answer : opened_) {
    if (!std::exchange(answer.connection->flush_due, false)) continue;
    answer.connection->flush();
  }
  opened_.clear();
}

void IoThread::close_mailbox() {
  std::vector<Answer> dropped;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(mailbox_);
}

void IoThread::refresh_date() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc = {};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 64> text = {};
  const std::size_t size = std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
  date_line.assign(text.data(), size);
}

bool IoThread::may_say_failure() {
  const auto at = Clock::now();
  if (at - said_since_ >= std::chrono::seconds(1)) {
    said_since_ = at;
    said_ = 0;
  }
  if (said_ < failures_said_max) return ++said_, true;
  ++failures_unsaid;
  return false;
}

void IoThread::tick() {
  clock = Clock::now();
  refresh_date();
  for (std::size_t i = 0; i < connections.size();) {
    const auto connection = connections[i].lock();
    if (!connection || connection->is_aborted()) {
      std::swap(connections[i], connections.back());
      connections.pop_back();
      continue;
    }
    connection->tick(clock);
    ++i;
  }
  hold_no_more_than_may_be();
}

/// Whoever takes no answers would fill the memory with them, and a byte now and then would keep them there: who has most waiting goes
/// first.
void IoThread::hold_no_more_than_may_be() {
  const std::size_t bytes_max = share.options.answers_bytes_max / share.options.threads;
  std::size_t held = 0;
  std::vector<std::pair<std::size_t, std::shared_ptr<Connection>>> holders;
  for (const auto& weak : connections) {
    auto connection = weak.lock();
    const std::size_t bytes = connection && !connection->is_aborted() ? connection->answer_bytes_held() : 0;
    held += bytes;
    if (bytes > 0) holders.emplace_back(bytes, std::move(connection));
  }
  if (held <= bytes_max) return;
  std::ranges::sort(holders, std::greater());
  std::size_t closed = 0;
  for (; held > bytes_max; ++closed) {
    held -= holders[closed].first;
    holders[closed].second->abort();
  }
  log::warning("http", "closed connections that take none of too many bytes of answers", {{"connections", closed}});
}

}  // namespace bloomwatch::http
