// The same folds, in memory, against the live rows. The rows and the checkpoint that they belong to are read in one snapshot; the fold is
// brought to that checkpoint before they are compared.
#include "projector/verify.h"

#include <algorithm>
#include <array>
#include <exception>
#include <unordered_map>
#include <unordered_set>

#include "events/log.h"
#include "projector/checkpoints.h"
#include "projector/columns.h"
#include "projector/model.h"
#include "projector/model_list.h"
#include "projector/stored_model.h"

namespace bloomwatch::projection {
namespace {

constexpr std::size_t verified_per_read = 8192;
constexpr int rows_per_fetch = 5000;

std::string in_words(const auto& row) {
  std::string text;
  json::write_sparse(text, row);
  return text;
}

/// Whether a row of sums says nothing: it may be there or not.
template <class Table>
bool is_nothing(const typename Table::Row& row) {
  if constexpr (is_sums<Table>) {
    typename Table::Row zero = {};
    set_key(zero, key_of(row));
    return row == zero;
  } else {
    return false;
  }
}

/// One model, some of its partitions.
template <class Model>
class Pass {
 public:
  Pass(std::vector<std::int16_t> partitions, const VerifyOptions& options, ModelVerdict& verdict)
      : partitions_(std::move(partitions)), options_(options), verdict_(verdict) {}

  void read_exceptions(pg::Connection& connection) {
    for (const pg::Row row : connection.query("SELECT partition_key, position FROM projection.parked WHERE model = $1 AND slot = 'live'",
                                              pg::Params(Model::name)))
      parked_[row.get<PartitionKey>(0)] = row.get<Position>(1);
    for (const pg::Row row : connection.query("SELECT position FROM projection.discarded WHERE model = $1", pg::Params(Model::name)))
      discarded_.insert(row.get<Position>(0));
    verdict_.parked = static_cast<std::int64_t>(parked_.size());
  }

  /// Folds what the checkpoints have folded. While partitions are apart, as a Kafka feed leaves them, the first look goes only as far as no
  /// event would have to be come back to; `fold_rest` leaves out what is not folded yet and is the last.
  void fold_until(LogReader& reader, const Checkpoints& checkpoints) { fold_until(reader, checkpoints, true); }
  void fold_rest(LogReader& reader, const Checkpoints& checkpoints) { fold_until(reader, checkpoints, false); }

  /// Compares with the rows of the transaction's snapshot, whose checkpoint has been folded to.
  void compare(pg::Connection& connection) {
    each_table(model_, [&](const char* name, const auto& table) { compare_table(connection, name, table); });
  }

 private:
  void fold_until(LogReader& reader, const Checkpoints& checkpoints, bool stop_at_a_gap) {
    const Position until = checkpoints.greatest();
    while (position_ < until) {
      const auto limit = std::min<Position>(static_cast<Position>(verified_per_read), until - position_);
      const std::vector<RecordedEvent> events = reader.read(position_, static_cast<std::size_t>(limit));
      if (events.empty()) return;
      for (const RecordedEvent& event : events) {
        const bool is_ours = std::ranges::find(partitions_, event.meta.partition) != partitions_.end();
        const bool is_folded = event.meta.position <= checkpoints.position_for(event.meta.partition).value_or(0);
        if (is_ours && !is_folded && stop_at_a_gap) return;
        if (is_ours && is_folded) fold_one(event);
        position_ = event.meta.position;
      }
      if (options_.progress) options_.progress(Model::name, position_, until);
    }
  }

  void fold_one(const RecordedEvent& event) {
    const auto parked = parked_.find(event.meta.partition_key);
    if (parked != parked_.end() && event.meta.position >= parked->second) return;
    if (discarded_.contains(event.meta.position)) return;
    try {
      fold(model_, decode(event), event.meta);
    } catch (const std::exception& error) {
      differ("position " + std::to_string(event.meta.position) + ": the fold fails, but the key is not parked: " + error.what());
    }
  }

  template <class Table>
  void compare_table(pg::Connection& connection, const std::string& name, const Table& table) {
    using Row = typename Table::Row;
    const std::string full = schema_of(Model::name, Slot::live) + '.' + name;
    pg::Params partitions;
    partitions.add_array(partitions_);
    connection.query("DECLARE live NO SCROLL CURSOR FOR " + scan_sql({full, column_names<Row>(), key_size<Row>}), partitions);
    std::size_t found = 0;
    for (;;) {
      const pg::Result rows = connection.query("FETCH " + std::to_string(rows_per_fetch) + " FROM live");
      if (rows.empty()) break;
      for (const pg::Row result : rows) found += compare_row(table, name, row_of_result<Row>(result)) ? 1U : 0U;
    }
    connection.query("CLOSE live");
    std::size_t expected = 0;
    table.each([&](const Row& row, std::int16_t) { expected += is_nothing<Table>(row) ? 0U : 1U; });
    if (found < expected) differ(name + ": " + std::to_string(expected - found) + " rows are missing");
  }

  /// Whether the fold has the row at all and it says something.
  template <class Table>
  bool compare_row(const Table& table, const std::string& name, const typename Table::Row& live) {
    ++verdict_.rows;
    const auto* folded = table.peek(key_of(live));
    if (folded == nullptr) {
      if (!is_nothing<Table>(live)) differ(name + ": not in the log: " + in_words(live));
      return false;
    }
    if (!(*folded == live)) differ(name + ": is " + in_words(live) + ", should be " + in_words(*folded));
    return !is_nothing<Table>(*folded);
  }

  void differ(std::string what) {
    ++verdict_.differences;
    if (verdict_.shown.size() < options_.differences_shown_max) verdict_.shown.push_back(std::move(what));
  }

  Model model_;
  std::vector<std::int16_t> partitions_;
  const VerifyOptions& options_;
  ModelVerdict& verdict_;
  std::unordered_map<PartitionKey, Position> parked_;
  std::unordered_set<Position> discarded_;
  Position position_ = 0;
};

/// The model's checkpoints in the present snapshot; nothing and the reason if the model cannot be compared.
template <class Model>
std::optional<Checkpoints> checkpoints_of(pg::Connection& connection, ModelVerdict& verdict) {
  Checkpoints checkpoints = read_checkpoints(connection, Model::name, Slot::live);
  if (checkpoints.rows.empty()) {
    verdict.skipped = "it has not been folded yet";
  } else if (checkpoints.version_least != Model::version || checkpoints.version_most != Model::version) {
    verdict.skipped = "its rows are of another version than this program";
  } else {
    return checkpoints;
  }
  return std::nullopt;
}

template <class Model>
ModelVerdict verify_model(pg::Connection& connection, LogReader& reader, const VerifyOptions& options) {
  ModelVerdict verdict{.model = std::string(Model::name)};
  const auto first = checkpoints_of<Model>(connection, verdict);
  if (!first) return verdict;
  verdict.position = first->greatest();
  const auto passes = static_cast<std::int16_t>(std::clamp<Position>(verdict.position / options.events_per_pass + 1, 1, partition_count));
  for (std::int16_t p = 0; p < passes; ++p) {
    std::vector<std::int16_t> partitions;
    for (std::int16_t partition = p; partition < partition_count; partition = static_cast<std::int16_t>(partition + passes))
      partitions.push_back(partition);
    Pass<Model> pass(std::move(partitions), options, verdict);
    const auto reached = checkpoints_of<Model>(connection, verdict);
    if (!reached) return verdict;
    pass.read_exceptions(connection);  // after the checkpoints: they were moved together with what was parked up to it
    pass.fold_until(reader, *reached);
    pg::Transaction snapshot(connection, "ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const auto now = checkpoints_of<Model>(connection, verdict);
    if (!now) return verdict;
    pass.read_exceptions(connection);
    pass.fold_rest(reader, *now);
    pass.compare(connection);
    snapshot.commit();
  }
  return verdict;
}

}  // namespace

std::vector<ModelVerdict> verify_models(const std::string& database_url, const VerifyOptions& options) {
  pg::Connection connection(
      pg::Options{.url = database_url, .application_name = "bloomwatch verify", .statement_timeout = pg::Milliseconds(0)});
  LogReader reader(database_url, "bloomwatch verify");
  std::vector<ModelVerdict> verdicts;
  each_model([&]<class Model> { verdicts.push_back(verify_model<Model>(connection, reader, options)); });
  return verdicts;
}

}  // namespace bloomwatch::projection
