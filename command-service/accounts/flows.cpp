// What the flows share.
#include "command-service/accounts/flows.h"

#include <chrono>
#include <utility>

#include "command-service/accounts/user.h"

namespace bloomwatch::accounts {
namespace {

/// Somebody waits for the answer, and others for the thread.
constexpr std::chrono::seconds statement_timeout{10};

}  // namespace

LoadResult Readers::load(const LoadRequest& request) {
  LoadResult result;
  with([&](LogReader& reader) { result = reader.load(request); });
  return result;
}

LogReader Readers::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return LogReader(database_url_, "bloomwatch flows", statement_timeout);
  LogReader reader = std::move(idle_.back());
  idle_.pop_back();
  return reader;
}

void Readers::give_back(LogReader reader) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(reader));
}

LoadRequest account_and_key(const Call& call, UserId account) {
  LoadRequest request{.streams = {{User::category, account.uuid}}, .claims = {}, .keys = {}};
  if (call.frame.key) request.keys.push_back(*call.frame.key);
  return request;
}

void refuse(Call& call, Refusal why) { call.refuse(bloomwatch::problem_of(bloomwatch::refuse(why).name)); }

}  // namespace bloomwatch::accounts
