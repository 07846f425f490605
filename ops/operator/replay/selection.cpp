// Positions are dense and recorded times never decrease, so a span of time is a span of positions. One space is found by its streams.
#include "ops/operator/replay/selection.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "events/codec.h"

namespace bloomwatch::ops {
namespace {

std::optional<Position> position_in(std::string_view text) {
  Position position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (error != std::errc{} || end != text.data() + text.size() || position < 0) return std::nullopt;
  return position;
}

Time time_in(std::string_view text) {
  constexpr std::size_t date_length = 10;
  const std::string time = text.size() == date_length ? std::string(text) + "T00:00:00Z" : std::string(text);
  const auto parsed = parse_rfc3339(time);
  if (!parsed) throw std::runtime_error("'" + std::string(text) + "' is neither a position nor a time such as 2026-11-21T12:00:00Z");
  return *parsed;
}

/// The last position that was recorded before a time.
Position before(LogReader& reader, Time time) { return reader.position_at(time - std::chrono::milliseconds(1)); }

bool is_event_type(std::string_view name) {
  return []<class... Es>(std::string_view wanted, boost::mp11::mp_list<Es...>) { return ((type_name<Es>() == wanted) || ...); }(
             name, AllEvents{});
}

}  // namespace

void Filters::check() const {
  for (const std::string& type : types) {
    if (!is_event_type(type)) throw std::runtime_error("there is no event called " + type);
  }
  if (!space.empty() && !Uuid::parse(space)) throw std::runtime_error("--space must be the UUID of a watch space");
}

bool Filters::take(const RawEvent& event) const {
  if (!types.empty() && std::ranges::find(types, event.type) == types.end()) return false;
  return partitions.empty() || std::ranges::find(partitions, event.meta.partition) != partitions.end();
}

Position first_position(LogReader& reader, std::string_view text) {
  if (text.empty()) return 1;
  if (const auto position = position_in(text)) return std::max<Position>(1, *position);
  const Time time = time_in(text);
  // What comes next in the log is recorded before it.
  if (time > now()) throw std::runtime_error("--from " + std::string(text) + " is a time to come: nothing was recorded from then on");
  return before(reader, time) + 1;
}

Position last_position(LogReader& reader, std::string_view text) {
  const Position head = reader.head().position;
  if (text.empty()) return head;
  if (const auto position = position_in(text)) return std::min(head, *position);
  return before(reader, time_in(text));
}

Position Selection::read(Position after, Position last, std::size_t limit, const std::function<void(const RawEvent&)>& take) {
  if (!filters_.space.empty()) return read_space(after, last, limit, take);
  const std::size_t wanted = std::min(limit, static_cast<std::size_t>(last - after));
  reader_.read_raw(after, wanted, [&](const RawEvent& event) {
    if (filters_.take(event)) take(event);
  });
  return after + static_cast<Position>(wanted);
}

/// Each read looks at the whole space, so it takes more than is asked for.
Position Selection::read_space(Position after, Position last, std::size_t limit, const std::function<void(const RawEvent&)>& take) {
  if (ahead_.empty()) {
    const PartitionKey space(Uuid::parse(filters_.space).value());
    for (RecordedEvent& event : reader_.read_partition_key(space, after, last, events_ahead_max)) ahead_.push_back(std::move(event));
    more_ = ahead_.size() == events_ahead_max;
  }
  for (; limit > 0 && !ahead_.empty(); --limit) {
    const RecordedEvent& event = ahead_.front();
    const RawEvent raw{event.meta, event.type, event.schema_version, event.data};
    if (filters_.take(raw)) take(raw);
    after = event.meta.position;
    ahead_.pop_front();
  }
  return ahead_.empty() && !more_ ? last : after;
}

}  // namespace bloomwatch::ops
