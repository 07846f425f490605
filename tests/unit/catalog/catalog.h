// What tests of the catalogue have in common: a few titles and what a source says of them.
#pragma once

#include "command-service/catalog/describe_title.h"
#include "command-service/catalog/refusals.h"
#include "tests/decider.h"

namespace bloomwatch::testing {

using CatalogRefusal = catalog::Refusal;

inline const MediaReference anilist{"anilist", "154587"};
inline const MediaReference mal{"mal", "52991"};
inline const TitleId frieren = title_of("anilist", "154587");

inline TitleEntry frieren_entry() {
  return {.media = {anilist, mal},
          .names = {{"Sousou no Frieren", std::nullopt, NameKind::main}, {"葬送のフリーレン", "ja", NameKind::native}},
          .details = {.format = "TV", .season = "fall", .season_year = 2023, .episodes = 28, .minutes = 24},
          .genres = {"adventure", "drama"},
          .tags = {"elf"},
          .studios = {"madhouse"}};
}

inline DescribeTitle describe(TitleId title, TitleEntry entry, bool fresh = false, std::string source = "anime-offline-database") {
  DescribeTitle command{.title = title, .source = std::move(source), .entry = std::move(entry), .fresh = fresh};
  command.media_claims = claims_of(command.entry.media);
  return command;
}

inline TitleAdded added_of(const TitleEntry& entry, std::string source = "anime-offline-database") {
  return {.source = std::move(source),
          .media = entry.media,
          .media_claims = claims_of(entry.media),
          .names = entry.names,
          .details = entry.details,
          .genres = entry.genres,
          .tags = entry.tags,
          .studios = entry.studios,
          .producers = entry.producers,
          .related = entry.related,
          .standing = entry.standing};
}

/// A world that has these titles, each as it was added, with the claims of its references.
inline void hold(World& world, TitleId title, const std::vector<MediaReference>& media) {
  for (const ClaimKey claim : claims_of(media)) world.holding<Title>(claim, title);
}
inline World with_frieren(TitleEntry entry = frieren_entry(), std::string source = "anime-offline-database") {
  World world = given(stream<Title>(frieren, added_of(entry, std::move(source))));
  hold(world, frieren, entry.media);
  return world;
}

}  // namespace bloomwatch::testing
