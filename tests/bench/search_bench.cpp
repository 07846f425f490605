// Measures search: 40,000 titles with about 200,000 names, made from a catalogue's CSV with a fixed seed; 300 queries of each class; how
// often the title that was meant is among the first ten, and how long that takes, in memory and by plain pg_trgm over the same names.
// Prints a table to stderr and one line of JSON to stdout.
#include <fmt/core.h>
#include <unicode/translit.h>
#include <unicode/unistr.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query-service/search/query.h"
#include "runtime/json.h"
#include "runtime/postgres.h"

namespace bloomwatch {
namespace {

using search::Document;
using search::Facet;
using search::FacetValue;

constexpr std::size_t titles_wanted = 40'000;
constexpr std::size_t queries_of_a_class = 300;
constexpr std::size_t slow_queries_of_a_class = 60;  // of pg_trgm
constexpr int rounds = 3;
constexpr std::uint64_t seed = 20261128;

// ------------------------------------------------------------------------------------------------------------------------ the titles

struct Row {
  std::string name, genres, type;
  double rating = -1, members = 0;
};

std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        fields.back() += line[++i];
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else if (line[i] != '\r') {
      fields.back() += line[i];
    }
  }
  return fields;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

std::vector<Row> read_rows(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<Row> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    auto fields = csv_fields(line);
    if (fields.size() < 7) continue;
    std::string name = replace_all(replace_all(replace_all(fields[1], "&#039;", "'"), "&quot;", "\""), "&amp;", "&");
    rows.push_back({std::move(name), fields[2], fields[3], fields[5].empty() ? -1 : std::stod(fields[5]), std::stod(fields[6])});
  }
  return rows;
}

std::vector<std::string> split(std::string_view text, char at = ' ') {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    if (end > begin) parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> parts;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) parts.emplace_back();
    if (!parts.empty()) parts.back() += c;
  }
  return parts;
}

/// The first `count` characters of a text.
std::string first_of(const std::string& text, std::size_t count) {
  std::string begin;
  for (const std::string& character : characters(text))
    if (count-- > 0)
      begin += character;
    else
      break;
  return begin;
}

template <class Parts>
std::string join(const Parts& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : " ") + part;
  return text;
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 1469598103934665603U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c | 0x20)) * 1099511628211U;
  return hash ^ hash >> 29;
}

/// Names of one title in other languages, made word by word, so that words are as common there as here.
class Languages {
 public:
  Languages() {
    UErrorCode error = U_ZERO_ERROR;
    katakana_.reset(icu::Transliterator::createInstance("Latin-Katakana", UTRANS_FORWARD, error));
    hiragana_.reset(icu::Transliterator::createInstance("Latin-Hiragana", UTRANS_FORWARD, error));
    cyrillic_.reset(icu::Transliterator::createInstance("Latin-Russian/BGN", UTRANS_FORWARD, error));
    if (U_FAILURE(error)) {
      error = U_ZERO_ERROR;
      cyrillic_.reset(icu::Transliterator::createInstance("Latin-Cyrillic", UTRANS_FORWARD, error));
    }
    if (U_FAILURE(error)) throw std::runtime_error("no transliterators");
  }

  /// Words of another tongue: one of 6,000 for each.
  static std::string english(const std::vector<std::string>& words) {
    static constexpr std::array onset = {"b", "br", "c", "ch", "d", "dr", "f",  "fl", "g",  "gr", "h", "l",
                                         "m", "n",  "p", "pr", "r", "s",  "st", "t",  "th", "tr", "w"};
    static constexpr std::array core = {"a", "e", "i", "o", "u", "ai", "ea", "oo", "ou"};
    static constexpr std::array coda = {"", "n", "r", "s", "t", "ld", "nd", "ck", "ng", "m", "th"};
    std::vector<std::string> made;
    for (const std::string& word : words) {
      std::uint64_t h = hash_of(word) % 6000 * 0x9E3779B97F4A7C15U;
      std::string out;
      const auto take = [&h](const auto& list) {
        h = h * 6364136223846793005U + 1442695040888963407U;
        return std::string(list[(h >> 33) % list.size()]);
      };
      const int syllables = word.size() <= 3 ? 1 : word.size() <= 7 ? 2 : 3;
      for (int i = 0; i < syllables; ++i) out += take(onset) + take(core) + (i + 1 == syllables ? take(coda) : "");
      out[0] = static_cast<char>(out[0] - 'a' + 'A');
      made.push_back(out);
    }
    return join(made);
  }

  /// Particles in hiragana, half of the other words in kanji, half in katakana; no spaces.
  std::string japanese(const std::vector<std::string>& words) const {
    std::string text;
    for (const std::string& word : words) {
      const std::uint64_t h = hash_of(word);
      if (word.size() <= 3) {
        text += transliterate(*hiragana_, word);
      } else if (h % 2 == 0) {
        icu::UnicodeString kanji;
        std::uint64_t n = h % 8191;
        for (std::size_t i = 0; i < 1 + word.size() / 4 && i < 3; ++i) {
          n = n * 6364136223846793005U + 1442695040888963407U;
          const double skewed = std::pow(static_cast<double>(n >> 40) / (1 << 24), 2.0);  // some are everywhere
          kanji.append(static_cast<UChar32>(0x4E00 + static_cast<int>(skewed * 2000)));
        }
        kanji.toUTF8String(text);
      } else {
        text += transliterate(*katakana_, word);
      }
    }
    return text;
  }

  std::string russian(const std::vector<std::string>& words) const { return transliterate(*cyrillic_, join(words)); }

 private:
  static std::string transliterate(const icu::Transliterator& by, const std::string& text) {
    icu::UnicodeString unicode = icu::UnicodeString::fromUTF8(text);
    by.transliterate(unicode);
    std::string utf8;
    return unicode.toUTF8String(utf8);
  }
  std::unique_ptr<icu::Transliterator> katakana_, hiragana_, cyrillic_;
};

struct Title {
  Document document;
  std::string romaji, english, japanese;
};

std::string own_name(const std::vector<Row>& rows, std::size_t i, std::mt19937_64& random) {
  if (i < rows.size()) return rows[i].name;
  // The beginning of one and the end of another: words as common as in the catalogue.
  const auto first = split(rows[random() % rows.size()].name), second = split(rows[random() % rows.size()].name);
  std::vector<std::string> words(first.begin(), first.begin() + static_cast<std::ptrdiff_t>((first.size() + 1) / 2));
  words.insert(words.end(), second.begin() + static_cast<std::ptrdiff_t>(second.size() / 2), second.end());
  return join(words);
}

std::vector<FacetValue> facet_values(const Row& row, std::mt19937_64& random) {
  static constexpr std::array seasons = {"winter", "spring", "summer", "fall"};
  std::set<FacetValue> values;
  if (!row.type.empty()) values.insert({Facet::format, row.type});
  values.insert({Facet::season, seasons[random() % 4]});
  values.insert({Facet::year, std::to_string(1965 + random() % 60)});
  for (std::string genre : split(row.genres, ',')) values.insert({Facet::genre, genre[0] == ' ' ? genre.substr(1) : genre});
  for (std::size_t n = 1 + random() % 2; n > 0; --n)
    values.insert({Facet::studio, fmt::format("Studio {}", random() % (1 + random() % 1500))});
  for (std::size_t n = random() % 4; n > 0; --n) values.insert({Facet::streaming, fmt::format("Service {}", random() % 20)});
  if (row.rating >= 0) values.insert({Facet::score, std::to_string(static_cast<int>(row.rating))});
  return {values.begin(), values.end()};
}

std::vector<Title> make_titles(const std::vector<Row>& rows) {
  std::mt19937_64 random(seed);
  const Languages languages;
  std::vector<Title> titles;
  std::set<std::string> taken;
  while (titles.size() < titles_wanted) {
    const std::string name = own_name(rows, titles.size(), random);
    if (!taken.insert(name).second && titles.size() >= rows.size()) continue;
    const Row& row = rows[titles.size() % rows.size()];
    const auto words = split(name);
    Title title;
    title.romaji = name;
    title.english = Languages::english(words);
    title.japanese = languages.japanese(words);
    Document& document = title.document;
    const auto number = titles.size();
    for (std::size_t b = 0; b < 8; ++b) document.id.bytes[15 - b] = static_cast<std::uint8_t>(number >> 8 * b);
    document.names = {title.romaji, title.english, title.japanese, languages.russian(words)};
    // A nickname: the first letters of long words, as people shorten them.
    std::string nickname;
    for (const std::string& word : words) nickname += first_of(word, word.size() > 4 ? 2 : 1);
    document.names.push_back(nickname + ' ' + std::to_string(random() % 100));
    document.values = facet_values(row, random);
    document.popularity = static_cast<float>(std::log1p(row.members * (titles.size() < rows.size() ? 1 : 0.3)) / std::log1p(2e6));
    document.score = static_cast<float>(row.rating);
    document.premiered = static_cast<std::int32_t>(random() % 240);
    titles.push_back(std::move(title));
  }
  return titles;
}

// ----------------------------------------------------------------------------------------------------------------------- the queries

struct Asking {
  std::string text;
  Uuid meant;
};

struct Class {
  std::string name;
  double recall_least;  // 0: none is asked for
  std::vector<Asking> queries;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// One keystroke gone wrong: another letter, one too many, one too few, two swapped.
bool mistype(std::string& text, std::mt19937_64& random) {
  std::vector<std::size_t> letters;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (is_letter(text[i])) letters.push_back(i);
  if (letters.size() < 4) return false;
  const std::size_t at = letters[random() % letters.size()];
  const char letter = static_cast<char>('a' + random() % 26);
  const std::string before = text;
  switch (random() % 4) {
    case 0:
      text[at] = letter;
      break;
    case 1:
      text.insert(at, 1, letter);
      break;
    case 2:
      text.erase(at, 1);
      break;
    default:
      if (at + 1 < text.size() && is_letter(text[at + 1])) std::swap(text[at], text[at + 1]);
  }
  return text != before;
}

class Asker {
 public:
  explicit Asker(const std::vector<Title>& titles) : titles_(titles) {}

  std::vector<Class> classes() {
    std::vector<Class> all;
    all.push_back(make("exact", 1.0, [this](const Title& t) { return t.document.names[random_() % 4]; }));
    all.push_back(make("prefix", 0, [this](const Title& t) {
      const std::string& name = latin(t);
      return name.size() < 8 ? std::string() : first_of(name, characters(name).size() * 6 / 10);
    }));
    all.push_back(make("one typo", 0.98, [this](const Title& t) { return mistyped(latin(t), 1); }));
    all.push_back(make("two typos", 0.96, [this](const Title& t) { return mistyped(latin(t), 2); }));
    all.push_back(make("other language", 0.85, [this](const Title& t) {
      const auto all_of_it = characters(t.japanese);
      if (all_of_it.size() < 4) return std::string();
      if (random_() % 2 == 0) return t.japanese;
      const std::size_t count = std::max<std::size_t>(4, all_of_it.size() * 6 / 10), first = random_() % (all_of_it.size() - count + 1);
      std::string part;
      for (std::size_t i = first; i < first + count; ++i) part += all_of_it[i];
      return part;
    }));
    all.push_back(make("words out of order", 0.99, [this](const Title& t) {
      auto words = split(latin(t));
      if (words.size() < 3) return std::string();
      const auto before = words;
      std::ranges::shuffle(words, random_);
      return words == before ? std::string() : join(words);
    }));
    all.push_back(make("middle words", 0.71, [this](const Title& t) {
      const auto words = split(latin(t));
      if (words.size() < 4) return std::string();
      const std::size_t count = words.size() == 4 ? 2 : 2 + random_() % 2, first = 1 + random_() % (words.size() - count - 1);
      return join(
          std::vector(words.begin() + static_cast<std::ptrdiff_t>(first), words.begin() + static_cast<std::ptrdiff_t>(first + count)));
    }));
    return all;
  }

 private:
  Class make(std::string name, double recall_least, const std::function<std::string(const Title&)>& text_of) {
    Class made{std::move(name), recall_least, {}};
    while (made.queries.size() < queries_of_a_class) {
      const Title& title = titles_[random_() % titles_.size()];
      if (std::string text = text_of(title); !text.empty()) made.queries.push_back({std::move(text), title.document.id});
    }
    return made;
  }
  const std::string& latin(const Title& title) { return random_() % 2 == 0 ? title.romaji : title.english; }
  std::string mistyped(std::string name, int times) {
    if (name.size() < 6) return {};
    for (int i = 0; i < times; ++i)
      if (!mistype(name, random_)) return {};
    return name;
  }

  const std::vector<Title>& titles_;
  std::mt19937_64 random_{seed + 1};
};

// ------------------------------------------------------------------------------------------------------------------------- measuring

struct Measured {
  double p50_ms = 0, p99_ms = 0, recall = 0;
};
BOOST_DESCRIBE_STRUCT(Measured, (), (p50_ms, p99_ms, recall))

struct ClassResult {
  std::string name;
  double recall_least = 0;
  Measured plain, with_facets;
  std::optional<Measured> pg_trgm;
};
BOOST_DESCRIBE_STRUCT(ClassResult, (), (name, recall_least, plain, with_facets, pg_trgm))

struct Report {
  std::int64_t titles = 0, names = 0, words = 0;
  double fill_ms = 0, compact_ms = 0, update_us_p50 = 0, update_us_p99 = 0, index_mb = 0;
  std::string worst_query;
  double worst_ms = 0;
  std::vector<ClassResult> classes;
  Measured all_plain, all_with_facets;
  std::optional<Measured> all_pg_trgm;
};
BOOST_DESCRIBE_STRUCT(Report, (),
                      (titles, names, words, fill_ms, compact_ms, update_us_p50, update_us_p99, index_mb, worst_query, worst_ms, classes,
                       all_plain, all_with_facets, all_pg_trgm))

/// Of this thread, where what others do on the machine is not to count; else of the clock on the wall.
bool in_cpu_time = false;

double milliseconds(const std::function<void()>& work) {
  const auto now_ms = [] {
    timespec time{};
    clock_gettime(in_cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  };
  const double began = now_ms();
  work();
  return now_ms() - began;
}

double percentile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())) - 1))];
}

/// The ids of the first ten.
using Finder = std::function<std::vector<Uuid>(const std::string&)>;

Measured measure(const std::vector<Asking>& queries, const Finder& find, std::vector<double>& all) {
  std::vector<Measured> runs;
  std::vector<std::vector<double>> times(rounds);
  for (int round = 0; round < rounds; ++round) {
    std::size_t hits = 0;
    for (const Asking& asking : queries) {
      std::vector<Uuid> found;
      times[static_cast<std::size_t>(round)].push_back(milliseconds([&] { found = find(asking.text); }));
      hits += std::ranges::count(found, asking.meant) > 0 ? 1 : 0;
    }
    const auto& of_round = times[static_cast<std::size_t>(round)];
    runs.push_back(
        {percentile(of_round, 0.5), percentile(of_round, 0.99), static_cast<double>(hits) / static_cast<double>(queries.size())});
  }
  std::ranges::sort(runs, {}, &Measured::p99_ms);
  all.insert(all.end(), times[0].begin(), times[0].end());
  return runs[rounds / 2];
}

Finder in_memory(const search::Index& index, search::Workspace& workspace, bool facets) {
  return [&index, &workspace, facets](const std::string& text) {
    search::Query query{.text = text};
    query.limit = 10;
    query.facets = facets;
    std::vector<Uuid> ids;
    for (const auto& hit : search::find(index, query, workspace).hits) ids.push_back(hit.id);
    return ids;
  };
}

/// What people send who mean no good, or just lean on a key.
std::vector<std::string> hostile_queries(const std::vector<Title>& titles) {
  std::map<std::string, int> common;
  for (const Title& title : titles)
    for (const std::string& name : title.document.names)
      for (const std::string& word : split(name)) ++common[word];
  std::vector<std::pair<int, std::string>> by_count;
  for (const auto& [word, count] : common) by_count.emplace_back(count, word);
  std::ranges::sort(by_count, std::greater());
  std::string commonest, mistyped, letters, kana;
  for (std::size_t i = 0; i < 40 && i < by_count.size(); ++i) commonest += by_count[i].second + ' ';
  for (std::size_t i = 0; i < 400 && mistyped.size() < 240; ++i)
    if (by_count[i].second.size() > 5) mistyped += by_count[i].second.substr(0, 3) + 'q' + by_count[i].second.substr(3) + ' ';
  for (char c = 'a'; c <= 'z'; ++c) letters += std::string(1, c) + ' ';
  for (int i = 0; i < 60; ++i) kana += "の一人";
  return {"a",
          "s",
          "no",
          "th",
          commonest,
          commonest + "a",
          mistyped,
          letters,
          std::string(250, 'a'),
          std::string(60, 'a'),
          "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn oooo pp",
          "aeiou aeiout naeiou saeiou aeiour taeiou aeiouk maeiou raeiou aeious aeioun kaeiou aeioum haeiou aeiouh ae",
          kana,
          "!!!!",
          "の"};
}

void measure_hostile(const search::Index& index, search::Workspace& workspace, const std::vector<Title>& titles, Report& report) {
  const Finder find = in_memory(index, workspace, true);
  for (const std::string& text : hostile_queries(titles)) {
    std::vector<double> times;
    for (int i = 0; i < 20; ++i) times.push_back(milliseconds([&] { (void)find(text); }));
    const double time = percentile(times, 0.9);
    fmt::print(stderr, "  hostile {:6.2f} ms  {}\n", time, text.substr(0, 60));
    if (time > report.worst_ms) {
      report.worst_ms = time;
      report.worst_query = text;
    }
  }
}

void measure_updates(search::Index& index, const std::vector<Title>& titles, Report& report) {
  search::Normaliser normaliser;
  std::vector<double> times;
  for (std::size_t i = 0; i < 2000; ++i) {
    Document document = titles[i * 17 % titles.size()].document;
    document.names.push_back("once more " + std::to_string(i));
    times.push_back(1000 * milliseconds([&] { index.put(search::prepare(std::move(document), normaliser)); }));
  }
  report.update_us_p50 = percentile(times, 0.5);
  report.update_us_p99 = percentile(times, 0.99);
}

// --------------------------------------------------------------------------------------------------------------------------- pg_trgm

void fill_postgres(pg::Connection& connection, const std::vector<Title>& titles) {
  connection.script(
      "CREATE EXTENSION IF NOT EXISTS pg_trgm; DROP TABLE IF EXISTS searched_names; "
      "CREATE TABLE searched_names (title uuid NOT NULL, name text NOT NULL)");
  std::size_t next = 0;
  connection.copy_in("COPY searched_names FROM STDIN", [&](std::string& out) {
    for (std::size_t n = 0; n < 500 && next < titles.size(); ++n, ++next)
      for (const std::string& name : titles[next].document.names)
        out += titles[next].document.id.to_string() + '\t' + replace_all(replace_all(name, "\\", "\\\\"), "\t", " ") + '\n';
    return next < titles.size();
  });
  connection.script("CREATE INDEX ON searched_names USING gin (name gin_trgm_ops)");
  connection.script("ANALYZE searched_names");
}

Finder by_trigrams(pg::Connection& connection) {
  return [&connection](const std::string& text) {
    static const pg::Statement statement(
        "SELECT title FROM searched_names WHERE name % $1 GROUP BY title ORDER BY max(similarity(name, $1)) DESC, title LIMIT 10");
    std::vector<Uuid> ids;
    for (const pg::Row row : connection.run(statement, pg::Params(text))) ids.push_back(row.get<Uuid>(0));
    return ids;
  };
}

void measure_pg_trgm(const std::string& url, const std::vector<Title>& titles, const std::vector<Class>& classes, Report& report) {
  pg::Connection connection(pg::Options{.url = url, .statement_timeout = std::chrono::milliseconds(0)});  // making the index takes its time
  fprintf(stderr, "  filling Postgres\n");
  fill_postgres(connection, titles);
  const Finder find = by_trigrams(connection);
  std::vector<double> all;
  double recall = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    std::vector<Asking> few(classes[i].queries.begin(), classes[i].queries.begin() + slow_queries_of_a_class);
    report.classes[i].pg_trgm = measure(few, find, all);
    recall += report.classes[i].pg_trgm->recall;
  }
  report.all_pg_trgm = {percentile(all, 0.5), percentile(all, 0.99), recall / static_cast<double>(classes.size())};
  connection.script("DROP TABLE searched_names");
}

// ----------------------------------------------------------------------------------------------------------------------------- all of it

void fill(search::Index& index, const std::vector<Title>& titles, Report& report) {
  {
    search::Normaliser normaliser;
    report.fill_ms = milliseconds([&] {
      for (const Title& title : titles) index.put(search::prepare(title.document, normaliser));
    });
  }
  report.index_mb = static_cast<double>(index.memory()) / 1e6;
  report.titles = static_cast<std::int64_t>(index.size());
  report.names = static_cast<std::int64_t>(index.live_names());
  report.words = static_cast<std::int64_t>(index.words().size());
}

void print(const Report& report) {
  fmt::print(stderr,
             "{} titles, {} names, {} words; filled in {:.0f} ms, {:.0f} MB; an update {:.0f} µs, p99 {:.0f} µs; compacted in {:.0f} ms\n",
             report.titles, report.names, report.words, report.fill_ms, report.index_mb, report.update_us_p50, report.update_us_p99,
             report.compact_ms);
  const auto line = [](const std::string& name, const Measured& plain, const Measured& facets, const std::optional<Measured>& trgm) {
    fmt::print(stderr, "{:20} p50 {:5.2f} p99 {:5.2f} recall {:.3f} | facets p50 {:5.2f} p99 {:5.2f}", name, plain.p50_ms, plain.p99_ms,
               plain.recall, facets.p50_ms, facets.p99_ms);
    if (trgm) fmt::print(stderr, " | pg_trgm p50 {:6.1f} p99 {:6.1f} recall {:.3f}", trgm->p50_ms, trgm->p99_ms, trgm->recall);
    fmt::print(stderr, "\n");
  };
  for (const ClassResult& one : report.classes) line(one.name, one.plain, one.with_facets, one.pg_trgm);
  line("all", report.all_plain, report.all_with_facets, report.all_pg_trgm);
  fmt::print(stderr, "worst hostile query {:.2f} ms: {}\n", report.worst_ms, report.worst_query.substr(0, 60));
}

int run(const std::string& csv, const std::string& database_url, bool misses) {
  const std::vector<Title> titles = make_titles(read_rows(csv));
  const std::vector<Class> classes = Asker(titles).classes();
  Report report;
  search::Index index;
  fill(index, titles, report);
  search::Workspace workspace;
  std::vector<double> plain, with_facets;
  double recall = 0;
  for (const Class& one : classes) {
    ClassResult result{one.name,
                       one.recall_least,
                       measure(one.queries, in_memory(index, workspace, false), plain),
                       measure(one.queries, in_memory(index, workspace, true), with_facets),
                       {}};
    recall += result.plain.recall;
    report.classes.push_back(result);
    if (misses) {
      const Finder find = in_memory(index, workspace, false);
      for (const Asking& asking : one.queries)
        if (std::ranges::count(find(asking.text), asking.meant) == 0) fmt::print(stderr, "  missed ({}): {}\n", one.name, asking.text);
    }
  }
  recall /= static_cast<double>(classes.size());
  report.all_plain = {percentile(plain, 0.5), percentile(plain, 0.99), recall};
  report.all_with_facets = {percentile(with_facets, 0.5), percentile(with_facets, 0.99), recall};
  measure_hostile(index, workspace, titles, report);
  measure_updates(index, titles, report);
  report.compact_ms = milliseconds([&] { (void)index.compacted(); });
  if (!database_url.empty()) measure_pg_trgm(database_url, titles, classes, report);
  print(report);
  fmt::print("{}\n", json::to_string(report));
  return 0;
}

}  // namespace
}  // namespace bloomwatch

int main(int argc, char** argv) {
  CLI::App program("Measures search over made-up titles.", "search_bench");
  std::string csv, database_url;
  bool misses = false;
  program.add_option("csv", csv, "a catalogue: anime_id,name,genre,type,episodes,rating,members")->required();
  program.add_option("--database-url", database_url, "where plain pg_trgm is measured beside it");
  program.add_flag("--cpu-time", bloomwatch::in_cpu_time, "processor time of the thread in place of the time that passes");
  program.add_flag("--misses", misses, "print the queries whose title is not among the first ten");
  CLI11_PARSE(program, argc, argv);
  return bloomwatch::run(csv, database_url, misses);
}
