// What an anime is counted for in the writer's memory: what is kept of its past, not its past.
#include "tests/unit/tracking/tracking.h"

namespace bloomwatch::testing {
namespace {

// Of their data as JSON.
constexpr std::size_t rating_bytes = 100;
constexpr std::size_t session_of_ten_bytes = 900;

TEST(AnimeMemory, does_not_grow_by_what_overwrites) {
  dispatch::Holder<Anime> anime;
  for (std::int16_t score = 0; score < 1000; ++score)
    anime.take(AnimeRated{.profile = mira.profile, .title = frieren, .score_tenths = score}, {}, rating_bytes);
  EXPECT_LT(anime.bytes(), 4096u);
}

TEST(AnimeMemory, counts_what_is_added) {
  dispatch::Holder<Anime> anime;
  for (std::uint8_t number = 1; number <= 200; ++number) {
    WatchSessionRecorded session;
    session.session = WatchSessionId(Uuid{{number}});
    session.participants.resize(10);
    anime.take(session, {}, session_of_ten_bytes);
  }
  EXPECT_GE(anime.bytes(), anime.state.heap_bytes());
  EXPECT_GE(anime.state.heap_bytes(), 200 * (sizeof(Anime::Session) + 10 * sizeof(Attendee)));
}

}  // namespace
}  // namespace bloomwatch::testing
