// The decision about a registration.
#include "command-service/accounts/register_user.h"

#include "command-service/accounts/handles.h"
#include "command-service/accounts/refusals.h"

namespace bloomwatch {

using accounts::Refusal;

Decision<UserRegistered> RegisterUser::decide(const Actor& by, const User& account, const Claims& claims) const {
  if (account.exists()) return nothing;
  if (accounts::is_reserved(handle.text())) return refuse(Refusal::handle_reserved);
  if (claims.holder(*email_claim)) return refuse(Refusal::email_taken);
  if (!accounts::is_free(claims.holder(*handle_claim), *user, by.now)) return refuse(Refusal::handle_taken);
  Decision<UserRegistered> decision(UserRegistered{.profile = ProfileId(user->uuid),
                                                   .email = by.seal(email.text()),
                                                   .email_claim = *email_claim,
                                                   .handle = by.seal(handle.text()),
                                                   .handle_claim = *handle_claim,
                                                   .display_name = by.seal(display_name ? display_name->text() : handle.text()),
                                                   .password = *password_id});
  decision.take(*email_claim).take(*handle_claim);
  return decision;
}

}  // namespace bloomwatch
