// How the refusals of undo are shown.
#include "command-service/undo/refusals.h"

#include "command-service/refusal_table.h"

namespace bloomwatch::undo {
namespace {

using enum Refusal;
constexpr auto table = std::to_array<RefusalRow<Refusal>>({
    {no_such_change, 404, "There is no such change", "Nothing happened in the watch space at this position."},
    {cannot_be_undone, 409, "This cannot be undone",
     "Only what is tracked, and a space's name, theme and roles, can be undone: not who came or went, invitations, consents and time "
     "zones."},
    {change_of_another, 403, "This is somebody else's own", "What a member said of themselves can be undone by them only."},
    {already_undone, 409, "This is undone already", "The change at `position` undid it. Undo that one to have it back."},
    {changed_since, 409, "Something has changed since", "The later change at `position` stands in the way; undo that one first."},
    {no_such_import, 404, "There is no such import", "Nothing was imported into the watch space under this id."},
    {importer_only, 403, "Somebody else imported this", "An import can be undone by who imported."},
});

}  // namespace

const Problem* problem_of(std::string_view refusal) {
  static const RefusalTable rows = make_refusal_table(table);
  return find_refusal(rows, refusal);
}

}  // namespace bloomwatch::undo
