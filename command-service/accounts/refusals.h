// Why an accounts command is refused. The name is the stable type of the problem that a client sees.
#pragma once

#include <boost/describe.hpp>
#include <string_view>

namespace bloomwatch {
struct Problem;
}

namespace bloomwatch::accounts {

enum class Refusal {
  handle_reserved,
  email_taken,
  handle_taken,
  handle_changed_recently,
  wrong_credentials,
  wrong_password,
  refresh_token_unknown,
  refresh_token_reused,
  login_session_ended,
  no_such_login_session,
  no_such_account,
};
BOOST_DESCRIBE_ENUM(Refusal, handle_reserved, email_taken, handle_taken, handle_changed_recently, wrong_credentials, wrong_password,
                    refresh_token_unknown, refresh_token_reused, login_session_ended, no_such_login_session, no_such_account)

/// What a client is shown; null if the name is no refusal of this context.
const Problem* problem_of(std::string_view refusal);

}  // namespace bloomwatch::accounts
