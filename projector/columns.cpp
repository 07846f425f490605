// The statements of a read model's tables: one to load, one to write, one to remove, whatever the number of rows.
// A row that another partition owns is never overwritten: the statement fails instead (null in `partition`).
#include "projector/columns.h"

#include <span>

namespace bloomwatch::projection {
namespace {

std::string list_of(std::span<const std::string> names, std::string_view prefix = {}) {
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ", ";
    list += prefix;
    list += name;
  }
  return list;
}

/// `(SELECT unnest($1), unnest($2), …)`: in a select list they run in step, a row at a time; in FROM each array would first fill a tuple
/// store, which is a fifth of a write's cost.
std::string unnest(std::size_t arrays) {
  std::string text = "(SELECT ";
  for (std::size_t i = 1; i <= arrays; ++i) {
    if (i > 1) text += ", ";
    text += "unnest($" + std::to_string(i) + ')';
  }
  return text + ')';
}

std::span<const std::string> key_columns_of(const TableNames& names) { return std::span(names.columns).first(names.key_columns); }

std::span<const std::string> values_of(const TableNames& names) { return std::span(names.columns).subspan(names.key_columns); }

/// `t.k1 = w.k1 AND …`.
std::string same_key(const TableNames& names) {
  std::string text;
  for (const std::string& column : key_columns_of(names)) {
    if (!text.empty()) text += " AND ";
    text += "t." + column + " = w." + column;
  }
  return text;
}

/// Rows that are there get `assignments`, the others are inserted. MERGE and not INSERT … ON CONFLICT, which locks (and logs) each row
/// before it updates it: flushes of a model go one after another by the lock on its checkpoint, so nobody else inserts meanwhile.
std::string merge(const TableNames& names, const std::string& assignments) {
  return "MERGE INTO " + names.table + " t USING " + unnest(names.columns.size() + 1) + " AS w (" + list_of(names.columns) +
         ", partition) ON " + same_key(names) + " WHEN MATCHED THEN UPDATE SET " + assignments +
         "partition = CASE WHEN t.partition = w.partition THEN t.partition END WHEN NOT MATCHED THEN INSERT (" + list_of(names.columns) +
         ", partition) VALUES (" + list_of(names.columns, "w.") + ", w.partition)";
}

}  // namespace

std::string load_sql(const TableNames& names) {
  if (names.key_columns == 1)
    return "SELECT " + list_of(names.columns) + ", partition FROM " + names.table + " WHERE " + names.columns.front() + " = ANY($1)";
  return "SELECT " + list_of(names.columns, "t.") + ", t.partition FROM " + unnest(names.key_columns) + " AS w (" +
         list_of(key_columns_of(names)) + ") JOIN " + names.table + " t ON " + same_key(names);
}

std::string upsert_sql(const TableNames& names) {
  std::string assignments;
  for (const std::string& column : values_of(names)) assignments += column + " = w." + column + ", ";
  return merge(names, assignments);
}

std::string add_sql(const TableNames& names) {
  std::string assignments;
  for (const std::string& column : values_of(names)) assignments += column + " = t." + column + " + w." + column + ", ";
  return merge(names, assignments);
}

std::string remove_sql(const TableNames& names) {
  if (names.key_columns == 1) return "DELETE FROM " + names.table + " WHERE " + names.columns.front() + " = ANY($1)";
  return "DELETE FROM " + names.table + " t USING " + unnest(names.key_columns) + " AS w (" + list_of(key_columns_of(names)) + ") WHERE " +
         same_key(names);
}

std::string scan_sql(const TableNames& names) {
  return "SELECT " + list_of(names.columns) + ", partition FROM " + names.table + " WHERE partition = ANY($1)";
}

}  // namespace bloomwatch::projection
