// How the refusals of tracking are shown.
#include "command-service/tracking/refusals.h"

#include "command-service/refusal_table.h"

namespace bloomwatch::tracking {
namespace {

using enum Refusal;
constexpr auto table = std::to_array<RefusalRow<Refusal>>({
    {no_such_anime, 404, "There is no such anime", "The watch space tracks no anime with this id."},
    {media_not_named, 400, "The title is not named by one reference", "Send either anilistMediaId or media, and not both."},
    {already_tracked, 409, "The watch space tracks this title already", "A title is tracked once in a watch space."},
    {progress_exceeds_episode_count, 409, "The title has fewer episodes", "Progress never exceeds a known episode count."},
    {no_such_watch_session, 404, "There is no such watch session", "The anime has no watch session with this id."},
    {session_ends_before_it_starts, 422, "The watch session ends before it starts", "endEpisode must be at least startEpisode."},
    {session_exceeds_episode_count, 409, "The title has fewer episodes", "A watch session never exceeds a known episode count."},
    {session_date_impossible, 422, "The watch session's date is not possible", "It must be after 1900 and at most a day from now."},
    {session_without_participants, 422, "Nobody is listed for the watch session", "List at least one member, or leave participants out."},
    {participant_not_a_member, 409, "Somebody listed is not a member", "Only members of the watch space can be listed."},
    {not_invited, 409, "You are not listed for this watch session", "Only who is listed can confirm or decline."},
    {attendance_settled, 409, "You are listed as present", "Who was there, or has confirmed it, cannot decline any more."},
});

}  // namespace

const Problem* problem_of(std::string_view refusal) {
  static const RefusalTable rows = make_refusal_table(table);
  return find_refusal(rows, refusal);
}

}  // namespace bloomwatch::tracking
