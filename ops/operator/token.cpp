// `bloomwatch token`, and the tokens that other subcommands use: from a handle by its claim to the account, whose stream says the rest.
#include "ops/operator/token.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>

#include "events/access.h"
#include "events/codec.h"
#include "events/log.h"
#include "ops/operator/subcommands.h"

namespace bloomwatch::ops {
namespace {

MasterKeys keys_of(const Target& target) {
  if (!std::filesystem::exists(target.master_key_file()))
    throw std::runtime_error("there is no " + target.master_key_file().string() + "; name the instance's --home");
  return MasterKeys::load_or_create(target.master_key_file());
}

}  // namespace

std::string operator_token(const Target& target, std::chrono::seconds life) { return OperatorTokens(keys_of(target)).mint(now() + life); }

std::string token_as(const Target& target, std::string_view handle, std::chrono::seconds life) {
  const MasterKeys keys = keys_of(target);
  LogReader reader(target.database(), "bloomwatch token");
  const LoadResult claim = reader.load({.streams = {}, .claims = {handle_claim(keys, handle)}, .keys = {}});
  if (claim.claims.empty() || !claim.claims.front().holder || claim.claims.front().holder->retired_at)
    throw std::runtime_error(fmt::format("nobody has the handle '{}'", handle));

  Principal principal{};
  principal.account = UserId(claim.claims.front().holder->id);
  principal.session = SessionId(Uuid::v7(now()));
  principal.expires_at = now() + life;
  for (const RecordedEvent& event : reader.stream({"user", principal.account.uuid})) {
    decode_one_of<UserEvents>(event, [&](const auto& data) {
      using E = std::remove_cvref_t<decltype(data)>;
      if constexpr (std::is_same_v<E, UserRegistered>) principal.profile = data.profile;
      if constexpr (std::is_same_v<E, UserRegistered> || std::is_same_v<E, PasswordChanged>) principal.password = data.password;
    });
  }
  return AccessTokens(keys).mint(principal);
}

void add_token(CLI::App& program, Action& action) {
  struct Options {
    Target target;
    std::string handle;
    std::int64_t seconds = std::chrono::seconds(access_token_life).count();
  };
  auto options = std::make_shared<Options>();
  CLI::App* token =
      program.add_subcommand("token", "Print an access token that speaks for a person (for who may read the instance's keys)");
  add_target(*token, options->target);
  token->add_option("--as", options->handle, "Their handle")->required();
  token
      ->add_option("--seconds", options->seconds, "How long it is good for")
      // Ended sessions and changed passwords are remembered for little longer: a token that outlived that would come back to life.
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{std::chrono::seconds(access_token_life).count()}))
      ->capture_default_str();
  token->callback([options, &action] {
    action = [options] {
      fmt::print("{}\n", token_as(options->target, options->handle, std::chrono::seconds(options->seconds)));
      return 0;
    };
  });
}

}  // namespace bloomwatch::ops
