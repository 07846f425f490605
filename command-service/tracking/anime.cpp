// How an anime's past becomes what deciders ask for.
#include "command-service/tracking/anime.h"

#include <algorithm>

namespace bloomwatch {

Mark mark_of(const std::optional<Personal>& text) {
  if (!text) return std::nullopt;
  return Uuid::v5(Uuid{}, text->box);
}

std::optional<Attendance> Anime::Session::attendance_of(ProfileId profile) const {
  const auto found = std::ranges::find(participants, profile, &Attendee::profile);
  if (found == participants.end()) return std::nullopt;
  return found->attendance;
}

void Anime::Session::attend(ProfileId profile, Attendance attendance) {
  const auto found = std::ranges::find(participants, profile, &Attendee::profile);
  if (found == participants.end())
    participants.push_back({profile, attendance});
  else
    found->attendance = attendance;
}

const Anime::Participant& Anime::participant(ProfileId profile) const {
  static const Participant fresh;
  const auto found = participants.find(profile);
  return found == participants.end() ? fresh : found->second;
}

void Anime::evolve(const AnimeAdded& e) {
  watch_space = e.watch_space;
  title = e.title;
  episode_count = e.snapshot.episode_count;
  shared_status = e.shared_status;
}

void Anime::evolve(const WatchSessionRecorded& e) {
  sessions[e.session] = {.end_episode = e.end_episode, .advance_progress = e.advance_progress, .participants = e.participants};
}

}  // namespace bloomwatch
