// The file that tells where a running process is.
#include "runtime/instance.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "runtime/json.h"

namespace bloomwatch {
namespace {

std::filesystem::path file_of(const std::filesystem::path& home, std::string_view name) { return home / (std::string(name) + ".json"); }

}  // namespace

void write_instance(const std::filesystem::path& home, std::string_view name, const Instance& instance) {
  const std::string text = json::to_string(instance) + '\n';
  const std::filesystem::path draft = file_of(home, name).concat(".new");
  std::filesystem::remove(draft);
  const int file = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) close(file);
  if (!written) throw std::runtime_error("cannot write " + draft.string());
  std::filesystem::rename(draft, file_of(home, name));
}

void remove_instance(const std::filesystem::path& home, std::string_view name) {
  std::error_code ignored;
  std::filesystem::remove(file_of(home, name), ignored);
}

std::expected<Instance, std::string> read_instance(const std::filesystem::path& home, std::string_view name) {
  const std::filesystem::path path = file_of(home, name);
  std::ifstream file(path);
  if (!file) return std::unexpected("there is no " + path.string());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto instance = json::read<Instance>(text);
  if (!instance) return std::unexpected(path.string() + " cannot be read");
  return std::move(*instance);
}

}  // namespace bloomwatch
