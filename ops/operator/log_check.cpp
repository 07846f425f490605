// The invariants of the log, event by event. Claims are read off the events' description: a member `…_claim` is taken by the event's
// stream (AnimeRemoved alone releases it) or all of `…_claims` are (TitleReferencesRemoved
// releases them), a member `former_…_claim` is retired by it, so an event that comes later is checked without
// being named here.
#include "ops/operator/log_check.h"

#include <fmt/core.h>

#include "events/codec.h"

namespace bloomwatch::ops {
namespace {

std::string in_words(const ClaimHolder& holder) {
  return holder.category + "-" + holder.id.to_string() + (holder.retired_at ? ", retired at " + to_rfc3339(*holder.retired_at) : "");
}

}  // namespace

void LogCheck::take(const RecordedEvent& event) {
  const Meta& meta = event.meta;
  const std::string here = fmt::format("position {}: ", meta.position);
  if (meta.position != last_.position + 1)
    found_.breach(here + fmt::format("follows {} (invariant 1: positions are dense)", last_.position));
  if (last_.position > 0 && meta.recorded_at < last_.recorded_at) found_.breach(here + "recorded before the event before it (invariant 2)");

  const auto [found, fresh] = streams_.try_emplace(meta.stream, Stream{0, meta.partition_key});
  Stream& stream = found->second;
  if (meta.version != stream.version + 1)
    found_.breach(here + fmt::format("{} has version {} after {} (invariant 2: versions are dense)", meta.stream.to_string(), meta.version,
                                     stream.version));
  if (meta.partition_key != stream.partition_key) found_.breach(here + meta.stream.to_string() + " changed its partition key");
  if (meta.partition != partition_of(meta.partition_key)) found_.breach(here + "the partition is not that of its partition key");
  stream.version = meta.version;

  // All events of a command are appended together, so a command that comes back was appended twice.
  if (meta.by.command != last_command_ && !commands_.insert(meta.by.command.uuid).second)
    found_.breach(here + "command " + meta.by.command.to_string() + " is in the log twice (invariant 3)");
  last_command_ = meta.by.command;
  last_ = {meta.position, meta.event_id, meta.recorded_at};
  try {
    take_claims(event);
  } catch (const UndecodableEvent& error) {
    found_.breach(here + error.what());
  }
}

void LogCheck::take_claims(const RecordedEvent& event) {
  const auto known = decode_one_of<AllEvents>(event, [&](const auto& data) {
    using E = std::remove_cvref_t<decltype(data)>;
    using Members = boost::describe::describe_members<E, boost::describe::mod_public>;
    boost::mp11::mp_for_each<Members>([&](auto member) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(data.*member.pointer)>, std::vector<ClaimKey>>) {
        for (const ClaimKey claim : data.*member.pointer) {
          if (std::is_same_v<E, TitleReferencesRemoved>)
            claims_.erase(claim);
          else
            claims_[claim] = {std::string(event.meta.stream.category), event.meta.stream.id};
        }
      }
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(data.*member.pointer)>, ClaimKey>) {
        const std::string_view name = member.name;
        if (!name.ends_with("_claim")) return;
        if (std::is_same_v<E, AnimeRemoved>) {
          claims_.erase(data.*member.pointer);
          return;
        }
        const ClaimHolder holder{std::string(event.meta.stream.category), event.meta.stream.id};
        ClaimHolder& row = claims_[data.*member.pointer];
        row = holder;
        if (name.starts_with("former_")) row.retired_at = event.meta.recorded_at;
      }
    });
  });
  if (!known) found_.breach(fmt::format("position {}: unknown event type {}", event.meta.position, event.type));
}

void LogCheck::compare_claims(std::optional<ClaimKey> after, const std::vector<ClaimChange>& rows, bool last_page) {
  auto expected = after ? claims_.upper_bound(*after) : claims_.begin();
  const auto end = last_page ? claims_.end() : rows.empty() ? expected : claims_.upper_bound(rows.back().key);
  for (const ClaimChange& row : rows) {
    for (; expected != end && expected->first < row.key; ++expected)
      found_.breach("claim " + expected->first.to_string() + " of " + in_words(expected->second) + " is missing");
    if (expected == end || expected->first != row.key) {
      found_.breach("claim " + row.key.to_string() + " of " + in_words(*row.holder) + " follows from no event");
      continue;
    }
    if (expected->second != *row.holder)
      found_.breach("claim " + row.key.to_string() + " is held by " + in_words(*row.holder) + ", not by " + in_words(expected->second));
    ++expected;
  }
  for (; expected != end; ++expected)
    found_.breach("claim " + expected->first.to_string() + " of " + in_words(expected->second) + " is missing");
}

}  // namespace bloomwatch::ops
