// From a file to commands, and from their answers to a report.
#include "command-service/sync/mal_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/describe.hpp>
#include <cmath>
#include <future>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "command-service/blocking.h"
#include "command-service/bulk.h"
#include "command-service/spaces/access.h"
#include "command-service/tracking/refusals.h"
#include "command-service/values.h"
#include "runtime/logging.h"

namespace bloomwatch::mal {
namespace {

enum class Outcome { added, changed, unchanged, failed };
BOOST_DESCRIBE_ENUM(Outcome, added, changed, unchanged, failed)

struct Counts {
  std::int64_t added = 0;
  std::int64_t changed = 0;
  std::int64_t unchanged = 0;
  std::int64_t failed = 0;
};
BOOST_DESCRIBE_STRUCT(Counts, (), (added, changed, unchanged, failed))

struct ReportedRow {
  std::int64_t index = 0;
  Outcome outcome = Outcome::failed;
  std::optional<AnimeId> anime_id = {};
  std::optional<Row> row = {};  ///< none: the report is full
  std::optional<std::string> reason = {};
};
BOOST_DESCRIBE_STRUCT(ReportedRow, (), (index, outcome, anime_id, row, reason))

struct Report {
  ImportId id;
  Position position = 0;
  bool dry_run = false;
  Counts counts = {};
  std::vector<ReportedRow> rows = {};
};
BOOST_DESCRIBE_STRUCT(Report, (), (id, position, dry_run, counts, rows))

struct ImportQuery {
  std::optional<bool> dry_run = {};
  std::optional<bool> shared = {};
};
BOOST_DESCRIBE_STRUCT(ImportQuery, (), (dry_run, shared))

/// A question to the writer that changes nothing: may this person import here, and how far is the log?
struct AskToImport {
  WatchSpaceId watch_space = {};
  Minted<ImportId> import = {};

  Uuid answer_id() const { return import->uuid; }
  Decision<MemberJoined> decide(const Actor& by, const WatchSpace& space) const {
    if (const auto refused = spaces::refuse_strangers(by, space)) return *refused;
    return nothing;
  }
};
BOOST_DESCRIBE_STRUCT(AskToImport, (), (watch_space, import))

void add_sentence(std::string& sentences, std::string_view more) {
  if (more.empty()) return;
  if (!sentences.empty()) sentences += "; ";
  sentences += more;
}

/// Cuts to a number of characters; whether there were more.
bool cut_to(std::string& text, std::size_t length_max) {
  if (length_of(text) <= length_max) return false;
  std::size_t bytes = 0;
  for (std::size_t length = 0; bytes < text.size() && length <= length_max; ++bytes)
    if ((static_cast<unsigned char>(text[bytes]) & 0xC0) != 0x80 && ++length > length_max) break;
  text.resize(bytes);
  return true;
}

/// The row as it is reported: of its texts what is needed to recognize it, so that a small file never makes a large answer.
Row shortened(Row row) {
  constexpr std::size_t shown_length_max = 200;
  for (std::optional<std::string>* text : {&row.title, &row.format, &row.notes})
    if (*text && cut_to(**text, shown_length_max)) (*text)->shrink_to_fit();
  return row;
}

/// Leaves of what is too much for a report the outcomes only. Failed rows come first: they are what one has to do something about.
void keep_within(std::size_t bytes_max, std::vector<ReportedRow>& rows) {
  std::size_t bytes = 0;
  for (const bool failed : {true, false}) {
    for (ReportedRow& row : rows) {
      if ((row.outcome == Outcome::failed) != failed) continue;
      if (bytes <= bytes_max) bytes += json::to_string(row).size();
      if (bytes <= bytes_max) continue;
      row.row.reset();
      if (row.reason) row.reason = "the report is full: what there is to say of this row is left out";
    }
  }
}

/// `text` as the value type checks it, cut to its length if it is too long; nothing, and a remark, if it is no such text.
template <class T>
std::optional<std::string> fitting(const std::optional<std::string>& text, std::size_t length_max, std::string_view name,
                                   std::string& remarks) {
  if (!text) return std::nullopt;
  std::string cut = *text;
  if (cut_to(cut, length_max)) add_sentence(remarks, fmt::format("{} was cut to {} characters", name, length_max));
  const auto checked = T::from(std::move(cut));
  if (checked) return checked->text();
  add_sentence(remarks, fmt::format("{} was left out: it {}", name, checked.error()));
  return std::nullopt;
}

/// A score of ten as tenths in halves, never 0, with what the file said.
void take_score(ImportAnime& command, double score, std::string& remarks) {
  const auto halves = std::max<std::int16_t>(1, static_cast<std::int16_t>(std::lround(score * 2)));
  command.score_tenths = static_cast<std::int16_t>(halves * 5);
  command.original_score = OriginalScore{.value = fmt::format("{:g}", score), .scale = "10"};
  if (halves != score * 2) add_sentence(remarks, fmt::format("my_score {:g} is kept as {:g}", score, halves / 2.0));
}

/// Whether two rows say the same of one anime, whatever they call it.
bool say_the_same(const Row& one, Row other) {
  other.mal_id = one.mal_id;
  other.title = one.title;
  other.format = one.format;
  other.episode_count = one.episode_count;
  return other == one;
}

/// One import under way.
class Import {
 public:
  Import(const Edge& edge, const WorkPool& pool, const Call& call, ImportQuery query, WatchSpaceId space)
      : edge_(edge), call_(call), query_(query), space_(space), actor_(call.actor()), bulk_(pool, rows_in_flight_max) {
    report_.id = ImportId(Uuid::v7(call.now));
    report_.dry_run = query.dry_run.value_or(false);
  }

  /// Whether the person may import here; else the call has been answered. It comes first: of the file nothing is said to strangers.
  bool ask_for_membership(Call& call) { return ask(call, frame_of_many(call_, origin())); }

  /// Whether nothing came under this Idempotency-Key before; else the call has been answered. It comes last: a key is spent on an import
  /// that can begin, and on nothing else.
  bool ask_for_import(Call& call) { return !call_.frame.key || ask(call, frame_of_asking(call_, origin())); }

  /// Loads the key that comments are sealed with. False: the call has been answered.
  bool load_key(Call& call) {
    std::promise<DataKeys::Found> found;
    edge_.data_keys.with_key(actor_.account, [&](DataKeys::Found key) { found.set_value(std::move(key)); });
    auto key = found.get_future().get();
    if (!key) {
      call.refuse(problems::unavailable(call.request.request_id, key.error().what()));
      return false;
    }
    actor_.key = std::move(*key);
    return true;
  }

  const Report& run(std::vector<ParsedRow> rows) {
    report_.rows.resize(rows.size());
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (prepare(rows, i)) open.push_back(i);
    send_all(std::move(open), true, &Import::look);
    send_all(take_each_once(rows), report_.dry_run, &Import::take);
    send_all(std::exchange(without_progress_, {}), report_.dry_run, &Import::take);
    for (const ReportedRow& row : report_.rows) count(row.outcome);
    keep_within(report_bytes_max, report_.rows);
    return report_;
  }

 private:
  Origin origin() const { return {.kind = OriginKind::import, .provider = "mal", .reference = report_.id.to_string()}; }

  bool ask(Call& call, CommandFrame frame) {
    const auto before = [](const Answer& first) {
      Problem problem = came_before("import-came-before", "import", "import the file");
      problem.detail += " Its id is " + first.id.to_string() + ".";
      return problem;
    };
    const auto position = ask_first(edge_, call, std::move(frame), AskToImport{space_, {report_.id}}, before);
    report_.position = position.value_or(0);
    return position.has_value();
  }

  void count(Outcome outcome) {
    Counts& counts = report_.counts;
    ++(outcome == Outcome::added       ? counts.added
       : outcome == Outcome::changed   ? counts.changed
       : outcome == Outcome::unchanged ? counts.unchanged
                                       : counts.failed);
  }

  /// Makes a row's command; false if it has its outcome already.
  bool prepare(std::vector<ParsedRow>& rows, std::size_t index) {
    ParsedRow& parsed = rows[index];
    ReportedRow& reported = report_.rows[index];
    reported.index = static_cast<std::int64_t>(index);
    reported.row = shortened(parsed.row);
    std::string remarks = std::move(parsed.remarks);
    if (!parsed.error.empty()) return settle(reported, Outcome::failed, parsed.error), false;
    auto command = command_from(parsed.row, remarks);
    if (!remarks.empty()) reported.reason = remarks;
    if (!command) return settle(reported, Outcome::failed, command.error()), false;
    command->watch_space = space_;
    command->shared = query_.shared.value_or(false);
    commands_.emplace(index, std::move(*command));
    return true;
  }

  static void settle(ReportedRow& row, Outcome outcome, std::string_view reason) {
    row.outcome = outcome;
    std::string reasons = row.reason.value_or("");
    add_sentence(reasons, reason);
    if (!reasons.empty()) row.reason = std::move(reasons);
  }

  using Answered = void (Import::*)(std::size_t index, const Answer&, const ImportAnime::Imported&);

  /// A row's command under a new anime's id for each sending: one sent before may be in the log, and the writer takes an id that was minted
  /// for a command for a stream that is not. The title's claim is what makes sending it twice do it once.
  ImportAnime with_fresh_id(std::size_t index) const {
    ImportAnime command = commands_.at(index);
    command.anime.value = AnimeId(Uuid::v7(call_.now));
    return command;
  }

  void send_all(std::vector<std::size_t> rows, bool dry_run, Answered answered) {
    const auto send = [this, dry_run, answered](std::size_t index) {
      auto on_answer = [this, index, answered](const Answer& answer, const ImportAnime&, const ImportAnime::Imported& decision) {
        bulk_.answered(index, answer.kind, [&] { (this->*answered)(index, answer, decision); });
      };
      edge_.writer.submit(std::make_unique<TypedWork<ImportAnime>>(frame_of_many(call_, origin()), with_fresh_id(index), actor_,
                                                                   std::move(on_answer), dry_run));
    };
    bulk_.run(std::move(rows), send, [this](std::size_t index) {
      settle(report_.rows[index], Outcome::failed, "the service was too busy; import the file again: what is in stays as it is");
    });
  }

  /// To the question what a row would do: which anime it is about. One that is new to the space is told by its title.
  void look(std::size_t index, const Answer& answer, const ImportAnime::Imported& decision) {
    if (answer.kind != Answer::Kind::done && answer.kind != Answer::Kind::refused) return went_wrong(report_.rows[index]);
    const auto* added = decision.events.empty() ? nullptr : std::get_if<AnimeAdded>(&decision.events.front());
    about_.emplace(index, added == nullptr ? answer.id : added->title.uuid);
  }

  /// Of the rows about one anime, by whichever ids, only the first of the file is taken. That is settled before any of them is, as they are
  /// decided in no certain order; a row that overwrote another would do so with every import anew.
  std::vector<std::size_t> take_each_once(const std::vector<ParsedRow>& rows) {
    std::map<Uuid, std::size_t> first_about;
    std::vector<std::size_t> taken;
    for (const auto& [index, anime] : about_) {
      const auto [first, fresh] = first_about.try_emplace(anime, index);
      if (fresh) {
        taken.push_back(index);
        continue;
      }
      const bool same = say_the_same(rows[first->second].row, rows[index].row);
      settle(report_.rows[index], same ? Outcome::unchanged : Outcome::failed,
             fmt::format("it is the same anime as row {}, which {}", first->second, same ? "says the same" : "was taken"));
    }
    return taken;
  }

  void take(std::size_t index, const Answer& answer, const ImportAnime::Imported& decision) {
    ReportedRow& row = report_.rows[index];
    ImportAnime& command = commands_.at(index);
    if (answer.kind == Answer::Kind::done) {
      report_.position = std::max(report_.position, answer.position);
      settle(row, outcome_of(decision), remark_on(command, decision));
      if (!(report_.dry_run && row.outcome == Outcome::added)) row.anime_id = AnimeId(answer.id);
    } else if (is_progress_refused(answer) && command.episodes_watched) {
      settle(row, Outcome::failed,
             fmt::format("my_watched_episodes is {}, but here the title has fewer: progress stays as it was", *command.episodes_watched));
      command.episodes_watched.reset();
      without_progress_.push_back(index);
    } else if (answer.kind == Answer::Kind::refused) {
      settle(row, Outcome::failed, problem_of(answer.refusal).title + ": " + problem_of(answer.refusal).detail);
    } else {
      went_wrong(row);
    }
  }

  void went_wrong(ReportedRow& row) {
    settle(row, Outcome::failed, fmt::format("something went wrong here (incident {})", call_.request.request_id.to_string()));
  }

  static std::string remark_on(const ImportAnime& command, const ImportAnime::Imported& decision) {
    if (!decision.count_left_out) return "";
    return fmt::format("my_watched_episodes is {} of {} in the catalogue: the number of episodes is kept as unknown",
                       command.episodes_watched.value_or(0), *decision.count_left_out);
  }

  static bool is_progress_refused(const Answer& answer) {
    return answer.kind == Answer::Kind::refused && answer.refusal == refuse(tracking::Refusal::progress_exceeds_episode_count).name;
  }

  static Outcome outcome_of(const ImportAnime::Imported& decision) {
    if (decision.events.empty()) return Outcome::unchanged;
    return std::holds_alternative<AnimeAdded>(decision.events.front()) ? Outcome::added : Outcome::changed;
  }

  const Edge& edge_;
  const Call& call_;
  const ImportQuery query_;
  const WatchSpaceId space_;
  Actor actor_;
  Report report_;
  std::map<std::size_t, ImportAnime> commands_;  ///< by row
  std::map<std::size_t, Uuid> about_;            ///< by row: an anime, or a title
  std::vector<std::size_t> without_progress_;    ///< rows to be sent once more, without what was refused of them
  Bulk bulk_;
};

Problem problem_from(const Unreadable& unreadable) {
  Problem problem{.status = 422, .type = "no-anime-list", .title = "The file is no MyAnimeList export of an anime list"};
  if (unreadable.kind == Unreadable::Kind::too_large || unreadable.kind == Unreadable::Kind::too_many_rows) {
    problem.status = 413;
    problem.type = "list-too-large";
    problem.title = "The list is too large";
  }
  return problem.with_detail(unreadable.detail);
}

/// What an account may import in a while.
struct Limits {
  TokenBuckets imports{imports_max, imports_per_second};
  TokenBuckets rows{imported_rows_max, imported_rows_per_second};
};

/// Blocks until the last row is done.
void import_now(const Edge& edge, const WorkPool& pool, Limits& limits, Call& call, ImportQuery query, WatchSpaceId space) {
  Import import(edge, pool, call, query, space);
  if (!import.ask_for_membership(call)) return;
  auto list = parse_export(call.request.body);
  if (!list) return call.refuse(problem_from(list.error()));
  if (!query.dry_run.value_or(false) && call.refuse_beyond(limits.rows, static_cast<double>(list->rows.size()))) return;
  if (!import.load_key(call) || !import.ask_for_import(call)) return;
  const Report& report = import.run(std::move(list->rows));
  log::info("sync", "imported a MyAnimeList export",
            {{"request", call.request.request_id},
             {"space", space},
             {"user", call.principal->account},
             {"import", report.id},
             {"dry_run", report.dry_run},
             {"added", report.counts.added},
             {"changed", report.counts.changed},
             {"unchanged", report.counts.unchanged},
             {"failed", report.counts.failed}});
  Answer answer;
  answer.position = report.position;
  call.respond(done_response(edge, answer, json::to_string(report)));
}

}  // namespace

std::expected<ImportAnime, std::string> command_from(const Row& row, std::string& remarks) {
  if (!row.mal_id) return std::unexpected("it has no id");
  if (*row.mal_id > AniListMediaId::from(std::numeric_limits<std::int32_t>::max())->value())
    return std::unexpected("series_animedb_id is too large");
  if (row.episodes_watched > episodes_max) return std::unexpected(fmt::format("my_watched_episodes is more than {}", episodes_max));
  if (row.times_rewatched > rewatches_max) return std::unexpected(fmt::format("my_times_watched is more than {}", rewatches_max));
  ImportAnime command{.media = {.source = "mal", .id = std::to_string(*row.mal_id)},
                      .snapshot_source = "mal-export",
                      .status = row.status,
                      .episodes_watched = row.episodes_watched,
                      .times_rewatched = row.times_rewatched,
                      .started_on = row.started_on,
                      .finished_on = row.finished_on};
  command.snapshot.romaji = fitting<TitleText>(row.title, title_length_max, "series_title", remarks);
  command.snapshot.format = fitting<FormatText>(row.format, format_length_max, "series_type", remarks);
  command.notes = fitting<Notes>(row.notes, notes_length_max, "my_comments", remarks);
  if (row.episode_count && *row.episode_count <= episodes_max) {
    command.snapshot.episode_count = row.episode_count;
  } else if (row.episode_count) {
    add_sentence(remarks, "series_episodes is too large and was left out");
  }
  if (row.score) take_score(command, *row.score, remarks);
  return command;
}

http::Handler import_list(const Edge& edge, WorkPool& pool) {
  return [&edge, &pool, limits = std::make_unique<Limits>()](http::Request request, http::Responder respond) {
    auto call = begin_call(edge, std::move(request), std::move(respond));
    if (!call) return;
    const auto query = json::read_query<ImportQuery>(call->request.query);
    if (!query) return call->refuse(problems::wrong_fields(query.error()));
    const auto path = json::read_command<AskToImport>(call->request.path_params, "");
    if (!path) return call->refuse(problems::wrong_fields(path.error()));
    if (call->refuse_beyond(limits->imports)) return;
    run_on(pool, std::move(*call), [&edge, &pool, &limits = *limits, query = *query, space = path->watch_space](Call& moved) {
      import_now(edge, pool, limits, moved, query, space);
    });
  };
}

}  // namespace bloomwatch::mal
