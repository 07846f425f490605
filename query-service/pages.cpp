// A page's way from request to answer: admit, ask, run the statement, wait if its rows are too old, show.
// Rows are rendered in the pipeline's thread: a page costs it some ten microseconds, a hand-over to another thread as much.
#include "query-service/pages.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <limits>

#include "runtime/entity_tag.h"
#include "runtime/logging.h"
#include "runtime/metrics.h"
#include "runtime/sleep.h"

namespace bloomwatch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds epoch_look_every{1000};
constexpr std::string_view queue_full = "53300";
/// More halve a page's cost no further, and make it wait for more others.
constexpr std::size_t joined_pages_max = 8;

pg::Pipeline::Limits pipeline_limits(std::size_t connections) {
  pg::Pipeline::Limits limits;
  limits.connections = connections;
  limits.joined_max = joined_pages_max;
  return limits;
}

/// The lowest position that the page was read at.
Position lowest(std::span<const Model> models, const PageRows& rows) {
  Position position = std::numeric_limits<Position>::max();
  for (const Model model : models) position = std::min(position, rows.state(model).reached());
  return std::max<Position>(position, 0);
}

bool is_member(const PageRows& rows, ProfileId profile) {
  return std::ranges::any_of(rows.of(row_kind::member),
                             [&](const pg::Row& row) { return row.get<ProfileId>(PageRows::id_column) == profile; });
}

const pg::Statement& epoch_statement() {
  static const pg::Statement statement("SELECT epoch FROM log.epoch");
  return statement;
}

constexpr std::array admin_models = {Model::people};

/// Only whether who asks is an admin.
const pg::Statement& admin_statement() {
  static const pg::Statement statement([] {
    PageSql sql({Model::people}, "$1", {});
    add_admin(sql);
    return sql.text();
  }());
  return statement;
}

const pg::Statement& checkpoints_statement() {
  static const pg::Statement statement("SELECT model, partition, position FROM projection.checkpoints WHERE slot = 'live'");
  return statement;
}

}  // namespace

struct Pages::Route {
  std::string pattern;
  prometheus::Histogram& seconds;
  prometheus::Counter& unchanged;
  prometheus::Counter& waited;
  prometheus::Counter& behind;
  prometheus::Counter& failed;
};

pg::Options page_connection(const std::string& database_url) {
  pg::Options options;
  options.url = database_url;
  options.application_name = "bloomwatch pages";
  options.settings = {{"plan_cache_mode", "force_generic_plan"},
                      {"jit", "off"},
                      {"enable_seqscan", "off"},
                      {"enable_bitmapscan", "off"},
                      {"enable_hashjoin", "off"},
                      {"enable_mergejoin", "off"},
                      {"enable_material", "off"},
                      {"enable_memoize", "off"},
                      {"max_parallel_workers_per_gather", "0"},
                      {"default_transaction_read_only", "on"}};
  return options;
}

Problem no_such_space() {
  Problem problem = problems::not_found("You are a member of no watch space with this id.");
  problem.type = "no-such-space";
  problem.title = "There is no such watch space";
  return problem;
}

Problem admins_only() {
  Problem problem = problems::forbidden("Only administrators may do this.");
  problem.type = "admins-only";
  problem.title = "This is for administrators";
  return problem;
}

void add_admin(PageSql& sql) {
  sql.rows(row_kind::admin, {{"id", "account"}}, "FROM read_people.accounts WHERE account = $1 AND role = 'admin'");
}

Problem no_such_anime() {
  Problem problem = problems::not_found("The watch space tracks no anime with this id.");
  problem.type = "no-such-anime";
  problem.title = "There is no such anime";
  return problem;
}

OpenPage::OpenPage(const http::Request& request, http::Responder responder)
    : asked_at(request.received_at), known(http::known_tags(request)), request_id(request.request_id), answer(std::move(responder)) {
  visit.path = request.path;
}

Pages::Pages(const Options& options, const MasterKeys& keys, const Authenticator& who, Hub& hub, Metrics& metrics)
    : keys_(keys),
      cursors_(keys),
      who_(who),
      metrics_(metrics),
      database_url_(options.database_url),
      hub_(hub),
      waiting_(hub, {[this](std::unique_ptr<OpenPage> page) { run(std::move(page)); },
                     [this](std::unique_ptr<OpenPage> page) { refuse(*page, problems::read_model_behind()); },
                     [this] { look_at_checkpoints(); }}),
      pipeline_(page_connection(options.database_url), pipeline_limits(options.connections), [](const std::function<void()>& answer) {
        const http::AnswersTogether together;
        answer();
      }) {
  past_ = std::make_unique<PastPages>(options.database_url, keys_, [this](OpenPage& page, Position position, auto shown) {
    if (!shown && shown.error().status >= 500) routes_[page.route]->failed.Increment();
    finish(page, position, std::move(shown));
  });
  watch_ = std::jthread([this](const std::stop_token& stop) {
    do {
      look_at_epoch();
    } while (sleep_for(stop, ready() ? epoch_look_every : epoch_look_every / 50));
  });
}

Pages::~Pages() {
  watch_.request_stop();
  watch_.join();
  waiting_.close();  // it asks the pipeline, and the pipeline's last answers come to it
}

std::size_t Pages::add_route(std::string_view pattern) {
  const Metrics::Labels labels = {{"page", std::string(pattern)}};
  routes_.push_back(std::make_unique<Route>(Route{
      std::string(pattern),
      metrics_.histogram("bloomwatch_page_seconds", "From a page's request to its answer, waiting included", latency_bounds(), labels),
      metrics_.counter("bloomwatch_page_unchanged_total", "Pages that their reader had already (304)", labels),
      metrics_.counter("bloomwatch_page_waited_total", "Pages that waited for a read model to catch up", labels),
      metrics_.counter("bloomwatch_page_behind_total", "Pages refused because a read model was behind", labels),
      metrics_.counter("bloomwatch_page_failed_total", "Pages that could not be read or shown", labels)}));
  return routes_.size() - 1;
}

bool Pages::ready() const { return !epoch().empty(); }

std::string Pages::epoch() const {
  const std::lock_guard lock(epoch_mutex_);
  return epoch_;
}

void Pages::look_at_epoch() {
  pipeline_.submit(epoch_statement(), pg::Params(), [this](std::expected<pg::Result, pg::Error> outcome) {
    if (!outcome || outcome->empty()) return;
    const std::lock_guard lock(epoch_mutex_);
    epoch_ = (*outcome)[0].get<std::string>(0);
  });
}

/// At most one look is under way; what asks meanwhile is answered by one more.
void Pages::look_at_checkpoints() {
  if (looks_.fetch_add(1) > 0) return;
  pipeline_.submit(checkpoints_statement(), pg::Params(), [this](std::expected<pg::Result, pg::Error> outcome) {
    const bool again = looks_.exchange(0) > 1;
    if (!outcome) return;
    took_checkpoints(*outcome);
    if (again) look_at_checkpoints();
  });
}

void Pages::took_checkpoints(const pg::Result& checkpoints) {
  std::array<ModelState, model_count> states;
  for (const pg::Row row : checkpoints)
    for (std::size_t i = 0; i < model_count; ++i)
      if (row.get<std::string_view>(0) == name_of(static_cast<Model>(i))) states[i].take(row.get<std::int16_t>(1), row.get<Position>(2));
  for (std::size_t i = 0; i < model_count; ++i) {
    const ModelState& state = states[i];
    waiting_.reached(static_cast<Model>(i), state.by_partition ? partition_heads().folded_up_to(*state.by_partition) : state.position);
  }
}

const PartitionHeads& Pages::partition_heads() {
  const std::lock_guard lock(heads_mutex_);
  if (heads_ == nullptr) heads_ = std::make_unique<PartitionHeads>(database_url_, hub_);
  return *heads_;
}

std::optional<Principal> Pages::admit(const http::Request& request, http::Responder& answer) const {
  auto principal = who_.authenticate(request, answer, now());
  if (principal) return *principal;
  answer(to_response(principal.error(), request.request_id));
  return std::nullopt;
}

void Pages::begin(std::unique_ptr<OpenPage> page, const http::Request& request, const Principal& by,
                  const std::optional<PositionToken>& at_least) {
  page->visit.by = by;
  page->visit.now = now();
  page->visit.cursors = &cursors_;
  page->visit.epoch = epoch();
  if (page->visit.epoch.empty()) return refuse(*page, problems::unavailable(page->request_id, "Postgres has not been reached yet"));
  if (at_least) {
    if (!at_least->epoch.empty() && at_least->epoch != page->visit.epoch) return refuse(*page, epoch_ended());
    page->at_least = at_least->position;
    if (const auto prefer = request.header_list("Prefer")) page->preferred_wait = preferred_wait(*prefer);
  }
  if (page->as_of) {
    // A cursor is of a position, so one of a time is known only when its page is opened there.
    const auto* token = std::get_if<PositionToken>(&page->as_of->when);
    if (token && !token->epoch.empty() && token->epoch != page->visit.epoch) return refuse(*page, epoch_ended());
    if (token) page->visit.as_of = token->position;
  }
  page->deadline = Clock::now() + (page->preferred_wait ? *page->preferred_wait : page_wait_default);
  if (!page->prepares()) return run(std::move(page));
  OpenPage& preparing = *page;
  preparing.prepare([this, page = std::move(page)](std::expected<void, Problem> ready) mutable {
    if (!ready) return refuse(*page, ready.error());
    run(std::move(page));
  });
}

void Pages::run(std::unique_ptr<OpenPage> page) {
  if (!page->refusal) {
    auto question = page->ask();
    if (question) {
      const auto model = known_to_be_behind(*page);
      if (!model) return submit(std::move(page), std::move(*question));
      return wait(std::move(page), *model);
    }
    if (!page->admins_only) return refuse(*page, question.error());
    page->refusal = std::move(question.error());
  }
  // Who asks comes before what is wrong with it.
  page->models = admin_models;
  const UserId account = page->visit.by.account;
  submit(std::move(page), {&admin_statement(), pg::Params(account)});
}

/// A model that by the latest news is not where the page wants it: asking before it is would cost Postgres a page that nobody sees. Only
/// the first time, and only where there is time for a look at the checkpoints: news may be late or lost.
std::optional<Model> Pages::known_to_be_behind(const OpenPage& page) const {
  if (page.waited || page.at_least == 0 || page.deadline < Clock::now() + 5 * Waiting::look_every) return std::nullopt;
  for (const Model model : page.models) {
    const Position reached = hub_.reached(Hub::model_topic(name_of(model)));
    if (reached > 0 && reached < page.at_least) return model;
  }
  return std::nullopt;
}

void Pages::wait(std::unique_ptr<OpenPage> page, Model model) {
  page->waited = true;
  const Position until = page->at_least;
  waiting_.add(std::move(page), model, until);
}

void Pages::submit(std::unique_ptr<OpenPage> page, Question question) {
  ++page->runs;
  pipeline_.submit(
      *question.statement, std::move(question.params),
      [this, page = std::move(page)](std::expected<pg::Result, pg::Error> outcome) mutable { took(std::move(page), std::move(outcome)); });
}

void Pages::took(std::unique_ptr<OpenPage> page, std::expected<pg::Result, pg::Error> outcome) {
  if (!outcome) {
    if (outcome.error().sqlstate() == queue_full) return refuse(*page, problems::overloaded());
    routes_[page->route]->failed.Increment();
    return refuse(*page, problems::unavailable(page->request_id, outcome.error().what()));
  }
  const Uuid request = page->request_id;
  try {
    PageRows rows(*outcome);
    const bool by_partition = rows.by_partition();
    if (by_partition) rows.locate(partition_heads());
    for (const Model model : page->models) {
      const ModelState& state = rows.state(model);
      if (state.reached() >= page->at_least) continue;
      // Who is parked does not move until somebody lets it: no use in waiting.
      if (state.parked_at && state.position >= page->at_least) return refuse_parked(*page, rows);
      wait(std::move(page), model);
      if (by_partition) look_at_checkpoints();  // they may have moved before the page began to wait
      return;
    }
    render(std::move(page), rows);
  } catch (const std::exception& error) {
    log::error("pages", "a page's rows could not be read", {{"request", request}, {"error", error.what()}});
  }
}

/// A stranger is told no more than of a space that does not exist.
void Pages::refuse_parked(OpenPage& page, const PageRows& rows) {
  const bool stranger = page.members_only && !is_member(rows, page.visit.by.profile);
  refuse(page, stranger ? no_such_space() : problems::read_model_behind());
}

void Pages::render(std::unique_ptr<OpenPage> page, const PageRows& rows) {
  try {
    if (page->members_only) {
      // Who is a member now is not known: nobody is let in.
      if (rows.state(Model::spaces).parked_at) return refuse_parked(*page, rows);
      if (!is_member(rows, page->visit.by.profile)) return refuse(*page, no_such_space());
    }
    if (page->admins_only) {
      // Who is an admin now is not known: nobody is let in.
      if (rows.state(Model::people).parked_at) return refuse(*page, problems::read_model_behind());
      if (rows.of(row_kind::admin).empty()) return refuse(*page, admins_only());
      if (page->refusal) return refuse(*page, *page->refusal);
    }
    // Who asks may see the space today, and what they said is folded: now the page as it was.
    if (page->as_of) return past_->show(std::move(page));
    Keyring keys(keys_);
    keys.take(rows);
    auto shown = page->show(rows, keys);
    if (shown && shown->ask_again) return run(std::move(page));
    finish(*page, std::min(lowest(page->models, rows), page->known_up_to), std::move(shown));
  } catch (const std::exception& error) {
    routes_[page->route]->failed.Increment();
    refuse(*page, problems::internal(page->request_id, error.what()));
  }
}

void Pages::finish(OpenPage& page, Position position, std::expected<Shown, Problem> shown) {
  if (!shown) return refuse(page, shown.error());
  http::Response response = http::json_response(std::move(shown->body));
  if (!shown->content_type.empty()) response.content_type = std::move(shown->content_type);
  response.headers.emplace_back("Bloomwatch-Position", PositionToken{page.visit.epoch, position}.wire());
  if (shown->next) response.headers.emplace_back("Link", '<' + *shown->next + ">; rel=\"next\"");
  if (page.preferred_wait) response.headers.emplace_back("Preference-Applied", "wait=" + std::to_string(page.preferred_wait->count()));
  if (page.negotiates) response.headers.emplace_back("Vary", "Accept");
  response = http::kept_privately(std::move(response), page.visit.epoch, page.known);
  const Route& route = *routes_[page.route];
  if (response.status == 304) route.unchanged.Increment();
  route.seconds.Observe(std::chrono::duration<double>(Clock::now() - page.asked_at).count());
  if (page.waited) route.waited.Increment();
  page.answer(std::move(response));
}

void Pages::refuse(OpenPage& page, const Problem& problem) {
  if (problem.type == problems::read_model_behind().type) routes_[page.route]->behind.Increment();
  page.answer(to_response(problem, page.request_id));
}

}  // namespace bloomwatch
