// POST with a bearer token.
#include "ops/operator/instance_client.h"

#include <fmt/core.h>

#include <stdexcept>
#include <utility>

namespace bloomwatch::ops {

InstanceClient::InstanceClient(std::string url, std::string_view token)
    : url_(std::move(url)), authorization_("Bearer " + std::string(token)) {}

http::Response InstanceClient::post(const std::string& path, const std::string& content_type, std::string_view body,
                                    std::chrono::seconds takes_max) {
  auto answer = client_.post({.url = url_ + path,
                              .headers = {{"Authorization", authorization_}, {"Content-Type", content_type}},
                              .body = body,
                              .time_max = takes_max,
                              .body_bytes_max = answer_bytes_max});
  if (!answer) throw std::runtime_error(fmt::format("{}{}: {}", url_, path, answer.error().text));
  return std::move(*answer);
}

}  // namespace bloomwatch::ops
