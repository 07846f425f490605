// What people send, checked as it is read: a command made of these types needs no second look at shapes.
// Each is a value type of runtime/json.h: `from` says in a sentence what is wrong, so that every wrong field is named at once.
#pragma once

#include <boost/describe.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "events/partial_date.h"
#include "events/title_limits.h"
#include "events/tracking.h"
#include "runtime/json.h"

namespace bloomwatch {

// Longest texts, in Unicode code points after trimming.
inline constexpr std::size_t name_length_max = 100;      ///< of people and spaces
inline constexpr std::size_t theme_length_max = 50;      ///< of a space
inline constexpr std::size_t title_length_max = 500;     ///< of an anime, in any language
inline constexpr std::size_t format_length_max = 50;     ///< of an anime: TV, MOVIE …
inline constexpr std::size_t mood_length_max = 100;      ///< of mood and vibe
inline constexpr std::size_t pitch_length_max = 500;     ///< of a pitch
inline constexpr std::size_t notes_length_max = 2000;    ///< of a rating and of a watch session
inline constexpr std::size_t email_bytes_max = 254;      ///< RFC 5321 §4.5.3.1.3, less the angle brackets
inline constexpr std::size_t language_bytes_max = 35;    ///< RFC 5646 §4.4.1
inline constexpr std::size_t handle_length_min = 3;      ///< of `a-z 0-9 _`
inline constexpr std::size_t handle_length_max = 30;     ///< of `a-z 0-9 _`
inline constexpr std::size_t password_length_min = 8;    ///< of a new password, in code points
inline constexpr std::size_t password_length_max = 256;  ///< of any password, in code points

inline constexpr std::int32_t rewatches_max = 10'000;  ///< of one title by one person

enum class Lines { one, many };

/// Number of Unicode code points of valid UTF-8.
std::size_t length_of(std::string_view utf8);

/// The text without white space (as Unicode has it) around it, if it has 1 to `length_max` code points, at least one of them visible, and
/// no control characters (tab and line feed are allowed in texts of many lines; CR LF becomes LF).
std::expected<std::string, std::string> checked_text(std::string_view text, std::size_t length_max, Lines lines);

/// A text of at most `length_max` code points.
template <std::size_t length_max, Lines lines = Lines::one>
class Text {
 public:
  using Wire = std::string;
  static std::expected<Text, std::string> from(const Wire& wire) {
    auto checked = checked_text(wire, length_max, lines);
    if (!checked) return std::unexpected(std::move(checked.error()));
    Text text;
    text.text_ = std::move(*checked);
    return text;
  }
  const Wire& wire() const { return text_; }
  const std::string& text() const { return text_; }
  bool operator==(const Text&) const = default;

 private:
  std::string text_;
};

using DisplayName = Text<name_length_max>;
using SpaceName = Text<name_length_max>;
using Theme = Text<theme_length_max>;
using TitleText = Text<title_length_max>;
using FormatText = Text<format_length_max>;
using Mood = Text<mood_length_max>;
using Vibe = Text<mood_length_max>;
using Pitch = Text<pitch_length_max, Lines::many>;
using Notes = Text<notes_length_max, Lines::many>;

/// A text that follows a rule of its own. `Rule` is a function of the text as sent: the text as kept, or what is wrong.
template <auto Rule>
class RuledText {
 public:
  using Wire = std::string;
  static std::expected<RuledText, std::string> from(const Wire& wire) {
    auto checked = Rule(wire);
    if (!checked) return std::unexpected(std::move(checked.error()));
    RuledText text;
    text.text_ = std::move(*checked);
    return text;
  }
  const Wire& wire() const { return text_; }
  const std::string& text() const { return text_; }
  bool operator==(const RuledText&) const = default;

 private:
  std::string text_;
};

using CheckedText = std::expected<std::string, std::string>;
/// An address that can be written without quotes: a subset of RFC 5321's `Mailbox`, ASCII, with at least one dot in its domain.
CheckedText checked_email(std::string_view text);
/// 3 to 30 of `a-z 0-9 _`.
CheckedText checked_handle(std::string_view text);
/// In upper case, as sources write it: `tv` and `TV` are one.
CheckedText checked_title_format(std::string_view text);
/// An http or https URL in ASCII (RFC 3986), without user information.
CheckedText checked_url(std::string_view text);
/// The shape of a BCP 47 tag: `en`, `de-AT`, `zh-Hant-TW`.
CheckedText checked_language(std::string_view text);
/// A country, ISO 3166-1 alpha-2.
CheckedText checked_region(std::string_view text);
/// A name of the IANA time zone database.
CheckedText checked_time_zone(std::string_view text);

using EmailAddress = RuledText<checked_email>;
using Handle = RuledText<checked_handle>;
using TitleFormat = RuledText<checked_title_format>;
using Url = RuledText<checked_url>;
using LanguageTag = RuledText<checked_language>;
using RegionCode = RuledText<checked_region>;
using TimeZoneName = RuledText<checked_time_zone>;

/// A password on its way from a request to its hash: the edge takes it out before the command goes on. It is never written anywhere, its
/// wire form is empty.
template <std::size_t length_min>
class PasswordText {
 public:
  using Wire = std::string;
  static std::expected<PasswordText, std::string> from(Wire wire) {
    const std::size_t length = length_of(wire);
    if (length < length_min) return std::unexpected("must have at least " + std::to_string(length_min) + " characters");
    if (length > password_length_max) return std::unexpected("must have at most " + std::to_string(password_length_max) + " characters");
    PasswordText password;
    password.text_ = std::move(wire);
    return password;
  }
  Wire wire() const { return {}; }
  /// The text, once; afterwards this holds nothing.
  std::string take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

using NewPassword = PasswordText<password_length_min>;
using GivenPassword = PasswordText<1>;

/// A whole number within bounds.
template <std::int32_t min, std::int32_t max>
class Bounded {
 public:
  using Wire = std::int32_t;
  static std::expected<Bounded, std::string> from(Wire wire) {
    if (wire < min || wire > max)
      return std::unexpected("must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return Bounded(wire);
  }
  constexpr Bounded() = default;
  Wire wire() const { return value_; }
  std::int32_t value() const { return value_; }
  bool operator==(const Bounded&) const = default;

 private:
  constexpr explicit Bounded(Wire value) : value_(value) {}
  std::int32_t value_ = min;
};

using EpisodeCount = Bounded<1, episodes_max>;     ///< that a title has
using EpisodeNumber = Bounded<1, episodes_max>;    ///< of one episode
using EpisodesWatched = Bounded<0, episodes_max>;  ///< progress
using EpisodeMinutes = Bounded<1, minutes_max>;
using RewatchCount = Bounded<0, rewatches_max>;
using SeasonYear = Bounded<year_min, year_max>;
using AniListMediaId = Bounded<1, 2'147'483'647>;

/// 0.5 to 10 in halves; on the wire a number.
class Score {
 public:
  using Wire = double;
  static std::expected<Score, std::string> from(Wire wire);
  constexpr Score() = default;
  Wire wire() const { return tenths_ / 10.0; }
  std::int16_t tenths() const { return tenths_; }
  bool operator==(const Score&) const = default;

 private:
  constexpr explicit Score(std::int16_t tenths) : tenths_(tenths) {}
  std::int16_t tenths_ = 5;
};

/// A whole or partial date that the calendar has.
class PossibleDate {
 public:
  using Wire = PartialDate;
  static std::expected<PossibleDate, std::string> from(Wire wire) {
    if (!wire.is_possible()) return std::unexpected("must be a date from 1900 to 2200: a year, perhaps a month, perhaps its day");
    PossibleDate possible;
    possible.date_ = wire;
    return possible;
  }
  const Wire& wire() const { return date_; }
  const PartialDate& date() const { return date_; }
  bool operator==(const PossibleDate&) const = default;

 private:
  PartialDate date_ = {.year = 1900};
};

/// The sources whose names of titles we take.
/// `bloomwatch`: our own catalogue, by a title's id.
enum class MediaSource { anilist, mal, kitsu, tmdb, imdb, bloomwatch };
BOOST_DESCRIBE_ENUM(MediaSource, anilist, mal, kitsu, tmdb, imdb, bloomwatch)

struct MediaOnWire {
  MediaSource source = MediaSource::anilist;
  json::Raw id = {};
};
BOOST_DESCRIBE_STRUCT(MediaOnWire, (), (source, id))

/// How a source names a title: `{"source": "mal", "id": 52991}`; `imdb` and `bloomwatch` with a string (`tt0213338`, a UUID), the others
/// with a number.
class Media {
 public:
  using Wire = MediaOnWire;
  static std::expected<Media, std::string> from(const Wire& wire);
  Wire wire() const;
  const MediaReference& reference() const { return reference_; }
  bool operator==(const Media&) const = default;

 private:
  MediaReference reference_ = {};
};

/// A reference of somebody else's.
class OutsideMedia : public Media {
 public:
  static std::expected<OutsideMedia, std::string> from(const Wire& wire);
};

}  // namespace bloomwatch
