// What is possible of a title. Commands are held to it, and what AniList says beyond it reads as unknown, so that no number or address that
// a search finds is refused when the title is added. Events themselves take any.
#pragma once

#include <boost/describe.hpp>
#include <cstddef>
#include <cstdint>

namespace bloomwatch {

inline constexpr std::int32_t episodes_max = 100'000;  ///< the longest known has some 12,000
inline constexpr std::int32_t minutes_max = 10'000;    ///< of one episode
inline constexpr std::int32_t year_min = 1900;
inline constexpr std::int32_t year_max = 2200;
inline constexpr std::size_t url_bytes_max = 2048;  ///< of a picture, a person's too

/// Seasons of a year as anime are aired by. Events keep their names.
enum class Season { winter, spring, summer, fall };
BOOST_DESCRIBE_ENUM(Season, winter, spring, summer, fall)

}  // namespace bloomwatch
