// The rows of a recap: their kinds, and where a statement has their columns.
#pragma once

#include "query-service/page_rows.h"

namespace bloomwatch {

namespace recap_kind {
inline constexpr std::int16_t owner = row_kind::own;      ///< id; text: display name's box or space's name; t1: time zone; id2: account
inline constexpr std::int16_t zone = row_kind::own + 1;   ///< text: time zone of a space of the person
inline constexpr std::int16_t total = row_kind::own + 2;  ///< b1 …: sessions, episodes, minutes, untimed
inline constexpr std::int16_t member_total = row_kind::own + 3;  ///< id: profile; the same
inline constexpr std::int16_t day = row_kind::own + 4;           ///< n1: day; the same; of a space only episodes
inline constexpr std::int16_t title = row_kind::own + 5;         ///< id: anime; id2: title; b1: episodes; number: titles at all; text: name
inline constexpr std::int16_t evening = row_kind::own + 6;       ///< number: 0 first, 1 last, 2 binge; id3: session; n1: day; at1; the same
inline constexpr std::int16_t rated_count = row_kind::own + 7;   ///< number; b1: sum of tenths
inline constexpr std::int16_t best = row_kind::own + 8;          ///< id: anime; id2: title; text; n1: tenths, or j1: scores
inline constexpr std::int16_t widest = row_kind::own + 9;        ///< the same; n1, n2: own and theirs; id3: who
inline constexpr std::int16_t taste = row_kind::own + 10;        ///< id, id2: the two; number: gap_tenths; b1: rated
inline constexpr std::int16_t version = row_kind::own + 11;      ///< text: what a card's version is made of
inline constexpr std::int16_t genre = row_kind::own + 12;        ///< text; b1: episodes; number: titles
}  // namespace recap_kind

namespace recap_column {
inline constexpr int id2 = PageRows::own_column;
inline constexpr int id3 = id2 + 1;
inline constexpr int at1 = id3 + 1;
inline constexpr int n1 = at1 + 1;
inline constexpr int n2 = n1 + 1;
inline constexpr int b1 = n2 + 1;
inline constexpr int t1 = b1 + 4;
inline constexpr int t2 = t1 + 1;
inline constexpr int j1 = t2 + 1;
}  // namespace recap_column

}  // namespace bloomwatch
