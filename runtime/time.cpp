// RFC 3339, and what this machine knows of time zones.
#include "runtime/time.h"

#include <sys/stat.h>

#include <charconv>

#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

using namespace std::chrono;

constexpr std::string_view zone_directory = "/usr/share/zoneinfo/";
constexpr std::size_t zone_name_bytes_max = 64;

/// Reads fixed-width digits and single characters off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::optional<int> digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  /// `lower` is a lower-case letter (either case does) or a sign.
  bool character(char lower) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    if (ascii::lower(c) != lower) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// `.123456` as milliseconds, cut; 0 if there is no point, nothing if no digit follows it.
  std::optional<int> fraction() {
    if (rest_.empty() || rest_.front() != '.') return 0;
    rest_.remove_prefix(1);
    int millis = 0;
    int place = 100;
    std::size_t count = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), ++count, place /= 10)
      millis += (rest_.front() - '0') * place;
    if (count == 0) return std::nullopt;
    return millis;
  }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

std::optional<minutes> parse_offset(Scanner& scanner) {
  if (scanner.character('z')) return minutes(0);
  const std::string_view rest = scanner.rest();
  if (rest.empty() || (rest.front() != '+' && rest.front() != '-')) return std::nullopt;
  const int sign = rest.front() == '-' ? -1 : 1;
  scanner = Scanner(rest.substr(1));
  const auto hour = scanner.digits(2);
  if (!hour || scanner.rest().empty() || scanner.rest().front() != ':') return std::nullopt;
  scanner = Scanner(scanner.rest().substr(1));
  const auto minute = scanner.digits(2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  return minutes(sign * (*hour * 60 + *minute));
}

void put(char* at, int value, int width) {
  for (int i = width - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

/// Letters, digits, `_`, `+`, `-` in segments: no dot, hence no way out of the directory.
bool is_zone_like(std::string_view name) {
  if (name.empty() || name.size() > zone_name_bytes_max || name.front() == '/' || name.back() == '/') return false;
  char before = '/';
  for (const char c : name) {
    if (before == '/' && (c < 'A' || c > 'Z')) return false;  // every segment of a zone's name begins with a capital
    if (!ascii::is_alnum(c) && c != '_' && c != '+' && c != '-' && c != '/') return false;
    before = c;
  }
  return true;
}

}  // namespace

std::string to_rfc3339(Time time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<milliseconds> clock(time - day);
  std::string text = "0000-00-00T00:00:00.000Z";
  put(&text[0], static_cast<int>(date.year()), 4);
  put(&text[5], static_cast<int>(static_cast<unsigned>(date.month())), 2);
  put(&text[8], static_cast<int>(static_cast<unsigned>(date.day())), 2);
  put(&text[11], static_cast<int>(clock.hours().count()), 2);
  put(&text[14], static_cast<int>(clock.minutes().count()), 2);
  put(&text[17], static_cast<int>(clock.seconds().count()), 2);
  put(&text[20], static_cast<int>(clock.subseconds().count()), 3);
  return text;
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  Scanner scanner(text);
  const auto y = scanner.digits(4);
  if (!y || *y == 0 || !scanner.character('-')) return std::nullopt;
  const auto mo = scanner.digits(2);
  if (!mo || !scanner.character('-')) return std::nullopt;
  const auto d = scanner.digits(2);
  if (!d || !(scanner.character('t') || scanner.character(' '))) return std::nullopt;
  const auto h = scanner.digits(2);
  if (!h || !scanner.character(':')) return std::nullopt;
  const auto mi = scanner.digits(2);
  if (!mi || !scanner.character(':')) return std::nullopt;
  const auto s = scanner.digits(2);
  const auto ms = s ? scanner.fraction() : std::nullopt;
  const auto offset = ms ? parse_offset(scanner) : std::nullopt;
  if (!offset || !scanner.rest().empty()) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d))};
  // 60 is a leap second (RFC 3339 §5.7); it becomes the next minute's first, as POSIX time has it.
  if (!date.ok() || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  const Time time = sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s) + milliseconds(*ms) - *offset;
  const int utc_year = static_cast<int>(year_month_day(floor<days>(time)).year());
  if (utc_year < 1 || utc_year > 9999) return std::nullopt;
  return time;
}

bool is_time_zone(std::string_view name) {
  if (!is_zone_like(name) || name == "Factory") return false;  // which says that nobody has set a zone
  std::string path(zone_directory);
  path += name;
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace bloomwatch
