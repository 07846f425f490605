// What the flows share.
#include "command-service/accounts/flows.h"

#include <utility>

namespace bloomwatch::accounts {

LoadResult Readers::load(const LoadRequest& request) {
  LoadResult result;
  with([&](LogReader& reader) { result = reader.load(request); });
  return result;
}

LogReader Readers::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return LogReader(database_url_, "bloomwatch flows");
  LogReader reader = std::move(idle_.back());
  idle_.pop_back();
  return reader;
}

void Readers::give_back(LogReader reader) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(reader));
}

void refuse(Call& call, Refusal why) { call.refuse(bloomwatch::problem_of(bloomwatch::refuse(why).name)); }

}  // namespace bloomwatch::accounts
