// Every event in words, before and after, opened and forgotten; and the cells of exports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query-service/history/export.h"
#include "query-service/history/words.h"
#include "runtime/json.h"

namespace bloomwatch::test {
namespace {

using ::testing::HasSubstr;

const MasterKeys master = MasterKeys::derive_from(SecretKey::random());
const UserId ann_account(*Uuid::parse("00000000-0000-7000-8000-00000000000a"));
const ProfileId ann(ann_account.uuid);
const ProfileId ben(*Uuid::parse("00000000-0000-7000-8000-00000000000b"));
const ProfileId gone(*Uuid::parse("00000000-0000-7000-8000-00000000000c"));
const DataKey ann_key = DataKey::make(ann_account);
const NamesOfPeople names = {{ann, "Ann"}, {ben, "Ben"}, {gone, std::nullopt}};

class Words : public ::testing::Test {
 protected:
  Words() { keys.add(ann_account, ann_key.wrap(master)); }

  Telling telling(const AnyEvent& event, std::optional<AnyEvent> before = {}, std::optional<ProfileId> actor = ben,
                  std::optional<ProfileId> person = ben) {
    return tell({.event = event,
                 .before = before ? &*before : nullptr,
                 .actor = actor,
                 .person = person,
                 .title = "Frieren",
                 .names = names,
                 .keys = keys});
  }

  KeyCache cache{master};
  Keyring keys{cache};
};

TEST_F(Words, every_event_has_a_sentence_and_values_that_are_json) {
  boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, AllEvents>>([&]<class E>(std::type_identity<E>) {
    for (const auto& [actor, person] :
         {std::pair(std::optional(ben), std::optional(ben)), {std::optional(ann), std::optional(gone)}, {{}, {}}}) {
      const Telling told = telling(E{}, std::nullopt, actor, person);
      EXPECT_GE(told.summary.size(), 10U) << type_name<E>();
      EXPECT_EQ(told.summary.find("  "), std::string::npos) << told.summary;
      for (const std::string& value : {told.before, told.after}) EXPECT_FALSE(json::Document().parse(value)) << type_name<E>() << value;
    }
  });
}

TEST_F(Words, name_nobody_who_is_not_to_be_named) {
  const ProfileId unnamed(*Uuid::parse("00000000-0000-7000-8000-00000000000d"));
  EXPECT_EQ(telling(MemberRemoved{ben}, {}, unnamed).summary, "Somebody removed Ben from the watch space");
  EXPECT_EQ(telling(MemberRemoved{unnamed}, {}, ben, unnamed).summary, "Ben removed somebody from the watch space");
}

TEST_F(Words, say_what_it_was_and_what_it_is) {
  const auto rated = [](std::int16_t tenths) { return AnimeRated{.profile = ben, .title = {}, .score_tenths = tenths}; };
  const Telling changed = telling(rated(85), rated(80));
  EXPECT_EQ(changed.summary, "Ben changed their score of Frieren from 8 to 8.5");
  EXPECT_EQ(changed.before, "8");
  EXPECT_EQ(changed.after, "8.5");
  EXPECT_EQ(telling(rated(90)).summary, "Ben gave Frieren a score of 9");
  EXPECT_EQ(telling(RatingCleared{ben, {}}, rated(85)).summary, "Ben cleared their score of Frieren (it was 8.5)");
  EXPECT_EQ(telling(rated(90), RatingCleared{ben, {}}).before, "null");
  EXPECT_EQ(telling(rated(90), rated(80), ann).summary, "Ann changed Ben's score of Frieren from 8 to 9");
  EXPECT_EQ(telling(SharedStatusChanged{TrackingStatus::watching, {}}, AnimeAdded{}).summary,
            "Ben changed the shared status of Frieren from backlog to watching");
  EXPECT_EQ(telling(SharedProgressChanged{4, {}}).summary, "Ben changed the shared progress of Frieren from 0 to 4 episodes");
  EXPECT_EQ(telling(StartDateChanged{ben, {}, PartialDate{2024, 3, {}}}).summary, "Ben set their start date of Frieren to 2024-03");
  EXPECT_EQ(telling(WatchSpaceRenamed{"B"}, WatchSpaceCreated{"A", "UTC", {}}).summary,
            "Ben changed the name of the watch space from “A” to “B”");
  EXPECT_EQ(telling(MemberRoleChanged{ben, SpaceRole::owner}, MemberJoined{ben, SpaceRole::member, {}}, ann).summary,
            "Ann changed Ben's role in the watch space from member to owner");
  EXPECT_EQ(telling(AccountRoleChanged{AccountRole::admin}, std::nullopt, std::nullopt).summary,
            "The system changed Ben's role from user to admin");
}

TEST_F(Words, say_who_was_there_and_what_was_taken_back) {
  WatchSessionRecorded session;
  session.start_episode = 1, session.end_episode = 2;
  session.participants = {{ben, Attendance::present}, {ann, Attendance::present}, {gone, Attendance::invited}};
  EXPECT_EQ(telling(session).summary, "Ben recorded episodes 1–2 of Frieren with Ann, a forgotten person");
  const Telling removed = telling(WatchSessionRemoved{}, session);
  EXPECT_EQ(removed.summary, "Ben took back a watch session of Frieren (episodes 1–2)");
  EXPECT_THAT(removed.before, HasSubstr("\"startEpisode\":1"));
  EXPECT_EQ(removed.after, "null");
  const Telling restored = telling(WatchSessionRestored{}, session);
  EXPECT_EQ(restored.before, "null");
  EXPECT_EQ(restored.after, removed.before);
}

TEST_F(Words, open_texts_and_tell_forgotten_ones_from_none) {
  const Personal sealed = ann_key.seal("rainy \"evening\"");
  const Personal lost = DataKey::make(UserId(gone.uuid)).seal("lost");
  const Telling told = telling(MoodChanged{sealed}, MoodChanged{lost}, ann);
  EXPECT_EQ(told.after, R"("rainy \"evening\"")");
  EXPECT_EQ(told.before, "null");
  EXPECT_TRUE(told.forgotten);
  EXPECT_EQ(told.summary, "Ann changed the mood of Frieren from a text that is forgotten to “rainy \"evening\"”");
  const Telling first = telling(MoodChanged{sealed}, std::nullopt, ann);
  EXPECT_FALSE(first.forgotten);
  EXPECT_EQ(first.summary, "Ann set the mood of Frieren to “rainy \"evening\"”");
  EXPECT_EQ(telling(MoodChanged{}, MoodChanged{sealed}, gone).summary,
            "A forgotten person cleared the mood of Frieren (it was “rainy \"evening\"”)");
  // Notes are long: a sentence does not repeat them.
  EXPECT_EQ(telling(RatingNotesChanged{ben, {}, sealed}).summary, "Ben wrote their notes on Frieren");
}

TEST_F(Words, say_why_an_admin_looked_while_that_can_be_opened) {
  const Telling told = telling(AuditQueried{.person = ben, .reason = ann_key.seal("A complaint.")}, std::nullopt, ann);
  EXPECT_EQ(told.summary, "Ann looked into the audit of Ben: A complaint.");
  EXPECT_THAT(told.after, HasSubstr(R"("reason":"A complaint.")"));
  const Telling lost = telling(AuditQueried{.person = ben, .reason = DataKey::make(UserId(gone.uuid)).seal("lost")}, std::nullopt, ann);
  EXPECT_EQ(lost.summary, "Ann looked into the audit of Ben");
  EXPECT_TRUE(lost.forgotten);
  EXPECT_EQ(telling(AuditQueried{}, std::nullopt, ann).summary, "Ann looked into the audit");
}

TEST(CsvCells, are_quoted_as_rfc_4180_has_it) {
  EXPECT_EQ(csv_cell(""), "");
  EXPECT_EQ(csv_cell("plain text"), "plain text");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"no\""), "\"say \"\"no\"\"\"");
  EXPECT_EQ(csv_cell("two\nlines"), "\"two\nlines\"");
}

TEST(CsvCells, never_begin_a_formula) {
  for (const std::string begin : {"=", "+", "-", "@", "\t", "\r"}) {
    EXPECT_EQ(csv_cell(begin + "cmd|' /C calc'!A0"), "\"'" + begin + "cmd|' /C calc'!A0\"");
  }
  EXPECT_EQ(csv_cell("8.5"), "8.5");
}

TEST(HistoryFormat, is_what_accept_names_first) {
  EXPECT_EQ(format_of_accept("*/*"), HistoryFormat::json);
  EXPECT_EQ(format_of_accept("text/html, Text/CSV;q=0.9"), HistoryFormat::csv);
  EXPECT_EQ(format_of_accept("application/x-ndjson,text/csv"), HistoryFormat::ndjson);
  EXPECT_EQ(format_of_accept(""), HistoryFormat::json);
  EXPECT_EQ(format_of_accept("text/csv;q=0.2, application/x-ndjson; charset=utf-8; Q=0.7"), HistoryFormat::ndjson);
  EXPECT_EQ(format_of_accept("text/csv;q=0.5, */*"), HistoryFormat::json);
  EXPECT_EQ(format_of_accept("text/csv;q=0"), HistoryFormat::json);
}

}  // namespace
}  // namespace bloomwatch::test
