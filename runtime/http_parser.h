// One request being read: Beast's parser, filling our own request. Included by the connection only: Beast takes seconds to compile.
// Limits on bodies are checked here, since they differ by route; limits on headers by the connection.
#pragma once

#include <atomic>
#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/http.h"

namespace bloomwatch::http {

/// A refused request's body is read and thrown away up to here, so that the connection can go on; beyond it the connection ends.
inline constexpr std::size_t discarded_bytes_max = 65'536;

/// Larger ones may fill half of the room that there is for all bodies: the few that come slowly leave the many small ones theirs.
inline constexpr std::size_t small_body_bytes_max = 65'536;

/// One message's parser; a new one for each. Fields go straight into the request, the body too while it is wanted and within its limit.
class Parser final : public boost::beast::http::basic_parser<true> {
 public:
  /// `held` counts the bytes of all bodies being read, of which there may be `held_max`, and half of that once one is no small one.
  Parser(std::atomic<std::size_t>& held, std::size_t held_max);
  ~Parser() override;

  Request request;
  std::string target;  ///< as sent
  int version = 11;
  std::size_t hosts = 0;
  bool is_head = false;
  bool has_transfer_encoding = false;
  bool only_chunked = false;
  bool expects_continue = false;
  bool has_content_encoding = false;

  bool keeps_body = false;
  std::size_t body_bytes_max = discarded_bytes_max;
  /// Why the body ended with an error of ours.
  enum class BodyRefusal { none, too_large, too_many_held };
  BodyRefusal body_refusal = BodyRefusal::none;

 private:
  using Error = boost::system::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb verb, Text method, Text text, int number, Error& error) override;
  void on_response_impl(int code, Text reason, int number, Error& error) override;
  void on_field_impl(boost::beast::http::field field, Text name, Text value, Error& error) override;
  void on_header_impl(Error& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Error& error) override;
  std::size_t on_body_impl(Text bytes, Error& error) override;
  void on_chunk_header_impl(std::uint64_t size, Text extensions, Error& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t remaining, Text bytes, Error& error) override;
  void on_finish_impl(Error& error) override;

  std::atomic<std::size_t>& held_;
  std::size_t held_max_;
  std::size_t held_here_ = 0;
  std::size_t body_bytes_ = 0;
  bool header_done_ = false;
};

/// The id that a caller gave its request: X-Correlation-Id as a UUID, else the trace id of a W3C traceparent. What is none, or nil, counts
/// as not there.
std::optional<Uuid> correlation_of(const Request& request);

}  // namespace bloomwatch::http
