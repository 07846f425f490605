// The secrets' tables, and the keys of them that are held open.
#include "command-service/secrets.h"

#include <utility>
#include <vector>

#include "events/invitation_address.h"

namespace bloomwatch {
namespace {

pg::Bytes bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

const pg::Statement insert_key("INSERT INTO secrets.keys (account, wrapped) VALUES ($1, $2)");
const pg::Statement insert_password("INSERT INTO secrets.passwords (id, account, hash) VALUES ($1, $2, $3)");
const pg::Statement insert_address("INSERT INTO secrets.invitation_addresses (id, box) VALUES ($1, $2)");
const pg::Statement select_password("SELECT hash FROM secrets.passwords WHERE id = $1 AND account = $2");
const pg::Statement select_key("SELECT wrapped FROM secrets.keys WHERE account = $1");

// Each step looks at the next rows in order of their key, $1 the last one seen, and tells the last one that it saw. Named is what an event
// of the account's stream names: found by the log's index on streams, so a step's cost does not grow with the log.
const pg::Statement sweep_keys_step(
    "WITH seen AS (SELECT account FROM secrets.keys WHERE account > $1 ORDER BY account LIMIT $2),"
    " gone AS (DELETE FROM secrets.keys k USING seen WHERE k.account = seen.account AND k.made_at < now() - make_interval(hours => $3)"
    "   AND NOT EXISTS (SELECT FROM log.events e WHERE e.stream_id = k.account AND e.category = 'user' AND e.version = 1) RETURNING 1)"
    " SELECT (SELECT account FROM seen ORDER BY account DESC LIMIT 1), (SELECT count(*) FROM gone)");
// An account's last password is all that a log-in reads; without its data key there is nobody to log in.
const pg::Statement sweep_passwords_step(
    "WITH seen AS (SELECT id FROM secrets.passwords WHERE id > $1 ORDER BY id LIMIT $2),"
    " gone AS (DELETE FROM secrets.passwords p USING seen WHERE p.id = seen.id AND p.made_at < now() - make_interval(hours => $3)"
    "   AND (NOT EXISTS (SELECT FROM secrets.keys k WHERE k.account = p.account)"
    "        OR p.id::text IS DISTINCT FROM (SELECT e.data->>'password' FROM log.events e WHERE e.stream_id = p.account"
    "             AND e.category = 'user' AND e.type IN ('UserRegistered', 'PasswordChanged') ORDER BY e.version DESC LIMIT 1))"
    "   RETURNING 1)"
    " SELECT (SELECT id FROM seen ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM gone)");
const pg::Statement addresses_step(
    "SELECT id, box, made_at < now() - make_interval(hours => $3) FROM secrets.invitation_addresses WHERE id > $1 ORDER BY id LIMIT $2");
// Needed is what an invitation names that nobody has accepted (from then on the address is the account's, under the account's key), unless
// it is the address of an account whose key was destroyed.
const pg::Statement delete_unneeded_addresses(
    "DELETE FROM secrets.invitation_addresses a USING unnest($1, $2) AS o (id, space) WHERE a.id = o.id"
    " AND (SELECT count(*) FILTER (WHERE e.type = 'MemberInvited' AND (h.key IS NULL OR k.account IS NOT NULL)) = 0"
    "          OR count(*) FILTER (WHERE e.type = 'MemberJoined') > 0"
    "      FROM log.events e LEFT JOIN log.claims h ON h.key = (e.data->>'invitee')::uuid LEFT JOIN secrets.keys k ON k.account = "
    "h.stream_id"
    "      WHERE e.stream_id = o.space AND e.category = 'watch-space' AND e.type IN ('MemberInvited', 'MemberJoined')"
    "        AND e.data->>'invitation' = o.id::text)");

}  // namespace

void Secrets::put_account(const DataKey& key, PasswordId password, std::string_view hash) {
  const std::string wrapped = key.wrap(keys_);
  const auto connection = pool_.checkout();
  pg::Transaction transaction(*connection);
  transaction.run(insert_key, pg::Params(key.account(), bytes_of(wrapped)));
  transaction.run(insert_password, pg::Params(password, key.account(), hash));
  transaction.commit();
}

void Secrets::put_password(PasswordId password, UserId account, std::string_view hash) {
  pool_.checkout()->run(insert_password, pg::Params(password, account, hash));
}

void Secrets::put_invitation_address(InvitationId invitation, WatchSpaceId watch_space, std::string_view email) {
  const std::string box = seal_invitation_address(keys_, invitation, {watch_space, std::string(email)});
  pool_.checkout()->run(insert_address, pg::Params(invitation, bytes_of(box)));
}

std::optional<std::string> Secrets::password_hash(PasswordId password, UserId account) {
  const pg::Result result = pool_.checkout()->run(select_password, pg::Params(password, account));
  if (result.empty()) return std::nullopt;
  return result[0].get<std::string>(0);
}

std::optional<DataKey> Secrets::data_key(UserId account) {
  const pg::Result result = pool_.checkout()->run(select_key, pg::Params(account));
  if (result.empty()) return std::nullopt;
  return DataKey::unwrap(account, as_text(result[0].get<pg::Bytes>(0)), keys_);
}

Secrets::Swept Secrets::sweep(std::chrono::hours age) {
  return {.keys = sweep_by_account(sweep_keys_step, age),
          .passwords = sweep_by_account(sweep_passwords_step, age),
          .invitation_addresses = sweep_addresses(age)};
}

std::int64_t Secrets::sweep_by_account(const pg::Statement& step, std::chrono::hours age) {
  std::int64_t gone = 0;
  for (Uuid last;;) {
    const pg::Result result = pool_.checkout()->run(step, pg::Params(last, step_max, static_cast<std::int32_t>(age.count())));
    const auto seen = result[0].get<std::optional<Uuid>>(0);
    if (!seen) return gone;
    gone += result[0].get<std::int64_t>(1);
    last = *seen;
  }
}

std::int64_t Secrets::sweep_addresses(std::chrono::hours age) {
  std::int64_t gone = 0;
  for (InvitationId last;;) {
    const pg::Result rows = pool_.checkout()->run(addresses_step, pg::Params(last, step_max, static_cast<std::int32_t>(age.count())));
    if (rows.empty()) return gone;
    std::vector<InvitationId> invitations;
    std::vector<WatchSpaceId> spaces;
    for (const pg::Row row : rows) {
      last = row.get<InvitationId>(0);
      if (!row.get<bool>(2)) continue;
      // One that does not open (another master key) is not ours to judge.
      const auto address = open_invitation_address(keys_, last, as_text(row.get<pg::Bytes>(1)));
      if (!address) continue;
      invitations.push_back(last);
      spaces.push_back(address->watch_space);
    }
    pg::Params params;
    params.add_array(invitations).add_array(spaces);
    if (!invitations.empty()) gone += pool_.checkout()->run(delete_unneeded_addresses, params).affected();
  }
}

void DataKeys::with_key(UserId account, Callback callback) {
  if (account.uuid.is_nil()) return callback(std::optional<DataKey>());
  if (auto key = held(account)) return callback(std::move(key));
  pipeline_.submit(select_key, pg::Params(account),
                   [this, account, callback = std::move(callback)](std::expected<pg::Result, pg::Error> result) mutable {
                     if (!result) return callback(std::unexpected(std::move(result.error())));
                     std::optional<DataKey> key;
                     if (!result->empty()) key = DataKey::unwrap(account, as_text((*result)[0].get<pg::Bytes>(0)), keys_);
                     // That there is none is not kept: registration may be making it.
                     if (key) hold(*key);
                     callback(std::move(key));
                   });
}

std::optional<DataKey> DataKeys::held(UserId account) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(account);
  if (entry == entries_.end()) return std::nullopt;
  if (Clock::now() - entry->second->since > limits_.fresh_for) {
    by_use_.erase(entry->second);
    entries_.erase(entry);
    return std::nullopt;
  }
  by_use_.splice(by_use_.begin(), by_use_, entry->second);
  return entry->second->key;
}

void DataKeys::hold(const DataKey& key) {
  const std::lock_guard lock(mutex_);
  if (const auto entry = entries_.find(key.account()); entry != entries_.end()) {
    by_use_.erase(entry->second);
    entries_.erase(entry);
  }
  by_use_.push_front({key, Clock::now()});
  entries_.emplace(key.account(), by_use_.begin());
  if (entries_.size() <= limits_.keys_max) return;
  entries_.erase(by_use_.back().key.account());
  by_use_.pop_back();
}

}  // namespace bloomwatch
