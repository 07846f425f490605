// Splitting by script, then ICU: NFKC with case folding, Any-Latin where the script is another one, accents off, Latin-ASCII.
#include "query-service/search/words.h"

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <stdexcept>

#include "runtime/ascii.h"

namespace bloomwatch::search {
namespace {

/// What a character does to the word that it stands in.
enum class Kind : std::uint8_t { separator, joiner, letter, hiragana, katakana, kana_mark, han, cross };

struct Character {
  Kind kind = Kind::separator;
  UScriptCode script = USCRIPT_COMMON;  // of letters: a change of it ends a word
};

Character ascii_character(UChar32 c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return {Kind::letter, USCRIPT_LATIN};
  if (c >= '0' && c <= '9') return {Kind::letter, USCRIPT_COMMON};
  return {c == '\'' || c == '`' ? Kind::joiner : Kind::separator, USCRIPT_COMMON};
}

Character character_of(UChar32 c) {
  if (c < 0x80) return ascii_character(c);
  if (c == 0xD7) return {Kind::cross};                                                  // Hunter×Hunter
  if (c == 0x2019 || c == 0x2018 || c == 0x02BC || c == 0xFF07) return {Kind::joiner};  // apostrophes
  if (c == 0x30FC || c == 0xFF70 || c == 0x3099 || c == 0x309A || c == 0xFF9E || c == 0xFF9F) return {Kind::kana_mark};
  UErrorCode error = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(c, &error);
  const auto type = static_cast<UCharCategory>(u_charType(c));
  if (type == U_FORMAT_CHAR || type == U_CONTROL_CHAR) return {type == U_FORMAT_CHAR ? Kind::joiner : Kind::separator};
  const bool writes = u_isalnum(c) || type == U_LETTER_NUMBER || type == U_OTHER_NUMBER || type == U_NON_SPACING_MARK ||
                      type == U_COMBINING_SPACING_MARK || type == U_ENCLOSING_MARK;
  if (!writes) return {};
  if (script == USCRIPT_HAN) return {Kind::han, script};
  if (script == USCRIPT_HIRAGANA) return {Kind::hiragana, script};
  if (script == USCRIPT_KATAKANA) return {Kind::katakana, script};
  return {Kind::letter, script == USCRIPT_INHERITED ? USCRIPT_COMMON : script};
}

/// Whether a character goes on with the word that the one before it, of kind `before` and in `script`, belongs to.
bool goes_on(Kind before, UScriptCode script, const Character& next) {
  switch (next.kind) {
    case Kind::joiner:
      return true;
    case Kind::kana_mark:
      return before == Kind::hiragana || before == Kind::katakana;
    case Kind::letter:
      return before == Kind::letter && (script == next.script || script == USCRIPT_COMMON || next.script == USCRIPT_COMMON);
    case Kind::hiragana:
    case Kind::katakana:
      return before == next.kind;
    default:
      return false;
  }
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// The plain way, for what most names are.
std::string ascii_word(std::string_view source) {
  std::string word;
  for (const char c : source)
    if (ascii::is_alnum(c)) word += ascii::lower(c);
  return word;
}

/// A word under way while its text is read.
struct ScriptRun {
  Kind kind = Kind::separator;  // separator: none is
  UScriptCode script = USCRIPT_COMMON;
  std::size_t begin = 0, end = 0;   // bytes; joiners at the end are not in it
  std::size_t first = 0, last = 0;  // characters
};

}  // namespace

struct Normaliser::Icu {
  const icu::Normalizer2* fold = nullptr;
  const icu::Normalizer2* decompose = nullptr;
  std::unique_ptr<icu::Transliterator> any_latin;
  std::unique_ptr<icu::Transliterator> latin_ascii;

  Icu() {
    UErrorCode error = U_ZERO_ERROR;
    fold = icu::Normalizer2::getNFKCCasefoldInstance(error);
    decompose = icu::Normalizer2::getNFDInstance(error);
    any_latin.reset(icu::Transliterator::createInstance("Any-Latin", UTRANS_FORWARD, error));
    latin_ascii.reset(icu::Transliterator::createInstance("Latin-ASCII", UTRANS_FORWARD, error));
    if (U_FAILURE(error)) throw std::runtime_error(std::string("ICU has no data to normalise with: ") + u_errorName(error));
  }

  std::string latin(std::string_view source, bool is_latin) const {
    UErrorCode error = U_ZERO_ERROR;
    icu::UnicodeString text =
        fold->normalize(icu::UnicodeString::fromUTF8(icu::StringPiece(source.data(), static_cast<std::int32_t>(source.size()))), error);
    if (!is_latin) any_latin->transliterate(text);
    text = without_accents(decompose->normalize(text, error));
    if (U_FAILURE(error)) return {};
    latin_ascii->transliterate(text);
    return letters(text);
  }

 private:
  static icu::UnicodeString without_accents(const icu::UnicodeString& text) {
    icu::UnicodeString out;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1))
      if (const UChar32 c = text.char32At(i); u_charType(c) != U_NON_SPACING_MARK) out.append(c);
    return out;
  }
  static std::string letters(const icu::UnicodeString& text) {
    icu::UnicodeString out;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1))
      if (const UChar32 c = text.char32At(i); u_isalnum(c)) out.append(u_tolower(c));
    std::string utf8;
    out.toUTF8String(utf8);
    return utf8;
  }
};

std::string squeeze(const std::vector<Word>& words) {
  std::string all;
  for (const Word& word : words) all += word.text;
  return all;
}

Normaliser::Normaliser() : icu_(std::make_unique<Icu>()) {}
Normaliser::~Normaliser() = default;

const std::string& Normaliser::latin(std::string_view source, bool is_latin) {
  std::string key(source);
  const auto found = remembered_.find(key);
  if (found != remembered_.end()) return found->second;
  if (remembered_.size() >= remembered_max) remembered_.clear();
  std::string made = icu_->latin(source, is_latin);
  return remembered_.emplace(std::move(key), std::move(made)).first->second;
}

Words Normaliser::words(std::string_view text) {
  Words words;
  ScriptRun run;
  const auto finish = [&] {
    if (run.kind == Kind::separator) return;
    const std::string_view source = text.substr(run.begin, run.end - run.begin);
    Word word{{}, static_cast<std::uint16_t>(run.first), static_cast<std::uint16_t>(run.last), false};
    if (run.kind == Kind::cross) {
      word.text = "x";
    } else if (run.kind == Kind::letter && is_ascii(source)) {
      word.text = ascii_word(source);
      word.literal = word.text.size() == source.size();
    } else {
      const bool as_it_is = run.kind == Kind::han || (run.kind == Kind::letter && run.script == USCRIPT_LATIN);
      word.text = latin(source, as_it_is);
    }
    if (!word.text.empty()) words.list.push_back(std::move(word));
    run.kind = Kind::separator;
  };
  const auto size = static_cast<std::int32_t>(std::min<std::size_t>(text.size(), characters_max * 4));
  std::size_t at = 0;
  for (std::int32_t i = 0; i < size && at < characters_max; ++at) {
    const auto begin = static_cast<std::size_t>(i);
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);  // NOLINT(bugprone-inc-dec-in-conditions): the macro's way
    const Character next = c < 0 ? Character{} : character_of(c);
    const bool same = run.kind != Kind::separator && goes_on(run.kind, run.script, next);
    if (!same) {
      finish();
      words.last_is_whole = next.kind == Kind::separator || next.kind == Kind::joiner || next.kind == Kind::kana_mark;
      if (words.last_is_whole) continue;
      run = {next.kind, next.script, begin, static_cast<std::size_t>(i), at, at + 1};
    } else if (next.kind != Kind::joiner) {
      run.end = static_cast<std::size_t>(i);
      run.last = at + 1;
      if (run.script == USCRIPT_COMMON) run.script = next.script;
    }
  }
  finish();
  return words;
}

}  // namespace bloomwatch::search
