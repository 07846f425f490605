// The table of what AniList told of anime (migrations/0033): read without waiting, written by AniList discovery alone.
// A row that cannot be read, as one of another program's making, is as good as none.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query-service/anilist/media.h"
#include "runtime/postgres.h"
#include "runtime/time.h"

namespace bloomwatch::anilist {

/// What is kept of one anime.
struct KeptMedia {
  Media media;
  Time fetched_at;
};

/// Safe from all threads.
class MediaStore {
 public:
  static constexpr std::int64_t rows_max = 50'000;  ///< beyond it those go that were fetched longest ago
  static constexpr std::chrono::days age_max{90};   ///< since they were fetched
  static constexpr std::uint64_t writes_between_sweeps = 256;
  static constexpr std::size_t text_bytes_min = 2;  ///< of a text to search for; a shorter one would find everything

  explicit MediaStore(const std::string& database_url);

  /// `callback` gets what is kept, or nothing also where Postgres could not be asked: in the pipeline's thread, must not block.
  using Callback = std::move_only_function<void(std::optional<KeptMedia>)>;
  void find(std::int32_t id, Callback callback);

  // These wait for Postgres. Its troubles are logged and are nobody's failure: it is a cache.
  void keep(const Media& media, Time fetched_at);
  void forget(std::int32_t id);
  /// Those with the text in one of their titles, the popular first.
  std::vector<KeptMedia> search(std::string_view text, std::int64_t limit);

 private:
  void sweep(pg::Connection& connection, Time now);

  std::atomic<std::uint64_t> writes_{0};
  pg::Pool pool_;
  pg::Pipeline pipeline_;  // last: its thread calls back
};

}  // namespace bloomwatch::anilist
