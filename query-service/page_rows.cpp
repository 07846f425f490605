// Building page statements, and telling their rows apart again.
#include "query-service/page_rows.h"

#include <algorithm>
#include <charconv>
#include <concepts>

#include "runtime/invariant.h"
#include "runtime/json.h"

namespace bloomwatch {
namespace {

std::string names_of(std::initializer_list<Model> models) {
  std::string list;
  for (const Model model : models) {
    if (!list.empty()) list += ',';
    list += '\'';
    list += name_of(model);
    list += '\'';
  }
  return list;
}

Model model_named(std::string_view name) {
  const auto model = json::enum_of<Model>(name);
  invariant(model.has_value(), "a page reads only models that it knows");
  return *model;
}

template <std::integral Number>
Number number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  invariant(error == std::errc() && end == text.data() + text.size(), "a checkpoint's numbers are numbers");
  return number;
}

}  // namespace

std::string_view name_of(Model model) { return json::name_of(model); }

PageSql::PageSql(std::initializer_list<Model> models, std::string_view partition_key, const Columns& columns) {
  columns_ = {{"id", "uuid"}, {"number", "bigint"}, {"text", "text"}, {"bytes", "bytea"}};
  for (const Column& column : columns) columns_.emplace_back(column.name, column.type);
  // The scalar subqueries are run once a statement, also where several pages ask it together; what is parked is looked for by its key only
  // where something is.
  const std::string live = "WHERE slot = 'live' AND model IN (" + names_of(models) + ")";
  rows(row_kind::checkpoints,
       {{"text", "(SELECT string_agg(concat_ws(' ', model, partition, position), ' ') FROM projection.checkpoints " + live + ")"}}, "");
  const std::string parked = "FROM projection.parked " + live;
  rows(row_kind::parked, {{"number", "position"}, {"text", "model"}},
       parked + " AND (SELECT EXISTS (SELECT " + parked + ")) AND partition_key = " + std::string(partition_key));
}

PageSql& PageSql::with(std::string_view clauses) {
  with_ = "WITH " + std::string(clauses) + '\n';
  return *this;
}

PageSql& PageSql::rows(std::int16_t kind, const Values& values, std::string_view rest) {
  return rows(std::to_string(kind) + "::smallint", values, rest);
}

PageSql& PageSql::rows(std::string_view kind, const Values& values, std::string_view rest) {
  if (!branches_.empty()) branches_ += "\nUNION ALL\n";
  branches_ += "(SELECT ";
  branches_ += kind;
  branches_ += " AS kind";
  std::size_t named = 0;
  for (const auto& [name, type] : columns_) {
    const auto value = std::ranges::find(values, name, &std::pair<std::string, std::string>::first);
    branches_ += ", ";
    if (value != values.end()) {
      branches_ += value->second;
      ++named;
    } else {
      branches_ += "NULL::" + type;
    }
    branches_ += " AS " + name;
  }
  invariant(named == values.size(), "a branch names only columns that its page has");
  branches_ += ' ';
  branches_ += rest;
  branches_ += ')';
  return *this;
}

std::string PageSql::text() const { return with_ + branches_; }

void ModelState::take(std::int16_t partition, Position checkpoint) {
  if (partition < 0) {
    position = checkpoint;
    return;
  }
  if (!by_partition) by_partition.emplace().fill(0);
  by_partition->at(static_cast<std::size_t>(partition)) = checkpoint;
  position = std::ranges::min(*by_partition);
}

bool PageRows::by_partition() const {
  return std::ranges::any_of(states_, [](const ModelState& state) { return state.by_partition.has_value(); });
}

void PageRows::locate(const PartitionHeads& heads) {
  for (ModelState& state : states_)
    if (state.by_partition) state.position = heads.folded_up_to(*state.by_partition);
}

PageRows::PageRows(const pg::Result& result) : result_(&result) {
  for (int i = 0; i < result.size(); ++i) {
    const auto kind = result[i].get<std::int16_t>(0);
    if (spans_.empty() || spans_.back().kind != kind) spans_.push_back({kind, i, i});
    spans_.back().last = i + 1;
  }
  for (const pg::Row row : of(row_kind::checkpoints))
    if (const auto checkpoints = row.get<std::optional<std::string_view>>(text_column)) take_checkpoints(*checkpoints);
  for (const pg::Row row : of(row_kind::parked))
    states_[static_cast<std::size_t>(model_named(row.get<std::string_view>(text_column)))].parked_at = row.get<Position>(number_column);
}

void PageRows::take_checkpoints(std::string_view text) {
  const auto word = [&] {
    const std::string_view first = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(first.size() + 1, text.size()));
    return first;
  };
  while (!text.empty()) {
    ModelState& state = states_[static_cast<std::size_t>(model_named(word()))];
    const auto partition = number_of<std::int16_t>(word());
    state.take(partition, number_of<Position>(word()));
  }
}

PageRows::Range PageRows::of(std::int16_t kind) const {
  const auto span = std::ranges::find(spans_, kind, &Span::kind);
  return span == spans_.end() ? Range(*result_, 0, 0) : Range(*result_, span->first, span->last);
}

}  // namespace bloomwatch
