// Titles by hand: who may, what it says, and that it outranks imports.
#include "command-service/catalog/manual_title.h"

#include "tests/unit/catalog/catalog.h"

namespace bloomwatch::testing {
namespace {

Past moderator(const Actor& person) {
  return stream<User>(person.account,
                      UserRegistered{person.profile, Personal{"e"}, ClaimKey(), Personal{"h"}, ClaimKey(), Personal{"n"}, PasswordId()},
                      AccountRoleChanged{.role = AccountRole::moderator});
}

AddTitle own_title() {
  AddTitle command;
  command.names = {GivenName{value<TitleText>("Our film"), value<LanguageTag>("en"), NameKind::main}};
  command.title = {id_of<TitleId>("our film")};
  command.media_claims = {claims_of(command.references())};
  return command;
}

TEST(AddTitle, is_for_moderators) {
  given().when(own_title(), mira).refuses(CatalogRefusal::not_a_moderator);
  const AddTitle command = own_title();
  given(moderator(mira))
      .when(command, mira)
      .then(TitleAdded{.source = "manual",
                       .media = {{"bloomwatch", command.title->to_string()}},
                       .media_claims = *command.media_claims,
                       .names = {{"Our film", "en", NameKind::main}}})
      .takes(command.media_claims->front());
}

TEST(AddTitle, needs_a_name_and_references_that_are_free) {
  AddTitle nameless = own_title();
  nameless.names.clear();
  given(moderator(mira)).when(nameless, mira).refuses(CatalogRefusal::title_without_name);
  AddTitle taken = own_title();
  taken.media = std::vector{value<OutsideMedia>({.source = MediaSource::mal, .id = {"52991"}})};
  taken.media_claims = {claims_of(taken.references())};
  World world = with_frieren();
  world.take(moderator(mira));
  world.when(taken, mira).refuses(CatalogRefusal::reference_held);
}

TEST(ChangeTitle, says_what_differs_and_opens_what_is_cleared) {
  ChangeTitle command;
  command.title = frieren;
  command.episodes = {true, value<EpisodeCount>(30)};
  command.season = {true, std::nullopt};
  command.format = {true, value<TitleFormat>("tv")};
  command.genres = {std::vector{value<Word>("Drama")}};
  World world = with_frieren();
  world.take(moderator(mira));
  world.when(command, mira)
      .then(TitleDetailsChanged{"manual", {.format = "TV", .episodes = 30}, {"season"}}, TitleGenresChanged{"manual", {"drama"}})
      .once();
  // What people said stays; what they opened is filled again.
  world.when(describe(frieren, frieren_entry()), Actor{}).then(TitleDetailsChanged{"anime-offline-database", {.season = "fall"}});
}

TEST(ChangeTitle, is_refused_to_others_and_of_titles_that_are_none) {
  ChangeTitle command;
  command.title = frieren;
  with_frieren().when(command, mira).refuses(CatalogRefusal::not_a_moderator);
  given(moderator(mira)).when(command, mira).refuses(CatalogRefusal::no_such_title);
}

TEST(ChangeTitle, leaves_no_title_without_a_name) {
  ChangeTitle command;
  command.title = frieren;
  command.names = {std::vector<GivenName>{}};
  World by_hand = with_frieren(frieren_entry(), "manual");
  by_hand.take(moderator(mira));
  by_hand.when(command, mira).refuses(CatalogRefusal::title_without_name);
  World named_by_others = with_frieren();
  named_by_others.take(moderator(mira));
  named_by_others.take(stream<Title>(frieren, TitleNamesChanged{"manual", {{"The Elf", "en", NameKind::english}}}));
  named_by_others.when(command, mira).then(TitleNamesChanged{"manual", {}}).once();
}

TEST(ChangeTitle, keeps_where_it_can_be_watched) {
  ChangeTitle command;
  command.title = frieren;
  command.availability = {std::vector{
      GivenOffer{.provider = value<Word>("Crunchyroll"), .region = value<RegionCode>("DE"), .url = value<Url>("https://example.org/f")}}};
  World world = with_frieren();
  world.take(moderator(mira));
  world.when(command, mira)
      .then(TitleAvailabilityChanged{"manual", {{"Crunchyroll", "DE", OfferKind::subscription, "https://example.org/f", noon}}})
      .once();
}

TEST(ChangeTitle, names_each_member_that_is_wrong) {
  const auto wrong = json::read_command<ChangeTitle>(
      {}, R"({"names":[{"text":"","language":"?"}],"availability":[{"provider":"X","region":"de","kind":"subscription"}]})");
  ASSERT_FALSE(wrong);
  std::vector<std::string> pointers;
  for (const json::FieldError& error : wrong.error()) pointers.push_back(error.pointer);
  EXPECT_THAT(pointers, ::testing::IsSupersetOf({"/names/0/text", "/names/0/language", "/availability/0/region"}));
}

}  // namespace
}  // namespace bloomwatch::testing
