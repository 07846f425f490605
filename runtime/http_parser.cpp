// What is kept of a request as it is parsed.
#include "runtime/http_parser.h"

#include <algorithm>
#include <boost/beast/http/error.hpp>

#include "runtime/ascii.h"

namespace bloomwatch::http {
namespace {

namespace parsing = boost::beast::http;

Method method_of(parsing::verb verb) {
  switch (verb) {
    case parsing::verb::get:
      return Method::get;
    case parsing::verb::head:
      return Method::head;
    case parsing::verb::post:
      return Method::post;
    case parsing::verb::put:
      return Method::put;
    case parsing::verb::patch:
      return Method::patch;
    case parsing::verb::delete_:
      return Method::del;
    case parsing::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

}  // namespace

Parser::Parser(std::atomic<std::size_t>& held, std::size_t held_max) : held_(held), held_max_(held_max) {
  body_limit(boost::none);  // routes differ; checked here
  eager(false);             // stops after the header, when the route is looked for
}

Parser::~Parser() { held_ -= held_here_; }

void Parser::on_request_impl(parsing::verb verb, Text, Text text, int number, Error&) {
  version = number;
  request.method = method_of(verb);
  is_head = request.method == Method::head;
  target = text;
}

void Parser::on_response_impl(int, Text, int, Error&) {}

void Parser::on_field_impl(parsing::field field, Text name, Text value, Error&) {
  if (header_done_) return;  // a trailer says nothing that we want
  switch (field) {
    case parsing::field::host:
      ++hosts;
      break;
    case parsing::field::transfer_encoding:
      only_chunked = !has_transfer_encoding && ascii::same_ignoring_case(value, "chunked");
      has_transfer_encoding = true;
      break;
    case parsing::field::expect:
      expects_continue = version >= 11 && ascii::same_ignoring_case(value, "100-continue");  // RFC 9110 §10.1.1
      break;
    case parsing::field::content_encoding:
      has_content_encoding = !ascii::same_ignoring_case(value, "identity");
      break;
    default:
      break;
  }
  request.add_header(name, value);
}

void Parser::on_header_impl(Error&) { header_done_ = true; }

void Parser::on_body_init_impl(const boost::optional<std::uint64_t>& length, Error&) {
  if (length && keeps_body) request.body.reserve(std::min<std::size_t>(*length, small_body_bytes_max));
}

std::size_t Parser::on_body_impl(Text bytes, Error& error) {
  body_bytes_ += bytes.size();
  if (body_bytes_ > body_bytes_max) body_refusal = BodyRefusal::too_large;
  if (keeps_body) {
    held_here_ += bytes.size();
    const std::size_t held = held_ += bytes.size();
    if (held > (held_here_ > small_body_bytes_max ? held_max_ / 2 : held_max_)) body_refusal = BodyRefusal::too_many_held;
  }
  if (body_refusal != BodyRefusal::none) {
    error = parsing::error::body_limit;
    return 0;
  }
  if (keeps_body) request.body += bytes;
  return bytes.size();
}

void Parser::on_chunk_header_impl(std::uint64_t, Text, Error&) {}

std::size_t Parser::on_chunk_body_impl(std::uint64_t, Text bytes, Error& error) { return on_body_impl(bytes, error); }

void Parser::on_finish_impl(Error&) {}

std::optional<Uuid> correlation_of(const Request& request) {
  const auto id_of = [](std::string_view text) {
    const auto id = Uuid::parse(text);
    return id && !id->is_nil() ? id : std::nullopt;
  };
  if (const auto text = request.header("X-Correlation-Id"))
    if (const auto id = id_of(*text)) return id;
  const auto parent = request.header("traceparent");
  if (!parent || parent->size() < 55 || (*parent)[2] != '-' || (*parent)[35] != '-') return std::nullopt;
  const std::string_view trace = parent->substr(3, 32);
  std::string text;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    text += trace[i];
  }
  return id_of(text);
}

}  // namespace bloomwatch::http
