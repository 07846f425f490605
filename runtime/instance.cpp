// The file that tells where a running process is.
#include "runtime/instance.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "runtime/json.h"

namespace bloomwatch {
namespace {

constexpr std::chrono::milliseconds lock_wait_max{2000};  ///< for one that was killed a moment ago
constexpr std::chrono::milliseconds lock_try_every{50};

std::filesystem::path file_of(const std::filesystem::path& home, std::string_view name) { return home / (std::string(name) + ".json"); }
std::string routes_of(std::string_view name) { return std::string(name) + "-routes"; }

template <class T>
void write_file(const std::filesystem::path& path, const T& value) {
  const std::string text = json::to_string(value) + '\n';
  const std::filesystem::path draft = std::filesystem::path(path).concat(".new");
  std::filesystem::remove(draft);
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) ::close(file);
  if (!written) throw std::runtime_error("cannot write " + draft.string());
  std::filesystem::rename(draft, path);
}

template <class T>
std::expected<T, std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return std::unexpected("there is no " + path.string());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto value = json::read<T>(text);
  if (!value) return std::unexpected(path.string() + " cannot be read");
  return std::move(*value);
}

}  // namespace

HomeLock::HomeLock(const std::filesystem::path& home, std::string_view name)
    : file_(::open((home / (std::string(name) + ".lock")).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (file_ < 0) throw std::runtime_error("cannot write to the home folder " + home.string());
  for (auto waited = std::chrono::milliseconds(0); ::flock(file_, LOCK_EX | LOCK_NB) != 0; waited += lock_try_every) {
    if (waited >= lock_wait_max) {
      ::close(file_);
      throw std::runtime_error("another process runs in the home folder " + home.string() + ": give this one a --home of its own");
    }
    std::this_thread::sleep_for(lock_try_every);
  }
}

HomeLock::~HomeLock() { ::close(file_); }

void write_instance(const std::filesystem::path& home, std::string_view name, const Instance& instance) {
  write_file(file_of(home, name), instance);
}

void remove_instance(const std::filesystem::path& home, std::string_view name) {
  std::error_code ignored;
  std::filesystem::remove(file_of(home, name), ignored);
}

std::expected<Instance, std::string> read_instance(const std::filesystem::path& home, std::string_view name) {
  return read_file<Instance>(file_of(home, name));
}

void write_routes(const std::filesystem::path& home, std::string_view name, const std::vector<RouteLine>& routes) {
  write_file(file_of(home, routes_of(name)), routes);
}

std::expected<std::vector<RouteLine>, std::string> read_routes(const std::filesystem::path& home, std::string_view name) {
  return read_file<std::vector<RouteLine>>(file_of(home, routes_of(name)));
}

}  // namespace bloomwatch
