// Reading the rows, making them, and changing their form under a lock that all who change it take.
#include "projector/checkpoints.h"

#include <algorithm>
#include <ranges>

#include "runtime/logging.h"

namespace bloomwatch::projection {
namespace {

constexpr std::string_view columns =
    "SELECT c.partition, c.position, c.generation, c.version, coalesce(c.epoch, e.epoch), coalesce(c.epoch <> e.epoch, false) "
    "FROM projection.checkpoints c, log.epoch e WHERE c.model = $1 AND c.slot = $2";
const pg::Statement read_sql{std::string(columns)};
const pg::Statement read_and_lock_sql(std::string(columns) + " ORDER BY c.partition FOR UPDATE OF c");
// Not by the rows alone: where there are none, there is nothing to lock.
const pg::Statement lock_form_sql("SELECT pg_advisory_xact_lock(hashtext('bloomwatch checkpoints'), hashtext($1 || '/' || $2))");
const pg::Statement make_sql(
    "INSERT INTO projection.checkpoints (model, slot, partition, version, position, epoch, generation) "
    "SELECT $1, $2, p, $4, $5, $6, $7 FROM unnest($3) AS made (p)");
const pg::Statement remove_sql("DELETE FROM projection.checkpoints WHERE model = $1 AND slot = $2");
const pg::Statement adopt_version_sql(
    "UPDATE projection.checkpoints SET version = $3 WHERE model = $1 AND slot = $2 AND version < $3 AND position = 0");

/// Whether the form is the one asked for, as far as changing it here can make it so.
bool fits(const Checkpoints& checkpoints, CheckpointForm form) {
  if (checkpoints.rows.empty()) return false;
  if (form == CheckpointForm::by_partition) return checkpoints.by_partition();
  return !checkpoints.by_partition() || checkpoints.least() != checkpoints.greatest();
}

/// Puts rows at one position in the place of those that are there. Their generation is one that nobody knows yet: whoever still folds
/// onto the old ones is stale.
void replace(pg::Connection& connection, std::string_view model, Slot slot, CheckpointForm form, const Checkpoints& old) {
  std::vector<std::int16_t> partitions;
  if (form == CheckpointForm::whole_log) partitions = {Cursor::whole_log};
  for (std::int16_t p = 0; form == CheckpointForm::by_partition && p < partition_count; ++p) partitions.push_back(p);
  std::int64_t generation = 0;
  for (const auto& [partition, row] : old.rows) generation = std::max(generation, row.generation + 1);
  connection.run(remove_sql, pg::Params(model, name_of(slot)));
  pg::Params made(model, name_of(slot));
  made.add_array(partitions).add(std::int32_t{old.version_least}).add(old.greatest()).add(old.epoch).add(generation);
  connection.run(make_sql, made);
  if (old.rows.empty()) return;
  log::info("projector", "the checkpoints of a read model change their form",
            {{"model", model}, {"position", old.greatest()}, {"by partition", form == CheckpointForm::by_partition}});
}

}  // namespace

std::optional<Position> Checkpoints::position_for(std::int16_t partition) const {
  auto found = rows.find(Cursor::whole_log);
  if (found == rows.end()) found = rows.find(partition);
  return found == rows.end() ? std::nullopt : std::optional(found->second.position);
}

Position Checkpoints::least() const {
  if (rows.empty()) return 0;
  return std::ranges::min(rows | std::views::values, {}, &Checkpoint::position).position;
}

Position Checkpoints::greatest() const {
  if (rows.empty()) return 0;
  return std::ranges::max(rows | std::views::values, {}, &Checkpoint::position).position;
}

Checkpoints read_checkpoints(pg::Connection& connection, std::string_view model, Slot slot, Lock lock) {
  if (lock == Lock::yes) connection.run(lock_form_sql, pg::Params(model, name_of(slot)));
  Checkpoints checkpoints;
  for (const pg::Row row : connection.run(lock == Lock::yes ? read_and_lock_sql : read_sql, pg::Params(model, name_of(slot)))) {
    const int version = row.get<std::int32_t>(3);
    const bool first = checkpoints.rows.empty();
    checkpoints.version_least = first ? version : std::min(checkpoints.version_least, version);
    checkpoints.version_most = first ? version : std::max(checkpoints.version_most, version);
    if (first || row.get<bool>(5)) checkpoints.epoch = row.get<std::string>(4);
    checkpoints.of_another_epoch = checkpoints.of_another_epoch || row.get<bool>(5);
    checkpoints.rows[row.get<std::int16_t>(0)] = {row.get<Position>(1), row.get<std::int64_t>(2)};
  }
  return checkpoints;
}

Checkpoints make_checkpoints(pg::Connection& connection, const StoredModel& model, Slot slot, std::string_view epoch, CheckpointForm form) {
  Checkpoints checkpoints = read_checkpoints(connection, model.name(), slot);
  const auto adopts = [&] { return checkpoints.greatest() == 0 && checkpoints.version_least < model.version(); };
  if (fits(checkpoints, form) && !adopts()) return checkpoints;
  pg::Transaction transaction(connection);
  checkpoints = read_checkpoints(connection, model.name(), slot, Lock::yes);
  if (checkpoints.rows.empty()) {
    checkpoints.version_least = model.version();
    checkpoints.epoch = epoch;
  }
  if (!fits(checkpoints, form)) replace(connection, model.name(), slot, form, checkpoints);
  if (adopts()) transaction.run(adopt_version_sql, pg::Params(model.name(), name_of(slot), std::int32_t{model.version()}));
  checkpoints = read_checkpoints(connection, model.name(), slot);
  transaction.commit();
  return checkpoints;
}

}  // namespace bloomwatch::projection
