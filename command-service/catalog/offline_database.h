// One entry of anime-offline-database (JSON Schema of its releases; data under ODbL 1.0 and DbCL 1.0) in our words. Pure: no I/O.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "command-service/catalog/title_entry.h"

namespace bloomwatch::catalog {

/// What a page of a provider is a reference to: `https://anilist.co/anime/1535` → anilist 1535. Nothing for pages that we do not know.
std::optional<MediaReference> reference_of_url(std::string_view url);

/// What the file says of itself.
struct OfflineHeader {
  std::string last_update;
  std::string license;
};

/// Reads entries and headers, one after another. For one thread.
class OfflineReader {
 public:
  OfflineReader();
  ~OfflineReader();
  OfflineReader(const OfflineReader&) = delete;
  OfflineReader& operator=(const OfflineReader&) = delete;

  /// The first line of a JSONL release. Nothing: it is none.
  std::optional<OfflineHeader> header(std::string_view line);
  /// A line that describes a title, or what is wrong with it. What is odd but no reason to skip it is left out by `check`.
  std::expected<TitleEntry, std::string> entry(std::string_view line);
  /// A release as one JSON document. `take` gets each entry, or what is wrong with it. Says why it is none, if it is none.
  template <class Take>
  std::expected<OfflineHeader, std::string> document(const std::string& text, Take&& take) {
    auto opened = open_document(text);
    if (!opened) return opened;
    for (std::size_t i = 0; i < document_size(); ++i) take(document_entry(i));
    return opened;
  }

 private:
  std::expected<OfflineHeader, std::string> open_document(const std::string& text);
  std::size_t document_size() const;
  std::expected<TitleEntry, std::string> document_entry(std::size_t index) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bloomwatch::catalog
