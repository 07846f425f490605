// Names on the wire.
#include "runtime/json_types.h"

namespace bloomwatch::json {

std::string name_of_member(std::string_view member) {
  std::string name;
  for (std::size_t i = 0; i < member.size(); ++i) {
    if (member[i] == '_' && i > 0 && i + 1 < member.size())
      name += ascii::upper(member[++i]);
    else
      name += member[i];
  }
  return name;
}

}  // namespace bloomwatch::json
