// Which title a reference means, and which anime of a space tracks it: what adding and importing ask first. A title is tracked once in a
// space whatever it was called when it came: so all ids that the catalogue knows of it are asked for. A parameter of `decide`, found by the
// command's `watch_space`, `reference()` and minted `anime`.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "command-service/catalog/title.h"
#include "command-service/dispatch.h"
#include "command-service/tracking/anime.h"

namespace bloomwatch {

/// The stream written is that of the anime that was found, else that of the command's own.
struct TrackedAnime {
  const Anime& state;      ///< empty where the space does not track the title
  bool held;               ///< whether it does
  Uuid id;                 ///< of the anime, found or minted
  TitleId title;           ///< that the reference means: the catalogue's, else the UUIDv5 of the reference
  ClaimKey title_claim;    ///< of that title in the space
  const Title* described;  ///< as the catalogue has it; null: it has not

  const Anime* operator->() const { return &state; }
};

/// Only who tracks the title that the reference means, for a command whose anime is another's: whether that may come back beside it.
struct TitleHolder {
  std::optional<AnimeId> anime;  ///< none: nobody, or there is no reference
};

/// What the one who adds the anime does not say of its title, the catalogue does; `snapshot_source` tells.
void complete_snapshot(AnimeAdded& added, const Title* described);

namespace dispatch {

/// How often a title may have become another since its reference was claimed; those beyond are taken as they are.
inline constexpr int merges_followed_max = 8;
/// What is asked for at once of the ids of a title, which may have any number of references by now.
inline constexpr std::size_t ids_asked_max = 256;

template <>
struct Parameter<TrackedAnime> {
  using Of = Anime;

  /// A title that something leads to. `look(name)` gives a held stream or null.
  struct Meant {
    TitleId id;
    const Title* title = nullptr;
    bool known = true;  ///< false: not all of the way is held yet
  };
  /// What the title of that id has become by merges.
  template <class Look>
  static Meant living(TitleId id, Look&& look) {
    const Title* title = nullptr;
    for (int hops = 0; hops <= merges_followed_max; ++hops) {
      const HeldStream* held = look(StreamName{Title::category, id.uuid});
      if (held == nullptr) return {id, nullptr, false};
      title = &held->template as<Holder<Title>>().state;
      if (!title->merged_into) break;
      id = *title->merged_into;
    }
    return {id, title};
  }
  /// The title that the reference leads to by its claim, or as the own id of one, and by merges.
  template <class Look>
  static Meant meant(const MediaReference& reference, const HeldClaim& claim, Look&& look) {
    if (claim.holder && claim.holder->category == Title::category) return living(TitleId(claim.holder->id), look);
    // No import claims the own ids of its titles: a title that has a stream has the reference.
    if (const auto id = own_title_of(reference.source, reference.id)) {
      const Meant own = living(*id, look);
      if (!own.known || own.title->exists) return own;
    }
    return {title_of(reference.source, reference.id)};
  }
  /// Whether an alias of the title leads to it: the id of a reference may be the own id of another title, which the reference has left, and
  /// what a space tracks under that id is the other title. False: that is not known yet, too.
  template <class Look>
  static bool leads_to(const Meant& title, TitleId alias, Look&& look) {
    if (alias == title.id) return true;
    const Meant own = living(alias, look);
    return own.known && (!own.title->exists || own.id == title.id);
  }
  static std::vector<TitleId> ids_of(const Meant& meant) {
    return meant.title == nullptr ? std::vector{meant.id} : meant.title->aliases(meant.id);
  }
  static bool is_anime(const HeldClaim& claim) { return claim.holder && claim.holder->category == Anime::category; }
  template <class Command>
  static StreamName own(const Command& command) {
    return {Anime::category, plain(command.anime).uuid};
  }

  /// The anime that tracks one of the title's ids; nothing if none does, or that is not known yet.
  template <class Command>
  static std::optional<StreamName> found(const Command& command, const Facts& facts) {
    const auto reference = command.reference();
    if (!reference) return std::nullopt;
    const HeldClaim* claim = facts.find(reference_claim(reference->source, reference->id));
    if (claim == nullptr) return std::nullopt;
    const auto look = [&](const StreamName& name) { return facts.find(name); };
    const Meant title = meant(*reference, *claim, look);
    for (const TitleId id : ids_of(title)) {
      const HeldClaim* tracked = facts.find(title_claim(command.watch_space, id));
      if (tracked != nullptr && is_anime(*tracked) && leads_to(title, id, look)) return StreamName{Anime::category, tracked->holder->id};
    }
    return std::nullopt;
  }

  template <class Command>
  static StreamName stream(const Command& command, const Actor&, const Facts& facts) {
    return found(command, facts).value_or(own(command));
  }

  template <class Command>
  static void need(const Command& command, const Actor&, const Facts&, Needs& needs) {
    needs.fresh(own(command));
    need_found(command, needs);
  }
  template <class Command>
  static void need_found(const Command& command, Needs& needs) {
    const auto reference = command.reference();
    if (!reference) return;
    // Asked for at once, as most references are in no catalogue or are what their title is called by.
    needs.claim(title_claim(command.watch_space, title_of(reference->source, reference->id)));
    const HeldClaim* claim = needs.claim(reference_claim(reference->source, reference->id));
    if (claim == nullptr) return;
    const auto look = [&](const StreamName& name) { return needs.stream(name); };
    const Meant title = meant(*reference, *claim, look);
    if (!title.known) return;
    for (const TitleId id : ids_of(title)) {
      if (needs.missing() >= ids_asked_max) return;
      const HeldClaim* tracked = needs.claim(title_claim(command.watch_space, id));
      if (tracked != nullptr && is_anime(*tracked) && leads_to(title, id, look)) needs.stream({Anime::category, tracked->holder->id});
    }
  }

  template <class Command>
  static TrackedAnime get(const Command& command, const Actor&, const Facts& facts) {
    const auto reference = command.reference();
    const auto name = found(command, facts);
    const auto& state = facts.stream(name.value_or(own(command))).template as<Holder<Anime>>().state;
    const Uuid id = name.value_or(own(command)).id;
    if (!reference) return {state, false, id, TitleId(), ClaimKey(), nullptr};
    const Meant title = meant(*reference, facts.claim(reference_claim(reference->source, reference->id)),
                              [&](const StreamName& wanted) { return &facts.stream(wanted); });
    return {state, name.has_value(), id, title.id, title_claim(command.watch_space, title.id), title.title};
  }
};

/// As for TrackedAnime, but for what is the command's own.
template <>
struct Parameter<TitleHolder> {
  template <class Command>
  static void need(const Command& command, const Actor&, const Facts&, Needs& needs) {
    Parameter<TrackedAnime>::need_found(command, needs);
  }
  template <class Command>
  static TitleHolder get(const Command& command, const Actor&, const Facts& facts) {
    const auto name = Parameter<TrackedAnime>::found(command, facts);
    return {name ? std::optional(AnimeId(name->id)) : std::nullopt};
  }
};

}  // namespace dispatch
}  // namespace bloomwatch
