// Fuzzes the reading of JSON: no input may crash, and what is accepted is written and read again as the same value.
#include <cstdint>
#include <cstdlib>

#include "runtime/json.h"
#include "runtime/utf8.h"

namespace bloomwatch {
namespace {

using ThingId = Id<struct ThingTag>;
enum class Colour { red, dark_blue };
BOOST_DESCRIBE_ENUM(Colour, red, dark_blue)

struct Inner {
  std::optional<double> ratio;
  std::map<std::string, std::int16_t> counts;
  bool operator==(const Inner&) const = default;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (ratio, counts))

struct Outer {
  std::optional<std::string> text;
  std::optional<ThingId> thing;
  std::optional<Time> at;
  std::optional<std::chrono::year_month_day> day;
  std::optional<Colour> colour;
  std::vector<Inner> inners;
  ClearablePatch<std::string> patch;
  std::optional<std::uint64_t> large;
  bool operator==(const Outer&) const = default;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (text, thing, at, day, colour, inners, patch, large))

void require(bool condition) {
  if (!condition) std::abort();
}

void same_after_writing(std::string_view text) {
  if (const auto value = json::read<Outer>(text)) {
    std::string sparse;
    json::write_sparse(sparse, *value);
    const auto again = json::read<Outer>(sparse);
    require(again.has_value());
    require(*again == *value);
  }
  if (const auto raw = json::read<json::Raw>(text)) {
    const auto again = json::read<json::Raw>(raw->text);
    require(again.has_value());
    require(again->text == raw->text);
    require(is_utf8(raw->text));
  }
}

}  // namespace
}  // namespace bloomwatch

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  bloomwatch::same_after_writing(text);
  (void)bloomwatch::json::read_command<bloomwatch::Outer>({{"thing", "x"}}, text);
  (void)bloomwatch::parse_rfc3339(text);
  (void)bloomwatch::is_time_zone(text);
  return 0;
}
