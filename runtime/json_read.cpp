// What of reading depends on no type: the members of structs by tables, numbers and dates of text, and where an ill-formed text is so.
#include "runtime/json_read.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace bloomwatch::json::detail {
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

}  // namespace bloomwatch::json::detail
