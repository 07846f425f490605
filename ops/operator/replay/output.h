// Where a replay's events go: lines of JSON, lines of CSV, or records of another Kafka topic. What a line looks like is said here and
// nowhere else; `bloomwatch replay --help` and the README repeat it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "events/log.h"
#include "runtime/kafka.h"

namespace bloomwatch::ops {

/// Takes events one after another; between two calls of `settle` they may be anywhere.
class ReplayOutput {
 public:
  virtual ~ReplayOutput() = default;
  /// `previous` is the position of the event before it in its partition, in this output; 0 for the first.
  virtual void put(const RawEvent& event, Position previous) = 0;
  /// Returns once all that was put is safe where it goes, and how many bytes that are in all (0 for a topic). Throws std::runtime_error.
  virtual std::int64_t settle() = 0;
};

enum class TextFormat { ndjson, csv };

/// Appends the event's line. NDJSON: an object in CloudEvents' JSON format, the envelope as its attributes and extensions, the data as
/// `data`; absent ones are left out. CSV (RFC 4180): the columns of `csv_header`, the data as JSON text; absent ones are empty.
void append_line(std::string& text, TextFormat format, const RawEvent& event, Position previous, std::string_view source);

/// The names of the columns of CSV, as its first line.
std::string csv_header();

/// A file, a pipe or a device, or standard output where `path` is `-`. An existing file is cut to `bytes` and gone on with; an empty one
/// begins with the header. A file is locked (flock) as long as this lives. Throws std::runtime_error.
std::unique_ptr<ReplayOutput> text_output(const std::string& path, TextFormat format, std::string_view epoch, std::int64_t bytes);

/// A topic with the log's 16 partitions; made if it is not there. Records are as the relay's, but `ce_previous` speaks of this topic.
/// Throws std::runtime_error for a topic that does not fit, and for the log's own.
std::unique_ptr<ReplayOutput> topic_output(const kafka::Options& options, const std::string& topic, std::string_view epoch);

}  // namespace bloomwatch::ops
