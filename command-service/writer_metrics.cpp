// Copies the writer's counters into Prometheus when somebody asks: the writer's thread touches no metric.
#include "command-service/writer_metrics.h"

#include <array>
#include <memory>

namespace bloomwatch {

namespace {

struct Count {
  const char* name;
  const char* help;
  std::uint64_t WriterCounters::* member;
};

constexpr std::array counts{
    Count{"bloomwatch_writer_answers_total", "Commands answered, however they ended", &WriterCounters::answered},
    Count{"bloomwatch_writer_events_total", "Events sent to the log, those of batches that failed included", &WriterCounters::events},
    Count{"bloomwatch_writer_batches_total", "Batches sent that carry events", &WriterCounters::batches},
    Count{"bloomwatch_writer_fence_checks_total", "Batches sent without events, to prove that refusals are true",
          &WriterCounters::fence_checks},
    Count{"bloomwatch_writer_loads_total", "Loads asked of the log", &WriterCounters::loads},
    Count{"bloomwatch_writer_loads_stale_total", "Loads that failed or saw less of the log than was known by then",
          &WriterCounters::loads_stale},
    Count{"bloomwatch_writer_fresh_keys_total", "Idempotency-Keys that cost no load", &WriterCounters::fresh_keys},
    Count{"bloomwatch_writer_facts_loaded_total", "Streams, claims and keys loaded", &WriterCounters::facts_loaded},
    Count{"bloomwatch_writer_facts_evicted_total", "Streams, claims and keys evicted from memory", &WriterCounters::facts_evicted},
    Count{"bloomwatch_writer_snapshots_total", "Snapshots of streams taken, so that later loads begin there", &WriterCounters::snapshots},
    Count{"bloomwatch_writer_repeats_total", "Commands answered from the record of their Idempotency-Key", &WriterCounters::repeats},
    Count{"bloomwatch_writer_fences_lost_total", "Batches that failed because another event followed their fence",
          &WriterCounters::fences_lost},
    Count{"bloomwatch_writer_connections_lost_total", "Batches whose outcome was lost with a connection",
          &WriterCounters::connections_lost},
    Count{"bloomwatch_writer_data_errors_total", "Batches whose data Postgres refused", &WriterCounters::data_errors},
    Count{"bloomwatch_writer_found_in_tail_total", "Commands of lost batches that were in the log after all",
          &WriterCounters::found_in_tail},
    Count{"bloomwatch_writer_decided_again_total", "Commands of failed batches that were decided again", &WriterCounters::decided_again},
};

}  // namespace

void show(const Writer& writer, Metrics& metrics) {
  auto& leading = metrics.gauge("bloomwatch_writer_leading", "1 where this process may append, 0 where it stands by");
  auto& pending = metrics.gauge("bloomwatch_writer_pending_commands", "Commands taken and not answered");
  auto& bytes = metrics.gauge("bloomwatch_writer_memory_bytes", "What the facts in memory take, about");
  auto& position = metrics.gauge("bloomwatch_writer_position", "The last position known to be in the log");
  std::vector<prometheus::Counter*> counters;
  for (const Count& count : counts) counters.push_back(&metrics.counter(count.name, count.help));
  metrics.before_render([&writer, &leading, &pending, &bytes, &position, counters = std::move(counters)] {
    const WriterStatus status = writer.status();
    leading.Set(status.leading ? 1 : 0);
    pending.Set(static_cast<double>(status.pending));
    bytes.Set(static_cast<double>(status.facts_bytes));
    position.Set(static_cast<double>(status.confirmed));
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (const double more = static_cast<double>(status.counters.*counts[i].member) - counters[i]->Value(); more > 0)
        counters[i]->Increment(more);
  });
}

}  // namespace bloomwatch
