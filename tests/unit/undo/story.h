// Commands decided one after another as the writer would, with the log that they leave: what undo reads. Pure.
#pragma once

#include <string>
#include <vector>

#include "command-service/catalog/title.h"
#include "command-service/spaces/create_watch_space.h"
#include "command-service/undo/undo_change.h"
#include "tests/unit/tracking/tracking.h"

namespace bloomwatch::testing {

/// What happened in Mira's and Ken's space and to the anime in it.
class Story {
 public:
  Story() {
    happens(CreateWatchSpace{.name = value<SpaceName>("Mira & Ken"), .watch_space = {space_id}}, mira);
    put<WatchSpace>(space_id.uuid, MemberJoined{.profile = ken.profile}, ken);
  }

  /// Decides and keeps what was decided; the position of its first event, 0 if it said nothing or was refused.
  template <class Command>
  Position happens(const Command& command, const Actor& by) {
    outcome = world_.when(command, by).decided();
    const auto id = CommandId(Uuid::v7(noon));
    const Position first = static_cast<Position>(log.size()) + 1;
    for (const NewEvent& event : outcome.events) keep(event, id, by);
    return outcome.events.empty() ? 0 : first;
  }
  /// As its command would, past its rules.
  template <class State, class E>
  void put(const Uuid& stream, const E& event, const Actor& by) {
    NewEvent made{.stream = {State::category, stream}, .version = 1, .type = type_name<E>(), .data = encode(event)};
    const auto of_it = stream_of(made.stream);
    made.version = of_it.empty() ? 1 : of_it.back().meta.version + 1;
    keep(made, CommandId(Uuid::v7(noon)), by);
    world_.take(Past{{log.back()}});
  }
  /// The catalogue comes to know a title.
  void describe(TitleId title, const std::vector<MediaReference>& media) {
    world_.take(stream<Title>(title, TitleAdded{.source = "csv", .media = media}));
    for (const MediaReference& reference : media) world_.holding<Title>(reference_claim(reference.source, reference.id), title);
  }

  /// Undoes the change at the position; the position of the first event of the undo, 0 if it was refused.
  Position undo(Position position, const Actor& by) {
    const auto found = find(position);
    const auto command = bloomwatch::undo::command_for(space_id, found);
    return std::visit([&](const auto& one) { return happens(one, by); }, command);
  }
  /// Where what stands in the way is.
  std::optional<Position> in_the_way(Position position) const {
    const auto found = find(position);
    const auto command = bloomwatch::undo::command_for(space_id, found);
    return std::visit([&](const auto& one) { return bloomwatch::undo::in_the_way(found->stream, found->change, *one.plan); }, command);
  }
  std::optional<Position> undone_at(Position position) const {
    const auto found = find(position);
    return bloomwatch::undo::undone_at(found->stream, found->change);
  }

  std::vector<std::string> said() const {
    std::vector<std::string> texts;
    for (const NewEvent& event : outcome.events) texts.push_back(std::string(event.type) + ' ' + event.data);
    return texts;
  }
  /// What the events of the last decision take back, by position.
  std::vector<Position> undoes() const {
    std::vector<Position> positions;
    for (const NewEvent& event : outcome.events)
      for (const RecordedEvent& earlier : log)
        if (event.undoes == earlier.meta.event_id) positions.push_back(earlier.meta.position);
    return positions;
  }

  Decided outcome;  ///< of the last command
  std::vector<RecordedEvent> log;

 private:
  std::vector<RecordedEvent> stream_of(const StreamName& name) const {
    std::vector<RecordedEvent> events;
    for (const RecordedEvent& event : log)
      if (event.meta.stream == name) events.push_back(event);
    return events;
  }
  std::optional<bloomwatch::undo::Found> find(Position position) const {
    if (position < 1 || position > static_cast<Position>(log.size())) return std::nullopt;
    bloomwatch::undo::Found found{.stream = stream_of(log[static_cast<std::size_t>(position - 1)].meta.stream), .change = {}};
    found.change = *bloomwatch::undo::find_change(found.stream, position);
    return found;
  }
  void keep(const NewEvent& event, CommandId command, const Actor& by) {
    RecordedEvent recorded{.meta = {.stream = event.stream}, .type = std::string(event.type), .data = event.data};
    recorded.meta.position = static_cast<Position>(log.size()) + 1;
    recorded.meta.version = event.version;
    recorded.meta.event_id = EventId(Uuid::v7(noon));
    recorded.meta.partition_key = PartitionKey(space_id.uuid);
    recorded.meta.recorded_at = noon;
    recorded.meta.by = {.account = by.account, .profile = by.profile, .command = command};
    recorded.meta.undoes = event.undoes;
    log.push_back(std::move(recorded));
  }

  World world_;
};

}  // namespace bloomwatch::testing
