// Pointers to what is wrong.
#include "runtime/json_errors.h"

#include <algorithm>

namespace bloomwatch::json {
namespace {

void append_pointer_step(std::string& out, std::string_view name) {
  const bool cut = name.size() > name_shown_bytes_max;
  if (cut) {
    name = name.substr(0, name_shown_bytes_max);
    while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xc0) == 0x80) name.remove_suffix(1);
    if (!name.empty() && static_cast<unsigned char>(name.back()) >= 0xc0) name.remove_suffix(1);
  }
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  if (cut) out += "…";
}

}  // namespace

bool wrong_in_path(const FieldErrors& errors) {
  return std::any_of(errors.begin(), errors.end(), [](const FieldError& error) { return error.in == In::path; });
}

std::string Path::pointer() const {
  if (!parent) return {};
  std::string out = parent->pointer();
  out += '/';
  if (name.data() != nullptr)
    append_pointer_step(out, name);
  else
    out += std::to_string(index);
  return out;
}

void Errors::add(const Path& at, std::string detail, In in) {
  if (!full()) list_.push_back({at.pointer(), std::move(detail), in});
}

}  // namespace bloomwatch::json
