// A list within a row that remembers so many and no more, so that no row grows with the log.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace bloomwatch::projection {

/// Appends one; beyond `most` the oldest goes.
template <class T>
void add_bounded(std::vector<T>& list, T one, std::size_t most) {
  list.push_back(std::move(one));
  if (list.size() > most) list.erase(list.begin());
}

}  // namespace bloomwatch::projection
