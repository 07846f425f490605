// An answer as bytes: status line, our own headers, the handler's, the body. Written by hand into the connection's buffer, since Beast's
// serialiser costs a fifth of the rate of small answers. No sockets here.
#pragma once

#include <string>
#include <string_view>

#include "runtime/http.h"
#include "runtime/uuid.h"

namespace bloomwatch::http {

/// What the connection knows of the request that is answered.
struct AnswerFrame {
  const Uuid& request_id;
  std::string_view pattern;      ///< empty: no route was found
  std::string_view date_line;    ///< whole, with its line end
  std::string_view server_name;  ///< empty: no Server header
  bool head = false;             ///< the body is described, not sent
  bool close = false;            ///< says `Connection: close`
  bool http_1_0 = false;         ///< says `Connection: keep-alive` unless it closes
};

/// Appends `response` to `out`. Line breaks in header values become spaces.
void append_answer(std::string& out, const Response& response, const AnswerFrame& frame);

}  // namespace bloomwatch::http
