// Errors as clients see them: RFC 9457 `application/problem+json` with a stable type, the wrong fields and a trace id.
// What is shown is not what is logged: details here are for the person at the other end. Contexts add types of their own.
// Plain values; rendering has no side effects.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http.h"
#include "runtime/json.h"
#include "runtime/uuid.h"

namespace bloomwatch {

/// One problem. `type` is a stable slug, rendered as `/problems/<slug>`; `title` is the same for every problem of a type.
struct Problem {
  int status = 500;
  std::string type = "internal";
  std::string title = "Something went wrong here";
  std::string detail = {};                               ///< a sentence about this occurrence; empty: left out
  json::FieldErrors errors = {};                         ///< empty: left out
  std::optional<std::chrono::seconds> retry_after = {};  ///< also the Retry-After header
  http::Parameters headers = {};                         ///< more headers, `Allow` for one
  std::string cause = {};                                ///< what was broken: logged with the request, not shown

  /// The same with another detail.
  Problem with_detail(std::string text) const;
};

/// The answer: status, `application/problem+json`, headers. `trace_id` is the request's id.
http::Response to_response(const Problem& problem, const Uuid& trace_id);

namespace problems {

Problem malformed(std::string detail);                         ///< 400: no HTTP or no URL that we understand
Problem validation(json::FieldErrors errors);                  ///< 400: wrong fields, all of them
Problem unauthorized(std::string detail = {});                 ///< 401 with WWW-Authenticate: Bearer
Problem forbidden(std::string detail = {});                    ///< 403
Problem not_found(std::string detail = {});                    ///< 404
Problem method_not_allowed(std::string allow);                 ///< 405 with Allow
Problem request_timeout();                                     ///< 408
Problem conflict(std::string detail = {});                     ///< 409
Problem gone(std::string detail = {});                         ///< 410
Problem length_required();                                     ///< 411
Problem payload_too_large(std::size_t bytes_max);              ///< 413
Problem uri_too_long();                                        ///< 414
Problem unsupported_media_type(std::string detail);            ///< 415
Problem unprocessable(std::string detail = {});                ///< 422
Problem too_many_requests(std::chrono::seconds retry_after);   ///< 429
Problem header_too_large(std::size_t bytes_max);               ///< 431
Problem internal(const Uuid& incident, std::string cause);     ///< 500: our own mistake; the incident is the request's id
Problem not_implemented(std::string detail);                   ///< 501
Problem unavailable(const Uuid& incident, std::string cause);  ///< 503: something that we stand on is broken
Problem overloaded();                                          ///< 503: a queue is full
Problem read_model_behind(std::chrono::seconds retry_after = std::chrono::seconds(1));  ///< 503
Problem version_not_supported();                                                        ///< 505

/// What json::read_command and json::read_query found wrong: 404 if an id in the path is ill-formed, else 400 with all fields.
Problem wrong_fields(json::FieldErrors errors);

}  // namespace problems
}  // namespace bloomwatch
