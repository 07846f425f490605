// What is wrong with a JSON text or a parameter, field by field, and where (RFC 6901 pointers).
#pragma once

#include <boost/describe.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bloomwatch::json {

/// How many wrong fields one answer lists; what is wrong beyond that is not looked for.
inline constexpr std::size_t field_errors_max = 100;
/// Bytes of a member's name that an error repeats; longer names are cut.
inline constexpr std::size_t name_shown_bytes_max = 128;

/// Which part of a request a wrong field came from.
enum class In { body, query, path };
BOOST_DESCRIBE_ENUM(In, body, query, path)

/// One wrong field: an RFC 6901 pointer (empty: the whole document) and a sentence without its subject, `must be a whole number`.
struct FieldError {
  std::string pointer;
  std::string detail;
  In in = In::body;

  bool operator==(const FieldError&) const = default;
};
BOOST_DESCRIBE_STRUCT(FieldError, (), (pointer, detail, in))

using FieldErrors = std::vector<FieldError>;

/// Whether a parameter of the path is what is wrong: an ill-formed id names nothing, so the answer is that of an unknown one (404).
bool wrong_in_path(const FieldErrors& errors);

/// What becomes of members that the struct does not know: refused to clients, passed over where an older program reads newer data.
enum class Unknown { refused, ignored };

/// Where a value stands: a chain on the stack, made into text only when something is wrong.
struct Path {
  const Path* parent = nullptr;
  std::string_view name = {};
  std::size_t index = 0;

  std::string pointer() const;
};

/// Collects what is wrong, up to field_errors_max.
class Errors {
 public:
  explicit Errors(Unknown unknown = Unknown::refused) : unknown_(unknown) {}

  void add(const Path& at, std::string detail, In in = In::body);
  Unknown unknown() const { return unknown_; }
  bool full() const { return list_.size() >= field_errors_max; }
  bool none() const { return list_.empty(); }
  FieldErrors take() { return std::move(list_); }

 private:
  Unknown unknown_;
  FieldErrors list_;
};

}  // namespace bloomwatch::json
