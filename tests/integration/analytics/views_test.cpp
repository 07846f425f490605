// The analytics views: what they show, who may read them, and how they are kept up to date.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "events/analytics_columns.h"
#include "events/analytics_views.h"
#include "tests/integration/analytics/any_event.h"
#include "tests/integration/log/log_fixture.h"

namespace bloomwatch::test {

/// An event that has had another shape before: its score was in whole points.
struct Graded {
  static constexpr int schema_version = 2;
  std::int16_t score_tenths = 0;
};
BOOST_DESCRIBE_STRUCT(Graded, (), (score_tenths))

std::string_view upcast_sql(const Graded&) {
  return "CASE WHEN e.schema_version >= 2 THEN e.data ELSE jsonb_build_object('scoreTenths', (e.data->>'score')::integer * 10) END";
}

namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t view_count = boost::mp11::mp_size<AllEvents>::value + 1;

class AnalyticsViews : public LogTest {
 protected:
  void append_all(const std::vector<NewEvent>& events) {
    Batch batch{.fence = reader.head(), .events = events};
    ASSERT_EQ(append(writer, batch), AppendResult::committed);
  }

  /// Name and type of a view's columns, in order.
  std::vector<std::pair<std::string, std::string>> columns_of(const std::string& view) {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const pg::Row row : connection.query("SELECT column_name::text, data_type::text FROM information_schema.columns "
                                              "WHERE table_schema = 'analytics' AND table_name = $1 ORDER BY ordinal_position",
                                              pg::Params(view)))
      columns.emplace_back(row.get<std::string>(0), row.get<std::string>(1));
    return columns;
  }

  /// A view's rows as texts, times in milliseconds; by position.
  std::map<Position, std::vector<std::optional<std::string>>> rows_of(const std::string& view) {
    const auto columns = columns_of(view);
    std::string list;
    for (const auto& [name, type] : columns) {
      const bool is_time = type == "timestamp with time zone";
      list +=
          (list.empty() ? "" : ", ") + (is_time ? "(extract(epoch FROM \"" + name + "\") * 1000)::bigint::text" : '"' + name + "\"::text");
    }
    std::map<Position, std::vector<std::optional<std::string>>> rows;
    for (const pg::Row row : connection.query("SELECT " + list + " FROM analytics.\"" + view + '"')) {
      std::vector<std::optional<std::string>> cells;
      for (int i = 0; i < static_cast<int>(columns.size()); ++i) cells.push_back(row.get<std::optional<std::string>>(i));
      rows.emplace(std::stoll(*cells.at(0)), std::move(cells));
    }
    return rows;
  }

  std::string as_jsonb(const std::string& text) {
    return connection.query("SELECT $1::text", pg::Params(pg::Jsonb{text}))[0].get<std::string>(0);
  }

  std::vector<std::optional<std::string>> expected_row(const RecordedEvent& event) {
    const Meta& meta = event.meta;
    const auto id = [](const auto& optional) { return optional ? std::optional(optional->to_string()) : std::nullopt; };
    std::vector<std::optional<std::string>> row = {std::to_string(meta.position),
                                                   std::to_string(meta.recorded_at.time_since_epoch().count()),
                                                   meta.stream.to_string(),
                                                   meta.stream.id.to_string(),
                                                   std::to_string(meta.version),
                                                   std::to_string(event.schema_version),
                                                   meta.event_id.to_string(),
                                                   meta.partition_key.to_string(),
                                                   std::to_string(meta.partition),
                                                   id(meta.by.account),
                                                   id(meta.by.profile),
                                                   std::string(json::name_of(meta.by.origin.kind)),
                                                   meta.by.origin.provider,
                                                   meta.by.origin.reference,
                                                   meta.by.command.to_string(),
                                                   meta.by.correlation.to_string(),
                                                   id(meta.by.causation),
                                                   id(meta.undoes)};
    std::vector<ExpectedCell> cells;
    visit_one_of<AllEvents>(decode(event), [&cells]<class E>(const E& decoded) { expect_cells<E>(cells, &decoded); });
    for (const ExpectedCell& cell : cells) row.push_back(cell.is_json && cell.text ? as_jsonb(*cell.text) : cell.text);
    return row;
  }

  /// The SQLSTATE of a statement run as the analysts' role; empty if it is allowed.
  std::string as_analyst(const std::string& statement) {
    pg::Connection analyst({.url = url});
    analyst.script("SET ROLE bloomwatch_analyst");
    try {
      analyst.script(statement);
      return {};
    } catch (const pg::Error& error) {
      return error.sqlstate();
    }
  }

  pg::Connection connection{pg::Options{.url = url}};
};

constexpr std::string_view denied = "42501";

TEST_F(AnalyticsViews, show_events_of_every_type_as_the_program_decodes_them) {
  make_analytics_views(url);
  append_all(AnyEventMaker(20261121).every_type(12));
  std::map<std::string, std::map<Position, std::vector<std::optional<std::string>>>> expected;
  for (const RecordedEvent& event : reader.read(0, 10'000))
    expected[analytics_view_name(event.type)][event.meta.position] = expected_row(event);
  ASSERT_EQ(expected.size() + 1, view_count);
  for (const auto& [view, rows] : expected) {
    EXPECT_EQ(rows.size(), 12U);
    EXPECT_EQ(rows_of(view), rows) << view;
  }
  EXPECT_EQ(rows_of("events").size(), 12 * (view_count - 1));
}

TEST_F(AnalyticsViews, say_what_a_rating_is_made_of) {
  make_analytics_views(url);
  const std::vector<std::pair<std::string, std::string>> columns = columns_of("anime_rated");
  EXPECT_THAT(columns, Contains(std::pair<std::string, std::string>("recorded_at", "timestamp with time zone")));
  EXPECT_THAT(columns, Contains(std::pair<std::string, std::string>("profile", "uuid")));
  EXPECT_THAT(columns, Contains(std::pair<std::string, std::string>("score_tenths", "smallint")));
  EXPECT_THAT(columns, Contains(std::pair<std::string, std::string>("original_scale", "text")));
  for (const auto& [view, type] : {std::pair("watch_session_recorded", "jsonb")})
    EXPECT_THAT(columns_of(view), Contains(std::pair<std::string, std::string>("participants", type)));
}

TEST_F(AnalyticsViews, name_no_column_twice) {
  boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, AllEvents>>([]<class E>(std::type_identity<E>) {
    std::set<std::string> names;
    for (const AnalyticsColumn& column : analytics_envelope()) EXPECT_TRUE(names.insert(column.name).second) << column.name;
    for (const AnalyticsColumn& column : analytics::member_columns<E>())
      EXPECT_TRUE(names.insert(column.name).second) << type_name<E>() << ": " << column.name;
  });
}

TEST_F(AnalyticsViews, show_neither_a_personal_text_nor_its_box) {
  make_analytics_views(url);
  AnyEventMaker maker(7);
  append_all(maker.every_type(10));
  std::string shown;
  for (const pg::Row row : connection.query("SELECT viewname::text FROM pg_views WHERE schemaname = 'analytics'")) {
    for (const pg::Row shown_row : connection.query("SELECT v::text FROM analytics.\"" + row.get<std::string>(0) + "\" v"))
      shown += shown_row.get<std::string>(0) + '\n';
  }
  ASSERT_GT(maker.boxes().size(), 50U);
  for (const std::string& text : maker.personal_texts()) EXPECT_EQ(shown.find(text), std::string::npos);
  for (const std::string& box : maker.boxes()) {
    EXPECT_EQ(shown.find(box.substr(0, 24)), std::string::npos);  // version, account
    EXPECT_EQ(shown.find(box.substr(box.size() - 24)), std::string::npos);
  }
}

TEST_F(AnalyticsViews, show_data_of_an_older_version_in_the_present_shape) {
  NewEvent old_event = new_event(Uuid::v7(now()), 1, R"({"score": 8})");
  NewEvent new_shape = new_event(Uuid::v7(now()), 1, R"({"scoreTenths": 85})");
  for (NewEvent* event : {&old_event, &new_shape}) event->type = "Graded";
  new_shape.schema_version = 2;
  append_all({old_event, new_shape});
  connection.script(create_view_statement<Graded>());
  const pg::Result rows = connection.query("SELECT score_tenths FROM analytics.graded ORDER BY position");
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[0].get<std::int16_t>(0), 80);
  EXPECT_EQ(rows[1].get<std::int16_t>(0), 85);
}

TEST_F(AnalyticsViews, are_all_that_an_analyst_can_read) {
  make_analytics_views(url);
  append_all(AnyEventMaker(3).every_type(1));
  EXPECT_EQ(as_analyst("SELECT * FROM analytics.anime_rated"), "");
  EXPECT_EQ(as_analyst("SELECT * FROM analytics.events WHERE position > analytics.position_at('2026-01-01')"), "");
  for (const char* other : {"log.events", "log.epoch", "log.claims", "log.idempotency", "secrets.keys", "secrets.passwords",
                            "read_people.people", "read_dashboard.pairs", "projection.checkpoints", "public.schema_migrations"})
    EXPECT_EQ(as_analyst(std::string("SELECT * FROM ") + other), denied) << other;
  EXPECT_EQ(as_analyst("INSERT INTO analytics.events (position) VALUES (1)"), denied);
  EXPECT_EQ(as_analyst("UPDATE analytics.events SET position = 1"), denied);
  EXPECT_EQ(as_analyst("CREATE VIEW analytics.mine AS SELECT 1"), denied);
  const pg::Result readable = connection.query(
      "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'analytics') "
      "AND n.nspname !~ '^pg_' AND has_schema_privilege('bloomwatch_analyst', n.oid, 'USAGE') "
      "AND has_table_privilege('bloomwatch_analyst', c.oid, 'SELECT, INSERT, UPDATE, DELETE')");
  for (const pg::Row row : readable) ADD_FAILURE() << row.get<std::string>(0);
  const pg::Result role = connection.query("SELECT rolcanlogin, rolsuper, array_to_string(rolconfig, ' ') FROM pg_roles WHERE rolname = $1",
                                           pg::Params(analyst_role));
  ASSERT_EQ(role.size(), 1);
  EXPECT_FALSE(role[0].get<bool>(0));
  EXPECT_FALSE(role[0].get<bool>(1));
  EXPECT_THAT(role[0].get<std::string>(2), HasSubstr("statement_timeout="));
}

TEST_F(AnalyticsViews, find_a_position_by_time_as_the_log_does) {
  make_analytics_views(url);
  append_all(AnyEventMaker(5).every_type(4));
  const std::vector<RecordedEvent> events = reader.read(0, 1000);
  for (const RecordedEvent& event : events) {
    for (const int shift : {-1, 0, 1}) {
      const Time time = event.meta.recorded_at + std::chrono::milliseconds(shift);
      EXPECT_EQ(connection.query("SELECT analytics.position_at($1)", pg::Params(time))[0].get<Position>(0), reader.position_at(time));
    }
  }
}

TEST_F(AnalyticsViews, are_made_once) {
  EXPECT_THAT(make_analytics_views(url).made, SizeIs(view_count));
  const AnalyticsReport again = make_analytics_views(url);
  EXPECT_FALSE(again.changed());
  EXPECT_THAT(again.stale, IsEmpty());
}

TEST_F(AnalyticsViews, can_be_made_by_several_processes_at_once) {
  std::atomic<std::size_t> made = 0;
  {
    std::vector<std::jthread> processes;
    for (int i = 0; i < 6; ++i) processes.emplace_back([&] { made += make_analytics_views(url).made.size(); });
  }
  EXPECT_EQ(made, view_count);
  EXPECT_EQ(connection.query("SELECT 1 FROM pg_views WHERE schemaname = 'analytics'").size(), static_cast<int>(view_count));
}

TEST_F(AnalyticsViews, follow_the_events_when_their_shape_changes) {
  make_analytics_views(url);
  const auto columns = columns_of("anime_rated");
  const std::string ours = "'Made by BloomWatch from its events. Definition of before'";
  connection.script(
      "DROP VIEW analytics.anime_rated; CREATE VIEW analytics.anime_rated AS SELECT 'old' AS was, 1 AS position; "
      "COMMENT ON VIEW analytics.anime_rated IS " +
      ours +
      "; CREATE VIEW analytics.anime_praised AS SELECT 1 AS position; "
      "COMMENT ON VIEW analytics.anime_praised IS " +
      ours + "; CREATE VIEW analytics.somebodys AS SELECT 1 AS position");
  const AnalyticsReport report = make_analytics_views(url);
  EXPECT_EQ(report.made, std::vector<std::string>{"anime_rated"});
  EXPECT_EQ(report.dropped, std::vector<std::string>{"anime_praised"});
  EXPECT_EQ(columns_of("anime_rated"), columns);
  EXPECT_THAT(columns_of("somebodys"), SizeIs(1));
  EXPECT_EQ(as_analyst("SELECT * FROM analytics.anime_rated"), "");
}

TEST_F(AnalyticsViews, that_somebody_stands_on_are_told_and_hold_nobody_up) {
  make_analytics_views(url);
  connection.script(
      "DROP VIEW analytics.anime_rated; CREATE VIEW analytics.anime_rated AS SELECT 'old' AS was; "
      "COMMENT ON VIEW analytics.anime_rated IS 'Made by BloomWatch from its events. Definition of before'; "
      "CREATE VIEW public.mine AS SELECT was FROM analytics.anime_rated");
  const AnalyticsReport report = make_analytics_views(url);
  ASSERT_THAT(report.stale, SizeIs(1));
  EXPECT_THAT(report.stale[0], HasSubstr("anime_rated"));
  EXPECT_THAT(columns_of("anime_rated"), SizeIs(1));
  connection.script("DROP VIEW public.mine");
  EXPECT_EQ(make_analytics_views(url).made, std::vector<std::string>{"anime_rated"});
}

TEST_F(AnalyticsViews, are_made_without_a_role_by_a_user_who_may_make_none) {
  const std::string suffix = std::to_string(::getpid());
  const std::string user = "bloomwatch_modest_" + suffix;
  connection.script("CREATE ROLE " + user + " LOGIN; GRANT ALL ON SCHEMA analytics TO " + user + "; GRANT USAGE ON SCHEMA log TO " + user +
                    "; GRANT SELECT ON log.events TO " + user);
  const std::string missing_role = "bloomwatch_missing_" + suffix;
  const AnalyticsReport report = make_analytics_views(url + "&user=" + user, missing_role);
  EXPECT_THAT(report.made, SizeIs(view_count));
  EXPECT_THAT(report.no_role, HasSubstr("permission denied"));
  EXPECT_FALSE(make_analytics_views(url + "&user=" + user, missing_role).changed());
  // Once somebody has made it, it is let in.
  connection.script("CREATE ROLE " + missing_role);
  EXPECT_THAT(make_analytics_views(url, missing_role).no_role, IsEmpty());
  EXPECT_EQ(connection.query("SELECT 1 WHERE has_table_privilege($1, 'analytics.anime_rated', 'SELECT')", pg::Params(missing_role)).size(),
            1);
  connection.script("DROP OWNED BY " + user + ", " + missing_role + "; DROP ROLE " + user + ", " + missing_role);
}

}  // namespace
}  // namespace bloomwatch::test
