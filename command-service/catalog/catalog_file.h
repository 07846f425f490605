// A catalogue's file as a whole: which format it has, every title that it describes, every row that it does not and why. All of it is read
// and checked before anything is done with it, so that a file that is refused changes nothing. Hostile files meet named bounds.
#pragma once

#include <cstddef>
#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "command-service/catalog/byte_source.h"
#include "command-service/catalog/title_entry.h"

namespace bloomwatch::catalog {

inline constexpr std::size_t file_bytes_max = std::size_t{512} << 20;   ///< of its contents, inflated
inline constexpr std::size_t line_bytes_max = std::size_t{1} << 20;     ///< of a JSONL entry; the longest known has some 60 KiB
inline constexpr std::size_t record_bytes_max = std::size_t{64} << 10;  ///< of a CSV record
inline constexpr std::size_t titles_max = 250'000;
/// More rows than this that cannot be read, and as a share of all, and the file is not what it is taken for.
inline constexpr std::size_t bad_rows_free = 10;
inline constexpr double bad_rows_share_max = 0.1;

/// `json_lines`, `json`: anime-offline-database.
enum class FileFormat { json_lines, json, csv };
BOOST_DESCRIBE_ENUM(FileFormat, json_lines, json, csv)

struct ReadOptions {
  std::optional<FileFormat> format = {};  ///< none: by how it begins
  std::string csv_source = "csv";         ///< what facts from a CSV file say that they come from
  std::string csv_ids = "mal";            ///< whose ids its column `anime_id` has
  double bad_rows_share = bad_rows_share_max;
  std::size_t remarks_max = titles_max;                 ///< more, and the file is refused: each is kept to be told
  std::function<void(std::size_t rows)> progress = {};  ///< now and then
};

struct FileTitle {
  std::size_t row = 0;  ///< of the file, from 1; a CSV's first row is the one after its names of columns
  TitleEntry entry = {};
};

/// A row that is not taken, or (`taken`) of which something was left out.
struct RowRemark {
  std::size_t row = 0;
  std::string reason = {};
  bool taken = false;
};

struct CatalogFile {
  FileFormat format = FileFormat::csv;
  std::string source = {};
  std::optional<std::string> last_update = {};  ///< as the file says
  std::optional<std::string> license = {};
  std::size_t rows = 0;
  std::vector<FileTitle> titles = {};  ///< no reference is in two of them
  std::vector<RowRemark> remarks = {};

  std::size_t skipped() const;
};

/// Throws UnreadableFile.
CatalogFile read_catalog(std::istream& in, const ReadOptions& options);

}  // namespace bloomwatch::catalog
