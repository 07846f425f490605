// instance.json: written by `serve`, read by everybody else.
#include "ops/operator/instance.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "runtime/json.h"

namespace bloomwatch::ops {
namespace {

std::filesystem::path file_in(const std::filesystem::path& home) { return home / "instance.json"; }

}  // namespace

void write_instance(const std::filesystem::path& home, const Instance& instance) {
  std::string text;
  json::write(text, instance);
  text += '\n';
  const std::filesystem::path draft = home / "instance.json.new";
  std::filesystem::remove(draft);
  const int file = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) close(file);
  if (!written) throw std::runtime_error("cannot write " + draft.string());
  std::filesystem::rename(draft, file_in(home));
}

void remove_instance(const std::filesystem::path& home) {
  std::error_code ignored;
  std::filesystem::remove(file_in(home), ignored);
}

std::filesystem::path Target::master_key_file() const { return std::filesystem::path(home) / "master.key"; }

Instance Target::instance() const {
  const std::filesystem::path path = file_in(home);
  std::ifstream file(path);
  if (!file)
    throw std::runtime_error("nothing is running with its home in " + home +
                             " (no instance.json); start it with ops/run, or name another --home");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto instance = json::read<Instance>(text);
  if (!instance) throw std::runtime_error(path.string() + " cannot be read");
  return *instance;
}

std::string Target::database() const { return database_url.empty() ? instance().database_url : database_url; }

void add_target(CLI::App& subcommand, Target& target) {
  target.home = "var";
  subcommand.add_option("--home", target.home, "The home folder of the running instance")
      ->envname("BLOOMWATCH_HOME")
      ->capture_default_str();
  subcommand.add_option("--database-url", target.database_url, "Its Postgres, where not the one that instance.json names")
      ->envname("BLOOMWATCH_DATABASE_URL");
}

}  // namespace bloomwatch::ops
