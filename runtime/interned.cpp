// A thread looks at what it knows before it asks the others.
#include "runtime/interned.h"

#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

namespace bloomwatch {

std::string_view interned(std::string_view text) {
  static std::mutex mutex;
  static std::set<std::string, std::less<>> all;
  thread_local std::unordered_map<std::string_view, std::string_view> known;
  if (const auto found = known.find(text); found != known.end()) return found->second;
  const std::lock_guard lock(mutex);
  const std::string_view kept = *all.emplace(text).first;
  known.emplace(kept, kept);
  return kept;
}

}  // namespace bloomwatch
