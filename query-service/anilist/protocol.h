// AniList's protocol: GraphQL by POST, and answers that have to be looked at twice. A 200 may carry errors, an outage is a 403 with a list
// of errors, a ban is a page of HTML. Pure: bytes in, values out, and whatever the bytes are, a value comes out.
// Source: docs.anilist.co as known when this was written; the service itself was not reachable then.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query-service/anilist/media.h"
#include "query-service/anilist/pace.h"
#include "runtime/http_client.h"

namespace bloomwatch::anilist {

inline constexpr int page_items = 50;                         ///< of a search, AniList's most
inline constexpr std::size_t answer_bytes_max = 2 << 20;      ///< larger ones are not read
inline constexpr std::size_t description_bytes_max = 20'000;  ///< what is longer is cut
inline constexpr std::size_t title_bytes_max = 2000;          ///< of a title; a longer one is left out
inline constexpr std::size_t words_max = 50;                  ///< synonyms, genres, studios; more are left out

std::string search_body(std::string_view text, int page);
std::string media_body(std::int32_t id);

/// Why there is nothing of use.
enum class Trouble {
  unreachable,
  untrusted,
  timed_out,
  too_large,
  rate_limited,
  outage,  ///< it says itself that the API is off
  banned,  ///< a page of HTML in place of an answer
  server_error,
  invalid,  ///< it does not take what was asked
  not_found,
  nonsense,  ///< an answer that is none
  cancelled,
  busy,    ///< not asked: the budget is spent for longer than anybody waits
  resting  ///< not asked: it was down a moment ago
};
BOOST_DESCRIBE_ENUM(Trouble, unreachable, untrusted, timed_out, too_large, rate_limited, outage, banned, server_error, invalid, not_found,
                    nonsense, cancelled, busy, resting)

/// What to make of an answer, before what it says is read.
struct Verdict {
  std::optional<Trouble> trouble = {};             ///< none: there are data
  std::string why = {};                            ///< for the log; never what was asked
  std::optional<std::string> invalid_search = {};  ///< what AniList says of the text that was searched for, if it refuses that
  RateNews rate = {};
};

Verdict judge(const http::Response& response, Time wall_now);
Verdict judge(const http::NoAnswer& none);

/// Whether the same again may help soon.
bool worth_retrying(Trouble trouble);
/// Whether it speaks against AniList's health: what the breaker counts.
bool is_failure(Trouble trouble);
/// Whether it says that there is no service at all.
bool is_down(Trouble trouble);

/// What a searching answer holds; items without a usable id are passed over. Nothing if it is no such answer.
std::optional<SearchPage> read_search(std::string_view body);
/// What an answer about one anime holds. Nothing if it is no such answer, or holds none.
std::optional<Media> read_media(std::string_view body);

}  // namespace bloomwatch::anilist
