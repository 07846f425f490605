// From a batch to commands, and from their answers to a report.
#include "command-service/catalog/import_batch.h"

#include <algorithm>
#include <utility>

#include "command-service/blocking.h"
#include "command-service/bulk.h"
#include "command-service/catalog/describe_title.h"
#include "command-service/catalog/merge_title.h"
#include "command-service/catalog/release_references.h"
#include "events/fields.h"
#include "runtime/logging.h"

namespace bloomwatch::catalog {
namespace {

/// What an event says that has changed.
void add_facts(const TitleDetailsChanged& e, std::vector<std::string>& facts) {
  boost::mp11::mp_for_each<boost::describe::describe_members<TitleDetails, boost::describe::mod_public>>([&](auto D) {
    if (e.details.*D.pointer) facts.emplace_back(D.name);
  });
}
template <class E>
void add_facts(const E&, std::vector<std::string>& facts) {
  if constexpr (std::is_same_v<E, TitleAbsorbed>)
    facts.emplace_back("absorbed");
  else if constexpr (std::is_same_v<E, TitleMerged>)
    facts.emplace_back("merged");
  else
    facts.emplace_back(field<E>);
}

template <class DecisionType>
StepReport report_of(const DecisionType& decision) {
  StepReport report{.outcome = decision.events.empty() ? StepOutcome::unchanged : StepOutcome::changed};
  for (const auto& event : decision.events) {
    std::visit(
        [&]<class E>(const E& e) {
          if constexpr (std::is_same_v<E, TitleAdded>)
            report.outcome = StepOutcome::added;
          else
            add_facts(e, report.facts);
        },
        event);
  }
  return report;
}

/// One batch under way.
class BatchRun {
 public:
  BatchRun(const Edge& edge, const WorkPool& pool, const Call& call, const ImportBatch& batch)
      : edge_(edge),
        call_(call),
        batch_(batch),
        actor_{.account = {}, .profile = {}, .session = {}, .now = call.now},
        bulk_(pool, steps_in_flight_max) {}

  BatchReport run() {
    send_all<ReleaseReferences>(batch_.releases, report_.releases, [&](const ReleaseStep& step) {
      return ReleaseReferences{.title = step.title, .source = batch_.source, .media = step.media, .media_claims = claims_of(step.media)};
    });
    send_all<MergeTitle>(batch_.merges, report_.merges,
                         [](const MergeStep& step) { return MergeTitle{.title = step.title, .into = step.into}; });
    send_all<DescribeTitle>(batch_.titles, report_.titles, [&](const DescribeStep& step) {
      return DescribeTitle{.title = step.title,
                           .source = batch_.source,
                           .entry = step.entry,
                           .media_claims = claims_of(step.entry.media),
                           .fresh = step.fresh,
                           .planned = batch_.dry_run};
    });
    return std::move(report_);
  }

 private:
  Origin origin() const { return {.kind = OriginKind::import, .provider = batch_.source, .reference = batch_.import.to_string()}; }

  /// One round of steps.
  template <class Command, class Step, class Make>
  void send_all(const std::vector<Step>& steps, std::vector<StepReport>& reports, Make make) {
    reports.resize(steps.size());
    const auto send = [&](std::size_t index) {
      auto on_answer = [this, index, &reports](const Answer& answer, const Command&, const auto& decision) {
        bulk_.answered(index, answer.kind, [&] { this->settle(reports[index], answer, decision); });
      };
      edge_.writer.submit(std::make_unique<TypedWork<Command>>(frame_of_many(call_, origin()), make(steps[index]), actor_,
                                                               std::move(on_answer), batch_.dry_run));
    };
    bulk_.run_all(steps.size(), send,
                  [&](std::size_t index) { reports[index] = {.reason = "the service was too busy; import again, what is in stays"}; });
  }

  template <class DecisionType>
  void settle(StepReport& report, const Answer& answer, const DecisionType& decision) {
    if (answer.kind == Answer::Kind::done) {
      report_.position = std::max(report_.position, answer.position);
      report = report_of(decision);
    } else if (answer.kind == Answer::Kind::refused) {
      report = {.reason = std::string(answer.refusal)};
    } else {
      report = {.reason = "something went wrong here (incident " + call_.request.request_id.to_string() + ")"};
    }
  }

  const Edge& edge_;
  const Call& call_;
  const ImportBatch& batch_;
  const Actor actor_;
  BatchReport report_;
  Bulk bulk_;
};

constexpr std::size_t wrong_steps_shown_max = 20;

/// Bounds that the sender keeps to; broken, it is another program.
json::FieldErrors wrong_steps(ImportBatch& batch) {
  json::FieldErrors errors;
  if (batch.source.empty() || batch.source.size() > 64) errors.push_back({"/source", "must have 1 to 64 characters"});
  if (batch.releases.size() + batch.merges.size() + batch.titles.size() > batch_steps_max)
    errors.push_back({"/titles", "a batch has at most " + std::to_string(batch_steps_max) + " steps"});
  for (std::size_t i = 0; i < batch.releases.size() && errors.size() < wrong_steps_shown_max; ++i)
    if (batch.releases[i].media.size() > release_references_max)
      errors.push_back({"/releases/" + std::to_string(i) + "/media", "has more than " + std::to_string(release_references_max)});
  for (std::size_t i = 0; i < batch.titles.size() && errors.size() < wrong_steps_shown_max; ++i) {
    std::vector<std::string> remarks;
    if (!check(batch.titles[i].entry, remarks) || !remarks.empty())
      errors.push_back({"/titles/" + std::to_string(i) + "/entry", remarks.empty() ? "has no name or no reference" : remarks.front()});
  }
  return errors;
}

void import_now(const Edge& edge, const WorkPool& pool, Call& call) {
  auto batch = read_body<ImportBatch>(call);
  if (!batch) return;
  if (auto errors = wrong_steps(*batch); !errors.empty()) return call.refuse(problems::validation(std::move(errors)));
  const BatchReport report = BatchRun(edge, pool, call, *batch).run();
  log::info("catalog", "imported a part of a catalogue",
            {{"request", call.request.request_id},
             {"import", batch->import},
             {"source", batch->source},
             {"dry_run", batch->dry_run},
             {"steps", report.releases.size() + report.merges.size() + report.titles.size()}});
  Answer answer;
  answer.position = report.position;
  call.respond(done_response(edge, answer, json::to_string(report)));
}

}  // namespace

http::Handler import_batch(const Edge& edge, WorkPool& pool) {
  return [&edge, &pool](http::Request request, http::Responder respond) {
    auto call = begin_call(edge, std::move(request), std::move(respond));
    if (!call) return;
    run_on(pool, std::move(*call), [&edge, &pool](Call& moved) { import_now(edge, pool, moved); });
  };
}

}  // namespace bloomwatch::catalog
