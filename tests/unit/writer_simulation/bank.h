// A little domain for the simulation of the writer: accounts with a balance, a label and a unique name. Small, so that commands conflict.
// Its decider is written once and asked twice: by the writer with what it holds in memory, by the oracle with the fold of the log.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "command-service/writer.h"

namespace bloomwatch::simulation {

inline constexpr int accounts_max = 5;
inline constexpr int names_max = 3;
inline constexpr std::string_view account_category = "account";

inline Uuid small_uuid(std::uint8_t kind, std::uint64_t number) {
  Uuid uuid;
  uuid.bytes[0] = kind;
  for (std::size_t i = 0; i < 8; ++i) uuid.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return uuid;
}
inline std::uint64_t number_in(const Uuid& uuid) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i < 16; ++i) number = number << 8 | uuid.bytes[i];
  return number;
}
inline StreamName stream_of(int account) { return {account_category, small_uuid(1, static_cast<std::uint64_t>(account))}; }
inline int account_of(const Uuid& stream_id) { return static_cast<int>(number_in(stream_id)); }
inline ClaimKey claim_of(int name) { return ClaimKey(small_uuid(2, static_cast<std::uint64_t>(name))); }
inline int name_of(ClaimKey claim) { return static_cast<int>(number_in(claim.uuid)); }

/// What happened to an account. `argument` is an amount, a label or a name.
struct Happened {
  int account;
  std::string_view type;
  int argument;

  bool operator==(const Happened&) const = default;
};

inline constexpr std::string_view paid_in = "PaidIn", paid_out = "PaidOut", labelled = "Labelled", named = "Named", unnamed = "Unnamed",
                                  name_retired = "NameRetired", warned = "Warned", poisoned = "Poisoned";

inline bool always_fits(std::string_view type) { return type == unnamed; }

inline int argument_in(std::string_view data) {
  int argument = 0;
  std::from_chars(data.data(), data.data() + data.size(), argument);
  return argument;
}

struct Account {
  int balance = 0;
  int label = 0;
  std::optional<int> name = {};
  int warnings = 0;

  bool operator==(const Account&) const = default;

  void evolve(std::string_view type, int argument) {
    if (type == paid_in) balance += argument;
    if (type == paid_out) balance -= argument;
    if (type == labelled) label = argument;
    if (type == named) name = argument;
    if (type == unnamed || type == name_retired) name.reset();
    if (type == warned) ++warnings;
  }
};

inline constexpr std::int32_t account_shape = 1;

/// All that an account is, as its snapshots have it.
inline std::string in_words(const Account& account) {
  return fmt::format("{} {} {} {}", account.balance, account.label, account.warnings, account.name.value_or(-1));
}

enum class WishKind {
  pay_in,
  pay_out,
  pay_out_by_name,
  transfer,
  label,
  take_name,
  give_up_name,
  retire_name,
  try_forbidden,
  warn,
  poison,
  throw_up,
};
inline constexpr std::array wish_names{"pay in",       "pay out",     "pay out by name", "transfer", "label",  "take name",
                                       "give up name", "retire name", "try forbidden",   "warn",     "poison", "throw up"};

struct Wish {
  WishKind kind = WishKind::pay_in;
  int account = 0;
  int other = 0;
  int amount = 1;
  int name = 0;
  bool creates = false;  ///< answers 201
  bool fresh = false;    ///< the account's id was minted for this command

  bool operator==(const Wish&) const = default;
};

struct Outcome {
  std::vector<Happened> events = {};
  std::vector<ClaimChange> claims = {};
  std::string_view refusal = {};
  bool recordable = true;
  int account = 0;  ///< whose version the answer tells
};

/// `View`: `const Account& account(int)`, `std::optional<ClaimHolder> holder(int name)`.
template <class View>
Outcome decide(const Wish& wish, const View& view, Time recorded_at) {
  const ClaimHolder me{std::string(account_category), stream_of(wish.account).id};
  const auto no = [&](std::string_view why, int account) { return Outcome{.refusal = why, .account = account}; };
  const auto one = [](int account, std::string_view type, int argument) {
    return Outcome{.events = {{account, type, argument}}, .account = account};
  };
  switch (wish.kind) {
    case WishKind::pay_in:
      return one(wish.account, paid_in, wish.amount);
    case WishKind::pay_out:
      if (view.account(wish.account).balance < wish.amount) return no("overdrawn", wish.account);
      return one(wish.account, paid_out, wish.amount);
    case WishKind::pay_out_by_name: {
      const std::optional<ClaimHolder> holder = view.holder(wish.name);
      if (!holder) return no("no_such_name", wish.account);
      const int account = account_of(holder->id);
      if (view.account(account).balance < wish.amount) return no("overdrawn", account);
      return one(account, paid_out, wish.amount);
    }
    case WishKind::transfer:
      if (wish.account == wish.other) return {.account = wish.account};
      if (view.account(wish.account).balance < wish.amount) return no("overdrawn", wish.account);
      if (view.account(wish.other).balance > 6) return no("rich", wish.account);
      return {.events = {{wish.account, paid_out, wish.amount}, {wish.other, paid_in, wish.amount}}, .account = wish.account};
    case WishKind::label:
      if (view.account(wish.account).label == wish.amount) return {.account = wish.account};
      return one(wish.account, labelled, wish.amount);
    case WishKind::take_name: {
      const Account& account = view.account(wish.account);
      const std::optional<ClaimHolder> holder = view.holder(wish.name);
      if (account.name == wish.name) return {.account = wish.account};
      if (holder && (holder->id != me.id || !holder->retired_at)) return no("name_taken", wish.account);
      Outcome outcome{.account = wish.account};
      if (account.name) {
        outcome.events.push_back({wish.account, unnamed, *account.name});
        outcome.claims.push_back({claim_of(*account.name), std::nullopt});
      }
      outcome.events.push_back({wish.account, named, wish.name});
      outcome.claims.push_back({claim_of(wish.name), me});
      return outcome;
    }
    case WishKind::give_up_name:
    case WishKind::retire_name: {
      const Account& account = view.account(wish.account);
      if (!account.name) return {.account = wish.account};
      const bool retire = wish.kind == WishKind::retire_name;
      Outcome outcome = one(wish.account, retire ? name_retired : unnamed, *account.name);
      ClaimHolder former = me;
      former.retired_at = recorded_at;
      outcome.claims.push_back({claim_of(*account.name), retire ? std::optional(former) : std::nullopt});
      return outcome;
    }
    case WishKind::try_forbidden:
      return {.refusal = "forbidden", .recordable = false, .account = wish.account};
    case WishKind::warn: {
      Outcome outcome = one(wish.account, warned, 0);
      outcome.refusal = "warned";
      return outcome;
    }
    case WishKind::poison:
      return one(wish.account, poisoned, 0);
    case WishKind::throw_up:
      throw std::runtime_error("this decider throws");
  }
  return {};
}

/// An account as the writer holds it.
class AccountState : public StreamState {
 public:
  Account account;

  void apply(const RecordedEvent& event) override { account.evolve(event.type, argument_in(event.data)); }
  std::size_t bytes() const override { return sizeof *this; }
  std::optional<std::int32_t> snapshot_shape() const override { return account_shape; }
  std::string snapshot() const override { return in_words(account); }
  void restore(std::string_view text) override {
    int* const numbers[] = {&account.balance, &account.label, &account.warnings, &account.name.emplace()};
    for (int* number : numbers) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
      text.remove_prefix(std::min(text.size(), static_cast<std::size_t>(end - text.data()) + 1));
    }
    if (*account.name < 0) account.name.reset();
  }
};

inline std::unique_ptr<StreamState> make_account_state(std::string_view) { return std::make_unique<AccountState>(); }

/// The writer's memory as the decider sees it.
struct FactsView {
  const Facts& facts;

  const Account& account(int number) const { return facts.stream(stream_of(number)).as<AccountState>().account; }
  std::optional<ClaimHolder> holder(int name) const { return facts.claim(claim_of(name)).holder; }
};

/// A wish on its way through the writer. `answered` hears the outcome.
class BankWork : public Work {
 public:
  using Heard = std::function<void(const BankWork&, const Answer&)>;
  BankWork(CommandFrame command_frame, const Wish& wish, Uuid id, Heard answered)
      : Work(std::move(command_frame)), wish(wish), id(id), answered_(std::move(answered)) {}

  void needs(Needs& needs) const override {
    if (wish.kind == WishKind::pay_out_by_name) {
      const HeldClaim* claim = needs.claim(claim_of(wish.name));
      needs.stream(stream_of(wish.account));
      if (claim != nullptr && claim->holder) needs.stream({account_category, claim->holder->id});
      return;
    }
    const HeldStream* stream = wish.fresh ? needs.fresh(stream_of(wish.account)) : needs.stream(stream_of(wish.account));
    if (wish.kind == WishKind::transfer) needs.stream(stream_of(wish.other));
    if (wish.kind == WishKind::take_name) needs.claim(claim_of(wish.name));
    const bool renames = wish.kind == WishKind::take_name || wish.kind == WishKind::give_up_name || wish.kind == WishKind::retire_name;
    if (renames && stream != nullptr && stream->as<AccountState>().account.name)
      needs.claim(claim_of(*stream->as<AccountState>().account.name));
  }

  Decided decide(const Facts& facts, Time recorded_at) override {
    const Outcome outcome = simulation::decide(wish, FactsView{facts}, recorded_at);
    Decided decided{.claims = outcome.claims,
                    .stream = stream_of(outcome.account),
                    .id = id,
                    .created = wish.creates,
                    .refusal = outcome.refusal,
                    .recordable = outcome.recordable};
    for (const Happened& event : outcome.events) {
      NewEvent& one = decided.events.emplace_back();
      one.stream = stream_of(event.account);
      one.type = event.type;
      one.data = std::to_string(event.argument);
      one.always_fits = always_fits(event.type);
    }
    return decided;
  }

  void evolve(Facts& facts, std::span<const NewEvent> events) override {
    for (const NewEvent& event : events)
      facts.changing(event.stream).as<AccountState>().account.evolve(event.type, argument_in(event.data));
  }

  void answer(const Answer& answer) override { answered_(*this, answer); }

  const Wish wish;
  const Uuid id;

 private:
  Heard answered_;
};

}  // namespace bloomwatch::simulation
