// Problems rendered, and the generic ones.
#include "runtime/problem.h"

namespace bloomwatch {
namespace {

Problem make(int status, std::string_view type, std::string_view title, std::string detail = {}) {
  Problem problem;
  problem.status = status;
  problem.type = type;
  problem.title = title;
  problem.detail = std::move(detail);
  return problem;
}

std::string noted_as(const Uuid& incident) { return "It has been noted as incident " + incident.to_string() + "."; }

void append_field(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  json::write(out, text);
}

}  // namespace

Problem Problem::with_detail(std::string text) const {
  Problem other = *this;
  other.detail = std::move(text);
  return other;
}

http::Response to_response(const Problem& problem, const Uuid& trace_id) {
  http::Response response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.headers = problem.headers;
  response.cause = problem.cause;
  if (problem.retry_after) response.headers.emplace_back("Retry-After", std::to_string(problem.retry_after->count()));
  std::string& out = response.body;
  out += "{\"type\":";
  json::write(out, "/problems/" + problem.type);
  append_field(out, "title", problem.title);
  out += ",\"status\":" + std::to_string(problem.status);
  if (!problem.detail.empty()) append_field(out, "detail", problem.detail);
  if (!problem.errors.empty()) {
    out += ",\"errors\":";
    json::write(out, problem.errors);
  }
  append_field(out, "trace_id", trace_id.to_string());
  out += '}';
  return response;
}

namespace problems {

Problem malformed(std::string detail) { return make(400, "malformed-request", "The request is malformed", std::move(detail)); }

Problem validation(json::FieldErrors errors) {
  Problem problem = make(400, "validation", "Some fields are wrong");
  problem.errors = std::move(errors);
  return problem;
}

Problem unauthorized(std::string detail) {
  Problem problem = make(401, "unauthorized", "Sign in first", std::move(detail));
  problem.headers.emplace_back("WWW-Authenticate", "Bearer");
  return problem;
}

Problem forbidden(std::string detail) { return make(403, "forbidden", "This is not yours to do", std::move(detail)); }

Problem not_found(std::string detail) { return make(404, "not-found", "There is nothing here", std::move(detail)); }

Problem method_not_allowed(std::string allow) {
  Problem problem = make(405, "method-not-allowed", "This method is not allowed here", "Allowed here: " + allow);
  problem.headers.emplace_back("Allow", std::move(allow));
  return problem;
}

Problem request_timeout() { return make(408, "request-timeout", "The request took too long to arrive"); }

Problem conflict(std::string detail) { return make(409, "conflict", "This contradicts what already is", std::move(detail)); }

Problem gone(std::string detail) { return make(410, "gone", "This is no longer here", std::move(detail)); }

Problem length_required() {
  return make(411, "length-required", "Say how long the body is", "Send Content-Length, or the body in chunks.");
}

Problem payload_too_large(std::size_t bytes_max) {
  return make(413, "payload-too-large", "The body is too large", "At most " + std::to_string(bytes_max) + " bytes are taken here.");
}

Problem uri_too_long() { return make(414, "uri-too-long", "The address is too long"); }

Problem unsupported_media_type(std::string detail) {
  return make(415, "unsupported-media-type", "This kind of body is not taken here", std::move(detail));
}

Problem unprocessable(std::string detail) { return make(422, "unprocessable", "This cannot be done", std::move(detail)); }

Problem too_many_requests(std::chrono::seconds retry_after) {
  Problem problem = make(429, "too-many-requests", "Too many requests");
  problem.retry_after = retry_after;
  return problem;
}

Problem header_too_large(std::size_t bytes_max) {
  return make(431, "header-too-large", "The header is too large", "At most " + std::to_string(bytes_max) + " bytes are taken.");
}

Problem internal(const Uuid& incident, std::string cause) {
  Problem problem = make(500, "internal", "Something went wrong here", noted_as(incident));
  problem.cause = std::move(cause);
  return problem;
}

Problem not_implemented(std::string detail) { return make(501, "not-implemented", "This is not implemented", std::move(detail)); }

Problem unavailable(const Uuid& incident, std::string cause) {
  Problem problem = make(503, "unavailable", "This does not work at the moment", noted_as(incident));
  problem.cause = std::move(cause);
  problem.retry_after = std::chrono::seconds(1);
  return problem;
}

Problem overloaded() {
  Problem problem = make(503, "overloaded", "Too much is going on at the moment", "Nothing was done. Try again in a moment.");
  problem.retry_after = std::chrono::seconds(1);
  return problem;
}

Problem read_model_behind(std::chrono::seconds retry_after) {
  Problem problem =
      make(503, "read-model-behind", "What you asked for is not visible yet", "The page has not reached the position that you named.");
  problem.retry_after = retry_after;
  return problem;
}

Problem version_not_supported() { return make(505, "version-not-supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here"); }

Problem wrong_fields(json::FieldErrors errors) {
  if (json::wrong_in_path(errors)) return not_found();
  return validation(std::move(errors));
}

}  // namespace problems
}  // namespace bloomwatch
