// The hub's bookkeeping: one mutex, because news come a few thousand times a second at most and nothing is done under it but comparing.
// Callbacks run outside it; a subscription's own mutex keeps it alive while its callback runs.
#include "runtime/hub.h"

#include <algorithm>
#include <utility>

namespace bloomwatch {

struct Hub::Subscription::Entry {
  std::string topic;
  std::mutex mutex;
  Callback callback;  // empty once the subscription has ended
};

void Hub::publish(std::string_view topic, std::int64_t position) {
  std::vector<std::shared_ptr<Subscription::Entry>> subscribers;
  {
    const std::lock_guard lock(mutex_);
    auto found = topics_.find(topic);
    if (found == topics_.end()) found = topics_.emplace(topic, Topic{}).first;
    if (position <= found->second.position) return;
    found->second.position = position;
    subscribers = found->second.subscribers;
  }
  grew_.notify_all();
  for (const auto& subscriber : subscribers) {
    const std::lock_guard lock(subscriber->mutex);
    if (subscriber->callback) subscriber->callback(position);
  }
}

std::int64_t Hub::reached(std::string_view topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  return found == topics_.end() ? 0 : found->second.position;
}

bool Hub::wait(std::string_view topic, std::int64_t position, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return grew_.wait_for(lock, timeout, [&] {
    const auto found = topics_.find(topic);
    return found != topics_.end() && found->second.position >= position;
  });
}

Hub::Subscription Hub::subscribe(std::string_view topic, Callback callback) {
  auto entry = std::make_shared<Subscription::Entry>();
  entry->topic = topic;
  entry->callback = std::move(callback);
  const std::lock_guard lock(mutex_);
  topics_[entry->topic].subscribers.push_back(entry);
  return {this, std::move(entry)};
}

Hub::Subscription::Subscription(Subscription&& other) noexcept
    : hub_(std::exchange(other.hub_, nullptr)), entry_(std::move(other.entry_)) {}

Hub::Subscription& Hub::Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    reset();
    hub_ = std::exchange(other.hub_, nullptr);
    entry_ = std::move(other.entry_);
  }
  return *this;
}

void Hub::Subscription::reset() {
  if (hub_ == nullptr) return;
  {
    const std::lock_guard lock(hub_->mutex_);
    std::erase(hub_->topics_[entry_->topic].subscribers, entry_);
  }
  const std::lock_guard lock(entry_->mutex);
  entry_->callback = nullptr;
  hub_ = nullptr;
}

}  // namespace bloomwatch
