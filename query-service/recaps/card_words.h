// What a recap's card says, in words. A person's card names nobody else; a space's card speaks of those members only who agreed, which is
// how its recap is read for it (RecapMembers::agreed).
#pragma once

#include "query-service/recaps/card.h"
#include "query-service/recaps/recap.h"

namespace bloomwatch {

RecapCard card_of(const MyRecap& recap);
RecapCard card_of(const SpaceRecap& recap);

}  // namespace bloomwatch
