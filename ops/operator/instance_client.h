// Commands that the operator program sends to the running instance, as any client does.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "runtime/http_client.h"

namespace bloomwatch::ops {

/// One token's requests to an instance. For one thread.
class InstanceClient {
 public:
  static constexpr std::size_t answer_bytes_max = 256 << 20;  ///< an import answers a line a row

  /// `url` is the instance's, without a path.
  InstanceClient(std::string url, std::string_view token);

  /// The body of the answer. Throws std::runtime_error when there is none within `takes_max`, and for another status than 200 with the
  /// reasons that the answer gives: title, detail and every wrong field of a problem (RFC 9457), else the bare status.
  std::string post(const std::string& path, const std::string& content_type, std::string_view body, std::chrono::seconds takes_max);

 private:
  std::string url_;
  std::string authorization_;
  http::Client client_{{.plain_allowed = true, .direct = true}};
};

}  // namespace bloomwatch::ops
