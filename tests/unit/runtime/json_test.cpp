// JSON: what is written is read again, everything that is wrong is named at once, and hostile texts are refused by name.
#include "runtime/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace bloomwatch {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

using SpaceId = Id<struct SpaceTag>;
using PersonId = Id<struct PersonTag>;

enum class Status { backlog, on_hold, private_ };
BOOST_DESCRIBE_ENUM(Status, backlog, on_hold, private_)

/// A value type without a default: 0.5 to 10 in halves.
class HalfScore {
 public:
  using Wire = double;
  static std::expected<HalfScore, std::string> from(double value) {
    if (value < 0.5 || value > 10 || std::trunc(value * 2) != value * 2) return std::unexpected("must be 0.5 to 10 in halves");
    return HalfScore(value);
  }
  double wire() const { return value_; }
  bool operator==(const HalfScore&) const = default;

 private:
  explicit HalfScore(double value) : value_(value) {}
  double value_;
};

struct Part {
  int number = 0;
  std::optional<std::string> note = {};
  bool operator==(const Part&) const = default;
};
BOOST_DESCRIBE_STRUCT(Part, (), (number, note))

struct Everything {
  bool flag = false;
  std::int16_t small = 0;
  std::uint64_t large = 0;
  double ratio = 0;
  std::string text;
  Uuid uuid;
  SpaceId watch_space;
  Time at;
  std::chrono::year_month_day day = std::chrono::year(2026) / 11 / 21;
  Status status = Status::backlog;
  std::optional<int> maybe;
  std::vector<Part> parts;
  std::array<int, 2> pair = {};
  std::map<PersonId, std::int16_t> scores;
  std::set<std::string> tags;
  json::Raw raw;
  bool operator==(const Everything&) const = default;
};
BOOST_DESCRIBE_STRUCT(Everything, (),
                      (flag, small, large, ratio, text, uuid, watch_space, at, day, status, maybe, parts, pair, scores, tags, raw))

struct Rate {
  SpaceId watch_space;
  HalfScore score;
  std::optional<std::string> notes;
  Minted<PersonId> minted;
};
BOOST_DESCRIBE_STRUCT(Rate, (), (watch_space, score, notes, minted))

struct Change {
  Patch<std::string> name;
  ClearablePatch<std::string> theme;
  ClearablePatch<HalfScore> score;
};
BOOST_DESCRIBE_STRUCT(Change, (), (name, theme, score))

struct Query {
  std::optional<int> limit;
  std::optional<bool> dry_run;
  std::optional<Status> status;
  std::vector<SpaceId> spaces_in;
  std::optional<HalfScore> at_least;
  std::optional<double> ratio;
};
BOOST_DESCRIBE_STRUCT(Query, (), (limit, dry_run, status, spaces_in, at_least, ratio))

struct Either {
  std::optional<int> number = {};
  std::optional<std::string> name = {};
  std::optional<bool> flag = {};
  static constexpr std::array<std::string_view, 2> one_of = {"number", "name"};
};
BOOST_DESCRIBE_STRUCT(Either, (), (number, name, flag))

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

struct Base {
  int base_number = 0;
};
BOOST_DESCRIBE_STRUCT(Base, (), (base_number))
struct Derived : Base {
  int own_number = 0;
};
BOOST_DESCRIBE_STRUCT(Derived, (Base), (own_number))

constexpr const char* a_uuid = "0190a5c8-1111-7222-8333-444455556666";
constexpr const char* b_uuid = "0190a5c8-1111-7222-8333-444455557777";

std::vector<std::string> shown(const json::FieldErrors& errors) {
  std::vector<std::string> lines;
  for (const auto& error : errors) lines.push_back(error.pointer + " " + error.detail);
  return lines;
}

template <class T>
std::vector<std::string> wrong(std::string_view text) {
  const auto read = json::read<T>(text);
  return read ? std::vector<std::string>{} : shown(read.error());
}

// Writing and reading ----------------------------------------------------------------------------------------------------------------

TEST(Json, reads_what_it_writes) {
  Everything value;
  value.flag = true;
  value.small = -32768;
  value.large = 18446744073709551615u;
  value.ratio = 8.5;
  value.text = "quote \" backslash \\ line\n tab\t bell\x07 snow ☃ 𝄞";
  value.uuid = *Uuid::parse(a_uuid);
  value.watch_space = SpaceId(*Uuid::parse(b_uuid));
  value.at = *parse_rfc3339("2026-11-21T12:04:05.678Z");
  value.status = Status::on_hold;
  value.parts = {{1, std::nullopt}, {2, "two"}};
  value.pair = {3, 4};
  value.scores = {{PersonId(*Uuid::parse(a_uuid)), std::int16_t{85}}};
  value.tags = {"a", "b"};
  value.raw.text = R"({"any":[1,2.5,null,"x"]})";
  const auto again = json::read<Everything>(json::to_string(value));
  ASSERT_TRUE(again.has_value()) << testing::PrintToString(shown(again.error()));
  EXPECT_EQ(*again, value);
  std::string sparse;
  json::write_sparse(sparse, value);
  EXPECT_EQ(sparse.find("maybe"), std::string::npos);
  EXPECT_EQ(json::read<Everything>(sparse).value(), value);
}

TEST(Json, writes_names_in_camel_case_and_absent_optionals_as_null) {
  EXPECT_EQ(json::to_string(Part{}), R"({"number":0,"note":null})");
  std::string sparse;
  json::write_sparse(sparse, Part{});
  EXPECT_EQ(sparse, R"({"number":0})");
  EXPECT_EQ(json::name_of_member("watch_space_id"), "watchSpaceId");
  EXPECT_EQ(json::to_string(Status::on_hold), R"("on-hold")");
  EXPECT_EQ(json::name_of(Status::private_), "private");
  EXPECT_EQ(json::to_string(Nothing{}), "{}");
  EXPECT_EQ(json::to_string(std::vector<int>{}), "[]");
  EXPECT_EQ(json::to_string(Derived{{1}, 2}), R"({"baseNumber":1,"ownNumber":2})");
}

TEST(Json, writes_numbers_in_their_shortest_form) {
  for (const auto& [number, text] : std::vector<std::pair<double, std::string>>{{8.5, "8.5"},
                                                                                {9, "9"},
                                                                                {0.1, "0.1"},
                                                                                {-0.5, "-0.5"},
                                                                                {100000, "100000"},
                                                                                {1e22, "1e+22"},
                                                                                {18446744073709551616.0, "1.8446744073709552e+19"},
                                                                                {-1e15, "-1e+15"},
                                                                                {1.0 / 3, "0.3333333333333333"}})
    EXPECT_EQ(json::to_string(number), text);
  EXPECT_EQ(json::to_string(std::nan("")), "null");
  EXPECT_EQ(json::to_string(HUGE_VAL), "null");
  EXPECT_EQ(json::to_string(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
}

TEST(Json, escapes_what_a_string_may_not_hold) {
  EXPECT_EQ(json::to_string(std::string("\"\\\b\f\n\r\t\x01\x1f/")), R"("\"\\\b\f\n\r\t\u0001\u001f/")");
  EXPECT_EQ(json::to_string(std::string("é☃")), "\"é☃\"");
}

TEST(Json, takes_members_in_any_order_and_with_white_space) {
  const auto part = json::read<Part>(" \n{ \"note\" : \"x\" , \"number\" : 7 } \t");
  ASSERT_TRUE(part);
  EXPECT_EQ(*part, (Part{7, "x"}));
}

TEST(Json, takes_whole_numbers_written_with_a_point) {
  EXPECT_EQ(json::read<Part>(R"({"number":7.0})")->number, 7);
  EXPECT_EQ(json::read<Part>(R"({"number":-7e1})")->number, -70);
  EXPECT_THAT(wrong<Part>(R"({"number":7.5})"), ElementsAre("/number must be a whole number between -2147483648 and 2147483647"));
}

TEST(Json, reads_types_that_have_no_default) {
  const auto rate = json::read<Rate>(std::string(R"({"score":8.5,"watchSpace":")") + a_uuid + "\"}");
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->score.wire(), 8.5);
  EXPECT_FALSE(rate->notes);
}

// Wrong fields -----------------------------------------------------------------------------------------------------------------------

TEST(Json, lists_every_wrong_field_at_once) {
  EXPECT_THAT(wrong<Everything>(R"({"flag":1,"small":40000,"large":-1,"ratio":"x","text":5,"uuid":"no","watchSpace":null,"at":"yesterday",
      "day":"2026-02-30","status":"done","maybe":"x","parts":[{"number":1},{"number":"x","extra":1},{}],"pair":[1],
      "scores":{"nobody":1,"0190a5c8-1111-7222-8333-444455556666":"x"},"tags":["a","a"],"more":1})"),
              UnorderedElementsAre("/flag must be true or false", "/small must be a whole number between -32768 and 32767",
                                   "/large must be a whole number between 0 and 18446744073709551615", "/ratio must be a number",
                                   "/text must be a string", "/uuid must be a UUID", "/watchSpace must be a UUID",
                                   "/at must be an RFC 3339 time such as 2026-11-21T12:04:00Z", "/day must be a date such as 2026-11-21",
                                   "/status must be one of: backlog, on-hold, private",
                                   "/maybe must be a whole number between -2147483648 and 2147483647",
                                   "/parts/1/number must be a whole number between -2147483648 and 2147483647", "/parts/1/extra is unknown",
                                   "/parts/2/number is missing", "/pair must be an array of 2", "/scores/nobody its name must be a UUID",
                                   "/scores/0190a5c8-1111-7222-8333-444455556666 must be a whole number between -32768 and 32767",
                                   "/tags/1 is there twice", "/more is unknown", "/raw is missing"));
}

TEST(Json, says_what_a_value_type_says) {
  EXPECT_THAT(wrong<Rate>(std::string(R"({"score":8.3,"watchSpace":")") + a_uuid + "\"}"),
              ElementsAre("/score must be 0.5 to 10 in halves"));
  EXPECT_THAT(wrong<Rate>(std::string(R"({"score":"8","watchSpace":")") + a_uuid + "\"}"), ElementsAre("/score must be a number"));
}

TEST(Json, escapes_pointers_as_rfc_6901_has_it_and_cuts_long_names) {
  EXPECT_THAT(wrong<Nothing>(R"({"a/b~c":1})"), ElementsAre("/a~1b~0c is unknown"));
  const auto errors = json::read<Nothing>("{\"" + std::string(100'000, 'x') + "\":1}").error();
  EXPECT_LT(errors.at(0).pointer.size(), 200u);
  const auto cut = json::read<Nothing>("{\"" + std::string(127, 'x') + "☃☃\":1}").error();
  EXPECT_EQ(cut.at(0).pointer, "/" + std::string(127, 'x') + "…");
}

TEST(Json, stops_looking_after_a_hundred_wrong_fields) {
  std::string text = "[";
  for (int i = 0; i < 10'000; ++i) text += i == 0 ? "1" : ",1";
  EXPECT_EQ((json::read<std::vector<std::string>>(text + "]").error().size()), json::field_errors_max);
}

TEST(Json, passes_over_unknown_members_only_where_asked) {
  EXPECT_THAT(wrong<Part>(R"({"number":1,"later":{"a":1}})"), ElementsAre("/later is unknown"));
  EXPECT_TRUE(json::read<Part>(R"({"number":1,"later":{"a":1}})", json::Unknown::ignored));
}

TEST(Json, refuses_duplicate_names) {
  EXPECT_THAT(wrong<Part>(R"({"number":1,"number":2})"), ElementsAre("/number is there twice"));
  EXPECT_THAT(wrong<Part>(R"({"number":1,"num\u0062er":2})"), ElementsAre("/number is there twice"));
  EXPECT_THAT((wrong<std::map<std::string, int>>(R"({"a":1,"a":1})")), ElementsAre("/a is there twice"));
  EXPECT_THAT(wrong<json::Raw>(R"({"a":[{"b":1,"b":2}]})"), ElementsAre(" has an object that names a member twice"));
}

TEST(Json, refuses_values_where_an_object_is_expected) {
  for (const char* text : {"1", "null", "[]", "\"x\"", "true"}) EXPECT_THAT(wrong<Part>(text), ElementsAre(" must be an object")) << text;
}

// Hostile texts ----------------------------------------------------------------------------------------------------------------------

TEST(Json, refuses_what_is_not_json) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "{\"number\":1",
                           "{\"number\":1}}",
                           "{\"number\":1} x",
                           "{\"number\":1}{\"number\":1}",
                           "{'number':1}",
                           "{number:1}",
                           "{\"number\":01}",
                           "{\"number\":+1}",
                           "{\"number\":.5}",
                           "{\"number\":1.}",
                           "{\"number\":0x1}",
                           "{\"number\":NaN}",
                           "{\"number\":Infinity}",
                           "{\"number\":1,}",
                           "[1,]",
                           "{\"number\":1/*x*/}",
                           "tru",
                           "nul",
                           "\"",
                           "\"\\x41\"",
                           "\"\\u12\"",
                           "\"\\u12G4\"",
                           "\"a\nb\"",
                           "\"a\tb\"",
                           "\xef\xbb\xbf{\"number\":1}"})
    EXPECT_EQ(wrong<Part>(text).size(), 1u) << text;
}

TEST(Json, refuses_lone_surrogates_however_they_are_disguised) {
  for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800\u0041")", R"("\ud800x")", R"("\udc00\ud800")",
                           R"("\\\ud800")", R"("\ud800\\udc00")", R"("\uD83D")", R"("\ud800\n")", R"("\ud834\udd1e\udd1e")"})
    EXPECT_EQ(wrong<std::string>(text).size(), 1u) << text;
  EXPECT_EQ(json::read<std::string>(R"("\ud834\udd1e")").value(), "𝄞");
  EXPECT_EQ(json::read<std::string>(R"("\\ud800")").value(), "\\ud800");
  EXPECT_EQ(json::read<std::string>(R"("\\\\ud800\u0041")").value(), "\\\\ud800A");
  EXPECT_THAT(wrong<Part>(R"({"number":1,"\ud800":1})"), testing::SizeIs(1));
}

TEST(Json, refuses_zero_characters_by_name) {
  EXPECT_THAT(wrong<Part>(R"({"number":1,"note":"a\u0000b"})"), ElementsAre("/note must not contain U+0000"));
  EXPECT_EQ(wrong<std::string>(std::string_view("\"a\0b\"", 5)).size(), 1u);
  EXPECT_EQ((wrong<std::map<std::string, int>>(R"({"a\u0000":1})")).size(), 1u);
}

TEST(Json, refuses_invalid_utf_8) {
  for (const char* bytes : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x98", "\x80"})
    EXPECT_THAT(wrong<std::string>("\"" + std::string(bytes) + "\""), ElementsAre(" is not valid UTF-8"));
}

TEST(Json, refuses_nesting_over_32_and_takes_32) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const auto nested_value = [](std::size_t depth) { return std::string(depth, '[') + "1" + std::string(depth, ']'); };
  EXPECT_TRUE(json::read<json::Raw>(nested(32)));
  EXPECT_TRUE(json::read<json::Raw>(nested_value(32)));
  EXPECT_THAT(wrong<json::Raw>(nested(33)), ElementsAre(" is nested deeper than 32 levels"));
  EXPECT_THAT(wrong<json::Raw>(nested_value(33)), ElementsAre(" is nested deeper than 32 levels"));
  EXPECT_EQ(wrong<json::Raw>(std::string(1'000'000, '[')).size(), 1u);
  std::string objects;
  for (int i = 0; i < 33; ++i) objects += "{\"a\":";
  EXPECT_EQ(wrong<json::Raw>(objects + "1" + std::string(33, '}')).size(), 1u);
}

TEST(Json, refuses_numbers_that_do_not_fit) {
  for (const char* text : {"1e400", "-1e400", "18446744073709551616", "-9223372036854775809", "99999999999999999999999999"})
    EXPECT_THAT(wrong<double>(text), ElementsAre(" has a number that is ill-formed or does not fit")) << text;
  EXPECT_TRUE(json::read<double>("1e-400"));
  EXPECT_EQ(json::read<std::uint64_t>("18446744073709551615").value(), 18446744073709551615u);
  EXPECT_EQ(wrong<std::int64_t>("9223372036854775808").size(), 1u);
  EXPECT_EQ(wrong<std::int64_t>("1e300").size(), 1u);
}

TEST(Json, names_each_value_that_is_ill_formed) {
  EXPECT_THAT(wrong<Part>(R"({"number":18446744073709551616,"more":[1,{"y/z":"\ud800"},01],"last":"\x"})"),
              ElementsAre("/number is a number that is ill-formed or does not fit", "/more/1/y~1z is an ill-formed string",
                          "/more/2 is a number that is ill-formed or does not fit", "/last is an ill-formed string"));
  EXPECT_THAT(wrong<Part>(R"({"number":1e400} and more)"), ElementsAre("/number is a number that is ill-formed or does not fit"));
  EXPECT_THAT(wrong<Part>(R"({"\ud800":1})"), ElementsAre(" has an ill-formed string")) << "a name has no pointer";
  EXPECT_THAT(wrong<Part>(R"({"number":1,})"), ElementsAre(" is not JSON"));
  const std::string far = std::string(40, '[') + "1e400" + std::string(40, ']');
  EXPECT_THAT(wrong<json::Raw>(far), ElementsAre(" is nested deeper than 32 levels"));
}

TEST(Json, reads_inside_a_read_and_large_after_small) {
  const std::string large = "\"" + std::string(3'000'000, 'x') + "\"";
  EXPECT_EQ(json::read<std::string>(large)->size(), 3'000'000u);
  EXPECT_TRUE(json::read<Part>(R"({"number":1})"));
  json::Document outer;
  ASSERT_FALSE(outer.parse(R"({"a":"kept"})"));
  EXPECT_TRUE(json::read<Part>(R"({"number":1})"));
  EXPECT_EQ(json::read<std::string>(large)->size(), 3'000'000u);
  auto members = outer.root().members();
  std::string_view name;
  json::Value value;
  ASSERT_TRUE(members.next(name, value));
  EXPECT_EQ(value.string(), "kept");
}

// Commands and queries ---------------------------------------------------------------------------------------------------------------

TEST(JsonCommand, is_filled_by_path_and_body) {
  const auto rate = json::read_command<Rate>({{"watchSpace", a_uuid}, {"unrelated", "x"}}, R"({"score":7})");
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->watch_space.to_string(), a_uuid);
  EXPECT_TRUE(rate->minted.value.uuid.is_nil());
}

TEST(JsonCommand, tells_an_ill_formed_path_from_wrong_fields) {
  const auto both = json::read_command<Rate>({{"watchSpace", "me"}}, R"({"score":0})");
  ASSERT_FALSE(both);
  EXPECT_TRUE(json::wrong_in_path(both.error()));
  EXPECT_THAT(shown(both.error()), ElementsAre("/watchSpace must be a UUID", "/score must be 0.5 to 10 in halves"));
  const auto body = json::read_command<Rate>({{"watchSpace", a_uuid}}, R"({"score":0})");
  EXPECT_FALSE(json::wrong_in_path(body.error()));
}

TEST(JsonCommand, knows_neither_minted_members_nor_those_of_the_path_in_its_body) {
  const auto read = json::read_command<Rate>({{"watchSpace", a_uuid}},
                                             std::string(R"({"score":7,"minted":")") + a_uuid + R"(","watchSpace":")" + b_uuid + "\"}");
  ASSERT_FALSE(read);
  EXPECT_THAT(shown(read.error()), ElementsAre("/minted is unknown", "/watchSpace is unknown"));
}

TEST(JsonCommand, takes_no_body_as_an_empty_object) {
  EXPECT_TRUE(json::read_command<Nothing>({}, ""));
  EXPECT_TRUE(json::read_command<Change>({}, " \n"));
  EXPECT_THAT(shown(json::read_command<Rate>({}, "").error()), ElementsAre("/watchSpace is missing", "/score is missing"));
  EXPECT_THAT(shown(json::read_command<Nothing>({}, "[]").error()), ElementsAre(" must be an object"));
}

TEST(JsonCommand, wants_exactly_one_of_what_excludes_each_other) {
  constexpr const char* alone = " exactly one must be there of number, name";
  const auto wrong = [&](std::string_view body) { return shown(json::read_command<Either>({}, body).error()); };
  EXPECT_TRUE(json::read_command<Either>({}, R"({"number":1})"));
  EXPECT_TRUE(json::read_command<Either>({}, R"({"name":"x","number":null})"));
  EXPECT_THAT(wrong("{}"), ElementsAre(std::string("/number") + alone, std::string("/name") + alone));
  EXPECT_THAT(wrong(R"({"number":1,"name":"x"})"), ElementsAre(std::string("/number") + alone, std::string("/name") + alone));
  EXPECT_THAT(wrong(R"({"flag":1})"),
              ElementsAre("/flag must be true or false", std::string("/number") + alone, std::string("/name") + alone));
  EXPECT_THAT(wrong(R"({"name":1})"), ElementsAre("/name must be a string")) << "it is there, if wrong";
}

TEST(JsonPatch, tells_left_out_from_null_from_a_value) {
  const auto nothing = json::read<Change>("{}");
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->name || nothing->theme || nothing->score);
  const auto cleared = json::read<Change>(R"({"theme":null,"score":null})");
  ASSERT_TRUE(cleared);
  EXPECT_TRUE(cleared->theme && cleared->score);
  EXPECT_FALSE(cleared->theme.value || cleared->score.value);
  const auto set = json::read<Change>(R"({"name":"n","theme":"t","score":9})");
  EXPECT_EQ(*set->name, "n");
  EXPECT_EQ(set->theme.value, "t");
  EXPECT_EQ(set->score.value->wire(), 9);
  EXPECT_THAT(wrong<Change>(R"({"name":null})"), ElementsAre("/name must not be null"));
}

TEST(JsonQuery, reads_every_kind_of_parameter) {
  const auto query = json::read_query<Query>({{"limit", "20"},
                                              {"dryRun", "true"},
                                              {"status", "on-hold"},
                                              {"spacesIn", a_uuid},
                                              {"spacesIn", b_uuid},
                                              {"atLeast", "8.5"},
                                              {"ratio", "-1.5"}});
  ASSERT_TRUE(query) << testing::PrintToString(shown(query.error()));
  EXPECT_EQ(query->limit, 20);
  EXPECT_EQ(query->dry_run, true);
  EXPECT_EQ(query->status, Status::on_hold);
  EXPECT_EQ(query->spaces_in.size(), 2u);
  EXPECT_EQ(query->at_least->wire(), 8.5);
  EXPECT_TRUE(json::read_query<Query>({}));
}

TEST(JsonQuery, lists_every_wrong_parameter) {
  const auto query = json::read_query<Query>({{"limit", "20x"},
                                              {"limit", "3"},
                                              {"dryRun", ""},
                                              {"status", "x"},
                                              {"spacesIn", "x"},
                                              {"atLeast", "11"},
                                              {"ratio", "inf"},
                                              {"page", "2"}});
  ASSERT_FALSE(query);
  EXPECT_THAT(shown(query.error()),
              ElementsAre("/limit must be a whole number between -2147483648 and 2147483647", "/limit is there twice",
                          "/dryRun must be true or false", "/status must be one of: backlog, on-hold, private", "/spacesIn must be a UUID",
                          "/atLeast must be 0.5 to 10 in halves", "/ratio must be a number", "/page is unknown"));
  for (const auto& error : query.error()) EXPECT_EQ(error.in, json::In::query);
}

}  // namespace
}  // namespace bloomwatch
