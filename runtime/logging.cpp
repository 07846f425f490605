// Logging: lines are made here, spdlog puts them out (one write a line, flushed at once, so that a crash loses none).
#include "runtime/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "runtime/json.h"

namespace bloomwatch::log {
namespace {

constexpr std::string_view level_names[] = {"debug", "info", "warning", "error", "off"};

spdlog::logger& logger() {
  static const auto made = [] {
    auto logger = std::make_shared<spdlog::logger>("bloomwatch", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);
    return logger;
  }();
  return *made;
}

bool is_absent(const Field& field) {
  const auto* id = std::get_if<Uuid>(&field.value);
  const auto* text = std::get_if<std::string_view>(&field.value);
  return (id != nullptr && id->is_nil()) || (text != nullptr && text->empty());
}

}  // namespace

std::optional<Level> level_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(level_names); ++i)
    if (level_names[i] == name) return static_cast<Level>(i);
  return std::nullopt;
}

void set_level(Level level) { detail::level.store(static_cast<int>(level), std::memory_order_relaxed); }

std::string format_line(Level level, Time time, std::string_view module, std::string_view message, Fields fields) {
  std::string line = "{\"time\":";
  json::write(line, time);
  line += ",\"level\":\"";
  line += level_names[static_cast<std::size_t>(level)];
  line += "\",\"module\":";
  json::write(line, module);
  line += ",\"message\":";
  json::write(line, message);
  for (const Field& field : fields) {
    if (is_absent(field)) continue;
    line += ',';
    json::write(line, field.name);
    line += ':';
    std::visit([&](const auto& value) { json::write(line, value); }, field.value);
  }
  line += '}';
  return line;
}

void write(Level level, std::string_view module, std::string_view message, Fields fields) {
  if (!is_on(level) || level == Level::off) return;
  logger().log(spdlog::level::info, spdlog::string_view_t(format_line(level, now(), module, message, fields)));
}

}  // namespace bloomwatch::log
