// What the flows share.
#include "command-service/accounts/flows.h"

#include <utility>

namespace bloomwatch::accounts {

LoadResult Readers::load(const LoadRequest& request) {
  std::optional<LogReader> reader;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      reader = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!reader) reader.emplace(database_url_, "bloomwatch account flows");
  LoadResult result = reader->load(request);
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(*reader));
  return result;
}

void refuse(Call& call, Refusal why) { call.refuse(bloomwatch::problem_of(bloomwatch::refuse(why).name)); }

}  // namespace bloomwatch::accounts
