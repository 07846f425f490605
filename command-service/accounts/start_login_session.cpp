// The decision about a log-in.
#include "command-service/accounts/start_login_session.h"

#include "command-service/accounts/refusals.h"

namespace bloomwatch {

using accounts::Refusal;

std::optional<std::string> device_from(std::string_view user_agent) {
  std::string device;
  for (const char c : user_agent) {
    if (device.size() == device_length_max) break;
    if (c >= ' ' && c < 0x7f) device += c;
  }
  if (device.find_first_not_of(' ') == std::string::npos) return std::nullopt;
  return device;
}

Decision<LoginSessionStarted> StartLoginSession::decide(const Actor& by, const LoginSession& started, const User& account) const {
  if (started.account) return nothing;
  if (!account.exists() || account.password != proven) return refuse(Refusal::wrong_credentials);
  LoginSessionStarted event{.profile = *account.profile, .password = proven};
  if (device) event.device = by.seal(*device);
  return event;
}

}  // namespace bloomwatch
