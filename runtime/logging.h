// Structured logs: one JSON object a line on standard error, for machines first. No secrets and no personal texts: callers name what they
// log. Names that recur: `request`, `correlation`, `space`, `user`, `error`; a nil id and an empty text are left out. A level that is off
// costs one relaxed load; any thread may log.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/uuid.h"

namespace bloomwatch::log {

enum class Level { debug, info, warning, error, off };

/// The level called `debug`, `info`, `warning`, `error` or `off`.
std::optional<Level> level_of(std::string_view name);

/// What is logged from now on; info until told.
void set_level(Level level);

namespace detail {
inline std::atomic<int> level{static_cast<int>(Level::info)};
}
inline bool is_on(Level level) { return static_cast<int>(level) >= detail::level.load(std::memory_order_relaxed); }

/// One named value. Holds views: made for the call only.
struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool, Uuid> value;

  Field(std::string_view key, std::string_view text) : name(key), value(text) {}
  Field(std::string_view key, const std::string& text) : name(key), value(std::string_view(text)) {}
  Field(std::string_view key, const char* text) : name(key), value(std::string_view(text)) {}
  Field(std::string_view key, bool truth) : name(key), value(truth) {}
  template <std::integral T>
  Field(std::string_view key, T number) : name(key), value(static_cast<std::int64_t>(number)) {}
  Field(std::string_view key, double number) : name(key), value(number) {}
  Field(std::string_view key, const Uuid& uuid) : name(key), value(uuid) {}
  template <class Tag>
  Field(std::string_view key, const Id<Tag>& id) : name(key), value(id.uuid) {}
};

using Fields = std::initializer_list<Field>;

/// Writes one line if the level is on. `module` is the part that speaks (`http`, `writer`); `message` is a short, constant sentence.
void write(Level level, std::string_view module, std::string_view message, Fields fields = {});

inline void debug(std::string_view module, std::string_view message, Fields fields = {}) {
  if (is_on(Level::debug)) write(Level::debug, module, message, fields);
}
inline void info(std::string_view module, std::string_view message, Fields fields = {}) { write(Level::info, module, message, fields); }
inline void warning(std::string_view module, std::string_view message, Fields fields = {}) {
  write(Level::warning, module, message, fields);
}
inline void error(std::string_view module, std::string_view message, Fields fields = {}) { write(Level::error, module, message, fields); }

/// The line that write() would write, without its end: for tests.
std::string format_line(Level level, Time time, std::string_view module, std::string_view message, Fields fields);

}  // namespace bloomwatch::log
