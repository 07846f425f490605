// A part of an import on its way into the log: what `bloomwatch catalog import` planned, as ordinary commands, a bounded number of them in
// flight. POST /api/catalog/import, with the operator's token: it acts as the system, in nobody's name.
// Its steps go in three rounds, each after the one before has ended: references that are released, titles that are merged, descriptions.
#pragma once

#include <boost/describe.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "command-service/catalog/title_entry.h"
#include "events/envelope.h"
#include "runtime/http.h"

namespace bloomwatch {

struct Edge;
class WorkPool;

namespace catalog {

inline constexpr std::size_t batch_bytes_max = std::size_t{16} << 20;  ///< of a request's body
inline constexpr std::size_t batch_steps_max = 5'000;
inline constexpr std::size_t steps_in_flight_max = 1'024;
inline constexpr std::size_t release_references_max = 256;  ///< of one release: each is a claim, and leads to a title, at once

struct ReleaseStep {
  TitleId title = {};
  std::vector<MediaReference> media = {};
};
BOOST_DESCRIBE_STRUCT(ReleaseStep, (), (title, media))

struct MergeStep {
  TitleId title = {};
  TitleId into = {};
};
BOOST_DESCRIBE_STRUCT(MergeStep, (), (title, into))

/// `fresh`: the title is to be new.
struct DescribeStep {
  TitleId title = {};
  bool fresh = false;
  TitleEntry entry = {};
};
BOOST_DESCRIBE_STRUCT(DescribeStep, (), (title, fresh, entry))

struct ImportBatch {
  ImportId import = {};
  std::string source = {};
  bool dry_run = false;
  std::vector<ReleaseStep> releases = {};
  std::vector<MergeStep> merges = {};
  std::vector<DescribeStep> titles = {};
};
BOOST_DESCRIBE_STRUCT(ImportBatch, (), (import, source, dry_run, releases, merges, titles))

enum class StepOutcome { added, changed, unchanged, failed };
BOOST_DESCRIBE_ENUM(StepOutcome, added, changed, unchanged, failed)

/// What became of a step: which facts changed, or why it failed (the refusal's name, else a sentence).
struct StepReport {
  StepOutcome outcome = StepOutcome::failed;
  std::vector<std::string> facts = {};
  std::optional<std::string> reason = {};
};
BOOST_DESCRIBE_STRUCT(StepReport, (), (outcome, facts, reason))

struct BatchReport {
  Position position = 0;
  std::vector<StepReport> releases = {};
  std::vector<StepReport> merges = {};
  std::vector<StepReport> titles = {};
};
BOOST_DESCRIBE_STRUCT(BatchReport, (), (position, releases, merges, titles))

/// All references outlive it. A batch takes a thread of `pool` until its last step is done.
http::Handler import_batch(const Edge& edge, WorkPool& pool);

}  // namespace catalog
}  // namespace bloomwatch
