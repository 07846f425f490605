// From a name as people write it to the words that search compares: one case and width, Latin letters for every script that has a usual
// form in them, no accents, no punctuation. Han stays as it is, each character a word, because it has no one reading. ICU does the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bloomwatch::search {

/// One word of a text, and where in the text it stands.
struct Word {
  std::string text;         ///< `[a-z0-9]+`, or UTF-8 of what has no Latin form
  std::uint16_t begin = 0;  ///< first character (code point) of the text that it was made of
  std::uint16_t end = 0;    ///< one past the last
  bool literal = false;     ///< byte for character as in the text: a part of the word is that part of the text

  bool operator==(const Word&) const = default;
};

struct Words {
  std::vector<Word> list;
  bool last_is_whole = false;  ///< something follows the last word: whoever types has finished it
};

/// The words of a list without anything between them: what "Spider-Man" and "spiderman" have in common.
std::string squeeze(const std::vector<Word>& words);

/// Makes words. Remembers what it transliterated, up to a bound. Not for several threads.
class Normaliser {
 public:
  static constexpr std::size_t characters_max = 500;     ///< of a text; what is beyond is no part of any word
  static constexpr std::size_t remembered_max = 50'000;  ///< words that were not plain ASCII

  Normaliser();
  ~Normaliser();

  /// `text` is UTF-8; what is not is skipped.
  Words words(std::string_view text);

 private:
  struct Icu;
  const std::string& latin(std::string_view source, bool is_latin);

  std::unique_ptr<Icu> icu_;
  std::unordered_map<std::string, std::string> remembered_;
};

}  // namespace bloomwatch::search
