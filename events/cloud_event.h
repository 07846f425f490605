// An event as a CloudEvent 1.0 in Kafka's binary mode: the whole envelope in `ce_…` headers, the data as the value. Pure:
// the relay and the feed produce and consume. Source: CloudEvents 1.0.2, and its Kafka protocol binding.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "events/log.h"
#include "runtime/kafka.h"

namespace bloomwatch {

/// The topic of an epoch: `bloomwatch.events.<epoch>`.
std::string topic_of(std::string_view epoch);

/// Makes the headers of one event after another.
class CloudEventHeaders {
 public:
  static constexpr std::size_t count_max = 23;

  explicit CloudEventHeaders(std::string_view epoch);

  /// `previous` is the position of the event before it in its partition, 0 for the first. Views into this object and `event`, valid until
  /// the next call.
  std::span<const kafka::Header> of(const RawEvent& event, Position previous);

 private:
  std::string source_;
  std::string text_;
  std::array<kafka::Header, count_max> headers_;
};

/// An event read back. Views into the record.
struct CloudEvent {
  RawEvent event;
  Position previous = 0;  ///< the position before it in the same partition
};

/// Reads a record of `partition` in the topic of `epoch`; what is wrong with it, in words, if it is not one of ours: an absent or
/// malformed header, another epoch's source, a partition that its key does not belong to, a position that does not follow `ce_previous`.
std::expected<CloudEvent, std::string> read_cloud_event(std::span<const kafka::Header> headers, std::string_view value,
                                                        std::int16_t partition, std::string_view epoch);

}  // namespace bloomwatch
