// Saved the usual way: beside, synced, then renamed over.
#include "ops/operator/replay/state.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "runtime/json.h"

namespace bloomwatch::ops {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file) {
  throw std::runtime_error("cannot write " + file.string() + ": " + std::generic_category().message(errno));
}

}  // namespace

void ReplayState::save(const std::filesystem::path& file) const {
  std::string text;
  json::write(text, *this);
  text += '\n';
  const std::filesystem::path beside = file.string() + ".new";
  const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) fail(beside);
  const bool written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fdatasync(descriptor) == 0;
  ::close(descriptor);
  if (!written || ::rename(beside.c_str(), file.c_str()) != 0) fail(file);
}

std::optional<ReplayState> ReplayState::load(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  auto state = json::read<ReplayState>(text);
  if (!state)
    throw std::runtime_error(file.string() + " is no replay's state: " + state.error().front().pointer + " " +
                             state.error().front().detail);
  return std::move(*state);
}

}  // namespace bloomwatch::ops
