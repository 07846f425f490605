// A parsed JSON text, and views of the values in it, which live as long as it does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bloomwatch::json {

/// Deepest nesting of arrays and objects that is read.
inline constexpr std::size_t nesting_max = 32;
enum class Kind { null, boolean, integer, number, string, array, object };

class Value;

/// Steps through an object's members in their order.
class Members {
 public:
  /// False at the end. `name` and `value` live as long as the document.
  bool next(std::string_view& name, Value& value);

 private:
  friend class Value;
  const void* document_ = nullptr;
  std::size_t index_ = 0;
  std::size_t end_ = 0;
};

/// Steps through an array's elements.
class Elements {
 public:
  bool next(Value& value);

 private:
  friend class Value;
  const void* document_ = nullptr;
  std::size_t index_ = 0;
  std::size_t end_ = 0;
};

/// One value of a parsed document. Accessors require the kind they are named after.
class Value {
 public:
  Value() = default;
  Value(const void* document, std::size_t index) : document_(document), index_(index) {}

  Kind kind() const;
  bool is_null() const { return kind() == Kind::null; }
  bool boolean() const;
  std::string_view string() const;
  /// A number as double.
  double number() const;
  /// A whole number (also one written `2.0`) if it fits.
  std::optional<std::int64_t> integer() const;
  /// The same for numbers beyond the signed range.
  std::optional<std::uint64_t> unsigned_integer() const;
  Members members() const;
  Elements elements() const;
  /// How many elements an array has.
  std::size_t size() const;
  /// Appends the value as minified JSON.
  void append_to(std::string& out) const;
  /// Whether no object at or below this value names a member twice.
  bool names_are_unique() const;

 private:
  const void* document_ = nullptr;
  std::size_t index_ = 0;
};

/// A parsed text, on a parser that its thread keeps and reuses; give it back by letting go of the document on the same thread.
class Document {
 public:
  Document() = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document();

  /// Why `text` is no JSON as RFC 8259 and I-JSON have it (UTF-8, no lone surrogates, no trailing bytes, nesting within nesting_max,
  /// numbers within double and 64 bits); nothing if it is, and then root() is valid until the next parse. Duplicate names and U+0000
  /// are found where a struct is read, so that the error can name the field.
  std::optional<std::string> parse(std::string_view text);
  Value root() const { return root_; }

 private:
  void* parser_ = nullptr;
  Value root_;
};

namespace detail {

/// Whether every surrogate among the escapes has its other half. `text` is JSON otherwise, so a backslash is always in a string.
bool surrogates_pair_up(std::string_view text);

}  // namespace detail
}  // namespace bloomwatch::json
