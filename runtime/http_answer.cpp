// Writing answers.
#include "runtime/http_answer.h"

#include "runtime/ascii.h"

namespace bloomwatch::http {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

}  // namespace

void append_answer(std::string& out, const Response& response, const AnswerFrame& frame) {
  const auto header = [&out](std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    // A line break in a value would begin a header of somebody else's choosing.
    for (const char c : value) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    out += "\r\n";
  };
  constexpr std::size_t header_bytes_expected = 384;
  const bool bodiless = response.status == 204 || response.status == 304 || response.status / 100 == 1;
  out.reserve(out.size() + header_bytes_expected + response.body.size());
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_of(response.status);
  out += "\r\n";
  out += frame.date_line;
  if (!response.content_type.empty()) header("Content-Type", response.content_type);
  if (!bodiless) {
    out += "Content-Length: ";
    out += std::to_string(response.body.size());
    out += "\r\n";
  }
  out += "X-Request-Id: ";
  out += frame.request_id.to_string();
  out += "\r\nX-Content-Type-Options: nosniff\r\n";
  bool caching_said = false;
  for (const auto& [name, value] : response.headers) {
    caching_said |= ascii::same_ignoring_case(name, "Cache-Control");
    header(name, value);
  }
  if (!caching_said && (frame.pattern.empty() || frame.pattern.starts_with("/api"))) out += "Cache-Control: no-store\r\n";
  if (!frame.server_name.empty()) header("Server", frame.server_name);
  if (frame.close)
    out += "Connection: close\r\n";
  else if (frame.http_1_0)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
  if (!bodiless && !frame.head) out += response.body;
}

}  // namespace bloomwatch::http
