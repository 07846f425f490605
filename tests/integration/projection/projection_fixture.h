// A fresh database with a log to append to and read models to fold, one step at a time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "events/log.h"
#include "projector/follower.h"
#include "projector/models.h"
#include "projector/verify.h"
#include "tests/integration/projection/history.h"
#include "tests/postgres_cluster.h"

namespace bloomwatch::test {

using projection::Follower;
using projection::Slot;

inline constexpr std::int16_t whole_log[] = {Cursor::whole_log};

/// Of every read model that there is.
inline std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& model : projection::all_models()) names.emplace_back(model->name());
  return names;
}

class ProjectionTest : public testing::Test {
 protected:
  ProjectionTest() : ProjectionTest(fresh_database()) {}
  explicit ProjectionTest(std::string database_url) : url(std::move(database_url)) { writer_.reconnect(); }

  /// Appends in batches of at most 500.
  void append(const std::vector<NewEvent>& events) {
    for (std::size_t start = 0; start < events.size(); start += 500) {
      const std::size_t size = std::min<std::size_t>(500, events.size() - start);
      Batch batch{.fence = reader.head()};
      batch.events.assign(events.begin() + static_cast<std::ptrdiff_t>(start), events.begin() + static_cast<std::ptrdiff_t>(start + size));
      writer_.send(batch);
      const auto outcomes = writer_.poll(std::chrono::seconds(20));
      ASSERT_EQ(outcomes.size(), 1U);
      ASSERT_EQ(outcomes[0].result, AppendResult::committed) << outcomes[0].detail;
    }
  }

  Follower open_follower() {
    Follower follower(url, Slot::live, projection::all_models());
    follower.open(whole_log);
    return follower;
  }

  /// Folds at most `limit` events that come next; false if there were none.
  bool fold_some(Follower& follower, std::size_t limit) {
    const auto events = reader.read(follower.cursor().at(Cursor::whole_log), limit);
    follower.fold(events);
    return !events.empty();
  }
  void fold_all(Follower& follower, std::size_t limit = 1000) {
    while (fold_some(follower, limit)) {
    }
  }

  std::int64_t count(const std::string& from) { return connection.query("SELECT count(*) FROM " + from)[0].get<std::int64_t>(0); }

  /// All rows of a model as text, in order; sums of nothing left out.
  std::vector<std::string> rows_of(const std::string& model) {
    std::vector<std::string> rows;
    for (const std::string& table : projection::model_named(model, Slot::live)->tables()) {
      std::string where;
      if (model == "dashboard" && table == "pairs") where = " WHERE rated <> 0 OR gap_tenths <> 0";
      if (model == "dashboard" && table == "rated_together") where = " WHERE anime <> 0";
      if (model == "dashboard" && table == "spaces") where = " WHERE shows <> 0";
      if (model == "analytics" && table == "spaces") where = " WHERE backlog + watching + finished + paused + dropped <> 0";
      if (model == "analytics" && (table == "months" || table == "member_months" || table == "days")) where = " WHERE sessions <> 0";
      if (model == "analytics" && table == "scores") where = " WHERE anime <> 0";
      if (model == "analytics" && table == "votes") where = " WHERE votes <> 0";
      if (model == "recaps" && table == "member_days") where = " WHERE sessions <> 0";
      if (model == "recaps" && (table == "days" || table == "member_titles" || table == "titles")) where = " WHERE episodes <> 0";
      if (model == "recaps" && table == "taste") where = " WHERE rated <> 0 OR gap_tenths <> 0";
      for (const pg::Row row : connection.query("SELECT t::text FROM read_" + model + "." + table + " t" + where + " ORDER BY 1"))
        rows.push_back(table + row.get<std::string>(0));
    }
    return rows;
  }

  /// Whatever has been folded is right.
  void expect_rows_right() {
    for (const auto& verdict : projection::verify_models(url))
      EXPECT_TRUE(verdict.holds()) << verdict.model << ": " << testing::PrintToString(verdict.shown) << verdict.skipped;
  }
  /// So it is, and all has been folded.
  void expect_verified(const projection::VerifyOptions& options = {}) {
    for (const auto& verdict : projection::verify_models(url, options)) {
      EXPECT_TRUE(verdict.holds()) << verdict.model << ": " << testing::PrintToString(verdict.shown) << verdict.skipped;
      EXPECT_EQ(verdict.position, reader.head().position);
    }
  }

  std::string url;
  LogReader reader{url};
  pg::Connection connection{pg::Options{.url = url}};

 private:
  AppendPipeline writer_{url};
};

}  // namespace bloomwatch::test
