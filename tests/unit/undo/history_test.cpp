// Undoing the last change brings every read model back to what it said before, and undoing the undo to what it said after: for random
// histories, made by the real deciders and folded by the real folds.
#include <gmock/gmock.h>

#include <random>
#include <set>

#include "command-service/spaces/change_member_role.h"
#include "command-service/spaces/change_watch_space.h"
#include "command-service/spaces/create_watch_space.h"
#include "command-service/spaces/transfer_ownership.h"
#include "command-service/tracking/add_anime.h"
#include "command-service/tracking/change_anime.h"
#include "command-service/tracking/change_participant_progress.h"
#include "command-service/tracking/change_watch_session.h"
#include "command-service/tracking/confirm_attendance.h"
#include "command-service/tracking/decline_attendance.h"
#include "command-service/tracking/import_anime.h"
#include "command-service/tracking/rate_anime.h"
#include "command-service/tracking/record_watch_session.h"
#include "projector/dashboard/dashboard.h"
#include "projector/model.h"
#include "projector/spaces/spaces.h"
#include "projector/tracking/tracking.h"
#include "tests/unit/undo/story.h"

namespace bloomwatch::testing {
namespace {

/// What a page could show of the rows: times and versions aside, and rows that say nothing or belong nowhere.
class Shown {
 public:
  explicit Shown(const std::vector<RecordedEvent>& log) {
    for (const RecordedEvent& event : log) {
      const AnyEvent decoded = decode(event);
      projection::fold(tracking_, decoded, event.meta);
      projection::fold(dashboard_, decoded, event.meta);
      projection::fold(spaces_, decoded, event.meta);
    }
    show();
  }
  std::set<std::string> rows;

 private:
  template <class Row>
  void add(Row row) {
    if constexpr (requires { row.updated_at; }) row.updated_at = {};
    if constexpr (requires { row.version; }) row.version = 0;
    rows.insert(json::to_string(row));
  }
  void show() {
    tracking_.anime.each([&](const AnimeRow& row, auto) {
      if (row.watch_space) add(row);
    });
    tracking_.sessions.each([&](const SessionRow& row, auto) {
      if (row.watch_space) add(row);
    });
    tracking_.entries.each([&](EntryRow row, auto) {
      row.updated_at = {};
      row.version = 0;
      if (row != EntryRow{.anime = row.anime, .profile = row.profile}) add(row);
    });
    dashboard_.anime.each([&](const RatedAnimeRow& row, auto) {
      if (row.watch_space) add(row);
    });
    dashboard_.gaps.each([&](const GapRow& row, auto) { add(row); });
    dashboard_.pairs.each([&](const PairSum& row, auto) {
      if (row.rated != 0 || row.gap_tenths != 0) add(row);
    });
    dashboard_.spaces.each([&](const SpaceSum& row, auto) {
      if (row != SpaceSum{row.watch_space}) add(row);
    });
    spaces_.spaces.each([&](const SpaceRow& row, auto) { add(row); });
    spaces_.members.each([&](const MemberRow& row, auto) { add(row); });
  }

  Tracking tracking_;
  Dashboard dashboard_;
  Spaces spaces_;
};

/// Random commands of Mira and Ken about two anime and their space.
class AnyHistory : public ::testing::TestWithParam<unsigned> {
 protected:
  int below(int bound) { return std::uniform_int_distribution(0, bound - 1)(random_); }
  const Actor& somebody() { return below(2) == 0 ? mira : ken; }
  TrackingStatus status() { return static_cast<TrackingStatus>(below(5)); }
  template <class T>
  ClearablePatch<T> text() {
    if (below(3) == 0) return {};
    if (below(3) == 0) return {true, {}};
    return {true, value<T>("words " + std::to_string(below(5)))};
  }

  /// Of three titles; one that has left its space is added as another anime.
  Position import() {
    ImportAnime row{.watch_space = space_id,
                    .media = {"mal", std::to_string(1 + below(3))},
                    .snapshot_source = "mal-export",
                    .status = status(),
                    .episodes_watched = below(12),
                    .score_tenths = static_cast<std::int16_t>(5 * (1 + below(20))),
                    .original_score = OriginalScore{"4", "5"},
                    .notes = "imported",
                    .shared = below(2) == 0,
                    .anime = {AnimeId(Uuid::v7(noon))}};
    return added(story_.happens(row, somebody()));
  }
  Position add() {
    AddAnime command{.watch_space = space_id,
                     .media = value<Media>({.source = MediaSource::mal, .id = {std::to_string(1 + below(3))}}),
                     .episode_count = value<EpisodeCount>(12),
                     .shared_status = status(),
                     .anime = {AnimeId(Uuid::v7(noon))}};
    if (below(2) == 0) command.vibe = value<Vibe>("neon");
    return added(story_.happens(command, somebody()));
  }
  Position added(Position position) {
    if (position != 0 && story_.outcome.events.front().type == "AnimeAdded") anime_.emplace_back(story_.outcome.stream.id);
    return position;
  }
  Position change(AnimeId anime) {
    ChangeAnime command{.watch_space = space_id, .anime = anime, .mood = text<Mood>(), .pitch = text<Pitch>()};
    if (below(2) == 0) command.shared_status = {status()};
    if (below(2) == 0) command.shared_episodes_watched = {value<EpisodesWatched>(below(13))};
    return story_.happens(command, somebody());
  }
  Position own(AnimeId anime) {
    ChangeParticipantProgress command{.watch_space = space_id, .anime = anime};
    if (below(2) == 0) command.status = {status()};
    if (below(2) == 0) command.episodes_watched = {value<EpisodesWatched>(below(13))};
    if (below(2) == 0) command.finished_on = {true, value<PossibleDate>(PartialDate{2020, static_cast<std::int16_t>(1 + below(12)), {}})};
    if (below(2) == 0) command.times_rewatched = {value<RewatchCount>(below(3))};
    return story_.happens(command, somebody());
  }
  Position rate(AnimeId anime) {
    RateAnime command{.watch_space = space_id, .anime = anime, .notes = text<Notes>()};
    if (below(4) != 0) command.score = {true, below(4) == 0 ? std::nullopt : std::optional(value<Score>(0.5 * (1 + below(20))))};
    return story_.happens(command, somebody());
  }
  Position evening(AnimeId anime) {
    sessions_.emplace_back(anime, WatchSessionId(Uuid::v7(noon)));
    RecordWatchSession command{.watch_space = space_id,
                               .anime = anime,
                               .session_date = noon,
                               .start_episode = value<EpisodeNumber>(1),
                               .end_episode = value<EpisodeNumber>(1 + below(12)),
                               .session = {sessions_.back().second}};
    if (below(2) == 0) command.notes = value<Notes>("Rain.");
    return story_.happens(command, somebody());
  }
  Position answer() {
    if (sessions_.empty()) return 0;
    const auto [anime, session] = sessions_[static_cast<std::size_t>(below(static_cast<int>(sessions_.size())))];
    switch (below(3)) {
      case 0:
        return story_.happens(ConfirmAttendance{space_id, anime, session}, somebody());
      case 1:
        return story_.happens(DeclineAttendance{space_id, anime, session}, somebody());
      default:
        return story_.happens(ChangeWatchSession{.watch_space = space_id, .anime = anime, .session = session, .notes = text<Notes>()},
                              somebody());
    }
  }
  Position of_space() {
    switch (below(3)) {
      case 0:
        return story_.happens(ChangeMemberRole{space_id, somebody().profile, below(2) == 0 ? SpaceRole::owner : SpaceRole::member},
                              somebody());
      case 1:
        return story_.happens(TransferOwnership{space_id, somebody().profile}, somebody());
      default:
        return story_.happens(
            ChangeWatchSpace{
                .watch_space = space_id, .name = {value<SpaceName>("Name " + std::to_string(below(9)))}, .theme = text<Theme>()},
            somebody());
    }
  }

  Position command() {
    if (anime_.empty()) return add();
    const AnimeId anime = anime_[static_cast<std::size_t>(below(static_cast<int>(anime_.size())))];
    switch (below(9)) {
      case 0:
        return add();
      case 1:
        return import();
      case 2:
        return change(anime);
      case 3:
        return own(anime);
      case 4:
        return rate(anime);
      case 5:
        return evening(anime);
      case 6:
        return answer();
      case 7:
        return of_space();
      default:
        return story_.log.empty() ? 0 : story_.undo(1 + below(static_cast<int>(story_.log.size())), somebody());
    }
  }

  /// By whoever may: one of the two.
  Position undo(Position position) {
    if (const Position undone = story_.undo(position, mira)) return undone;
    return story_.undo(position, ken);
  }

  std::mt19937_64 random_{GetParam()};
  Story story_;
  std::vector<AnimeId> anime_;
  std::vector<std::pair<AnimeId, WatchSessionId>> sessions_;
};

TEST_P(AnyHistory, is_as_before_when_the_last_change_is_undone_and_as_after_when_that_is_undone) {
  story_.put<WatchSpace>(space_id.uuid, SessionConsentChanged{ken.profile, SessionConsent::ask}, ken);
  int undone = 0;
  for (int i = 0; i < 120; ++i) {
    const Shown before(story_.log);
    const std::size_t length = story_.log.size();
    const Position change = command();
    if (change == 0) continue;
    const Shown after(story_.log);
    const std::size_t events = story_.log.size() - length;
    const Position undo_at = undo(change);
    ASSERT_NE(undo_at, 0) << story_.outcome.refusal << " after " << story_.log[length].type << ' ' << story_.log[length].data;
    EXPECT_EQ(story_.outcome.events.size(), events);
    EXPECT_EQ(Shown(story_.log).rows, before.rows) << story_.log[length].type;
    if (below(2) == 0) continue;
    ASSERT_NE(undo(undo_at), 0) << story_.outcome.refusal << " after the undo of " << story_.log[length].type;
    EXPECT_EQ(Shown(story_.log).rows, after.rows) << story_.log[length].type;
    ++undone;
  }
  EXPECT_GT(undone, 5);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyHistory, ::testing::Range(1U, 25U));

}  // namespace
}  // namespace bloomwatch::testing
