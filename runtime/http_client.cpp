// POST by libcurl's easy interface, one handle a call under way.
#include "runtime/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "runtime/ascii.h"

namespace bloomwatch::http {
namespace {

void initialise_once() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw std::runtime_error("libcurl cannot be used");
}

/// An answer as it comes in. libcurl calls back in the thread that asked.
struct Incoming {
  Response response;
  std::size_t header_bytes = 0;
  std::size_t body_bytes_max = 0;
  bool too_large = false;
  const std::atomic<bool>* cancelled = nullptr;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* into) {
  Incoming& incoming = *static_cast<Incoming*>(into);
  const std::size_t bytes = size * count;
  if (bytes > incoming.body_bytes_max - incoming.response.body.size()) {
    incoming.too_large = true;
    return 0;
  }
  incoming.response.body.append(data, bytes);
  return bytes;
}

std::size_t take_header_line(char* data, std::size_t size, std::size_t count, void* into) {
  Incoming& incoming = *static_cast<Incoming*>(into);
  const std::string_view line(data, size * count);
  incoming.header_bytes += line.size();
  if (incoming.header_bytes > Client::header_bytes_max) {
    incoming.too_large = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) incoming.response.headers.clear();  // what came before was provisional
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  const std::string name = ascii::lower_case(ascii::trimmed(line.substr(0, colon)));
  const std::string_view value = ascii::trimmed(line.substr(colon + 1));
  if (name == "content-type") incoming.response.content_type = value;
  incoming.response.headers.emplace_back(name, value);
  return line.size();
}

int look_for_cancel(void* from, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Incoming*>(from)->cancelled->load(std::memory_order_relaxed) ? 1 : 0;
}

NoAnswer::Why why_of(CURLcode code, const Incoming& incoming) {
  if (incoming.too_large) return NoAnswer::Why::too_large;
  switch (code) {
    case CURLE_FILESIZE_EXCEEDED:
      return NoAnswer::Why::too_large;
    case CURLE_OPERATION_TIMEDOUT:
      return NoAnswer::Why::timed_out;
    case CURLE_ABORTED_BY_CALLBACK:
      return NoAnswer::Why::cancelled;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return NoAnswer::Why::untrusted;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WEIRD_SERVER_REPLY:
      return NoAnswer::Why::cut_off;
    default:
      return NoAnswer::Why::unreachable;
  }
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList header_list(const Parameters& headers) {
  curl_slist* list = curl_slist_append(nullptr, "Expect:");  // no waiting for a 100
  for (const auto& [name, value] : headers) list = curl_slist_append(list, (name + ": " + value).c_str());
  return HeaderList(list);
}

}  // namespace

struct Client::Handle {
  Handle() : curl(curl_easy_init()) {
    if (curl == nullptr) throw std::runtime_error("libcurl cannot be used");
  }
  ~Handle() { curl_easy_cleanup(curl); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void trust(const Options& options) const {
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, options.plain_allowed ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
    if (options.direct) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  }

  void describe(const Call& call, curl_slist* headers) const {
    curl_easy_setopt(curl, CURLOPT_URL, call.url.c_str());
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "BloomWatch");
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.data());  // NOLINT(bugprone-suspicious-stringview-data-usage): the size follows
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, call.time_max.count())));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_max.count()));
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(call.body_bytes_max));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  }

  void deliver_to(Incoming& incoming) const {
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &incoming);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header_line);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &incoming);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_cancel);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &incoming);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  }

  CURL* curl;
};

Client::Client(Options options) : options_(std::move(options)) { initialise_once(); }
Client::~Client() = default;

std::unique_ptr<Client::Handle> Client::take_handle() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Handle>();
  auto handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

/// What was asked for is forgotten, the connection is kept.
void Client::give_back(std::unique_ptr<Handle> handle) {
  curl_easy_reset(handle->curl);
  const std::lock_guard lock(mutex_);
  if (idle_.size() < idle_max) idle_.push_back(std::move(handle));
}

std::expected<Response, NoAnswer> Client::post(const Call& call) {
  if (cancelled_.load()) return std::unexpected(NoAnswer{NoAnswer::Why::cancelled, "the client is being stopped"});
  Incoming incoming;
  incoming.body_bytes_max = call.body_bytes_max;
  incoming.cancelled = &cancelled_;
  const HeaderList headers = header_list(call.headers);
  auto handle = take_handle();
  handle->trust(options_);
  handle->describe(call, headers.get());
  handle->deliver_to(incoming);
  const CURLcode code = curl_easy_perform(handle->curl);
  long status = 0;
  curl_easy_getinfo(handle->curl, CURLINFO_RESPONSE_CODE, &status);
  give_back(std::move(handle));
  if (code != CURLE_OK) return std::unexpected(NoAnswer{why_of(code, incoming), curl_easy_strerror(code)});
  incoming.response.status = static_cast<int>(status);
  return std::move(incoming.response);
}

}  // namespace bloomwatch::http
