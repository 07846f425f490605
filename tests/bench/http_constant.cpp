// A server that answers a constant, to hold against nginx doing the same: what HTTP costs us before anything is done.
// Usage: http_constant [threads]; prints its port and serves until its standard input ends.
#include <cstdio>
#include <cstdlib>

#include "runtime/http.h"

using namespace bloomwatch;

int main(int argc, char** argv) {
  http::Routes routes;
  routes.add(http::Method::get, "/constant", http::Access::anyone,
             [](http::Request, http::Responder respond) { respond(http::json_response(R"({"id":"0190a5c8-0000-7000-8000-000000000000","version":1})")); });
  routes.add(http::Method::patch, "/api/watch-spaces/{watchSpace}/anime/{anime}/participant-rating", http::Access::member,
             [](http::Request, http::Responder respond) { respond(http::json_response(R"({"id":"0190a5c8-0000-7000-8000-000000000000","version":1})")); });
  http::ServerOptions options;
  options.threads = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 2;
  http::Server server(std::move(routes), std::move(options));
  server.start();
  std::printf("%u\n", server.port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}
