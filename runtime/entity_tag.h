// Entity tags: by them a reader who has an answer already is told so, with 304 in place of the same bytes (RFC 9110 §8.8.3, §13.1.2,
// §15.4.5). A tag is a hash of what is answered, so it is right for whatever answers, and nobody needs to know when that changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/http.h"

namespace bloomwatch::http {

/// A strong tag, `"<epoch>-<32 hex digits>"`: answers of one epoch with the same body and type have the same, others have others (128 bits
/// of XXH3). `epoch` has only characters that a tag may have.
std::string entity_tag(std::string_view epoch, const Response& response);

/// Whether the value of If-None-Match, a list of tags or `*`, has this one. Compared weakly, as the header asks: `W/"a"` has `"a"`. From
/// where a list is malformed it has nothing more.
bool none_match_has(std::string_view if_none_match, std::string_view tag);

/// What a reader has already, as their request says: the value of If-None-Match in all its lines.
std::optional<std::string> known_tags(const Request& request);

/// A 200 that only who asked may keep, to ask for it again each time, for what they may see can change at any moment: under its tag, or as
/// 304 with the same headers and no body if they have it.
Response kept_privately(Response response, std::string_view epoch, const std::optional<std::string>& known);

}  // namespace bloomwatch::http
