// Fuzzes the HTTP server through its socket: no bytes may crash it, and after any of them it still answers somebody else.
#include <cstdint>
#include <cstdlib>

#include "runtime/http.h"
#include "runtime/logging.h"
#include "tests/integration/http/raw_client.h"

namespace bloomwatch {
namespace {

http::Server& server() {
  static const auto made = [] {
    log::set_level(log::Level::off);
    http::Routes routes;
    routes.add(http::Method::get, "/a/{b}", http::Access::anyone,
               [](http::Request request, http::Responder respond) { respond(http::json_response(std::to_string(request.query.size()))); });
    routes.add(http::Method::post, "/a", http::Access::anyone,
               [](http::Request request, http::Responder respond) { respond(http::json_response(std::to_string(request.body.size()))); });
    http::ServerOptions options;
    options.threads = 1;
    auto server = std::make_unique<http::Server>(std::move(routes), std::move(options));
    server->start();
    return server;
  }();
  return *made;
}

}  // namespace
}  // namespace bloomwatch

/// The first byte says after how many bytes the input is cut in two sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = std::min<std::size_t>(data[0], bytes.size());
  bloomwatch::RawClient client(bloomwatch::server().port());
  client.send(bytes.substr(0, cut));
  client.send(bytes.substr(cut));
  client.finish_sending();
  while (client.receive().status != 0) {
  }
  static std::size_t runs = 0;
  if (++runs % 256 == 0) {
    bloomwatch::RawClient other(bloomwatch::server().port());
    if (other.ask("GET /a/b HTTP/1.1\r\nHost: x\r\n\r\n").status != 200) std::abort();
  }
  return 0;
}
