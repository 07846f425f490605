// What the containers of a state take beside the state itself, about: the writer's memory is bounded in bytes, and a state that says what
// it keeps (`heap_bytes()`) is not counted by its past.
#pragma once

#include <cstddef>
#include <map>
#include <set>

namespace bloomwatch {

inline constexpr std::size_t node_links_bytes = 48;  ///< colour, three pointers, what the allocator adds

/// Of the nodes of a set.
template <class Key>
std::size_t nodes_bytes(const std::set<Key>& set) {
  return set.size() * (sizeof(Key) + node_links_bytes);
}

/// Of the nodes of a map, and of what their values say that they keep.
template <class Key, class Value>
std::size_t nodes_bytes(const std::map<Key, Value>& map) {
  std::size_t bytes = map.size() * (sizeof(typename std::map<Key, Value>::value_type) + node_links_bytes);
  if constexpr (requires(const Value& value) { value.heap_bytes(); })
    for (const auto& [key, value] : map) bytes += value.heap_bytes();
  return bytes;
}

}  // namespace bloomwatch
