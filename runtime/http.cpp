// The values of HTTP: requests, responses, and the decoding of addresses. No sockets; those are in http_server.cpp.
#include "runtime/http.h"

#include <algorithm>

#include "runtime/ascii.h"
#include "runtime/utf8.h"

namespace bloomwatch::http {
namespace {

std::optional<std::string_view> find_in(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "OTHER";
}

std::string_view to_string(Access access) {
  switch (access) {
    case Access::anyone:
      return "anyone";
    case Access::signed_in:
      return "signed-in";
    case Access::member:
      return "member";
    case Access::owner:
      return "owner";
    case Access::moderator:
      return "moderator";
    case Access::admin:
      return "admin";
    case Access::operators:
      break;
  }
  return "operators";
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  const std::string_view text = header_text_;
  for (const Field& field : fields_)
    if (ascii::same_ignoring_case(text.substr(field.name_at, field.name_size), name)) return text.substr(field.value_at, field.value_size);
  return std::nullopt;
}

std::optional<std::string> Request::header_list(std::string_view name) const {
  const std::string_view text = header_text_;
  std::optional<std::string> list;
  for (const Field& field : fields_) {
    if (!ascii::same_ignoring_case(text.substr(field.name_at, field.name_size), name)) continue;
    list = (list ? *list + ", " : std::string()) + std::string(text.substr(field.value_at, field.value_size));
  }
  return list;
}

std::optional<std::string_view> Request::bearer_token() const {
  const std::string_view credentials = header("Authorization").value_or("");
  const std::string_view scheme = credentials.substr(0, credentials.find(' '));
  const std::size_t token = credentials.find_first_not_of(' ', scheme.size());
  if (token == std::string_view::npos || !ascii::same_ignoring_case(scheme, "Bearer")) return std::nullopt;
  return credentials.substr(token);
}

std::optional<std::string_view> Request::query_param(std::string_view name) const { return find_in(query, name); }

std::optional<std::string_view> Request::path_param(std::string_view name) const { return find_in(path_params, name); }

void Request::add_header(std::string_view name, std::string_view value) {
  if (fields_.empty()) {
    constexpr std::size_t fields_expected = 8;
    constexpr std::size_t bytes_expected = 512;
    fields_.reserve(fields_expected);
    header_text_.reserve(bytes_expected);
  }
  const auto at = static_cast<std::uint32_t>(header_text_.size());
  const auto name_size = static_cast<std::uint32_t>(name.size());
  fields_.push_back({at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
  header_text_ += name;
  header_text_ += value;
}

Response json_response(std::string body, int status) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = ascii::hex_value(text[i + 1]);
      const int low = ascii::hex_value(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] == '\0') {
      return std::nullopt;
    } else {
      out += text[i];
    }
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

std::optional<Parameters> parse_query(std::string_view text, std::size_t params_max) {
  Parameters parameters;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (parameters.size() == params_max) return std::nullopt;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return std::nullopt;
    parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

// Responder --------------------------------------------------------------------------------------------------------------------------

Responder::Responder(std::move_only_function<void(Response)> sink) : sink_(std::move(sink)) {}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    abandon();
    connection_ = std::move(other.connection_);
    slot_ = other.slot_;
    user_ = other.user_;
    sink_ = std::move(other.sink_);
    other.sink_ = nullptr;
  }
  return *this;
}

Responder::~Responder() { abandon(); }

}  // namespace bloomwatch::http
