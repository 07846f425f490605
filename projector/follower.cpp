// One batch: decode once; per model announce, load, fold; flush all in one round trip. Poison is found where it shows: a fold that throws,
// or a write that Postgres refuses, which is narrowed down to one event and one model.
#include "projector/follower.h"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>

#include "runtime/invariant.h"
#include "runtime/logging.h"

namespace bloomwatch::projection {
namespace {

constexpr std::string_view stale_sqlstate = "BW001";

const pg::Statement epoch_sql("SELECT epoch FROM log.epoch");
const pg::Statement parked_sql("SELECT partition_key, position FROM projection.parked WHERE model = $1 AND slot = $2");
const pg::Statement discarded_sql("SELECT position FROM projection.discarded WHERE model = $1");
const pg::Statement move_sql("SELECT projection.move_checkpoints($1, $2, $3, $4, $5, $6, $7)");
const pg::Statement park_sql(
    "INSERT INTO projection.parked (model, slot, partition_key, position, event_type, reason) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT DO NOTHING");

/// Whether the event is in a partition that is followed, and not folded yet.
bool is_after(const Checkpoints& checkpoints, const Meta& meta) {
  const auto position = checkpoints.position_for(meta.partition);
  return position && meta.position > *position;
}

}  // namespace

struct Follower::Followed {
  StoredModel* model = nullptr;
  Checkpoints checkpoints = {};  ///< those that this follower moves
  ParkedKeys parked = {};
  std::set<Position> discarded = {};
};

/// An event, decoded once for all models, or why it cannot be.
struct Follower::Decoded {
  const RecordedEvent* recorded;
  std::optional<AnyEvent> event;
  std::string why_not;

  const Meta& meta() const { return recorded->meta; }
};

struct Follower::Poison {
  std::string_view model;
  const RecordedEvent* event;
  std::string reason;
};

pg::Options folding_options(std::string database_url) {
  pg::Options options;
  options.url = std::move(database_url);
  options.application_name = "bloomwatch projector";
  options.statement_timeout = pg::Milliseconds(120'000);
  options.settings = {{"synchronous_commit", "off"},
                      {"enable_seqscan", "off"},
                      {"enable_bitmapscan", "off"},
                      {"enable_hashjoin", "off"},
                      {"enable_mergejoin", "off"}};
  return options;
}

Follower::Follower(std::string database_url, Slot slot, std::vector<std::unique_ptr<StoredModel>> models)
    : database_url_(std::move(database_url)), slot_(slot), models_(std::move(models)) {}

Follower::~Follower() = default;
Follower::Follower(Follower&&) noexcept = default;

// ---------------------------------------------------------------------------------------------------------------------------- opening

void Follower::open(std::span<const std::int16_t> partitions) {
  followed_.clear();
  outdated_.clear();
  for (auto& model : models_) model->forget();
  if (connection_ == nullptr || !connection_->usable()) {
    connection_.reset();
    connection_ = std::make_unique<pg::Connection>(folding_options(database_url_));
  }
  epoch_ = connection_->run(epoch_sql)[0].get<std::string>(0);
  partitions_.assign(partitions.begin(), partitions.end());
  if (partitions_.empty()) return;
  for (auto& model : models_) {
    auto followed = std::make_unique<Followed>();
    followed->model = model.get();
    open_model(*followed);
    if (!followed->checkpoints.rows.empty()) followed_.push_back(std::move(followed));
  }
}

bool Follower::reads_whole_log() const { return std::ranges::find(partitions_, Cursor::whole_log) != partitions_.end(); }

/// Its checkpoints stay empty if it is not to be followed.
void Follower::open_model(Followed& followed) {
  const StoredModel& model = *followed.model;
  const CheckpointForm form = reads_whole_log() ? CheckpointForm::whole_log : CheckpointForm::by_partition;
  Checkpoints found = make_checkpoints(*connection_, model, slot_, epoch_, form);
  if (found.version_least != model.version() || found.version_most != model.version()) {
    if (found.version_least < model.version()) outdated_.emplace_back(model.name());
    log::warning("projector", "a read model is of another version than this program",
                 {{"model", model.name()}, {"version", found.version_least}});
    return;
  }
  if (found.of_another_epoch) {
    begin_epoch(followed);
    found = make_checkpoints(*connection_, model, slot_, epoch_, form);
  }
  if (!reads_whole_log())
    std::erase_if(found.rows, [&](const auto& row) { return std::ranges::find(partitions_, row.first) == partitions_.end(); });
  followed.checkpoints = std::move(found);
  read_exceptions(followed);
}

void Follower::read_exceptions(Followed& followed) {
  const StoredModel& model = *followed.model;
  for (const pg::Row row : connection_->run(parked_sql, pg::Params(model.name(), name_of(slot_))))
    followed.parked.emplace(row.get<PartitionKey>(0), row.get<Position>(1));
  for (const pg::Row row : connection_->run(discarded_sql, pg::Params(model.name()))) followed.discarded.insert(row.get<Position>(0));
}

/// What was folded from a log that has ended says nothing about this one: the model fills anew. What was discarded stays so: the events are
/// still in the log, or begin-epoch has forgotten them.
void Follower::begin_epoch(Followed& followed) {
  const std::string model(followed.model->name());
  log::warning("projector", "the log has begun a new epoch: a read model fills anew", {{"model", model}, {"epoch", epoch_}});
  pg::Transaction transaction(*connection_);
  transaction.query("SELECT 1 FROM projection.checkpoints WHERE model = $1 ORDER BY slot, partition FOR UPDATE", pg::Params(model));
  const pg::Result stale = transaction.query("SELECT 1 FROM projection.checkpoints WHERE model = $1 AND slot = $2 AND epoch <> $3",
                                             pg::Params(model, name_of(slot_), epoch_));
  if (stale.empty()) return;
  for (const std::string& table : followed.model->tables()) transaction.query("TRUNCATE " + schema_of(model, slot_) + '.' + table);
  transaction.query("DELETE FROM projection.parked WHERE model = $1 AND slot = $2", pg::Params(model, name_of(slot_)));
  transaction.query(
      "UPDATE projection.checkpoints SET position = 0, epoch = $3, generation = generation + 1 WHERE model = $1 AND slot = $2",
      pg::Params(model, name_of(slot_), epoch_));
  transaction.commit();
}

// ----------------------------------------------------------------------------------------------------------------------------- asking

Cursor Follower::cursor() const {
  Cursor least;
  const auto at_most = [&](std::int16_t partition, Position position) {
    const auto [found, fresh] = least.positions.try_emplace(partition, position);
    if (!fresh) found->second = std::min(found->second, position);
  };
  for (const auto& followed : followed_)
    for (const auto& [partition, row] : followed->checkpoints.rows)
      at_most(reads_whole_log() ? Cursor::whole_log : partition, row.position);
  return least;
}

const Follower::Followed* Follower::followed_named(std::string_view model) const {
  const auto found = std::ranges::find_if(followed_, [&](const auto& followed) { return followed->model->name() == model; });
  return found == followed_.end() ? nullptr : found->get();
}

Position Follower::position(std::string_view model) const {
  const Followed* followed = followed_named(model);
  return followed == nullptr ? -1 : followed->checkpoints.least();
}

std::vector<std::string_view> Follower::followed() const {
  std::vector<std::string_view> names;
  for (const auto& followed : followed_) names.push_back(followed->model->name());
  return names;
}

const ParkedKeys& Follower::parked(std::string_view model) const {
  static const ParkedKeys none;
  const Followed* followed = followed_named(model);
  return followed == nullptr ? none : followed->parked;
}

RowCount Follower::touched(std::string_view model) const {
  const Followed* followed = followed_named(model);
  return followed == nullptr ? RowCount{} : followed->model->touched();
}

// ---------------------------------------------------------------------------------------------------------------------------- folding

/// All of them; those that nobody is to fold any more are left undecoded. Checkpoints tell repeats of batches before; within this one no
/// event may come twice, or sums would count it twice.
void Follower::decode_all(std::span<const RecordedEvent> events) {
  decoded_.clear();
  decoded_.reserve(events.size());
  std::array<Position, partition_count> last{};
  for (const RecordedEvent& event : events) {
    Position& before = last.at(static_cast<std::size_t>(event.meta.partition));
    if (event.meta.position <= std::exchange(before, event.meta.position))
      throw std::logic_error("the feed gave position " + std::to_string(event.meta.position) + " twice, or out of order");
    Decoded& one = decoded_.emplace_back(&event);
    if (std::ranges::none_of(followed_, [&](const auto& followed) { return is_after(followed->checkpoints, event.meta); })) continue;
    try {
      one.event.emplace(decode(event));
    } catch (const UndecodableEvent& error) {
      one.why_not = error.what();
    }
  }
}

void Follower::fold(std::span<const RecordedEvent> events) {
  if (events.empty() || followed_.empty()) return;
  decode_all(events);
  std::vector<Followed*> models;
  for (const auto& followed : followed_) models.push_back(followed.get());
  try {
    fold_together(models, decoded_);
  } catch (const pg::Error& error) {
    for (Followed* followed : models) followed->model->forget();
    if (error.sqlstate() == stale_sqlstate) throw StaleCheckpoint(error.what());
    throw;
  }
  if (reads_whole_log())
    for (Followed* followed : models) become_whole(*followed);
  std::size_t held = 0;
  for (Followed* followed : models) held += followed->model->held();
  if (held <= held_rows_max) return;
  for (Followed* followed : models) followed->model->forget();
}

/// After partitions that a Kafka feed had left apart have been read to one position: one row stands for all of them.
void Follower::become_whole(Followed& followed) {
  if (!followed.checkpoints.by_partition() || followed.checkpoints.least() != followed.checkpoints.greatest()) return;
  const Position reached = followed.checkpoints.greatest();
  Checkpoints whole = make_checkpoints(*connection_, *followed.model, slot_, epoch_, CheckpointForm::whole_log);
  if (whole.by_partition() || whole.greatest() != reached) throw StaleCheckpoint("somebody else has moved a checkpoint");
  followed.checkpoints = std::move(whole);
}

/// Whether the model is still to fold the event: it is after the checkpoint, its key not parked before it, and it is not discarded.
bool Follower::concerns(const Followed& followed, const Meta& meta) {
  if (!is_after(followed.checkpoints, meta)) return false;
  if (!followed.parked.empty()) {
    const auto parked = followed.parked.find(meta.partition_key);
    if (parked != followed.parked.end() && meta.position >= parked->second) return false;
  }
  return followed.discarded.empty() || !followed.discarded.contains(meta.position);
}

void Follower::fold_together(std::span<Followed*> models, std::span<const Decoded> events) {
  std::vector<Poison> poisons;
  try {
    load(models, events);
    for (Followed* followed : models) fold_one(*followed, events, poisons);
    flush(models, events, poisons);
  } catch (const pg::Error& error) {
    if (!error.data_error()) throw;
    for (Followed* followed : models) followed->model->forget();
    for (const Poison& poison : poisons)
      for (Followed* followed : models)
        if (followed->model->name() == poison.model) followed->parked.erase(poison.event->meta.partition_key);
    if (models.size() > 1 || events.size() > 1) return fold_apart(models, events);
    log_parked(models.front()->model->name(), events.front(), error.what());
    flush(models, events, {{models.front()->model->name(), events.front().recorded, error.what()}});
  }
}

/// Halves what Postgres refused until the event is alone that it refuses, in one model.
void Follower::fold_apart(std::span<Followed*> models, std::span<const Decoded> events) {
  if (events.size() > 1) {
    fold_together(models, events.first(events.size() / 2));
    fold_together(models, events.subspan(events.size() / 2));
    return;
  }
  fold_together(models.first(models.size() / 2), events);
  fold_together(models.subspan(models.size() / 2), events);
}

void Follower::load(std::span<Followed*> models, std::span<const Decoded> events) {
  for (Followed* followed : models)
    for (const Decoded& event : events)
      if (event.event && concerns(*followed, event.meta())) followed->model->announce(*event.event, event.meta());
  std::vector<pg::Call> calls;
  std::vector<std::size_t> ends;
  for (Followed* followed : models) {
    followed->model->append_loads(calls);
    ends.push_back(calls.size());
  }
  const std::vector<pg::Result> results = calls.empty() ? std::vector<pg::Result>{} : connection_->run_together(calls);
  std::size_t start = 0;
  for (std::size_t i = 0; i < models.size(); ++i) {
    models[i]->model->take_loads(std::span(results).subspan(start, ends[i] - start));
    start = ends[i];
  }
}

void Follower::log_parked(std::string_view model, const Decoded& event, std::string_view reason) {
  log::error("projector", "an event cannot be folded: its key is parked",
             {{"model", model},
              {"position", event.meta().position},
              {"type", event.recorded->type},
              {"key", event.meta().partition_key},
              {"error", reason}});
}

/// Folds in memory. When an event cannot be folded its key is parked, and the batch is folded again without it.
void Follower::fold_one(Followed& followed, std::span<const Decoded> events, std::vector<Poison>& poisons) {
  for (;;) {
    const Decoded* failed = nullptr;
    std::string reason;
    for (const Decoded& event : events) {
      if (!concerns(followed, event.meta())) continue;
      try {
        if (!event.event) throw UndecodableEvent(event.why_not);
        followed.model->apply(*event.event, event.meta());
      } catch (const std::exception& error) {
        failed = &event;
        reason = error.what();
        break;
      }
    }
    if (failed == nullptr) return;
    log_parked(followed.model->name(), *failed, reason);
    followed.parked.emplace(failed->meta().partition_key, failed->meta().position);
    poisons.push_back({followed.model->name(), failed->recorded, std::move(reason)});
    followed.model->forget();
    Followed* again[] = {&followed};
    load(again, events);
  }
}

/// How far checkpoints move by a batch: whoever reads the whole log has read every partition up to the last event.
Cursor Follower::end_of(std::span<const Decoded> events) const {
  if (reads_whole_log()) return Cursor::after(events.back().meta().position);
  Cursor end;
  std::array<Position, partition_count> last{};
  for (const Decoded& event : events) last[static_cast<std::size_t>(event.meta().partition)] = event.meta().position;
  for (std::int16_t p = 0; p < partition_count; ++p)
    if (last[static_cast<std::size_t>(p)] > 0) end.positions[p] = last[static_cast<std::size_t>(p)];
  return end;
}

void Follower::flush(std::span<Followed*> models, std::span<const Decoded> events, const std::vector<Poison>& poisons) {
  std::vector<std::string_view> names;
  std::vector<std::int16_t> partitions;
  std::vector<std::int64_t> generations, known, reached;
  std::vector<std::int32_t> versions;
  const Cursor end = end_of(events);
  for (const Followed* followed : models) {
    for (const auto& [partition, checkpoint] : followed->checkpoints.rows) {
      const Position position = end.at(reads_whole_log() ? Cursor::whole_log : partition);
      if (position <= checkpoint.position) continue;
      names.push_back(followed->model->name());
      partitions.push_back(partition);
      generations.push_back(checkpoint.generation);
      versions.push_back(followed->model->version());
      known.push_back(checkpoint.position);
      reached.push_back(position);
    }
  }
  if (names.empty()) return;
  std::vector<pg::Call> calls;
  pg::Params move;
  move.add_array(names).add(name_of(slot_)).add_array(partitions).add_array(generations).add_array(versions);
  move.add_array(known).add_array(reached);
  calls.push_back({move_sql, std::move(move)});
  for (const Poison& poison : poisons)
    calls.push_back({park_sql, pg::Params(poison.model, name_of(slot_), poison.event->meta.partition_key, poison.event->meta.position,
                                          poison.event->type, poison.reason)});
  for (Followed* followed : models) followed->model->append_writes(calls);
  connection_->run_together(calls);
  for (Followed* followed : models) followed->model->flushed();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = std::ranges::find_if(models, [&](const Followed* followed) { return followed->model->name() == names[i]; });
    (*found)->checkpoints.rows.at(partitions[i]).position = reached[i];
  }
  for (const Poison& poison : poisons) {
    const auto found = std::ranges::find_if(models, [&](const Followed* followed) { return followed->model->name() == poison.model; });
    (*found)->parked.emplace(poison.event->meta.partition_key, poison.event->meta.position);
  }
}

}  // namespace bloomwatch::projection
