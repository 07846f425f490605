// Logs: each line is one JSON object, whatever is in the texts.
#include "runtime/logging.h"

#include <gtest/gtest.h>

#include "runtime/json.h"

namespace bloomwatch {
namespace {

TEST(Log, writes_one_json_object_a_line) {
  const Uuid id = *Uuid::parse("0190a5c8-1111-7222-8333-444455556666");
  const std::string line = log::format_line(log::Level::error, Time(std::chrono::milliseconds(0)), "http", "a \"bad\"\nthing",
                                            {{"request", id}, {"count", 3}, {"ratio", 0.5}, {"ok", false}, {"error", std::string("x\ny")}});
  EXPECT_EQ(
      line,
      R"({"time":"1970-01-01T00:00:00.000Z","level":"error","module":"http","message":"a \"bad\"\nthing","request":"0190a5c8-1111-7222-8333-444455556666","count":3,"ratio":0.5,"ok":false,"error":"x\ny"})");
  EXPECT_TRUE(json::read<json::Raw>(line));
}

TEST(Log, leaves_out_what_is_not_known) {
  const std::string line = log::format_line(log::Level::info, Time(std::chrono::milliseconds(0)), "http", "answered",
                                            {{"user", Uuid()}, {"error", ""}, {"status", 0}});
  EXPECT_EQ(line, R"({"time":"1970-01-01T00:00:00.000Z","level":"info","module":"http","message":"answered","status":0})");
}

TEST(Log, keeps_quiet_below_its_level) {
  testing::internal::CaptureStderr();
  log::set_level(log::Level::warning);
  log::info("test", "not this");
  log::warning("test", "but this");
  log::set_level(log::Level::info);
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_EQ(out.find("not this"), std::string::npos);
  EXPECT_NE(out.find("but this"), std::string::npos);
  EXPECT_EQ(log::level_of("warning"), log::Level::warning);
  EXPECT_EQ(log::level_of("loud"), std::nullopt);
}

}  // namespace
}  // namespace bloomwatch
