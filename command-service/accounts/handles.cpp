// The rules of handles.
#include "command-service/accounts/handles.h"

#include <algorithm>
#include <array>

#include "command-service/accounts/user.h"

namespace bloomwatch::accounts {
namespace {

constexpr auto reserved = std::to_array<std::string_view>({
    "abuse",       "account",  "accounts", "admin",      "administrator", "anilist",  "anime",    "anonymous",  "api",
    "app",         "auth",     "bloom",    "bloomwatch", "blog",          "bot",      "contact",  "dashboard",  "deleted",
    "demo",        "email",    "everyone", "explore",    "genre",         "guest",    "help",     "here",       "home",
    "info",        "legal",    "library",  "login",      "logout",        "mail",     "me",       "mod",        "moderator",
    "myanimelist", "news",     "nobody",   "null",       "official",      "owner",    "password", "postmaster", "privacy",
    "profile",     "register", "root",     "search",     "season",        "security", "server",   "settings",   "signin",
    "signup",      "space",    "spaces",   "staff",      "static",        "status",   "studio",   "support",    "sysadmin",
    "system",      "team",     "terms",    "test",       "undefined",     "user",     "users",    "webmaster",  "www",
});

}  // namespace

bool is_reserved(std::string_view handle) { return std::ranges::find(reserved, handle) != reserved.end(); }

bool is_free(const std::optional<ClaimHolder>& holder, UserId account, Time now) {
  if (!holder) return true;
  if (holder->category == User::category && holder->id == account.uuid) return true;
  return holder->retired_at && now >= *holder->retired_at + handle_rest;
}

}  // namespace bloomwatch::accounts
