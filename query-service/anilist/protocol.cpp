// Questions as GraphQL, and the judgement of answers.
#include "query-service/anilist/protocol.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "runtime/ascii.h"
#include "runtime/json.h"

namespace bloomwatch::anilist {
namespace {

constexpr std::string_view summary_fields =
    "id idMal isAdult title{romaji english native} synonyms format status episodes duration season seasonYear genres averageScore "
    "popularity coverImage{large medium} nextAiringEpisode{airingAt episode}";
constexpr std::string_view detail_fields =
    " description(asHtml:false) bannerImage siteUrl updatedAt startDate{year month day} endDate{year month day} "
    "studios(isMain:true){nodes{name}}";

struct SearchVariables {
  std::string_view search;
  std::int32_t page = 1;
  std::int32_t per_page = page_items;
};
BOOST_DESCRIBE_STRUCT(SearchVariables, (), (search, page, per_page))

struct MediaVariables {
  std::int32_t id = 0;
};
BOOST_DESCRIBE_STRUCT(MediaVariables, (), (id))

template <class Variables>
std::string body_of(std::string_view query, const Variables& variables) {
  std::string body = "{\"query\":";
  json::write(body, query);
  body += ",\"variables\":";
  json::write(body, variables);
  body += '}';
  return body;
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole_header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return whole(value);
  return std::nullopt;
}

std::optional<int> small(std::optional<std::int64_t> value) {
  if (!value) return std::nullopt;
  return static_cast<int>(std::min<std::int64_t>(*value, 1'000'000));
}

/// Dates in Retry-After are not read: then the window is waited for.
RateNews rate_of(const http::Response& response, Time wall_now) {
  RateNews news;
  news.limit = small(whole_header(response, "x-ratelimit-limit"));
  news.remaining = small(whole_header(response, "x-ratelimit-remaining"));
  if (const auto seconds = small(whole_header(response, "retry-after"))) news.retry_after = std::chrono::seconds(*seconds);
  if (const auto reset = whole_header(response, "x-ratelimit-reset")) {
    const auto until = std::chrono::seconds(std::min<std::int64_t>(*reset, 1LL << 40)) - wall_now.time_since_epoch();
    news.reset_after = std::clamp(std::chrono::duration_cast<Milliseconds>(until), Milliseconds(0), Pace::told_wait_max);
  }
  return news;
}

std::optional<json::Value> member(const json::Value& object, std::string_view name) {
  if (object.kind() != json::Kind::object) return std::nullopt;
  json::Members members = object.members();
  std::string_view key;
  json::Value value;
  while (members.next(key, value))
    if (key == name) return value;
  return std::nullopt;
}

/// What the errors of an answer say, whatever they are made of.
struct Errors {
  bool any = false;
  std::optional<int> status = {};
  std::string message = {};
  std::optional<std::string> invalid_search = {};
};

void take_error(Errors& errors, const json::Value& error) {
  if (const auto status = member(error, "status"); status && status->kind() == json::Kind::integer && !errors.status)
    if (const auto number = status->integer(); number && *number >= 100 && *number <= 599) errors.status = static_cast<int>(*number);
  if (const auto message = member(error, "message"); message && message->kind() == json::Kind::string && errors.message.empty())
    errors.message = std::string(message->string().substr(0, 200));
  const auto validation = member(error, "validation");
  const auto search = validation ? member(*validation, "search") : std::nullopt;
  if (search) errors.invalid_search = "is not taken by AniList";
}

Errors errors_of(const json::Value& root) {
  Errors errors;
  const auto list = member(root, "errors");
  if (!list || list->kind() != json::Kind::array) return errors;
  errors.any = list->size() > 0;
  json::Elements elements = list->elements();
  json::Value error;
  while (elements.next(error)) take_error(errors, error);
  return errors;
}

bool has_data(const json::Value& root) {
  const auto data = member(root, "data");
  if (!data || data->kind() != json::Kind::object) return false;
  json::Members members = data->members();
  std::string_view key;
  json::Value value;
  while (members.next(key, value))
    if (!value.is_null()) return true;
  return false;
}

bool looks_like_html(const http::Response& response) {
  return response.content_type.contains("text/html") || ascii::trimmed(response.body).starts_with('<');
}

std::optional<Trouble> trouble_of(int status) {
  if (status == 429) return Trouble::rate_limited;
  if (status >= 500) return Trouble::server_error;
  if (status == 403) return Trouble::outage;
  if (status == 404) return Trouble::not_found;
  if (status >= 400) return Trouble::invalid;
  if (status >= 300) return Trouble::nonsense;
  return std::nullopt;
}

std::optional<Trouble> trouble_of_no_json(const http::Response& response) {
  if (response.status == 429) return Trouble::rate_limited;
  if (response.status >= 500) return Trouble::server_error;
  return looks_like_html(response) || response.status == 403 ? Trouble::banned : Trouble::nonsense;
}

}  // namespace

std::string search_body(std::string_view text, int page) {
  static const std::string query =
      "query($search:String,$page:Int,$perPage:Int){Page(page:$page,perPage:$perPage){pageInfo{hasNextPage}"
      "media(search:$search,type:ANIME,sort:SEARCH_MATCH){" +
      std::string(summary_fields) + "}}}";
  return body_of(query, SearchVariables{text, page});
}

std::string media_body(std::int32_t id) {
  static const std::string query =
      "query($id:Int){Media(id:$id,type:ANIME){" + std::string(summary_fields) + std::string(detail_fields) + "}}";
  return body_of(query, MediaVariables{id});
}

Verdict judge(const http::Response& response, Time wall_now) {
  Verdict verdict;
  verdict.rate = rate_of(response, wall_now);
  verdict.why = "status " + std::to_string(response.status);
  json::Document document;
  const bool is_json = !document.parse(response.body) && document.root().kind() == json::Kind::object;
  if (!is_json) {
    verdict.trouble = trouble_of_no_json(response);
  } else {
    const Errors errors = errors_of(document.root());
    verdict.trouble = trouble_of(response.status);
    if (!verdict.trouble && errors.status) verdict.trouble = trouble_of(*errors.status);
    // Errors of single fields come beside data, and what there is can be used.
    if (!verdict.trouble && !has_data(document.root())) verdict.trouble = errors.any ? Trouble::server_error : Trouble::nonsense;
    if (verdict.trouble == Trouble::invalid) verdict.invalid_search = errors.invalid_search;
    if (!errors.message.empty()) verdict.why += ": " + errors.message;
  }
  verdict.rate.refused = verdict.trouble == Trouble::rate_limited;
  return verdict;
}

Verdict judge(const http::NoAnswer& none) {
  Verdict verdict;
  verdict.why = none.text;
  switch (none.why) {
    case http::NoAnswer::Why::unreachable:
    case http::NoAnswer::Why::cut_off:
      verdict.trouble = Trouble::unreachable;
      break;
    case http::NoAnswer::Why::untrusted:
      verdict.trouble = Trouble::untrusted;
      break;
    case http::NoAnswer::Why::timed_out:
      verdict.trouble = Trouble::timed_out;
      break;
    case http::NoAnswer::Why::too_large:
      verdict.trouble = Trouble::too_large;
      break;
    case http::NoAnswer::Why::cancelled:
      verdict.trouble = Trouble::cancelled;
      break;
  }
  return verdict;
}

bool worth_retrying(Trouble trouble) {
  return trouble == Trouble::unreachable || trouble == Trouble::timed_out || trouble == Trouble::rate_limited ||
         trouble == Trouble::server_error;
}

bool is_failure(Trouble trouble) {
  switch (trouble) {
    case Trouble::rate_limited:
    case Trouble::invalid:
    case Trouble::not_found:
    case Trouble::cancelled:
    case Trouble::busy:
    case Trouble::resting:
      return false;
    default:
      return true;
  }
}

bool is_down(Trouble trouble) { return trouble == Trouble::outage || trouble == Trouble::banned || trouble == Trouble::untrusted; }

}  // namespace bloomwatch::anilist
