// Random histories as commands would make them: people, spaces whose members come, go and come back, anime, ratings, evenings. Seeded; the
// same seed gives the same events. Appended through the log's own way in.
#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "events/codec.h"
#include "events/log.h"
#include "runtime/crypto.h"

namespace bloomwatch::test {

class History {
 public:
  /// Events happen `step` apart, the first after `start`.
  explicit History(std::uint64_t seed, Time start = now(), std::chrono::milliseconds step = std::chrono::milliseconds(1))
      : random_(seed), time_(start), step_(step) {}

  /// Makes `commands` random commands, and returns the events that they lead to.
  std::vector<NewEvent> next(int commands) {
    for (int i = 0; i < commands; ++i) command();
    return std::exchange(events_, {});
  }

  struct Space {
    WatchSpaceId id;
    std::set<ProfileId> members;
    std::set<ProfileId> former;
    std::vector<InvitationId> invitations;
    std::string time_zone = "Europe/Berlin";
  };
  struct StatusChange {
    EventId event;
    TrackingStatus before, after;
  };
  struct ScoreChange {
    EventId event;
    ProfileId profile;
    std::optional<std::int16_t> before, after;
  };
  struct Anime {
    AnimeId id;
    TitleId title;
    std::size_t space;
    std::vector<std::pair<WatchSessionId, ProfileId>> invited;
    std::vector<WatchSessionId> sessions;
    std::vector<std::pair<WatchSessionId, ProfileId>> answered = {};
    std::vector<WatchSessionId> removed_sessions = {};
    ClaimKey claim = {};
    bool removed = false;
    TrackingStatus status = {};
    std::map<ProfileId, std::int16_t> scores = {};
    std::vector<StatusChange> status_changes = {};
    std::vector<ScoreChange> score_changes = {};
  };
  const std::vector<Space>& spaces() const { return spaces_; }
  const std::vector<Anime>& anime() const { return anime_; }

  ProfileId register_user() {
    const Uuid id = uuid();
    const ProfileId profile(id);
    people_.push_back(profile);
    put("user", id, id, UserRegistered{profile, box(), ClaimKey(uuid()), box(), ClaimKey(uuid()), box(), PasswordId(uuid())});
    return profile;
  }
  std::size_t create_space(ProfileId owner) {
    Space space{WatchSpaceId(uuid()), {owner}, {}, {}};
    by_ = owner;
    put_in(space, WatchSpaceCreated{"Space " + std::to_string(spaces_.size()), space.time_zone, std::nullopt});
    put_in(space, MemberJoined{owner, SpaceRole::owner, std::nullopt});
    spaces_.push_back(space);
    return spaces_.size() - 1;
  }
  void join(std::size_t space, ProfileId profile) {
    put_in(spaces_[space], MemberJoined{profile, SpaceRole::member, std::nullopt});
    spaces_[space].members.insert(profile);
    spaces_[space].former.erase(profile);
  }
  void leave(std::size_t space, ProfileId profile, bool removed = false) {
    if (removed)
      put_in(spaces_[space], MemberRemoved{profile});
    else
      put_in(spaces_[space], MemberLeft{profile});
    spaces_[space].members.erase(profile);
    spaces_[space].former.insert(profile);
  }
  std::size_t add_anime(std::size_t space) {
    Anime anime{AnimeId(uuid()), TitleId(uuid()), space, {}, {}};
    AnimeAdded event;
    event.watch_space = spaces_[space].id;
    event.title = anime.title;
    event.title_claim = anime.claim = ClaimKey(uuid());
    event.media = {"anilist", std::to_string(below(1'000'000))};
    if (below(2) == 0) event.snapshot.romaji = "Title \"" + std::to_string(below(1000)) + "\" ü\\";
    if (below(2) == 0) event.snapshot.episode_count = 12;
    if (below(3) != 0) event.snapshot.episode_minutes = static_cast<std::int32_t>(20 + below(10));
    event.snapshot_source = "client";
    event.shared_status = anime.status = status();
    put_in(anime, event);
    anime_.push_back(anime);
    return anime_.size() - 1;
  }
  void rate(std::size_t anime, ProfileId profile, std::int16_t tenths) { give_score(anime_[anime], profile, tenths); }
  /// All members watched some episodes, one evening of the last `days`.
  void watch(std::size_t anime, std::size_t days) { evening(anime_[anime], spaces_[anime_[anime].space], days); }
  void log_in(ProfileId profile) {
    by_ = profile;
    sessions_.emplace_back(uuid(), profile.uuid);
    put("login-session", sessions_.back().first, profile.uuid, LoginSessionStarted{profile, PasswordId(uuid()), maybe_box()});
  }
  void share_recap(ProfileId profile) {
    by_ = profile;
    shares_.emplace_back(uuid(), profile.uuid);
    put("recap-share", shares_.back().first, profile.uuid, RecapShared{profile, std::nullopt, "2025-11", ClaimKey(uuid())});
  }
  void change_role(ProfileId profile, AccountRole role) { put("user", profile.uuid, profile.uuid, AccountRoleChanged{role}); }
  TitleId add_title(const TitleDetails& details, const std::vector<std::string>& studios) {
    const MediaReference media = reference();
    titles_.push_back({title_of(media.source, media.id), {media}});
    put_in(titles_.back(), TitleAdded{.source = source(),
                                      .media = {media},
                                      .media_claims = {ClaimKey(uuid())},
                                      .names = {{"Title ü\\\"", "de", NameKind::main}, {"題", std::nullopt, NameKind::native}},
                                      .details = details,
                                      .genres = genres(),
                                      .tags = {},
                                      .studios = studios,
                                      .producers = studios,
                                      .related = {reference()},
                                      .standing = below(2) == 0 ? standing() : TitleStanding{}});
    return titles_.back().id;
  }
  /// An admin's look into an audit.
  AuditQueryId query_audit(ProfileId admin, const AuditQueried& query) {
    by_ = admin;
    const AuditQueryId id(uuid());
    put("audit-query", id.uuid, admin.uuid, query);
    return id;
  }
  /// An event that no fold can take: about an anime of that space that was never added.
  void poison(std::size_t space) {
    put("anime", uuid(), spaces_[space].id.uuid, AnimeRated{*spaces_[space].members.begin(), TitleId(uuid()), 50, std::nullopt});
  }
  std::vector<NewEvent> take() { return std::exchange(events_, {}); }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  Uuid uuid() {
    Uuid id;
    for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(below(256));
    return id;
  }
  /// A box of the right shape, which no key opens.
  Personal box() {
    std::string bytes(1, '\1');
    for (const std::uint8_t byte : by_.uuid.bytes) bytes += static_cast<char>(byte);
    return Personal{base64_url(bytes + std::string(24, 'n') + std::to_string(below(1'000'000)))};
  }
  std::optional<Personal> maybe_box() { return below(4) == 0 ? std::nullopt : std::optional(box()); }
  TrackingStatus status() { return static_cast<TrackingStatus>(below(5)); }
  template <class Set>
  auto any_of(const Set& set) {
    return *std::next(set.begin(), static_cast<std::ptrdiff_t>(below(set.size())));
  }

  template <class E>
  void put(std::string_view category, const Uuid& stream, const Uuid& partition_key, const E& event) {
    NewEvent recorded;
    recorded.stream = {category, stream};
    recorded.version = ++versions_[stream];
    recorded.type = type_name<E>();
    recorded.event_id = EventId(uuid());
    recorded.partition_key = PartitionKey(partition_key);
    recorded.recorded_at = time_ += step_;
    recorded.by.profile = by_;
    recorded.by.account = UserId(by_.uuid);
    recorded.by.origin.kind = origin_;
    recorded.undoes = std::exchange(undoes_, std::nullopt);
    recorded.by.command = CommandId(uuid());
    recorded.by.correlation = CorrelationId(uuid());
    recorded.data = encode(event);
    events_.push_back(std::move(recorded));
  }
  template <class E>
  void put_in(const Space& space, const E& event) {
    put("watch-space", space.id.uuid, space.id.uuid, event);
  }
  template <class E>
  void put_in(const Anime& anime, const E& event) {
    put("anime", anime.id.uuid, spaces_[anime.space].id.uuid, event);
  }

  void command() {
    const std::size_t what = below(100);
    if (people_.size() < 3 || what < 3) return static_cast<void>(register_user());
    if (spaces_.size() < 2 || what < 5) return static_cast<void>(create_space(any_of(people_)));
    if (what < 12) return of_account();
    if (titles_.size() < 2 || what < 18) return of_catalog();
    if (what < 24) return of_space(spaces_[below(spaces_.size())]);
    if (anime_.size() < 2 || what < 32) return static_cast<void>(add_anime(below(spaces_.size())));
    of_anime(anime_[below(anime_.size())]);
  }

  void of_account() {
    by_ = any_of(people_);
    const Uuid id = by_.uuid;
    switch (below(12)) {
      case 10:
        return change_role(by_, static_cast<AccountRole>(below(3)));
      case 11:
        return static_cast<void>(query_audit(by_, {.person = any_of(people_)}));
      case 0:
        return put("user", id, id, DisplayNameChanged{by_, box()});
      case 1:
        return put("user", id, id, HandleChanged{by_, box(), ClaimKey(uuid()), ClaimKey(uuid())});
      case 2:
        return put("user", id, id, AvatarChanged{by_, maybe_box()});
      case 3:
        if (below(2) == 0) return put("user", id, id, LanguageChanged{by_, "de"});
        return put("user", id, id, TimeZoneChanged{by_, "Asia/Tokyo"});
      case 4:
        return put("user", id, id, PrivacyChanged{by_, static_cast<Privacy>(below(3))});
      case 5:
        return put("user", id, id, PasswordChanged{PasswordId(uuid()), SessionId(uuid())});
      case 6:
        return log_in(by_);
      case 7:
        return share_recap(by_);
      case 8: {
        if (shares_.empty()) return;
        const auto [share, account] = any_of(shares_);
        return put("recap-share", share, account, RecapShareRevoked{});
      }
      default:
        break;
    }
    if (sessions_.empty()) return;
    const auto [session, account] = any_of(sessions_);
    if (below(2) == 0) return put("login-session", session, account, LoginSessionRefreshed{1});
    put("login-session", session, account, LoginSessionEnded{});
  }

  struct Title {
    TitleId id;
    std::vector<MediaReference> media = {};
    bool merged = false;
  };

  template <class E>
  void put_in(const Title& title, const E& event) {
    put("title", title.id.uuid, title.id.uuid, event);
  }
  MediaReference reference() { return {below(2) == 0 ? "anilist" : "mal", std::to_string(below(1'000'000'000))}; }
  std::vector<std::string> words(std::vector<std::string> from) {
    std::erase_if(from, [&](const std::string&) { return below(2) == 0; });
    return from;
  }
  std::vector<std::string> genres() { return words({"action", "drama", "slice of life", "мистика \"x\""}); }
  std::vector<std::string> studios() { return words({"A-1 Pictures", "a-1 pictures", "Ghibli", "!?"}); }
  TitleDetails details() {
    TitleDetails made;
    if (below(2) == 0) made.format = "TV";
    if (below(2) == 0) made.season = "fall", made.season_year = static_cast<std::int32_t>(2000 + below(20));
    if (below(2) == 0) made.episodes = static_cast<std::int32_t>(1 + below(30));
    if (below(3) == 0) made.airing = static_cast<AiringStatus>(below(3));
    if (below(4) == 0) made.starts_on = PartialDate{2024, static_cast<std::int16_t>(1 + below(12)), {}};
    return made;
  }
  TitleStanding standing() { return {static_cast<std::int32_t>(below(1000)), static_cast<std::int64_t>(below(100'000))}; }
  std::string source() { return std::vector<std::string>{"manual", "anime-offline-database", "csv"}.at(below(3)); }

  void of_catalog() {
    by_ = any_of(people_);
    if (titles_.size() < 2 || below(4) == 0) return static_cast<void>(add_title(details(), studios()));
    Title& title = titles_[below(titles_.size())];
    if (title.merged) return;
    switch (below(11)) {
      case 0:
        title.media.push_back(reference());
        return put_in(title, TitleReferencesAdded{source(), {title.media.back()}, {ClaimKey(uuid())}});
      case 1: {
        if (title.media.size() < 2) return;
        const MediaReference last = title.media.back();
        title.media.pop_back();
        return put_in(title, TitleReferencesRemoved{source(), {last}, {ClaimKey(uuid())}});
      }
      case 2:
        return put_in(title, TitleNamesChanged{source(), {{"Another " + std::to_string(below(100)), {}, NameKind::main}}});
      case 3:
        return put_in(title, TitleDetailsChanged{source(), details(), words({"format", "season", "ends_on"})});
      case 4:
        return put_in(title, TitleGenresChanged{source(), genres()});
      case 5:
        if (below(2) == 0) return put_in(title, TitleTagsChanged{source(), words({"mecha", "school"})});
        if (below(2) == 0) return put_in(title, TitleProducersChanged{source(), studios()});
        return put_in(title, TitleStudiosChanged{source(), studios()});
      case 6:
        return put_in(title, TitleRelationsChanged{source(), {reference()}});
      case 7:
        return put_in(title, TitleAvailabilityChanged{source(), {{"Netflix", "DE", OfferKind::rent, {}, time_}}});
      case 8: {
        const Title& other = titles_[below(titles_.size())];
        if (other.merged || other.id == title.id) return;
        title.merged = true;
        put_in(title, TitleMerged{other.id});
        return put_in(other, TitleAbsorbed{title.id});
      }
      default:
        return put_in(title, TitleStandingChanged{source(), standing()});
    }
  }

  void of_space(Space& space) {
    by_ = any_of(space.members);
    switch (below(12)) {
      case 9:
        return put_in(space, RecapConsentChanged{by_, below(2) == 0});
      case 10: {
        const ProfileId to = any_of(space.members);
        if (to != by_) put_in(space, OwnershipTransferred{by_, to});
        return;
      }
      case 11:
        if (space.invitations.empty()) return;
        put_in(space, InvitationRevoked{space.invitations.back()});
        return space.invitations.pop_back();
      case 0:
        return put_in(space, WatchSpaceRenamed{"Name " + std::to_string(below(100))});
      case 1:
        if (below(2) == 0) return put_in(space, WatchSpaceTimeZoneChanged{space.time_zone = "Asia/Tokyo"});
        return put_in(space, WatchSpaceThemeChanged{below(2) == 0 ? std::nullopt : std::optional<std::string>("dark")});
      case 2:
        return put_in(space, MemberRoleChanged{by_, below(2) == 0 ? SpaceRole::owner : SpaceRole::member});
      case 3:
        return put_in(space, SessionConsentChanged{by_, below(2) == 0 ? SessionConsent::ask : SessionConsent::automatic});
      case 4: {
        space.invitations.push_back(InvitationId(uuid()));
        return put_in(space, MemberInvited{space.invitations.back(), ClaimKey(uuid()), ClaimKey(uuid()), SpaceRole::member, time_});
      }
      case 5:
        if (space.members.size() > 1) leave(static_cast<std::size_t>(&space - spaces_.data()), by_, below(2) == 0);
        return;
      case 6:
        if (!space.former.empty()) join(static_cast<std::size_t>(&space - spaces_.data()), any_of(space.former));
        return;
      default:
        break;
    }
    const ProfileId profile = any_of(people_);
    if (space.members.contains(profile)) return;
    if (!space.invitations.empty() && below(2) == 0) {
      put_in(space, MemberJoined{profile, SpaceRole::member, space.invitations.back()});
      space.invitations.pop_back();
      space.members.insert(profile);
      space.former.erase(profile);
      return;
    }
    join(static_cast<std::size_t>(&space - spaces_.data()), profile);
  }

  void of_anime(Anime& anime) {
    const Space& space = spaces_[anime.space];
    by_ = any_of(space.members);
    if (anime.removed || below(20) == 0) return take_back(anime);
    if (below(8) == 0 && undo(anime)) return;
    const auto episodes = static_cast<std::int32_t>(below(24));
    switch (below(16)) {
      case 0:
        return as_imported_or_not([&] { give_status(anime, status()); });
      case 1:
        return put_in(anime, SharedProgressChanged{episodes, std::nullopt});
      case 2:
        return put_in(anime, MoodChanged{maybe_box()});
      case 3:
        if (below(2) == 0) return put_in(anime, PitchChanged{maybe_box()});
        return put_in(anime, VibeChanged{maybe_box()});
      case 4:
        return put_in(anime, ParticipantStatusChanged{by_, anime.title, status(), std::nullopt});
      case 5:
        return put_in(anime, ParticipantProgressChanged{by_, anime.title, episodes, std::nullopt});
      case 6:
        if (below(2) == 0) return put_in(anime, FinishDateChanged{by_, anime.title, PartialDate{2024, {}, {}}});
        return put_in(anime, StartDateChanged{by_, anime.title, PartialDate{2024, static_cast<std::int16_t>(1 + below(12)), {}}});
      case 7:
        return put_in(anime, TimesRewatchedChanged{by_, anime.title, episodes});
      case 8:
        return give_score(anime, by_, std::nullopt);
      case 9:
        return put_in(anime, RatingNotesChanged{by_, anime.title, maybe_box()});
      case 10:
        return evening(anime, space, 90);
      case 11:
        return answer(anime);
      default:
        as_imported_or_not([&] { give_score(anime, by_, static_cast<std::int16_t>(5 * (1 + below(20)))); });
    }
  }

  void as_imported_or_not(auto happens) {
    origin_ = below(8) == 0 ? OriginKind::import : OriginKind::app;
    happens();
    origin_ = OriginKind::app;
  }
  void give_status(Anime& anime, TrackingStatus status) {
    put_in(anime, SharedStatusChanged{status, std::nullopt});
    anime.status_changes.push_back({events_.back().event_id, std::exchange(anime.status, status), status});
  }
  void give_score(Anime& anime, ProfileId profile, std::optional<std::int16_t> tenths) {
    ScoreChange change{.event = {}, .profile = profile, .before = {}, .after = tenths};
    if (const auto found = anime.scores.find(profile); found != anime.scores.end()) change.before = found->second;
    if (tenths) {
      anime.scores[profile] = *tenths;
      put_in(anime, AnimeRated{profile, anime.title, *tenths, std::nullopt});
    } else {
      anime.scores.erase(profile);
      put_in(anime, RatingCleared{profile, anime.title});
    }
    change.event = events_.back().event_id;
    anime.score_changes.push_back(change);
  }
  /// Takes back one of the last changes of a status or a score, if what it left is still so.
  bool undo(Anime& anime) {
    static constexpr std::size_t back_max = 6;
    const auto one_of_the_last = [this](const auto& changes) {
      return changes[changes.size() - 1 - below(std::min(changes.size(), back_max))];
    };
    if (below(2) == 0 && !anime.status_changes.empty()) {
      const StatusChange change = one_of_the_last(anime.status_changes);
      if (change.after != anime.status) return false;
      undoes_ = change.event;
      give_status(anime, change.before);
      return true;
    }
    if (anime.score_changes.empty()) return false;
    const ScoreChange change = one_of_the_last(anime.score_changes);
    const auto score = anime.scores.find(change.profile);
    if ((score == anime.scores.end() ? std::nullopt : std::optional(score->second)) != change.after) return false;
    undoes_ = change.event;
    give_score(anime, change.profile, change.before);
    return true;
  }

  void evening(Anime& anime, const Space& space, std::size_t days) {
    WatchSessionRecorded event;
    event.session = WatchSessionId(uuid());
    event.title = anime.title;
    event.session_date = time_ - std::chrono::hours(below(days * 24));
    if (below(3) == 0) event.precision = SessionPrecision::day;
    event.time_zone = std::vector<std::string>{"Europe/Berlin", "Asia/Tokyo", "America/New_York", "UTC"}.at(below(4));
    event.start_episode = static_cast<std::int32_t>(1 + below(3));
    event.end_episode = event.start_episode + static_cast<std::int32_t>(below(4));
    for (const ProfileId member : space.members) {
      const bool asked = below(3) == 0;
      event.participants.push_back({member, asked ? Attendance::invited : Attendance::present});
      if (asked) anime.invited.emplace_back(event.session, member);
    }
    anime.sessions.push_back(event.session);
    put_in(anime, event);
    put_in(anime, SharedProgressChanged{2, event.session});
  }

  void answer(Anime& anime) {
    if (anime.sessions.empty()) return;
    if (anime.invited.empty()) return put_in(anime, WatchSessionNotesChanged{any_of(anime.sessions), maybe_box()});
    const auto [session, profile] = anime.invited.back();
    anime.invited.pop_back();
    anime.answered.emplace_back(session, profile);
    if (below(2) == 0) return put_in(anime, AttendanceDeclined{session, profile, anime.title});
    put_in(anime, AttendanceConfirmed{session, profile, anime.title});
  }

  /// What undo says: an anime leaves or is back, an evening is taken back or counts again, an answer is open again.
  void take_back(Anime& anime) {
    if (anime.removed || (anime.sessions.empty() && below(4) == 0)) {
      anime.removed = !anime.removed;
      if (anime.removed) return put_in(anime, AnimeRemoved{anime.title, anime.claim});
      return put_in(anime, AnimeRestored{anime.title, anime.claim});
    }
    if (!anime.removed_sessions.empty() && below(2) == 0) {
      anime.sessions.push_back(anime.removed_sessions.back());
      anime.removed_sessions.pop_back();
      return put_in(anime, WatchSessionRestored{anime.sessions.back(), anime.title});
    }
    if (!anime.answered.empty() && below(2) == 0) {
      const auto [session, profile] = anime.answered.back();
      anime.answered.pop_back();
      anime.invited.emplace_back(session, profile);
      return put_in(anime, AttendanceReopened{session, profile, anime.title});
    }
    if (anime.sessions.empty()) return;
    const WatchSessionId session = anime.sessions.back();
    anime.sessions.pop_back();
    const auto of_it = [&](const auto& asked) { return asked.first == session; };
    std::erase_if(anime.invited, of_it);
    std::erase_if(anime.answered, of_it);
    anime.removed_sessions.push_back(session);
    put_in(anime, WatchSessionRemoved{session, anime.title});
  }

  std::mt19937_64 random_;
  std::vector<NewEvent> events_;
  std::map<Uuid, Version> versions_;
  std::vector<ProfileId> people_;
  std::vector<std::pair<Uuid, Uuid>> sessions_;
  std::vector<Space> spaces_;
  std::vector<Anime> anime_;
  std::vector<Title> titles_;
  ProfileId by_;
  OriginKind origin_ = OriginKind::app;
  std::optional<EventId> undoes_;
  Time time_;
  std::chrono::milliseconds step_;
  std::vector<std::pair<Uuid, Uuid>> shares_;
};

/// A space of one member with an anime, then an event that no fold takes, then a rating of 90.
struct PoisonedSpace {
  explicit PoisonedSpace(std::uint64_t seed) : history(seed) {
    history.poison(space);
    history.rate(anime, mira, 90);
  }

  History history;
  ProfileId mira = history.register_user();
  std::size_t space = history.create_space(mira);
  std::size_t anime = history.add_anime(space);
};

}  // namespace bloomwatch::test
