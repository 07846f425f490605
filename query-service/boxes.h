// SQL for what is personal: which account's key opens a box (events/personal.h), and the rows of those keys.
#pragma once

#include <string>
#include <string_view>

namespace bloomwatch {

/// The account that a box of the column `box` names: bytes 1–16 of its base64url text, which has to begin with 24 characters of it.
inline std::string account_of_box(std::string_view box) {
  return "encode(substring(decode(translate(left(" + std::string(box) + ", 24), '-_', '+/'), 'base64') FROM 2 FOR 16), 'hex')::uuid";
}

/// The rest of a branch of row_kind::key, of `authors.account` and `k.wrapped`: the keys that open the boxes that `boxes` (a SELECT of one
/// column `box`) finds; no `wrapped` where the key is gone, and no row for a text that is no box.
inline std::string keys_of(std::string_view boxes) {
  return "FROM (SELECT DISTINCT " + account_of_box("box") + " AS account FROM (" + std::string(boxes) +
         ") AS boxes WHERE box ~ '^[-_0-9A-Za-z]{24}') AS authors LEFT JOIN secrets.keys AS k ON k.account = authors.account";
}

}  // namespace bloomwatch
