// A master key is pinned to its database by the first service that starts.
#include "events/master_keys.h"

#include <optional>
#include <stdexcept>

#include "events/personal.h"
#include "runtime/postgres.h"

namespace bloomwatch {
namespace {

const pg::Statement select_fingerprint("SELECT fingerprint FROM secrets.master_key");
const pg::Statement insert_fingerprint("INSERT INTO secrets.master_key (fingerprint) VALUES ($1) ON CONFLICT DO NOTHING");
const pg::Statement select_a_key("SELECT account, wrapped FROM secrets.keys LIMIT 1");

std::optional<std::string> fingerprint_of(pg::Connection& connection) {
  const pg::Result rows = connection.run(select_fingerprint);
  if (rows.empty()) return std::nullopt;
  return std::string(as_text(rows[0].get<pg::Bytes>(0)));
}

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view why) {
  throw std::runtime_error(file.string() + ' ' + std::string(why) +
                           ": this database's secrets were made with another master key. Start with the home folder that it was made in,"
                           " or copy its master.key here");
}

}  // namespace

MasterKeys master_keys_of(const std::string& database_url, const std::filesystem::path& file) {
  pg::Connection connection({.url = database_url, .application_name = "bloomwatch master key"});
  const bool is_pinned = fingerprint_of(connection).has_value();
  const pg::Result a_key = connection.run(select_a_key);
  if ((is_pinned || !a_key.empty()) && !std::filesystem::exists(file)) refuse(file, "does not exist");
  MasterKeys keys = MasterKeys::load_or_create(file);
  // A database from before it remembered which master key is its own is known by what that opens.
  if (!is_pinned && !a_key.empty() && !DataKey::unwrap(a_key[0].get<UserId>(0), as_text(a_key[0].get<pg::Bytes>(1)), keys))
    refuse(file, "does not fit");
  connection.run(insert_fingerprint, pg::Params(pg::Bytes(keys.fingerprint.bytes())));
  if (fingerprint_of(connection) != as_text(keys.fingerprint.bytes())) refuse(file, "does not fit");
  return keys;
}

}  // namespace bloomwatch
