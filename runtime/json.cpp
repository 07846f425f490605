// JSON: parsing by simdjson's DOM (and closing what its version 3.0.1 lets through), the tape behind Value, and the tight loops of writing.
// Checked against simdjson 3.0.1: it takes lone low surrogates and any \u escape after a high one, duplicate names, and U+0000.
#include "runtime/json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>

#include "runtime/ascii.h"

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

/// Whether every surrogate among the escapes has its other half. `text` is JSON otherwise, so a backslash is always in a string.
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

void append_pointer_step(std::string& out, std::string_view name) {
  const bool cut = name.size() > name_shown_bytes_max;
  if (cut) {
    name = name.substr(0, name_shown_bytes_max);
    while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xc0) == 0x80) name.remove_suffix(1);
    if (!name.empty() && static_cast<unsigned char>(name.back()) >= 0xc0) name.remove_suffix(1);
  }
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  if (cut) out += "…";
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

template <class Number, class... Format>
void append_digits(std::string& out, Number value, Format... format) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, format...).ptr;
  out.append(digits, end);
}

/// 1: must be escaped in a JSON string.
constexpr auto must_escape = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  out += "\\u00";
  out += hex[static_cast<unsigned char>(c) >> 4];
  out += hex[static_cast<unsigned char>(c) & 15];
}

void append_padded(std::string& out, unsigned value, int width) {
  for (int divisor = width == 4 ? 1000 : 10; divisor > 0; divisor /= 10)
    out += static_cast<char>('0' + value / static_cast<unsigned>(divisor) % 10);
}

}  // namespace

bool wrong_in_path(const FieldErrors& errors) {
  return std::any_of(errors.begin(), errors.end(), [](const FieldError& error) { return error.in == In::path; });
}

std::string camel_case(std::string_view snake) {
  std::string out;
  bool raise = false;
  for (const char c : snake) {
    if (c == '_' && !out.empty()) {
      raise = true;
    } else {
      out += raise ? ascii::upper(c) : c;
      raise = false;
    }
  }
  return out;
}

// Views ------------------------------------------------------------------------------------------------------------------------------

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
  if (!surrogates_pair_up(text)) return "has a lone surrogate";
  if (!is_shallow(simd.doc)) return why(simdjson::DEPTH_ERROR);
  root_ = Value(&simd.doc, 1);  // the tape's word 0 is the document itself
  return std::nullopt;
}

// Reading ----------------------------------------------------------------------------------------------------------------------------

std::string Path::pointer() const {
  if (!parent) return {};
  std::string out = parent->pointer();
  out += '/';
  if (name.data() != nullptr)
    append_pointer_step(out, name);
  else
    out += std::to_string(index);
  return out;
}

std::string name_of_member(std::string_view member) {
  std::string name;
  for (std::size_t i = 0; i < member.size(); ++i) {
    if (member[i] == '_' && i > 0 && i + 1 < member.size())
      name += ascii::upper(member[++i]);
    else
      name += member[i];
  }
  return name;
}

void Errors::add(const Path& at, std::string detail, In in) {
  if (!full()) list_.push_back({at.pointer(), std::move(detail), in});
}

namespace detail {
namespace {

namespace ondemand = simdjson::ondemand;

/// Stops where the text is no JSON.
void add_ill_formed(ondemand::value value, const Path& at, std::size_t depth, Errors& errors) {
  ondemand::json_type type;
  if (depth > nesting_max || value.type().get(type)) return;
  switch (type) {
    case ondemand::json_type::object: {
      ondemand::object object;
      if (value.get_object().get(object)) return;
      for (auto member : object) {
        ondemand::field field;
        std::string_view name;
        if (std::move(member).get(field) || field.unescaped_key().get(name)) return;
        add_ill_formed(field.value(), Path{&at, name}, depth + 1, errors);
      }
      return;
    }
    case ondemand::json_type::array: {
      ondemand::array array;
      if (value.get_array().get(array)) return;
      std::size_t index = 0;
      for (auto entry : array) {
        ondemand::value element;
        if (std::move(entry).get(element)) return;
        add_ill_formed(element, Path{&at, {}, index++}, depth + 1, errors);
      }
      return;
    }
    case ondemand::json_type::number:
      if (value.get_number().error()) errors.add(at, "is a number that is ill-formed or does not fit");
      return;
    case ondemand::json_type::string: {
      const std::string_view token = value.raw_json_token();
      if (value.get_string().error() || !surrogates_pair_up(token)) errors.add(at, "is an ill-formed string");
      return;
    }
    default:
      return;
  }
}

}  // namespace

bool parse(Document& document, std::string_view text, const Path& root, Errors& errors) {
  auto why = document.parse(text);
  if (!why) return true;
  ondemand::parser parser;
  const simdjson::padded_string padded(text);
  ondemand::document again;
  ondemand::value value;
  if (!parser.iterate(padded).get(again) && !again.get_value().get(value)) add_ill_formed(value, root, 1, errors);
  if (errors.none()) errors.add(root, std::move(*why));
  return false;
}

std::string integer_detail(std::int64_t min, std::uint64_t max) {
  return "must be a whole number between " + std::to_string(min) + " and " + std::to_string(max);
}

void MembersReader::fill(const Parameters& parameters, In in) {
  for (const auto& [name, text] : parameters) {
    const std::size_t index = index_of(name, 0);
    if (index != std::string_view::npos)
      fill_member(index, text, in);
    else if (in == In::query)
      errors_.add(Path{&at_, name}, "is unknown", in);
  }
  if (in == In::path) filled_ = seen_;
}

void MembersReader::read(const Value& value) {
  if (value.kind() != Kind::object) {
    errors_.add(at_, "must be an object");
    wrong_ = true;
    return;
  }
  Members members = value.members();
  std::string_view name;
  Value member;
  for (std::size_t expected = 0; !errors_.full() && members.next(name, member); ++expected) {
    const std::size_t index = index_of(name, expected);
    if (index == std::string_view::npos || filled_[index]) {
      unknown(name);
    } else if (seen_[index]) {
      errors_.add(Path{&at_, name}, "is there twice");
      wrong_ = true;
    } else {
      expected = index;
      take(index, members_[index].kind->read(slot(index), member, Path{&at_, members_[index].name}, errors_));
    }
  }
}

bool MembersReader::finish(In in, std::span<const std::string_view> one_of) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (seen_[i]) continue;
    const MemberKind& kind = *members_[i].kind;
    if (kind.may_be_left_out || (kind.is_repeated && in == In::query)) {
      kind.leave_out(slot(i));
    } else {
      errors_.add(Path{&at_, members_[i].name}, "is missing", in);
      wrong_ = true;
    }
  }
  if (!one_of.empty()) want_one_of(one_of, in);
  return !wrong_ && !errors_.full();
}

/// The member called `name`, or npos; what the edge fills has no name. Tries `expected` first: most texts keep the order of the
/// description.
std::size_t MembersReader::index_of(std::string_view name, std::size_t expected) const {
  const auto is_it = [&](const Member& member) { return member.name == name && !member.kind->is_minted; };
  if (expected < members_.size() && is_it(members_[expected])) return expected;
  const auto found = std::ranges::find_if(members_, is_it);
  return found == members_.end() ? std::string_view::npos : static_cast<std::size_t>(found - members_.begin());
}

void MembersReader::fill_member(std::size_t index, std::string_view text, In in) {
  const Member& member = members_[index];
  const Path here{&at_, member.name};
  if (seen_[index] && !member.kind->is_repeated) {
    errors_.add(here, "is there twice", in);
    wrong_ = true;
  } else {
    take(index, member.kind->read_text(slot(index), text, here, in, errors_));
  }
}

void MembersReader::unknown(std::string_view name) {
  if (errors_.unknown() == Unknown::ignored) return;
  errors_.add(Path{&at_, name}, "is unknown");
  wrong_ = true;
}

/// Which of them is the wrong one nobody knows: all are named.
void MembersReader::want_one_of(std::span<const std::string_view> one_of, In in) {
  std::string names;
  std::size_t given = 0;
  for (const std::string_view name : one_of) {
    names += names.empty() ? "" : ", ";
    names += name;
    const std::size_t index = index_of(name, 0);
    given += seen_[index] && (wrong_members_[index] || members_[index].kind->has_value(slot(index)));
  }
  if (given == 1) return;
  for (const std::string_view name : one_of) errors_.add(Path{&at_, name}, "exactly one must be there of " + names, in);
  wrong_ = true;
}

void MembersReader::take(std::size_t index, bool is_right) {
  seen_.set(index);
  if (is_right) return;
  wrong_members_.set(index);
  wrong_ = true;
}

std::string one_of_detail(const std::vector<std::string_view>& names) {
  std::string out = "must be one of: ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ", ";
    out += names[i];
  }
  return out;
}

std::optional<std::int64_t> integer_of_text(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> number_of_text(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::chrono::year_month_day> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  unsigned parts[3] = {};
  constexpr std::pair<std::size_t, std::size_t> places[3] = {{0, 4}, {5, 2}, {8, 2}};
  for (std::size_t i = 0; i < 3; ++i) {
    for (const char c : text.substr(places[i].first, places[i].second)) {
      if (c < '0' || c > '9') return std::nullopt;
      parts[i] = parts[i] * 10 + static_cast<unsigned>(c - '0');
    }
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(parts[0])), std::chrono::month(parts[1]),
                                         std::chrono::day(parts[2])};
  if (!date.ok() || parts[0] == 0) return std::nullopt;
  return date;
}

void append_date(std::string& out, std::chrono::year_month_day date) {
  out += '"';
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += '"';
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!must_escape[static_cast<unsigned char>(text[i])]) [[likely]]
      continue;
    out.append(text, from, i - from);
    append_escape(out, text[i]);
    from = i + 1;
  }
  out.append(text, from, text.size() - from);
  out += '"';
}

void append_number(std::string& out, double value) {
  constexpr double whole_max = 1e15;
  if (!std::isfinite(value))
    out += "null";
  else if (std::trunc(value) == value && std::fabs(value) < whole_max)
    append_digits(out, static_cast<std::int64_t>(value));  // 100000, where the shortest form would be 1e+05
  else if (std::fabs(value) >= whole_max)
    append_digits(out, value, std::chars_format::scientific);  // as digits it would read as an integer that does not fit
  else
    append_digits(out, value);
}

void append_number(std::string& out, std::int64_t value) { append_digits(out, value); }
void append_number(std::string& out, std::uint64_t value) { append_digits(out, value); }

void append_enum(std::string& out, std::string_view name) {
  if (name.empty()) {
    out += "null";
    return;
  }
  out += '"';
  out += name;
  out += '"';
}

void append_uuid(std::string& out, const Uuid& uuid) {
  constexpr std::string_view hex = "0123456789abcdef";
  char text[38];
  std::size_t at = 0;
  text[at++] = '"';
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
    text[at++] = hex[uuid.bytes[i] >> 4];
    text[at++] = hex[uuid.bytes[i] & 15];
  }
  text[at++] = '"';
  out.append(text, at);
}

}  // namespace detail
}  // namespace bloomwatch::json
