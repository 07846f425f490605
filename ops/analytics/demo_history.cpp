// Makes a history to look at: a few hundred watch spaces over some weeks of 2026, appended to an empty log through the log's own way in,
// with times of its own. For ops/analytics and for tests that need a long log. The same seed gives the same events, whatever the machine.
// What people do is made up, what is shown of it is not: every number comes from the events. Pages cannot be shown from it (no keys).
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "events/codec.h"
#include "events/log.h"
#include "runtime/migrate.h"

namespace bloomwatch {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::weeks;

constexpr std::size_t batch_events_max = 500;
constexpr std::int32_t episodes_an_evening_max = 3;

/// Numbers that are the same on every machine: the standard fixes the engine, but not its distributions.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
  std::int32_t between(std::int32_t low, std::int32_t high) {
    return low + static_cast<std::int32_t>(below(static_cast<std::size_t>(high - low) + 1));
  }
  bool of_hundred(std::size_t percent) { return below(100) < percent; }
  /// About normal: the sum of twelve dice, in percent of a deviation.
  std::int32_t deviation() {
    std::int32_t sum = -600;
    for (int i = 0; i < 12; ++i) sum += between(0, 100);
    return sum;
  }
  Uuid uuid() {
    Uuid id;
    for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(below(256));
    return id;
  }

 private:
  std::mt19937_64 engine_;
};

/// An event with its time; its version follows when all are in order.
struct Happened {
  NewEvent event;
  std::size_t order = 0;         // among those of one moment
  std::vector<ClaimKey> claims;  // that its stream takes
};

class History {
 public:
  explicit History(std::uint64_t seed) : chance_(seed) {}

  /// Spaces come a few more each week than the week before.
  std::vector<Happened> make(std::size_t spaces, std::size_t span) {
    const std::size_t shares = span * (span + 1) / 2 + span * 4;
    for (std::size_t week = 0; week < span; ++week) {
      const std::size_t founded = std::max<std::size_t>(1, spaces * (week + 5) / shares);
      for (std::size_t i = 0; i < founded; ++i) live(week, span);
    }
    std::ranges::sort(happened_, {}, [](const Happened& one) { return std::pair(one.event.recorded_at, one.order); });
    std::map<StreamName, Version> versions;
    for (Happened& one : happened_) one.event.version = ++versions[one.event.stream];
    return std::move(happened_);
  }

 private:
  struct Person {
    ProfileId profile;
    std::int32_t taste = 0;  // tenths above or below the others
  };
  struct Show {
    AnimeId id;
    TitleId title;
    std::int32_t episodes = 12;
    std::int32_t quality = 72;
    std::int32_t seen = 0;
  };
  struct Space {
    WatchSpaceId id;
    std::vector<Person> members;
    std::vector<Show> shows;
  };

  Time moment(std::size_t week) {
    return begin_ + weeks(week) + days(chance_.below(7)) + hours(17 + chance_.below(6)) + milliseconds(chance_.below(3'600'000));
  }

  template <class E>
  void put(std::string_view category, const Uuid& stream, const Uuid& key, ProfileId by, const E& event,
           std::vector<ClaimKey> claims = {}) {
    NewEvent made;
    made.stream = {category, stream};
    made.type = type_name<E>();
    made.event_id = EventId(chance_.uuid());
    made.partition_key = PartitionKey(key);
    made.recorded_at = now_ += milliseconds(40 + chance_.below(20'000));
    made.by.account = UserId(by.uuid);
    made.by.profile = by;
    made.by.origin = origin_;
    made.by.command = CommandId(chance_.uuid());
    made.by.correlation = CorrelationId(chance_.uuid());
    made.data = encode(event);
    happened_.push_back({std::move(made), happened_.size(), std::move(claims)});
  }

  Person register_person() {
    Person person{ProfileId(chance_.uuid()), chance_.deviation() / 16};
    const Uuid id = person.profile.uuid;
    std::array<std::uint8_t, SecretKey::size> bytes;
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(chance_.below(256));
    const DataKey key{UserId(id), SecretKey(bytes)};
    const std::string name = "demo" + std::to_string(++people_);
    const ClaimKey email(chance_.uuid());
    const ClaimKey handle(chance_.uuid());
    put("user", id, id, person.profile,
        UserRegistered{person.profile, key.seal(name + "@example.org"), email, key.seal(name), handle, key.seal(name),
                       PasswordId(chance_.uuid())},
        {email, handle});
    return person;
  }

  Space found() {
    Space space{WatchSpaceId(chance_.uuid()), {register_person()}, {}};
    const ProfileId owner = space.members.front().profile;
    const Uuid id = space.id.uuid;
    put("watch-space", id, id, owner, WatchSpaceCreated{"Demo space " + std::to_string(++spaces_), "Europe/Berlin", std::nullopt});
    put("watch-space", id, id, owner, MemberJoined{owner, SpaceRole::owner, std::nullopt});
    const std::size_t others = 1 + chance_.below(3);
    for (std::size_t i = 0; i < others; ++i) {
      space.members.push_back(register_person());
      const InvitationId invitation(chance_.uuid());
      const ClaimKey token(chance_.uuid());
      put("watch-space", id, id, owner, MemberInvited{invitation, ClaimKey(chance_.uuid()), token, SpaceRole::member, now_ + days(7)},
          {token});
      put("watch-space", id, id, space.members.back().profile, MemberJoined{space.members.back().profile, SpaceRole::member, invitation});
    }
    return space;
  }

  void add_show(Space& space) {
    const auto number = std::to_string(1 + chance_.below(400));  // 400 titles that everybody knows, some of them better
    Show show{AnimeId(chance_.uuid()), title_of("anilist", number), chance_.of_hundred(70) ? 12 : 24, 70 + chance_.deviation() / 14};
    if (std::ranges::any_of(space.shows, [&](const Show& other) { return other.title == show.title; })) return;
    AnimeAdded added;
    added.watch_space = space.id;
    added.title = show.title;
    added.title_claim = title_claim(space.id, show.title);
    added.media = {"anilist", number};
    added.snapshot.romaji = "Title " + number;
    added.snapshot.episode_count = show.episodes;
    added.snapshot_source = "client";
    put_in(space, show, any_member(space), added, {added.title_claim});
    space.shows.push_back(show);
  }

  template <class E>
  void put_in(const Space& space, const Show& show, ProfileId by, const E& event, std::vector<ClaimKey> claims = {}) {
    put("anime", show.id.uuid, space.id.uuid, by, event, std::move(claims));
  }
  ProfileId any_member(const Space& space) { return space.members[chance_.below(space.members.size())].profile; }

  void rate(const Space& space, const Show& show, const Person& person) {
    const std::int32_t step = chance_.of_hundred(60) ? 10 : 5;
    const std::int32_t tenths = show.quality + person.taste + chance_.deviation() / 12;
    put_in(space, show, person.profile,
           AnimeRated{person.profile, show.title, static_cast<std::int16_t>(std::clamp((tenths + step / 2) / step * step, 10, 100)),
                      std::nullopt});
  }

  void watch_together(Space& space) {
    const auto unfinished = std::ranges::find_if(space.shows, [](const Show& show) { return show.seen < show.episodes; });
    if (unfinished == space.shows.end()) return add_show(space);
    Show& show = *unfinished;
    const std::int32_t first = show.seen + 1;
    show.seen = std::min(show.episodes, show.seen + chance_.between(1, episodes_an_evening_max));
    const ProfileId by = any_member(space);
    WatchSessionRecorded evening;
    evening.session = WatchSessionId(chance_.uuid());
    evening.title = show.title;
    evening.session_date = now_;
    evening.time_zone = "Europe/Berlin";
    evening.start_episode = first;
    evening.end_episode = show.seen;
    for (const Person& person : space.members) evening.participants.push_back({person.profile, Attendance::present});
    put_in(space, show, by, evening);
    put_in(space, show, by, SharedProgressChanged{show.seen, evening.session});
    if (show.seen < show.episodes) return;
    put_in(space, show, by, SharedStatusChanged{TrackingStatus::finished, evening.session});
    for (const Person& person : space.members) {
      if (chance_.of_hundred(80)) rate(space, show, person);
    }
  }

  /// A list of what they had seen before, brought in at the start.
  void import_list(Space& space) {
    origin_ = {OriginKind::import, "mal-export", chance_.uuid().to_string()};
    for (std::size_t i = 0; i < 8 + chance_.below(12); ++i) {
      const std::size_t before = space.shows.size();
      add_show(space);
      if (space.shows.size() == before) continue;
      space.shows.back().seen = space.shows.back().episodes;
      rate(space, space.shows.back(), space.members.front());
    }
    origin_ = {};
  }

  /// One space from its first evening to the end of the span: each week they watch, or not, and the longer the less.
  void live(std::size_t founded, std::size_t span) {
    now_ = moment(founded);
    Space space = found();
    if (chance_.of_hundred(30)) import_list(space);
    for (int i = 0; i < 3; ++i) add_show(space);
    const std::size_t zest = 55 + chance_.below(43);  // of a hundred weeks, how many they watch at first
    const std::size_t tires = chance_.below(6);
    for (std::size_t week = founded; week < span; ++week) {
      const std::size_t tired = tires * (week - founded);
      if (week > founded && !chance_.of_hundred(zest > tired ? zest - tired : 0)) continue;
      const std::size_t evenings = 1 + chance_.below(3);
      std::vector<Time> times;
      for (std::size_t i = 0; i < evenings; ++i) times.push_back(moment(week));
      std::ranges::sort(times);
      for (const Time time : times) {
        now_ = std::max(now_ + minutes(1), time);
        watch_together(space);
      }
    }
  }

  Chance chance_;
  Time begin_ = *parse_rfc3339("2026-01-05T00:00:00Z");  // a Monday
  Time now_ = begin_;
  Origin origin_ = {};
  int people_ = 0;
  int spaces_ = 0;
  std::vector<Happened> happened_;
};

void append(const std::string& database_url, std::vector<Happened> happened) {
  LogReader reader(database_url, "bloomwatch demo history");
  if (reader.head().position != 0) throw std::runtime_error("the log is not empty: a made-up history is for a database of its own");
  AppendPipeline pipeline(database_url);
  pipeline.reconnect();
  for (std::size_t start = 0; start < happened.size(); start += batch_events_max) {
    Batch batch{.fence = reader.head()};
    for (std::size_t i = start; i < std::min(happened.size(), start + batch_events_max); ++i) {
      const StreamName stream = happened[i].event.stream;
      for (const ClaimKey key : happened[i].claims)
        batch.claims.push_back({key, ClaimHolder{std::string(stream.category), stream.id, std::nullopt}});
      batch.events.push_back(std::move(happened[i].event));
    }
    pipeline.send(batch);
    const std::vector<AppendOutcome> outcomes = pipeline.poll(std::chrono::seconds(60));
    if (outcomes.size() != 1 || outcomes.front().result != AppendResult::committed)
      throw std::runtime_error("an append failed: " + (outcomes.empty() ? "no answer" : outcomes.front().detail));
  }
}

}  // namespace
}  // namespace bloomwatch

int main(int argc, char** argv) {
  CLI::App program("Appends a made-up history of watch spaces to an empty log, for ops/analytics and for tests.", "demo_history");
  std::string database_url;
  std::uint64_t seed = 20260105;
  std::size_t spaces = 240;
  std::size_t span = 12;
  program.add_option("--database-url", database_url, "The database; migrated if need be; its log must be empty")->required();
  program.add_option("--seed", seed, "Another seed is another history")->capture_default_str();
  program.add_option("--spaces", spaces, "About how many watch spaces")->capture_default_str()->check(CLI::Range(1, 100'000));
  program.add_option("--weeks", span, "Over how many weeks from 2026-01-05 on")->capture_default_str()->check(CLI::Range(1, 520));
  CLI11_PARSE(program, argc, argv);
  try {
    bloomwatch::migrate(database_url, bloomwatch::migrations_folder());
    auto happened = bloomwatch::History(seed).make(spaces, span);
    const std::size_t count = happened.size();
    bloomwatch::append(database_url, std::move(happened));
    fmt::print("{} events appended\n", count);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "demo_history: {}\n", error.what());
    return 1;
  }
}
