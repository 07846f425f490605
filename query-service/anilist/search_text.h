// What people search AniList for, as it is sent on and as it is remembered. Pure.
#pragma once

#include <expected>
#include <string>

namespace bloomwatch::anilist {

/// A text of 1 to 200 characters, white space within it made single blanks, none around it.
class SearchText {
 public:
  static constexpr std::size_t length_max = 200;  ///< in code points

  using Wire = std::string;
  static std::expected<SearchText, std::string> from(const Wire& wire);
  const Wire& wire() const { return text_; }
  const std::string& text() const { return text_; }
  /// The same for texts that differ in the case of ASCII letters only: AniList does not tell these apart.
  std::string key() const;

 private:
  std::string text_;
};

}  // namespace bloomwatch::anilist
