// A read model with its tables in Postgres: what a batch asks for is loaded, what it changed is written, in one statement a table each.
// The projector sees models through this interface and does not know their types. Not for several threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "events/codec.h"
#include "events/envelope.h"
#include "projector/columns.h"
#include "projector/model.h"
#include "runtime/postgres.h"

namespace bloomwatch::projection {

/// Which tables: those that pages read, or those that a rebuild fills beside them.
enum class Slot { live, next };
inline std::string_view name_of(Slot slot) { return slot == Slot::live ? "live" : "next"; }
/// `read_dashboard`, `read_dashboard_next`.
std::string schema_of(std::string_view model, Slot slot);

/// How much a batch touched, for tests and metrics.
struct RowCount {
  std::size_t loaded = 0;   ///< rows asked for
  std::size_t written = 0;  ///< rows sent to be written or removed
};

class StoredModel {
 public:
  virtual ~StoredModel() = default;

  virtual std::string_view name() const = 0;
  virtual int version() const = 0;
  /// The names of its tables, without schema.
  virtual std::vector<std::string> tables() const = 0;

  /// Notes which rows the event's fold may ask for.
  virtual void announce(const AnyEvent& event, const Meta& meta) = 0;
  /// The statements that load what was announced and is not held yet; `take_loads` gets their results in the same order.
  virtual void append_loads(std::vector<pg::Call>& calls) = 0;
  virtual void take_loads(std::span<const pg::Result> results) = 0;
  /// Folds one event in memory, and says whether the model cares about it. Throws what the fold throws: then `forget()`.
  virtual bool apply(const AnyEvent& event, const Meta& meta) = 0;
  /// The statements that write what has changed.
  virtual void append_writes(std::vector<pg::Call>& calls) = 0;
  /// They were committed.
  virtual void flushed() = 0;
  /// Lets go of all rows, and of changes that were not flushed.
  virtual void forget() = 0;
  /// Rows held in memory.
  virtual std::size_t held() const = 0;
  virtual RowCount touched() const = 0;
};

namespace detail {

/// A row to be written, of whichever type its table is.
struct Written {
  const void* row;
  std::int16_t partition;
};

/// By key. Ids sort by time, so neighbours share pages of table and index, which makes a write a quarter cheaper.
void sort(std::vector<Written>& rows, bool (*is_before)(const void* row, const void* other));

/// One table of a model: its statements, and what they carry.
template <class Table>
class StoredTable {
  using Row = typename Table::Row;

 public:
  explicit StoredTable(std::string table)
      : names_{std::move(table), column_names<Row>(), key_size<Row>},
        load_(load_sql(names_)),
        write_(is_sums<Table> ? add_sql(names_) : upsert_sql(names_)),
        remove_(remove_sql(names_)) {}

  void append_loads(const Table& table, std::vector<pg::Call>& calls, RowCount& count) {
    if constexpr (is_rows<Table>) {
      loading_ = !table.wanted().empty();
      if (!loading_) return;
      count.loaded += table.wanted().size();
      pg::Params params;
      add_key_columns<Row>(params, table.wanted(), [](const auto& key) -> const auto& { return key; });
      calls.push_back({load_, std::move(params)});
    }
  }

  /// Takes its result, if it asked for one, and returns those that are left.
  std::span<const pg::Result> take_loads(Table& table, std::span<const pg::Result> results) {
    if constexpr (is_rows<Table>) {
      if (!std::exchange(loading_, false)) return results;
      for (const pg::Row row : results.front())
        table.take_loaded(row_of_result<Row>(row), row.get<std::int16_t>(static_cast<int>(names_.columns.size())));
      table.loaded();
      return results.subspan(1);
    }
    return results;
  }

  void append_writes(const Table& table, std::vector<pg::Call>& calls, RowCount& count) {
    if constexpr (is_rows<Table>)
      append_changed(table.changed(), calls, count);
    else if constexpr (is_sums<Table>)
      append_deltas(table, calls, count);
    else
      append_changes(table, calls, count);
  }

 private:
  void append_changed(const auto& changed, std::vector<pg::Call>& calls, RowCount& count) {
    written_.clear();
    removed_.clear();
    for (const auto* entry : changed) {
      if (entry->second.row)
        written_.push_back({&*entry->second.row, entry->second.partition});
      else if (entry->second.stored)
        removed_.push_back(entry->first);
    }
    append(calls, count);
  }

  void append_deltas(const Table& table, std::vector<pg::Call>& calls, RowCount& count) {
    written_.clear();
    for (const auto& [key, delta] : table.deltas()) {
      Row zero = {};
      set_key(zero, key);
      if (delta.row != zero) written_.push_back({&delta.row, delta.partition});
    }
    append(calls, count);
  }

  void append_changes(const Table& table, std::vector<pg::Call>& calls, RowCount& count) {
    written_.clear();
    removed_.clear();
    for (const auto& [key, change] : table.changes()) {
      if (change.row)
        written_.push_back({&*change.row, change.partition});
      else
        removed_.push_back(key);
    }
    append(calls, count);
  }

  void append(std::vector<pg::Call>& calls, RowCount& count) {
    count.written += written_.size() + removed_.size();
    sort(written_, [](const void* a, const void* b) { return key_of(*static_cast<const Row*>(a)) < key_of(*static_cast<const Row*>(b)); });
    if (!written_.empty()) {
      pg::Params params;
      add_columns<Row>(params, written_, [](const Written& written) -> const Row& { return *static_cast<const Row*>(written.row); });
      params.add_array(written_, &Written::partition);
      calls.push_back({write_, std::move(params)});
    }
    if (!removed_.empty()) {
      pg::Params params;
      add_key_columns<Row>(params, removed_, [](const auto& key) -> const auto& { return key; });
      calls.push_back({remove_, std::move(params)});
    }
  }

  TableNames names_;
  pg::Statement load_;
  pg::Statement write_;
  pg::Statement remove_;
  bool loading_ = false;
  std::vector<Written> written_;
  std::vector<typename Row::Key> removed_;
};

/// One StoredTable per member of the model, in order.
template <class Model, class Members = MembersOf<Model>>
struct StoredTables;
template <class Model, template <class...> class List, class... D>
struct StoredTables<Model, List<D...>> {
  using type = std::tuple<StoredTable<std::remove_cvref_t<decltype(std::declval<Model>().*D::pointer)>>...>;
  static type make(const std::string& schema) { return type(std::string(schema + '.' + D::name)...); }
};

}  // namespace detail

template <class Model>
class StoredModelOf final : public StoredModel {
 public:
  explicit StoredModelOf(Slot slot = Slot::live) : tables_(Tables::make(schema_of(Model::name, slot))) {
    each_table(model_, [](const char*, auto& table) { table.know_only_loaded(); });
  }

  std::string_view name() const override { return Model::name; }
  int version() const override { return Model::version; }
  std::vector<std::string> tables() const override {
    std::vector<std::string> names;
    each_table(model_, [&](const char* name, const auto&) { names.emplace_back(name); });
    return names;
  }

  void announce(const AnyEvent& event, const Meta& meta) override { projection::announce(model_, event, meta); }
  void append_loads(std::vector<pg::Call>& calls) override {
    count_ = {};
    each([&](auto& table, auto& stored) { stored.append_loads(table, calls, count_); });
  }
  void take_loads(std::span<const pg::Result> results) override {
    each([&](auto& table, auto& stored) { results = stored.take_loads(table, results); });
  }
  bool apply(const AnyEvent& event, const Meta& meta) override { return fold(model_, event, meta); }
  void append_writes(std::vector<pg::Call>& calls) override {
    each([&](auto& table, auto& stored) { stored.append_writes(table, calls, count_); });
  }
  void flushed() override {
    each([](auto& table, auto&) { table.flushed(); });
  }
  void forget() override {
    each([](auto& table, auto&) { table.forget(); });
  }
  std::size_t held() const override {
    std::size_t count = 0;
    each_table(model_, [&](const char*, const auto& table) { count += table.held(); });
    return count;
  }
  RowCount touched() const override { return count_; }

 private:
  using Tables = detail::StoredTables<Model>;

  template <class Visitor>
  void each(Visitor&& visit) {
    boost::mp11::mp_for_each<boost::mp11::mp_iota<boost::mp11::mp_size<MembersOf<Model>>>>(
        [&](auto I) { visit(model_.*boost::mp11::mp_at<MembersOf<Model>, decltype(I)>::pointer, std::get<I>(tables_)); });
  }

  Model model_;
  typename Tables::type tables_;
  RowCount count_;
};

}  // namespace bloomwatch::projection
