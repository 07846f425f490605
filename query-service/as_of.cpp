// From a page's question to the rows of then: when it was, what had happened, what it folds to, the page's statement over that.
#include "query-service/as_of.h"

#include <algorithm>
#include <map>
#include <memory>

#include "events/codec.h"
#include "events/log.h"
#include "projector/columns.h"
#include "projector/dashboard/dashboard.h"
#include "projector/model.h"
#include "projector/spaces/spaces.h"
#include "projector/tracking/tracking.h"
#include "query-service/pages.h"
#include "runtime/logging.h"

namespace bloomwatch {
namespace {

Problem wrong_as_of(std::string detail) { return problems::validation({{"/asOf", std::move(detail), json::In::query}}); }

Problem too_long_ago() {
  Problem problem = problems::unprocessable("More has happened in the watch space until then than is replayed for a page.");
  problem.type = "history-too-long";
  problem.title = "Too much has happened to show the page as it was";
  return problem;
}

const pg::Statement& role_statement() {
  static const pg::Statement statement("SELECT role FROM read_spaces.members WHERE watch_space = $1 AND profile = $2");
  return statement;
}

/// Calls `visit` with each model that is folded from what happens in a space.
void each_model(auto& past, auto visit) {
  visit(past.spaces);
  visit(past.tracking);
  visit(past.dashboard);
}

/// Of the envelope of an event of a space only what these models' folds look at: a replay costs what is sent of each event. `data` is there
/// of events of these types only. At most $4 are looked for, and only those are put in order: where there are more, none is shown.
std::string events_text(const std::vector<std::string_view>& types) {
  std::string listed;
  for (const std::string_view type : types) listed += (listed.empty() ? "" : ",") + std::string(type);
  return "SELECT * FROM (SELECT e.position, e.stream_id, e.version, e.recorded_at, e.profile, e.type, e.schema_version, CASE WHEN e.type = "
         "ANY ('{" +
         listed + "}'::text[]) THEN e.data END " + std::string(from_partition_key) + " LIMIT $4) AS found ORDER BY position";
}

constexpr int event_data_column = 7;

/// `event` keeps its memory from row to row.
void read_event(const pg::Row& row, RecordedEvent& event) {
  event.meta.position = row.get<Position>(0);
  event.meta.stream.id = row.get<Uuid>(1);
  event.meta.version = row.get<Version>(2);
  event.meta.recorded_at = row.get<Time>(3);
  event.meta.by.profile = row.get<std::optional<ProfileId>>(4);
  event.type = row.get<std::string_view>(5);
  event.schema_version = row.get<std::int16_t>(6);
  event.data = row.get<std::string_view>(event_data_column);
}

/// What a space was.
struct Past {
  Spaces spaces;
  Tracking tracking;
  Dashboard dashboard;

  /// Calls `visit` with each model that is wanted: `spaces`, and those that a page reads.
  void each_wanted(std::span<const Model> models, auto visit) {
    each_model(*this, [&]<class M>(M& model) {
      const auto is_read = [](Model read) { return name_of(read) == M::name; };
      if (std::is_same_v<M, Spaces> || std::ranges::any_of(models, is_read)) visit(model);
    });
  }

  /// The types of events that are folded for a page.
  std::vector<std::string_view> types(std::span<const Model> models) {
    std::vector<std::string_view> types;
    each_wanted(models, [&]<class M>(const M&) {
      boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, AllEvents>>([&]<class E>(std::type_identity<E>) {
        if constexpr (projection::Folds<M, E>) types.push_back(type_name<E>());
      });
    });
    std::ranges::sort(types);
    types.erase(std::ranges::unique(types).begin(), types.end());
    return types;
  }

  /// Folds an event into the models that a page reads. One that a fold cannot take is passed over, as the live model passes over what was
  /// discarded.
  void take(const RecordedEvent& event, std::span<const Model> models) {
    const AnyEvent decoded = decode(event);
    each_wanted(models, [&](auto& model) {
      try {
        projection::fold(model, decoded, event.meta);
      } catch (const projection::MissingRow&) {
        return;
      }
    });
  }
};

/// The name by which a statement over the past calls a table of a read model.
std::string past_name(std::string_view model, std::string_view table) { return "read_" + std::string(model) + "_" + std::string(table); }

/// Whether a statement reads a table of the live models.
bool reads(std::string_view sql, std::string_view model, std::string_view table) {
  const std::string name = "read_" + std::string(model) + '.' + std::string(table);
  for (std::size_t at = sql.find(name); at != std::string_view::npos; at = sql.find(name, at + 1)) {
    const char after = at + name.size() < sql.size() ? sql[at + name.size()] : ' ';
    if (after != '_' && (after < 'a' || after > 'z')) return true;
  }
  return false;
}

/// A page's statement with every table of the models that it reads taken from the parameters after its own.
class StatementOverPast {
 public:
  StatementOverPast(const std::string& live, std::size_t own_parameters) : statement_(text(live, own_parameters)) {}

  const pg::Statement& statement() const { return statement_; }

  /// Adds the rows of every table that is read as arrays, a column each.
  void add_rows(pg::Params& params, Past& past) const {
    auto is_read = tables_.begin();
    each_table(past, [&]<class Table>(std::string_view, const char*, const Table& table) {
      if (!*is_read++) return;
      using Row = typename Table::Row;
      std::vector<const Row*> rows;
      table.each([&](const Row& row, std::int16_t) { rows.push_back(&row); });
      projection::add_columns<Row>(params, rows, [](const Row* row) -> const Row& { return *row; });
    });
  }

 private:
  static void each_table(Past& past, auto visit) {
    each_model(past, [&]<class M>(M& model) {
      projection::each_table(model, [&](const char* name, const auto& table) { visit(M::name, name, table); });
    });
  }

  std::string text(std::string live, std::size_t own_parameters) {
    std::string tables;
    std::size_t parameter = own_parameters;
    Past past;
    each_table(past, [&]<class Table>(std::string_view model, const char* name, const Table&) {
      using Row = typename Table::Row;
      tables_.push_back(reads(live, model, name));
      if (!tables_.back()) return;
      std::string columns, arrays, shown;
      for (const std::string& column : projection::column_names<Row>()) {
        const std::string comma = columns.empty() ? "" : ", ";
        columns += comma + '"' + column + '"';
        shown += comma + '"' + column + '"' + (column == "sort_title" ? " COLLATE \"C\" AS sort_title" : "");
        arrays += comma + '$' + std::to_string(++parameter);
      }
      if constexpr (requires { Row::derived_columns(); }) shown += ", " + Row::derived_columns();
      if (!tables.empty()) tables += ",\n";
      tables += past_name(model, name) + " AS (SELECT " + shown + " FROM unnest(" + arrays + ") AS t(" + columns + "))";
    });
    each_model(past, [&]<class M>(const M&) {
      const std::string schema = "read_" + std::string(M::name);
      for (std::size_t at = live.find(schema + '.'); at != std::string::npos; at = live.find(schema + '.', at))
        live[at + schema.size()] = '_';
    });
    constexpr std::string_view with = "WITH ";
    if (live.starts_with(with)) return "WITH " + tables + ",\n" + live.substr(with.size());
    return "WITH " + tables + '\n' + live;
  }

  std::vector<bool> tables_;  ///< which of all tables are read, in the order of each_table; before the statement, which fills it
  pg::Statement statement_;
};

/// The statement over the past of a page's statement; made once.
const StatementOverPast& over_past(const pg::Statement& live, std::size_t own_parameters) {
  static std::mutex mutex;
  static std::map<std::uint64_t, std::unique_ptr<StatementOverPast>> statements;
  const std::lock_guard lock(mutex);
  auto& statement = statements[live.id()];
  if (!statement) statement = std::make_unique<StatementOverPast>(live.sql(), own_parameters);
  return *statement;
}

/// The statement that reads the events that pages of these models are replayed from; made once.
const pg::Statement& events_statement(std::span<const Model> models) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<pg::Statement>> statements;
  std::string text = events_text(Past().types(models));
  const std::lock_guard lock(mutex);
  auto& statement = statements[text];
  if (!statement) statement = std::make_unique<pg::Statement>(std::move(text));
  return *statement;
}

}  // namespace

std::expected<AsOf, std::string> AsOf::from(const Wire& text) {
  if (auto token = PositionToken::from(text)) return AsOf{std::move(*token)};
  if (const auto time = parse_rfc3339(text)) return AsOf{*time};
  return std::unexpected("must be a time as RFC 3339 writes it, or a position");
}

AsOf::Wire AsOf::wire() const {
  if (const auto* token = std::get_if<PositionToken>(&when)) return token->wire();
  return to_rfc3339(std::get<Time>(when));
}

/// One thread's connections.
class PastPages::Worker {
 public:
  Worker(const std::string& database_url, KeyCache& keys)
      : database_url_(database_url), keys_(keys), reader_(database_url, "bloomwatch past") {}

  /// Throws pg::Error.
  std::expected<Shown, Problem> show(OpenPage& page) {
    const bool kept = connection_.has_value();
    try {
      return show_once(page);
    } catch (const pg::Error& error) {
      if (!kept || !error.connection_lost()) throw;
    }
    disconnect();  // it was lost since the last page
    return show_once(page);
  }
  /// After an error: what is broken stays broken.
  void disconnect() { connection_.reset(); }

 private:
  std::expected<Shown, Problem> show_once(OpenPage& page) {
    if (!connection_) connection_.emplace(page_connection(database_url_));
    if (auto wrong = find_moment(page)) return std::unexpected(std::move(*wrong));
    Past past;
    if (!replay(page, past)) return std::unexpected(too_long_ago());
    if (past.spaces.spaces.peek(page.space) == nullptr) return std::unexpected(no_such_space());
    page.visit.may_see_invitations = is_owner_today(page);
    return ask(page, past);
  }

  /// Fixes the page's position and time; what is wrong with what was asked for.
  std::optional<Problem> find_moment(OpenPage& page) {
    Visit& visit = page.visit;
    if (const auto* token = std::get_if<PositionToken>(&page.as_of->when)) {
      const auto point = reader_.point(token->position);
      if (!point) return wrong_as_of("is after the last change");
      visit.as_of = token->position;
      visit.now = point->recorded_at;
      return std::nullopt;
    }
    const Time time = std::get<Time>(page.as_of->when);
    if (time > visit.now) return wrong_as_of("is in the future");
    visit.as_of = reader_.position_at(time);
    visit.now = time;
    return std::nullopt;
  }

  /// Whether it could be: not if there is too much of it.
  bool replay(const OpenPage& page, Past& past) {
    constexpr auto limit = static_cast<std::int64_t>(as_of_events_max) + 1;
    const pg::Result events =
        connection_->run(events_statement(page.models), pg::Params(page.space, Position{0}, *page.visit.as_of, limit));
    if (events.size() == limit) return false;
    RecordedEvent event;
    event.meta.partition_key = PartitionKey(page.space.uuid);
    event.meta.partition = partition_of(event.meta.partition_key);
    for (const pg::Row row : events) {
      if (row.null(event_data_column)) continue;
      read_event(row, event);
      past.take(event, page.models);
    }
    return true;
  }

  bool is_owner_today(const OpenPage& page) {
    const pg::Result found = connection_->run(role_statement(), pg::Params(page.space, page.visit.by.profile));
    return !found.empty() && found[0].get<std::string_view>(0) == json::name_of(SpaceRole::owner);
  }

  std::expected<Shown, Problem> ask(OpenPage& page, Past& past) {
    for (;;) {
      auto question = page.ask();
      if (!question) return std::unexpected(std::move(question.error()));
      const StatementOverPast& over = over_past(*question->statement, question->params.size());
      over.add_rows(question->params, past);
      const pg::Result result = connection_->run(over.statement(), question->params);
      const PageRows rows(result);
      Keyring keys(keys_);
      keys.take(rows);
      auto shown = page.show(rows, keys);
      if (!shown || !shown->ask_again) return shown;
    }
  }

  const std::string& database_url_;
  KeyCache& keys_;
  LogReader reader_;
  std::optional<pg::Connection> connection_;
};

PastPages::PastPages(std::string database_url, KeyCache& keys, Done done)
    : database_url_(std::move(database_url)), keys_(keys), done_(std::move(done)) {
  for (unsigned i = 0; i < as_of_threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

PastPages::~PastPages() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
  for (const auto& page : waiting_) done_(*page, 0, std::unexpected(problems::overloaded()));
}

void PastPages::show(std::unique_ptr<OpenPage> page) {
  {
    const std::lock_guard lock(mutex_);
    const auto of_one = std::ranges::count(waiting_, page->visit.by.account, [](const auto& other) { return other->visit.by.account; });
    if (waiting_.size() < as_of_queue_max && of_one < std::ptrdiff_t{as_of_queue_of_one_max}) {
      waiting_.push_back(std::move(page));
      changed_.notify_one();
      return;
    }
  }
  done_(*page, 0, std::unexpected(problems::overloaded()));
}

void PastPages::work(const std::stop_token& stop) {
  Worker worker(database_url_, keys_);
  for (;;) {
    std::unique_ptr<OpenPage> page;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      page = std::move(waiting_.front());
      waiting_.pop_front();
    }
    std::expected<Shown, Problem> shown;
    try {
      shown = worker.show(*page);
    } catch (const pg::Error& broken) {
      worker.disconnect();
      shown = std::unexpected(problems::unavailable(page->request_id, broken.what()));
    } catch (const std::exception& error) {
      shown = std::unexpected(problems::internal(page->request_id, error.what()));
    }
    done_(*page, page->visit.as_of.value_or(0), std::move(shown));
  }
}

}  // namespace bloomwatch
