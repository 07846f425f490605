// What the catalogue adds to a snapshot.
#include "command-service/tracking/tracked_anime.h"

namespace bloomwatch {

void complete_snapshot(AnimeAdded& added, const Title* described) {
  if (described == nullptr) return;
  const TitleSnapshot known = described->snapshot();
  bool said = false;
  bool completed = false;
  boost::mp11::mp_for_each<boost::describe::describe_members<TitleSnapshot, boost::describe::mod_public>>([&](auto D) {
    auto& mine = added.snapshot.*D.pointer;
    if (mine) {
      said = true;
    } else if (known.*D.pointer) {
      mine = known.*D.pointer;
      completed = true;
    }
  });
  if (completed) added.snapshot_source = said ? added.snapshot_source + "+catalog" : "catalog";
}

}  // namespace bloomwatch
