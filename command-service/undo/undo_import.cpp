// From an import's id to its changes, to their undos, to a report.
#include "command-service/undo/undo_import.h"

#include <algorithm>
#include <boost/describe.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "command-service/bulk.h"
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

/// How one command ended for good.
struct Ended {
  Answer::Kind kind = Answer::Kind::unavailable;  ///< it was given up
  Position position = 0;
  std::string refusal = {};
};

/// One undo of an import under way.
class ImportUndo {
 public:
  ImportUndo(const Edge& edge, LogReader& reader, const WorkPool& pool, const Call& call, const ImportPath& path)
      : edge_(edge), reader_(reader), call_(call), path_(path), bulk_(pool, undos_in_flight_max) {
    report_.id = path.import_id;
  }

  /// Whether the person may look for changes here; else the call has been answered. It comes first: looking for them reads the space's log.
  bool ask_for_membership(Call& call) { return ask(call, std::nullopt, frame_of_many(call_, origin())); }

  /// Whether the changes that were found may be undone, and were not under this Idempotency-Key; else the call has been answered.
  bool ask_for_undo(Call& call, std::optional<Refusal> refusal) { return ask(call, refusal, frame_of_asking(call_, origin())); }

  /// Reads which changes the import made. Who made them, if there are any.
  std::optional<ProfileId> find_changes() {
    const auto made_at = path_.import_id.uuid.time();
    if (!made_at) return std::nullopt;  // no import's id
    std::optional<ProfileId> importer;
    const std::string reference = path_.import_id.to_string();
    Position after = reader_.position_at(*made_at - clocks_differ_max);
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

  const Report& run() {
    std::vector<Ended> ended(report_.rows.size());
    const auto undo = [&](std::size_t index) {
      try {
        std::visit([&](auto command) { send(index, std::move(command), ended[index]); },
                   command_for(path_.watch_space, find_in_space(reader_, path_.watch_space, report_.rows[index].position)));
      } catch (const pg::Error&) {  // what it was cannot be read: as if the writer were away
        bulk_.answered(index, Answer::Kind::unavailable, [] {});
      }
    };
    bulk_.run_all(ended.size(), undo, [](std::size_t) {});
    for (std::size_t i = 0; i < ended.size(); ++i) {
      settle(report_.rows[i], ended[i]);
      count(report_.rows[i].outcome);
    }
    return report_;
  }

 private:
  Origin origin() const { return {.kind = OriginKind::undo, .reference = path_.import_id.to_string()}; }

  bool ask(Call& call, std::optional<Refusal> refusal, CommandFrame frame) {
    const auto before = [](const Answer&) { return came_before("import-undo-came-before", "undo", "undo the import"); };
    const auto position = ask_first(edge_, call, std::move(frame), only_says(path_.watch_space, refusal), before);
    report_.position = position.value_or(0);
    return position.has_value();
  }

  /// Sent again it undoes nothing twice.
  template <class C>
  void send(std::size_t index, C command, Ended& ended) {
    auto on_answer = [this, index, &ended](const Answer& answer, const C&, const auto&) {
      bulk_.answered(index, answer.kind, [&] { ended = {answer.kind, answer.position, std::string(answer.refusal)}; });
    };
    edge_.writer.submit(
        std::make_unique<TypedWork<C>>(frame_of_many(call_, origin()), std::move(command), call_.actor(), std::move(on_answer)));
  }

  void settle(UndoneRow& row, const Ended& ended) {
    switch (ended.kind) {
      case Answer::Kind::done:
        row.outcome = Outcome::undone;
        report_.position = std::max(report_.position, ended.position);
        return;
      case Answer::Kind::refused:
        return explain(row, ended.refusal);
      case Answer::Kind::busy:
      case Answer::Kind::unavailable:
      case Answer::Kind::unknown:
        row.reason = "the service was too busy; undo the import again: what is undone stays so";
        return;
      case Answer::Kind::key_reused:
      case Answer::Kind::failed:
        row.reason = "something went wrong here (incident " + call_.request.request_id.to_string() + ")";
    }
  }

  void explain(UndoneRow& row, const std::string& refusal) {
    std::string_view name = refusal;
    if (has_a_reason(refusal)) {
      const Reason reason = reason_of(reader_, path_.watch_space, find_in_space(reader_, path_.watch_space, row.position));
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
  const Call& call_;
  const ImportPath path_;
  Report report_;
  Bulk bulk_;
};

/// Blocks until the last row is done.
void undo_now(const Edge& edge, LogReader& reader, const WorkPool& pool, Call& call, const ImportPath& path) {
  ImportUndo undo(edge, reader, pool, call, path);
  if (!undo.ask_for_membership(call)) return;
  const auto importer = undo.find_changes();
  std::optional<Refusal> refusal;
  if (!importer) refusal = Refusal::no_such_import;
  if (importer && *importer != call.actor().profile) refusal = Refusal::importer_only;
  if (!undo.ask_for_undo(call, refusal)) return;
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
  return [&edge, &readers, &pool, limit = std::make_unique<TokenBuckets>(import_undos_max, import_undos_per_second)](
             http::Request request, http::Responder respond) {
    auto call = begin_call(edge, std::move(request), std::move(respond));
    if (!call) return;
    const auto path = json::read_command<ImportPath>(call->request.path_params, "", call->request.query);
    if (!path) return call->refuse(problems::wrong_fields(path.error()));
    if (call->refuse_beyond(*limit)) return;
    run_on(pool, std::move(*call), [&edge, &readers, &pool, path = *path](Call& moved) {
      readers.with([&](LogReader& reader) { undo_now(edge, reader, pool, moved, path); });
    });
  };
}

}  // namespace bloomwatch::undo
