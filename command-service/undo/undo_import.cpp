// From an import's id to its changes, to their undos, to a report.
#include "command-service/undo/undo_import.h"

#include <algorithm>
#include <boost/describe.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "command-service/undo/undo_change.h"
#include "runtime/logging.h"

namespace bloomwatch::undo {
namespace {

/// Clocks of machines differ by less: an import's events are no older than this before its id says that it was made.
constexpr std::chrono::minutes clocks_differ_max{1};

enum class Outcome { undone, changed, already_undone, failed };
BOOST_DESCRIBE_ENUM(Outcome, undone, changed, already_undone, failed)

struct Counts {
  std::int64_t undone = 0;
  std::int64_t changed = 0;
  std::int64_t already_undone = 0;
  std::int64_t failed = 0;
};
BOOST_DESCRIBE_STRUCT(Counts, (), (undone, changed, already_undone, failed))

/// `position`: of the change. `later_position`: of what stands in the way, or undid it before.
struct UndoneRow {
  Position position = 0;
  AnimeId anime_id = {};
  Outcome outcome = Outcome::failed;
  std::optional<Position> later_position = {};
  std::optional<std::string> reason = {};
};
BOOST_DESCRIBE_STRUCT(UndoneRow, (), (position, anime_id, outcome, later_position, reason))

struct Report {
  ImportId id;
  Position position = 0;
  Counts counts = {};
  std::vector<UndoneRow> rows = {};
};
BOOST_DESCRIBE_STRUCT(Report, (), (id, position, counts, rows))

struct ImportPath {
  WatchSpaceId watch_space = {};
  ImportId import_id = {};
};
BOOST_DESCRIBE_STRUCT(ImportPath, (), (watch_space, import_id))

/// When an id of version 7 was made (RFC 9562 §5.7).
Time made_at(const Uuid& id) {
  std::int64_t milliseconds = 0;
  for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | id.bytes[i];
  return Time(std::chrono::milliseconds(milliseconds));
}

/// To an Idempotency-Key that was used for this very undo. What was answered then is not kept, and doing it once more would take back what
/// was brought back since.
Problem came_before() {
  return {
      .status = 409,
      .type = "import-undo-came-before",
      .title = "This undo came before",
      .detail = "It was taken under this Idempotency-Key, and goes on to its end by itself. To undo the import again, use another key."};
}

/// How one command ended.
struct Ended {
  Answer::Kind kind = Answer::Kind::unavailable;
  bool repeated = false;
  Position position = 0;
  std::string refusal = {};
};

/// Commands that were sent together, until all are answered.
class Window {
 public:
  explicit Window(std::size_t count) : ended_(count), open_(count) {}

  void take(std::size_t index, const Answer& answer) {
    const std::lock_guard lock(mutex_);
    ended_[index] = {answer.kind, answer.repeated, answer.position, std::string(answer.refusal)};
    if (--open_ == 0) all_.notify_all();
  }
  const std::vector<Ended>& wait() {
    std::unique_lock lock(mutex_);
    all_.wait(lock, [this] { return open_ == 0; });
    return ended_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_;
  std::vector<Ended> ended_;
  std::size_t open_;
};

/// One undo of an import under way.
class ImportUndo {
 public:
  ImportUndo(const Edge& edge, LogReader& reader, const WorkPool& pool, const Call& call, const ImportPath& path)
      : edge_(edge), reader_(reader), pool_(pool), call_(call), path_(path) {
    report_.id = path.import_id;
  }

  /// Reads which changes the import made. Who made them, if there are any.
  std::optional<ProfileId> find_changes() {
    std::optional<ProfileId> importer;
    const std::string reference = path_.import_id.to_string();
    Position after = reader_.position_at(made_at(path_.import_id.uuid) - clocks_differ_max);
    const Position until = reader_.head().position;
    CommandId last = {};
    while (after < until) {
      const auto events = reader_.read_partition_key(PartitionKey(path_.watch_space.uuid), after, until, events_per_read);
      if (events.empty()) break;
      after = events.back().meta.position;
      for (const RecordedEvent& event : events) {
        const CommandContext& by = event.meta.by;
        if (by.origin.kind != OriginKind::import || by.origin.reference != reference || by.command == last) continue;
        last = by.command;
        importer = by.profile;
        report_.rows.push_back({.position = event.meta.position, .anime_id = AnimeId(event.meta.stream.id)});
      }
    }
    std::ranges::reverse(report_.rows);
    return importer;
  }

  /// A command that changes nothing, under the call's Idempotency-Key: what is refused to whom, and whether it came before.
  Ended ask(std::optional<Refusal> refusal) {
    Window window(1);
    SpacePlan plan;
    plan.refusal = refusal;
    send(window, 0, frame_of_asking(call_, origin()),
         UndoSpace{.watch_space = path_.watch_space, .plan = std::make_shared<const SpacePlan>(std::move(plan))});
    const Ended ended = window.wait().front();
    report_.position = ended.position;
    return ended;
  }

  const Report& run() {
    for (std::size_t first = 0; first < report_.rows.size(); first += undos_in_flight_max) {
      std::vector<UndoneRow*> open;
      for (std::size_t i = first; i < std::min(first + undos_in_flight_max, report_.rows.size()); ++i) open.push_back(&report_.rows[i]);
      undo_all(std::move(open));
    }
    for (const UndoneRow& row : report_.rows) count(row.outcome);
    return report_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  Origin origin() const { return {.kind = OriginKind::undo, .reference = path_.import_id.to_string()}; }

  template <class C>
  void send(Window& window, std::size_t index, CommandFrame frame, C command) {
    auto on_answer = [&window, index](const Answer& answer, const C&, const auto&) { window.take(index, answer); };
    edge_.writer.submit(std::make_unique<TypedWork<C>>(std::move(frame), std::move(command), call_.actor(), std::move(on_answer)));
  }

  /// Until each has its outcome, or the writer has taken none for too long.
  void undo_all(std::vector<UndoneRow*> open) {
    const Clock::time_point began = Clock::now();
    while (!open.empty()) {
      open = undo_once(open);
      if (open.empty()) return;
      if (pool_.stopping() || Clock::now() - began > patience_max) {
        for (UndoneRow* row : open) row->reason = "the service was too busy; undo the import again: what is undone stays so";
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  /// Sends each once; returns those that are to be sent again.
  std::vector<UndoneRow*> undo_once(const std::vector<UndoneRow*>& rows) {
    Window window(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::visit([&](auto command) { send(window, i, frame_of_many(call_, origin()), std::move(command)); },
                 command_for(path_.watch_space, find_in_space(reader_, path_.watch_space, rows[i]->position)));
    const std::vector<Ended>& ended = window.wait();
    std::vector<UndoneRow*> again;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!settle(*rows[i], ended[i])) again.push_back(rows[i]);
    return again;
  }

  /// False: nothing is known of it yet. Sent again it undoes nothing twice.
  bool settle(UndoneRow& row, const Ended& ended) {
    switch (ended.kind) {
      case Answer::Kind::done:
        row.outcome = Outcome::undone;
        report_.position = std::max(report_.position, ended.position);
        return true;
      case Answer::Kind::refused:
        explain(row, ended.refusal);
        return true;
      case Answer::Kind::busy:
      case Answer::Kind::unavailable:
      case Answer::Kind::unknown:
        return false;
      case Answer::Kind::key_reused:
      case Answer::Kind::failed:
        break;
    }
    row.reason = "something went wrong here (incident " + call_.request.request_id.to_string() + ")";
    return true;
  }

  void explain(UndoneRow& row, const std::string& refusal) {
    std::string_view name = refusal;
    if (has_a_reason(refusal)) {
      const Reason reason = reason_of(reader_, path_.watch_space, row.position);
      row.outcome = reason.why == Refusal::already_undone ? Outcome::already_undone : Outcome::changed;
      row.later_position = reason.position;
      name = refuse(reason.why).name;
    }
    row.reason = bloomwatch::problem_of(name).title;
  }

  void count(Outcome outcome) {
    Counts& counts = report_.counts;
    ++(outcome == Outcome::undone           ? counts.undone
       : outcome == Outcome::changed        ? counts.changed
       : outcome == Outcome::already_undone ? counts.already_undone
                                            : counts.failed);
  }

  const Edge& edge_;
  LogReader& reader_;
  const WorkPool& pool_;
  const Call& call_;
  const ImportPath path_;
  Report report_;
};

/// Blocks until the last row is done.
void undo_now(const Edge& edge, LogReader& reader, const WorkPool& pool, Call& call, const ImportPath& path) {
  ImportUndo undo(edge, reader, pool, call, path);
  const auto importer = undo.find_changes();
  std::optional<Refusal> refusal;
  if (!importer) refusal = Refusal::no_such_import;
  if (importer && *importer != call.actor().profile) refusal = Refusal::importer_only;
  const Ended asked = undo.ask(refusal);
  if (asked.kind != Answer::Kind::done) {
    Answer answer;
    answer.kind = asked.kind;
    answer.refusal = asked.refusal;
    return call.respond(problem_response(answer, call.request.request_id));
  }
  if (asked.repeated) return call.refuse(came_before());
  const Report& report = undo.run();
  log::info("sync", "took an import back",
            {{"request", call.request.request_id},
             {"space", path.watch_space},
             {"user", call.principal->account},
             {"import", report.id},
             {"undone", report.counts.undone},
             {"changed", report.counts.changed},
             {"already_undone", report.counts.already_undone},
             {"failed", report.counts.failed}});
  Answer answer;
  answer.position = report.position;
  call.respond(done_response(edge, answer, json::to_string(report)));
}

}  // namespace

http::Handler undo_import(const Edge& edge, accounts::Readers& readers, WorkPool& pool) {
  return [&edge, &readers, &pool](http::Request request, http::Responder respond) {
    auto call = begin_call(edge, std::move(request), std::move(respond));
    if (!call) return;
    const auto path = json::read_command<ImportPath>(call->request.path_params, "");
    if (!path) return call->refuse(problems::wrong_fields(path.error()));
    run_on(pool, std::move(*call), [&edge, &readers, &pool, path = *path](Call& moved) {
      readers.with([&](LogReader& reader) { undo_now(edge, reader, pool, moved, path); });
    });
  };
}

}  // namespace bloomwatch::undo
