// `bloomwatch catalog import`: a file of titles into the running instance's catalogue. The file is read and checked as a whole first; then
// it is said which title each row is, by the claims in the log; then the instance is told, part by part, as the system. What was cut off is
// finished by running it again.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <unordered_map>

#include "command-service/catalog/catalog_file.h"
#include "command-service/catalog/describe_title.h"
#include "command-service/catalog/import_batch.h"
#include "command-service/catalog/import_plan.h"
#include "command-service/dispatch.h"
#include "events/log.h"
#include "ops/operator/instance_client.h"
#include "ops/operator/progress.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "ops/operator/token.h"
#include "runtime/json.h"

namespace bloomwatch::ops {
namespace {

using namespace catalog;

constexpr std::chrono::seconds import_life{3600};
constexpr std::chrono::seconds batch_takes_max{300};
constexpr std::size_t batch_titles = 1'000;
constexpr std::size_t batch_bytes_wanted = std::size_t{4} << 20;
constexpr std::size_t claims_at_once = 5'000;
constexpr std::size_t shown_max = 20;
/// Rounds in which rows are told anew whose title turned out to be another by then: one more for each time that an entry was merged and
/// split.
constexpr int rounds_max = 8;

struct CatalogOptions {
  Target target;
  std::string file;
  std::string format;
  std::string source = "csv";
  std::string ids = "mal";
  std::string report;
  double bad_rows = bad_rows_share_max;
  bool dry_run = false;
};

CatalogFile read_file(const CatalogOptions& options, Progress& progress) {
  std::ifstream in(options.file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + options.file);
  ReadOptions reading{.csv_source = options.source, .csv_ids = options.ids, .bad_rows_share = options.bad_rows};
  if (!options.format.empty()) reading.format = json::enum_of<FileFormat>(options.format);
  reading.progress = [&](std::size_t rows) { progress.show("rows read:", static_cast<std::int64_t>(rows), 0); };
  try {
    return read_catalog(in, reading);
  } catch (const UnreadableFile& unreadable) {
    throw std::runtime_error(fmt::format("{} is refused, and nothing was changed: {}", options.file, unreadable.what()));
  }
}

/// Where references lead, as the log has it.
class KnownTitles {
 public:
  explicit KnownTitles(const std::string& database_url) : reader_(database_url, "bloomwatch catalog") {}

  void load(const std::vector<FileTitle>& titles, Progress& progress) {
    std::vector<ClaimKey> claims;
    for (std::size_t i = 0; i < titles.size(); ++i) {
      const auto more = claims_of(titles[i].entry.media);
      claims.insert(claims.end(), more.begin(), more.end());
      if (claims.size() < claims_at_once && i + 1 < titles.size()) continue;
      for (const ClaimChange& change : reader_.load({.claims = std::exchange(claims, {})}).claims)
        if (change.holder && change.holder->category == Title::category) holders_.emplace(change.key, TitleId(change.holder->id));
      progress.show("titles looked up:", static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(titles.size()));
    }
  }

  std::optional<TitleId> title(const MediaReference& reference) const {
    const auto found = holders_.find(reference_claim(reference.source, reference.id));
    return found == holders_.end() ? std::nullopt : std::optional(found->second);
  }
  /// A title as its stream has it now.
  Title state(TitleId id) {
    dispatch::Holder<Title> holder;
    for (const RecordedEvent& event : reader_.stream({Title::category, id.uuid})) holder.apply(event);
    return std::move(holder.state);
  }
  /// From now on references that lead to `merged` lead to `living`.
  void follow(TitleId merged, TitleId living) {
    for (auto& [claim, holder] : holders_)
      if (holder == merged) holder = living;
  }

 private:
  LogReader reader_;
  std::unordered_map<ClaimKey, TitleId> holders_;
};

/// What an import came to.
struct Report {
  std::size_t added = 0, changed = 0, unchanged = 0, failed = 0, merged = 0;
  std::set<TitleId> released;  ///< that gave up references
  std::map<std::string, std::size_t> facts;
  std::vector<std::string> lines;  ///< what is to be read: merges, splits, failures
};

class CatalogImport {
 public:
  CatalogImport(const CatalogOptions& options, CatalogFile file)
      : options_(options),
        file_(std::move(file)),
        client_(options.target.instance().url, operator_token(options.target, import_life)),
        known_(options.target.database()),
        import_(Uuid::v7(now())) {}

  const Report& run(Progress& progress) {
    known_.load(file_.titles, progress);
    const auto make_plan = [this] {
      return plan_import(file_.titles, [this](const MediaReference& reference) { return known_.title(reference); });
    };
    ImportPlan plan = make_plan();
    while (settle_merges(plan)) plan = make_plan();
    send_moves(plan);
    std::vector<PlannedTitle> open = std::move(plan.titles);
    for (int round = 1; !open.empty(); ++round) open = send_titles(open, round == rounds_max, progress);
    return report_;
  }

 private:
  ImportBatch batch() const { return {.import = import_, .source = file_.source, .dry_run = options_.dry_run}; }

  /// Tells of each step what became of it.
  BatchReport send(const ImportBatch& asked) {
    const std::string body = json::to_string(asked);
    auto report = json::read<BatchReport>(client_.post("/api/catalog/import", "application/json", body, batch_takes_max));
    if (!report) throw std::runtime_error("the instance's answer cannot be read: " + report.error().front().detail);
    const auto sizes = [](const auto& of) { return std::array{of.releases.size(), of.merges.size(), of.titles.size()}; };
    if (sizes(*report) != sizes(asked)) throw std::runtime_error("the instance's answer is not to what was asked");
    return std::move(*report);
  }

  /// Looks at the titles that are to be merged. One that was merged before, by an import that was cut off, only has references left that
  /// are to come over: true, and what is known follows it, so that the plan is to be made again, without it. The others' references that
  /// the file does not name come over as well.
  bool settle_merges(const ImportPlan& plan) {
    bool again = false;
    std::map<TitleId, std::size_t> row_of;
    for (const PlannedTitle& title : plan.titles) row_of[title.title] = title.index;
    std::set<TitleId> looked;
    for (const MergeStep& merge : plan.merges)
      for (const TitleId id : {merge.title, merge.into}) {
        if (!looked.insert(id).second) continue;
        const Title title = known_.state(id);
        if (title.merged_into) {
          known_.follow(id, *title.merged_into);
          again = true;
        } else if (id == merge.title) {
          inherit(file_.titles[row_of.at(merge.into)].entry, title.media);
        }
      }
    return again;
  }

  /// References of a title that is merged, beside those that the row has, unless another row has them.
  void inherit(TitleEntry& entry, const std::vector<MediaReference>& references) {
    if (in_file_.empty())
      for (const FileTitle& title : file_.titles)
        for (const MediaReference& reference : title.entry.media) in_file_.insert(reference.source + ':' + reference.id);
    for (const MediaReference& reference : references)
      if (in_file_.insert(reference.source + ':' + reference.id).second && entry.media.size() < references_max)
        entry.media.push_back(reference);
  }

  /// References that leave their titles, and titles that become others: before anything is described.
  void send_moves(const ImportPlan& plan) {
    std::size_t at = 0;
    while (at < plan.releases.size() + plan.merges.size()) {
      ImportBatch moves = batch();
      for (; at < plan.releases.size() && moves.releases.size() < batch_titles; ++at) moves.releases.push_back(plan.releases[at]);
      if (moves.releases.empty())
        for (; at - plan.releases.size() < plan.merges.size() && moves.merges.size() < batch_titles; ++at)
          moves.merges.push_back(plan.merges[at - plan.releases.size()]);
      const BatchReport done = send(moves);
      for (std::size_t i = 0; i < done.releases.size(); ++i) {
        if (done.releases[i].outcome == StepOutcome::changed) report_.released.insert(moves.releases[i].title);
        tell(done.releases[i], fmt::format("title {}: {} references mean another title now", moves.releases[i].title.to_string(),
                                           moves.releases[i].media.size()));
      }
      for (std::size_t i = 0; i < done.merges.size(); ++i) {
        if (done.merges[i].outcome == StepOutcome::changed) ++report_.merged;
        tell(done.merges[i], fmt::format("title {} became {}", moves.merges[i].title.to_string(), moves.merges[i].into.to_string()));
      }
    }
  }
  void tell(const StepReport& done, const std::string& what) {
    if (done.outcome == StepOutcome::failed) ++report_.failed;
    if (done.outcome == StepOutcome::unchanged) return;
    report_.lines.push_back(done.reason ? fmt::format("failed: {} ({})", what, *done.reason) : what);
  }

  /// Describes titles, and returns those that are to be told again, to another title.
  std::vector<PlannedTitle> send_titles(const std::vector<PlannedTitle>& titles, bool last, Progress& progress) {
    std::vector<PlannedTitle> again;
    for (std::size_t at = 0; at < titles.size();) {
      ImportBatch part = batch();
      const std::size_t first = at;
      std::size_t bytes = 0;
      for (; at < titles.size() && part.titles.size() < batch_titles && bytes < batch_bytes_wanted; ++at) {
        const PlannedTitle& title = titles[at];
        part.titles.push_back({title.title, title.fresh, file_.titles[title.index].entry});
        bytes += weight_of(part.titles.back().entry);
      }
      const BatchReport done = send(part);
      for (std::size_t i = 0; i < done.titles.size(); ++i) {
        PlannedTitle title = titles[first + i];
        if (!last && done.titles[i].outcome == StepOutcome::failed && tell_another(title, *done.titles[i].reason))
          again.push_back(title);
        else
          count(title, done.titles[i]);
      }
      progress.show(options_.dry_run ? "titles compared:" : "titles imported:", static_cast<std::int64_t>(at),
                    static_cast<std::int64_t>(titles.size()));
    }
    return again;
  }

  /// About how much JSON it makes.
  static std::size_t weight_of(const TitleEntry& entry) {
    std::size_t bytes = 500;
    for (const TitleName& name : entry.names) bytes += name.text.size() + 60;
    for (const auto* words : {&entry.genres, &entry.tags, &entry.studios, &entry.producers})
      for (const std::string& word : *words) bytes += word.size() + 3;
    bytes += (entry.media.size() + entry.related.size()) * 50;
    return bytes;
  }

  /// Whether a row that was refused is to be told to another title, which it then names.
  bool tell_another(PlannedTitle& title, const std::string& reason) {
    if (reason == "title_id_taken") {
      title.title = TitleId(Uuid::v5(title.title.uuid, "again"));
      return true;
    }
    if (reason != "title_merged") return false;
    const Title merged = known_.state(title.title);
    if (!merged.merged_into) return false;
    title.title = *merged.merged_into;
    title.fresh = false;
    inherit(file_.titles[title.index].entry, merged.media);
    return true;
  }

  void count(const PlannedTitle& title, const StepReport& done) {
    switch (done.outcome) {
      case StepOutcome::added:
        ++report_.added;
        break;
      case StepOutcome::changed:
        ++report_.changed;
        break;
      case StepOutcome::unchanged:
        ++report_.unchanged;
        break;
      case StepOutcome::failed:
        ++report_.failed;
        report_.lines.push_back(fmt::format("failed: row {}: {}", file_.titles[title.index].row, done.reason.value_or("no reason")));
        break;
    }
    for (const std::string& fact : done.facts) ++report_.facts[fact];
  }

  const CatalogOptions& options_;
  CatalogFile file_;
  InstanceClient client_;
  KnownTitles known_;
  const ImportId import_;
  Report report_;
  std::set<std::string> in_file_;
};

void show_some(const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < std::min(lines.size(), shown_max); ++i) fmt::print("{}\n", lines[i]);
  if (lines.size() > shown_max) fmt::print("… and {} more; --report FILE writes all of them\n", lines.size() - shown_max);
}

int import_catalog(const CatalogOptions& options) {
  // Before anything is imported: what was not written down cannot be asked for again.
  std::ofstream report_file;
  if (!options.report.empty()) report_file.open(options.report);
  if (!report_file) throw std::runtime_error("cannot write " + options.report);
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::string> remarks;
  Report report;
  std::size_t rows = 0;
  std::size_t skipped = 0;
  std::string of;
  {
    Progress progress(Progress::Elsewhere::lines);
    CatalogFile file = read_file(options, progress);
    rows = file.rows;
    skipped = file.skipped();
    of = file.last_update ? fmt::format(" of {}, updated {}", file.source, *file.last_update) : " of " + file.source;
    if (file.license) of += ", under " + *file.license;
    for (const RowRemark& remark : file.remarks)
      remarks.push_back(fmt::format("row {}{}: {}", remark.row, remark.taken ? "" : " skipped", remark.reason));
    report = CatalogImport(options, std::move(file)).run(progress);
  }
  std::string facts;
  for (const auto& [fact, count] : report.facts) facts += fmt::format("{}{} {}", facts.empty() ? "" : ", ", fact, count);
  show_some(report.lines);
  show_some(remarks);
  fmt::print("{} rows{}: {} added, {} changed, {} unchanged, {} failed, {} skipped{}\n", rows, of, report.added, report.changed,
             report.unchanged, report.failed, skipped, options.dry_run ? " (a dry run: nothing was written)" : "");
  fmt::print("{} merged, {} gave up references to others{}{}\n", report.merged, report.released.size(),
             facts.empty() ? "" : "; changed: ", facts);
  fmt::print("{:.1f} s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  if (report_file.is_open()) {
    for (const auto* lines : {&report.lines, &remarks})
      for (const std::string& line : *lines) report_file << line << '\n';
    if (!report_file.flush()) throw std::runtime_error("cannot write " + options.report);
  }
  return report.failed > 0 ? 1 : 0;
}

/// A reference's source is written for ever: a slip of the pen would make titles that nobody's ids lead to. Empty if it is known.
std::string unless_known(const std::string& source) {
  return order_of_source(source) < order_of_source({}) ? ""
                                                       : '\'' + source + "' is none of the sources of ids, such as anilist, mal or kitsu";
}

}  // namespace

void add_catalog(CLI::App& program, Action& action) {
  auto options = std::make_shared<CatalogOptions>();
  CLI::App* catalog = program.add_subcommand("catalog", "The catalogue of titles");
  catalog->require_subcommand(1);
  CLI::App* import = catalog->add_subcommand(
      "import",
      "Titles from anime-offline-database (JSONL or JSON) or a CSV file, plain or zstd. Imported again, only what changed is written");
  add_target(*import, options->target);
  import->add_option("file", options->file, "The file")->required()->check(CLI::ExistingFile);
  import->add_option("--format", options->format, "json-lines, json or csv; else by how the file begins")
      ->check(CLI::IsMember({"json-lines", "json", "csv"}));
  import->add_option("--source", options->source, "What a CSV file's facts are said to come from")->capture_default_str();
  import->add_option("--ids", options->ids, "Whose ids a CSV file's column anime_id has")
      ->check(CLI::Validator(unless_known, "SOURCE"))
      ->capture_default_str();
  import->add_option("--bad-rows", options->bad_rows, "More unreadable rows than this share, and the file is refused")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  import->add_option("--report", options->report, "Write every merge, split, failure and remark to this file");
  import->add_flag("--dry-run", options->dry_run, "Say what would change and write nothing");
  import->callback([options, &action] { action = [options] { return import_catalog(*options); }; });
}

}  // namespace bloomwatch::ops
