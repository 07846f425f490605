// The one statement of a page and what it answers: rows of several kinds under one UNION ALL, so that one snapshot holds them all and each
// branch stays a keyed index read. Every page's first branches say how far the models are that it reads, and whether its key is parked.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "events/ids.h"
#include "events/partition_heads.h"
#include "runtime/postgres.h"

namespace bloomwatch {

/// The read models, by the names that checkpoints and wake-ups have them by.
enum class Model { people, spaces, tracking, dashboard, analytics, history, catalog, recaps };
BOOST_DESCRIBE_ENUM(Model, people, spaces, tracking, dashboard, analytics, history, catalog, recaps)
inline constexpr std::size_t model_count = boost::mp11::mp_size<boost::describe::describe_enumerators<Model>>::value;
inline constexpr std::array<Model, model_count> all_models = [] {
  std::array<Model, model_count> all = {};
  for (std::size_t i = 0; i < model_count; ++i) all[i] = static_cast<Model>(i);
  return all;
}();
std::string_view name_of(Model model);

/// What a row of a page is. A page numbers its own kinds from `own` on.
namespace row_kind {
inline constexpr std::int16_t checkpoints = 0;  ///< `text` has of each checkpoint the model, the partition, the position; one row
inline constexpr std::int16_t parked = 1;       ///< `text` is the model, `number` the position of the event that it could not fold
inline constexpr std::int16_t member = 2;       ///< `id` is the profile of a current member
inline constexpr std::int16_t key = 3;          ///< `id` is the account, `bytes` its wrapped data key
inline constexpr std::int16_t admin = 4;        ///< `id` is the account who asks, and is an admin's
inline constexpr std::int16_t own = 5;
}  // namespace row_kind

/// Builds a page's statement. All branches have the same columns; what a branch does not name is a typed NULL, so that Postgres puts no
/// node between the branch and the UNION. Expressions must have exactly the column's type. Branches answer in the order of adding.
/// What is looked up for each row of another table is joined by LEFT JOIN or LATERAL (… OFFSET 0), or asked for by EXISTS (… OFFSET 0):
/// Postgres cannot turn these around, nor hash a whole table to answer the last, and a plan that was made when tables were empty stays one
/// of keyed reads, in the order of the outer rows.
class PageSql {
 public:
  struct Column {
    std::string_view name;
    std::string_view type;
  };
  using Columns = std::vector<Column>;
  /// What a branch has in its columns: name and SQL expression.
  using Values = std::vector<std::pair<std::string, std::string>>;

  /// The columns after `kind smallint, id uuid, number bigint, text text, bytes bytea`. `partition_key` is the parameter (`$1`) whose
  /// parking matters.
  PageSql(std::initializer_list<Model> models, std::string_view partition_key, const Columns& columns);

  /// `WITH` clauses, before everything else.
  PageSql& with(std::string_view clauses);
  /// `SELECT kind, values… rest`; in parentheses, so `rest` may end in ORDER BY and LIMIT.
  PageSql& rows(std::int16_t kind, const Values& values, std::string_view rest);
  /// The same where the kind is an expression of type smallint: rows of several kinds, all of one kind together.
  PageSql& rows(std::string_view kind, const Values& values, std::string_view rest);
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> columns_;
  std::string with_;
  std::string branches_;
};

/// How far one model was in the page's snapshot.
struct ModelState {
  Position position = -1;                                 ///< everything up to it is folded; −1: it has no checkpoint, and has not started
  std::optional<Position> parked_at = {};                 ///< its rows of this partition key are as before that event
  std::optional<PartitionCheckpoints> by_partition = {};  ///< where a Kafka feed keeps them apart; then `position` is at least their least

  /// A row of its checkpoints; partition −1 is the whole log.
  void take(std::int16_t partition, Position checkpoint);
  Position reached() const { return parked_at ? *parked_at - 1 : position; }
};

/// The rows of a page, by kind. Refers to the Result, which must live longer.
class PageRows {
 public:
  static constexpr int id_column = 1;
  static constexpr int number_column = 2;
  static constexpr int text_column = 3;
  static constexpr int bytes_column = 4;
  static constexpr int own_column = 5;  ///< the first of the page's own columns

  explicit PageRows(const pg::Result& result);

  /// Whether some checkpoints are kept by partition; then how far the models are is told by where the partitions' events are.
  bool by_partition() const;
  void locate(const PartitionHeads& heads);
  const ModelState& state(Model model) const { return states_[static_cast<std::size_t>(model)]; }

  /// Rows of one kind, in their order.
  class Range {
   public:
    Range(const pg::Result& result, int first, int last) : result_(&result), first_(first), last_(last) {}
    pg::Result::Iterator begin() const { return {*result_, first_}; }
    pg::Result::Iterator end() const { return {*result_, last_}; }
    std::size_t size() const { return static_cast<std::size_t>(last_ - first_); }
    bool empty() const { return first_ == last_; }
    pg::Row front() const { return (*result_)[first_]; }
    /// Those from `first` to before `last`, which are iterators of this range.
    Range between(pg::Result::Iterator first, pg::Result::Iterator last) const {
      const auto from = std::ranges::distance(begin(), first);
      const auto to = std::ranges::distance(begin(), last);
      return {*result_, first_ + static_cast<int>(from), first_ + static_cast<int>(to)};
    }

   private:
    const pg::Result* result_;
    int first_;
    int last_;
  };
  Range of(std::int16_t kind) const;

 private:
  void take_checkpoints(std::string_view text);

  const pg::Result* result_;
  std::array<ModelState, model_count> states_;
  struct Span {
    std::int16_t kind;
    int first;
    int last;
  };
  std::vector<Span> spans_;
};

}  // namespace bloomwatch
