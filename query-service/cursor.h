// Cursors of lists: where the next page begins, with the epoch, the sort and the filters that it belongs to. Opaque to clients: base64url
// of a keyed hash and sparse JSON. A cursor that was changed, or is another list's, is refused; one of another epoch has ended.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "runtime/crypto.h"
#include "runtime/json.h"
#include "runtime/problem.h"

namespace bloomwatch {

/// Makes and opens cursors. Safe from all threads.
class Cursors {
 public:
  explicit Cursors(const MasterKeys& keys);

  /// `place` is a described struct; `list` is the path of the list that it is a place in.
  template <class Place>
  std::string make(std::string_view epoch, std::string_view list, const Place& place) const {
    std::string text;
    json::write_sparse(text, place);
    return seal(epoch, list, text);
  }

  /// The place, or 400 (`/cursor`) or 410.
  template <class Place>
  std::expected<Place, Problem> open(std::string_view cursor, std::string_view epoch, std::string_view list) const {
    auto text = unseal(cursor, epoch, list);
    if (!text) return std::unexpected(std::move(text.error()));
    auto place = json::read<Place>(*text);
    if (!place) return std::unexpected(unknown());
    return std::move(*place);
  }

  /// What a cursor that is none of this list's is answered.
  static Problem unknown();

 private:
  std::string seal(std::string_view epoch, std::string_view list, std::string_view text) const;
  std::expected<std::string, Problem> unseal(std::string_view cursor, std::string_view epoch, std::string_view list) const;

  SecretKey key_;
};

/// What is asked for in an epoch that has ended: 410.
Problem epoch_ended();

}  // namespace bloomwatch
