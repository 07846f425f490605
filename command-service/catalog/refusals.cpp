// How the refusals of the catalogue are shown.
#include "command-service/catalog/refusals.h"

#include "command-service/catalog/title_entry.h"
#include "command-service/refusal_table.h"

namespace bloomwatch::catalog {
namespace {

static_assert(names_max == 200 && related_max == 200 && offers_max == 200 && words_max == 300 && references_max == 32,
              "too_much_said tells them");

using enum Refusal;
constexpr auto table = std::to_array<RefusalRow<Refusal>>({
    {not_a_moderator, 403, "Only moderators write the catalogue", "Ask a moderator or an administrator."},
    {title_without_name, 422, "The title has no name", "A title needs at least one name."},
    {too_much_said, 422, "That is too much of one kind",
     "A title has at most 200 names, related titles and offers, 300 words, 32 references."},
    {no_such_title, 404, "There is no such title", "The catalogue has no title with this id."},
    {title_merged, 409, "The title became another one", "It turned out to be a title that was there already; its id leads to that one."},
    {title_id_taken, 409, "Another title has this id", "The reference once meant another title."},
    {reference_held, 409, "A reference means another title", "A reference leads to one title."},
});

}  // namespace

const Problem* problem_of(std::string_view refusal) {
  static const RefusalTable rows = make_refusal_table(table);
  return find_refusal(rows, refusal);
}

}  // namespace bloomwatch::catalog
