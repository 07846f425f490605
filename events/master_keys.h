// The master key of a home folder, and whether it is that of the database.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/crypto.h"

namespace bloomwatch {

/// The keys in `file`. The first service that a database has makes the file, if there is none, and the database remembers a fingerprint.
/// Throws std::runtime_error, in words for an operator, if the database's secrets were made with another master key, also when the file is
/// missing then; pg::Error if it cannot be asked.
MasterKeys master_keys_of(const std::string& database_url, const std::filesystem::path& file);

}  // namespace bloomwatch
