// Parsing by simdjson's DOM (and closing what its version 3.0.1 lets through), and the tape behind Value.
// Checked against simdjson 3.0.1: it takes lone low surrogates and any \u escape after a high one, duplicate names, and U+0000.
#include "runtime/json_document.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "runtime/ascii.h"
#include "runtime/json_write.h"

namespace bloomwatch::json {
namespace {

using simdjson::dom::document;
using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

constexpr std::size_t parser_bytes_at_start = 16'384;
/// A parser that a larger text has blown up is not kept.
constexpr std::size_t parser_bytes_kept_max = 1'048'576;
constexpr std::size_t parsers_kept_max = 4;

struct Parser {
  simdjson::dom::parser simd;
};

/// Parsers not in use, kept by each thread: more than one only where a read happens inside another.
std::vector<std::unique_ptr<Parser>>& idle_parsers() {
  thread_local std::vector<std::unique_ptr<Parser>> idle;
  return idle;
}

std::unique_ptr<Parser> take_parser() {
  auto& idle = idle_parsers();
  if (!idle.empty()) {
    auto parser = std::move(idle.back());
    idle.pop_back();
    return parser;
  }
  auto parser = std::make_unique<Parser>();
  // simdjson counts the value at the bottom as a level, so that one more is needed for nesting_max containers.
  if (parser->simd.allocate(parser_bytes_at_start, nesting_max + 1)) throw std::bad_alloc();
  return parser;
}

tape_ref tape(const void* doc, std::size_t index) { return {static_cast<const document*>(doc), index}; }

int hex4(const char* at) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = ascii::hex_value(at[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

bool is_high_surrogate(int code) { return code >= 0xd800 && code < 0xdc00; }
bool is_low_surrogate(int code) { return code >= 0xdc00 && code < 0xe000; }

/// The code after a `\u` at `at`, or -1.
int escaped_code(std::string_view text, std::size_t at) {
  return at + 6 <= text.size() && text[at] == '\\' && text[at + 1] == 'u' ? hex4(text.data() + at + 2) : -1;
}

/// Whether no container lies deeper than nesting_max: simdjson does not count one that is empty.
bool is_shallow(const document& doc) {
  std::size_t depth = 0;
  const std::size_t end = tape_ref(&doc, 0).matching_brace_index();
  for (std::size_t i = 1; i + 1 < end; ++i) {
    switch (tape_ref(&doc, i).tape_ref_type()) {
      case tape_type::START_ARRAY:
      case tape_type::START_OBJECT:
        if (++depth > nesting_max) return false;
        break;
      case tape_type::END_ARRAY:
      case tape_type::END_OBJECT:
        --depth;
        break;
      case tape_type::INT64:
      case tape_type::UINT64:
      case tape_type::DOUBLE:
        ++i;
        break;  // the number itself is in the next word
      default:
        break;
    }
  }
  return true;
}

std::string why(simdjson::error_code error) {
  switch (error) {
    case simdjson::DEPTH_ERROR:
      return "is nested deeper than " + std::to_string(nesting_max) + " levels";
    case simdjson::UTF8_ERROR:
      return "is not valid UTF-8";
    case simdjson::NUMBER_ERROR:
      return "has a number that is ill-formed or does not fit";
    case simdjson::EMPTY:
      return "is empty";
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
      return "is too large";
    case simdjson::UNESCAPED_CHARS:
      return "has a control character in a string";
    case simdjson::STRING_ERROR:
      return "has an ill-formed string";
    default:
      return "is not JSON";
  }
}

bool names_unique_in(const Value& value, std::vector<std::string_view>& scratch) {
  if (value.kind() == Kind::array) {
    Elements elements = value.elements();
    for (Value element; elements.next(element);)
      if (!names_unique_in(element, scratch)) return false;
  } else if (value.kind() == Kind::object) {
    const auto begin = static_cast<std::ptrdiff_t>(scratch.size());
    std::string_view name;
    Members members = value.members();
    for (Value member; members.next(name, member);) scratch.push_back(name);
    std::sort(scratch.begin() + begin, scratch.end());
    const bool unique = std::adjacent_find(scratch.begin() + begin, scratch.end()) == scratch.end();
    scratch.resize(static_cast<std::size_t>(begin));
    if (!unique) return false;
    members = value.members();
    for (Value member; members.next(name, member);)
      if (!names_unique_in(member, scratch)) return false;
  }
  return true;
}

}  // namespace

bool Members::next(std::string_view& name, Value& value) {
  if (index_ == end_) return false;
  name = tape(document_, index_).get_string_view();
  value = Value(document_, index_ + 1);
  index_ = tape(document_, index_ + 1).after_element();
  return true;
}

bool Elements::next(Value& value) {
  if (index_ == end_) return false;
  value = Value(document_, index_);
  index_ = tape(document_, index_).after_element();
  return true;
}

Kind Value::kind() const {
  switch (tape(document_, index_).tape_ref_type()) {
    case tape_type::START_OBJECT:
      return Kind::object;
    case tape_type::START_ARRAY:
      return Kind::array;
    case tape_type::STRING:
      return Kind::string;
    case tape_type::INT64:
    case tape_type::UINT64:
      return Kind::integer;
    case tape_type::DOUBLE:
      return Kind::number;
    case tape_type::TRUE_VALUE:
    case tape_type::FALSE_VALUE:
      return Kind::boolean;
    default:
      return Kind::null;
  }
}

bool Value::boolean() const { return tape(document_, index_).tape_ref_type() == tape_type::TRUE_VALUE; }

std::string_view Value::string() const { return tape(document_, index_).get_string_view(); }

double Value::number() const {
  const tape_ref at = tape(document_, index_);
  if (at.is_double()) return at.next_tape_value<double>();
  if (at.is_uint64()) return static_cast<double>(at.next_tape_value<std::uint64_t>());
  return static_cast<double>(at.next_tape_value<std::int64_t>());
}

std::optional<std::int64_t> Value::integer() const {
  const tape_ref at = tape(document_, index_);
  if (at.is_int64()) return at.next_tape_value<std::int64_t>();
  if (!at.is_double()) return std::nullopt;
  // `2.0` and `2e0` are whole numbers too; beyond 2^53 a double no longer says which.
  constexpr double exact_max = 9007199254740992.0;
  const double value = at.next_tape_value<double>();
  if (std::trunc(value) != value || std::fabs(value) > exact_max) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<std::uint64_t> Value::unsigned_integer() const {
  const tape_ref at = tape(document_, index_);
  if (at.is_uint64()) return at.next_tape_value<std::uint64_t>();
  const auto value = integer();
  return value && *value >= 0 ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
}

Members Value::members() const {
  Members members;
  members.document_ = document_;
  members.index_ = index_ + 1;
  members.end_ = tape(document_, index_).after_element() - 1;
  return members;
}

Elements Value::elements() const {
  Elements elements;
  elements.document_ = document_;
  elements.index_ = index_ + 1;
  elements.end_ = tape(document_, index_).after_element() - 1;
  return elements;
}

std::size_t Value::size() const {
  std::size_t size = 0;
  Elements all = elements();
  for (Value element; all.next(element);) ++size;
  return size;
}

void Value::append_to(std::string& out) const {
  switch (kind()) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += boolean() ? "true" : "false";
      return;
    case Kind::string:
      detail::append_string(out, string());
      return;
    case Kind::number:
      detail::append_number(out, number());
      return;
    case Kind::integer:
      if (const auto value = integer())
        detail::append_number(out, *value);
      else
        detail::append_number(out, unsigned_integer().value_or(0));
      return;
    case Kind::array: {
      out += '[';
      bool first = true;
      Elements all = elements();
      for (Value element; all.next(element); first = false) {
        if (!first) out += ',';
        element.append_to(out);
      }
      out += ']';
      return;
    }
    case Kind::object: {
      out += '{';
      bool first = true;
      std::string_view name;
      Members all = members();
      for (Value member; all.next(name, member); first = false) {
        if (!first) out += ',';
        detail::append_string(out, name);
        out += ':';
        member.append_to(out);
      }
      out += '}';
      return;
    }
  }
}

bool Value::names_are_unique() const {
  std::vector<std::string_view> scratch;
  return names_unique_in(*this, scratch);
}

Document::~Document() {
  std::unique_ptr<Parser> parser(static_cast<Parser*>(parser_));
  if (!parser || parser->simd.capacity() > parser_bytes_kept_max) return;
  auto& idle = idle_parsers();
  if (idle.size() < parsers_kept_max) idle.push_back(std::move(parser));
}

std::optional<std::string> Document::parse(std::string_view text) {
  if (!parser_) parser_ = take_parser().release();
  auto& simd = static_cast<Parser*>(parser_)->simd;
  const auto parsed = simd.parse(text.data(), text.size(), true);
  if (parsed.error()) return why(parsed.error());
  if (!detail::surrogates_pair_up(text)) return "has a lone surrogate";
  if (!is_shallow(simd.doc)) return why(simdjson::DEPTH_ERROR);
  root_ = Value(&simd.doc, 1);  // the tape's word 0 is the document itself
  return std::nullopt;
}

namespace detail {

bool surrogates_pair_up(std::string_view text) {
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    const int code = escaped_code(text, at);
    if (code < 0) {
      at += 2;
    } else if (is_high_surrogate(code)) {
      if (!is_low_surrogate(escaped_code(text, at + 6))) return false;
      at += 12;
    } else if (is_low_surrogate(code)) {
      return false;
    } else {
      at += 6;
    }
  }
  return true;
}

}  // namespace detail
}  // namespace bloomwatch::json
