// HTTP as a client: one POST, one answer, over TLS that is always verified. libcurl stays behind it.
// For calls to others' services (AniList) and for the operator program's to an instance. No redirects are followed: an answer that names
// another place is an answer.
#pragma once

#include <atomic>
#include <chrono>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http.h"

namespace bloomwatch::http {

/// Why no answer came. The text is for logs: it names hosts, never what was sent.
struct NoAnswer {
  enum class Why {
    unreachable,  ///< no connection: no address, nobody listens, a URL or protocol that is not taken
    untrusted,    ///< whoever answered is not shown to be who the URL says
    timed_out,
    too_large,  ///< the answer's body or header is beyond its limit
    cut_off,    ///< the connection ended before the answer did
    cancelled
  };
  Why why = Why::unreachable;
  std::string text = {};
};

/// One POST.
struct Call {
  std::string url;
  Parameters headers = {};
  std::string_view body = {};  ///< must live until the answer
  std::chrono::milliseconds time_max{10'000};
  std::size_t body_bytes_max = 1'048'576;  ///< of the answer, unpacked
};

/// Sends calls. Safe from all threads; connections are kept and used again.
class Client {
 public:
  struct Options {
    std::string ca_file = {};    ///< certificates to trust, PEM; empty: those of the system
    bool plain_allowed = false;  ///< also `http://`: for an instance on this machine
    bool direct = false;         ///< never by a proxy that the environment names: for tokens that no other machine may see
  };
  static constexpr std::chrono::milliseconds connect_max{5000};
  static constexpr std::size_t header_bytes_max = 65'536;  ///< of an answer
  static constexpr std::size_t idle_max = 4;               ///< connections that are kept

  explicit Client(Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Blocks until the answer, whatever its status, or why there is none. Header names of the answer are in lower case.
  std::expected<Response, NoAnswer> post(const Call& call);
  /// Calls under way end within about a second, later ones at once.
  void cancel() { cancelled_.store(true); }

 private:
  struct Handle;
  std::unique_ptr<Handle> take_handle();
  void give_back(std::unique_ptr<Handle> handle);

  const Options options_;
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace bloomwatch::http
