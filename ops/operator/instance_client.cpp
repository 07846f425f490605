// POST with a bearer token.
#include "ops/operator/instance_client.h"

#include <fmt/core.h>

#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "runtime/json.h"

namespace bloomwatch::ops {
namespace {

struct WrongField {
  std::string pointer;
  std::string detail;
};
BOOST_DESCRIBE_STRUCT(WrongField, (), (pointer, detail))

/// The parts of a problem that are shown.
struct Refusal {
  std::string title;
  std::optional<std::string> detail;
  std::optional<std::vector<WrongField>> errors;
};
BOOST_DESCRIBE_STRUCT(Refusal, (), (title, detail, errors))

std::string refusal_of(const http::Response& answer) {
  std::string words = fmt::format("the instance answered {}", answer.status);
  const auto refusal = json::read<Refusal>(answer.body, json::Unknown::ignored);
  if (!refusal) return words;
  words += ": " + refusal->title;
  if (refusal->detail) words += ": " + *refusal->detail;
  for (const WrongField& wrong : refusal->errors.value_or(std::vector<WrongField>{}))
    words += fmt::format("\n  {}: {}", wrong.pointer, wrong.detail);
  return words;
}

}  // namespace

InstanceClient::InstanceClient(std::string url, std::string_view token)
    : url_(std::move(url)), authorization_("Bearer " + std::string(token)) {}

std::string InstanceClient::post(const std::string& path, const std::string& content_type, std::string_view body,
                                 std::chrono::seconds takes_max) {
  auto answer = client_.post({.url = url_ + path,
                              .headers = {{"Authorization", authorization_}, {"Content-Type", content_type}},
                              .body = body,
                              .time_max = takes_max,
                              .body_bytes_max = answer_bytes_max});
  if (!answer) throw std::runtime_error(fmt::format("{}{}: {}", url_, path, answer.error().text));
  if (answer->status != 200) throw std::runtime_error(refusal_of(*answer));
  return std::move(answer->body);
}

}  // namespace bloomwatch::ops
