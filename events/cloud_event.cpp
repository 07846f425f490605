// Header by header, both ways, in one order. Headers that we do not know are left alone: a later version may add some.
#include "events/cloud_event.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "runtime/json.h"

namespace bloomwatch {
namespace {

constexpr std::string_view content_type = "application/json";

std::string source_of(std::string_view epoch) { return "/bloomwatch/" + std::string(epoch); }

/// Text that headers view: it has room for all of an event's, so that it never moves while they are made.
class Writer {
 public:
  Writer(std::string& text, std::span<kafka::Header> headers, const Meta& meta) : text_(text), headers_(headers) {
    text_.clear();
    const auto& origin = meta.by.origin;
    text_.reserve(fixed_bytes_max + (origin.provider ? origin.provider->size() : 0) + (origin.reference ? origin.reference->size() : 0));
  }

  /// A value that outlives the headers.
  void view(std::string_view name, std::string_view value) { headers_[count_++] = {name, value}; }
  void text(std::string_view name, std::string_view value) {
    const std::size_t start = text_.size();
    text_ += value;
    view(name, std::string_view(text_).substr(start));
  }
  void number(std::string_view name, std::int64_t value) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text(name, {digits.data(), static_cast<std::size_t>(end - digits.data())});
  }
  template <class Tag>
  void id(std::string_view name, const Id<Tag>& value) {
    text(name, value.to_string());
  }
  template <class Tag>
  void id(std::string_view name, const std::optional<Id<Tag>>& value) {
    if (value) id(name, *value);
  }
  std::span<const kafka::Header> done() const { return headers_.first(count_); }

 private:
  static constexpr std::size_t fixed_bytes_max = 1024;  ///< ids, numbers, times and the stream's name

  std::string& text_;
  std::span<kafka::Header> headers_;
  std::size_t count_ = 0;
};

/// Finds headers by name, mostly where they were last seen: in the order in which the relay writes them.
class Reader {
 public:
  explicit Reader(std::span<const kafka::Header> headers) : headers_(headers) {}

  std::optional<std::string_view> find(std::string_view name) {
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      const kafka::Header& header = headers_[(next_ + i) % headers_.size()];
      if (header.name != name) continue;
      next_ = (next_ + i + 1) % headers_.size();
      return header.value;
    }
    return std::nullopt;
  }

  std::string_view text(std::string_view name) {
    const auto found = find(name);
    if (!found) complain(name, "is missing");
    return found.value_or(std::string_view());
  }
  std::int64_t number(std::string_view name) {
    const std::string_view digits = text(name);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) complain(name, "is no number");
    return value;
  }
  Uuid uuid(std::string_view name) {
    const auto value = Uuid::parse(text(name));
    if (!value) complain(name, "is no UUID");
    return value.value_or(Uuid{});
  }
  template <class IdType>
  std::optional<IdType> optional_id(std::string_view name) {
    const auto found = find(name);
    if (!found) return std::nullopt;
    const auto value = Uuid::parse(*found);
    if (!value) complain(name, "is no UUID");
    return IdType(value.value_or(Uuid{}));
  }
  std::optional<std::string> optional_text(std::string_view name) {
    const auto found = find(name);
    if (!found) return std::nullopt;
    return std::string(*found);
  }

  /// The first complaint is what counts.
  void complain(std::string_view name, std::string_view what) {
    if (why_.empty()) why_ = std::string(name) + ' ' + std::string(what);
  }
  const std::string& why() const { return why_; }

 private:
  std::span<const kafka::Header> headers_;
  std::size_t next_ = 0;
  std::string why_;
};

StreamName stream_of(Reader& reader) {
  constexpr std::size_t uuid_length = 36;
  const std::string_view subject = reader.text("ce_subject");
  if (subject.size() < uuid_length + 2 || subject[subject.size() - uuid_length - 1] != '-') {
    reader.complain("ce_subject", "names no stream");
    return {};
  }
  const auto id = Uuid::parse(subject.substr(subject.size() - uuid_length));
  if (!id) reader.complain("ce_subject", "names no stream");
  return {intern_category(subject.substr(0, subject.size() - uuid_length - 1)), id.value_or(Uuid{})};
}

void read_meta(Reader& reader, Meta& meta) {
  meta.event_id = EventId(reader.uuid("ce_id"));
  const auto time = parse_rfc3339(reader.text("ce_time"));
  if (!time) reader.complain("ce_time", "is no time");
  meta.recorded_at = time.value_or(Time{});
  meta.stream = stream_of(reader);
  meta.position = reader.number("ce_position");
  meta.version = reader.number("ce_streamversion");
  meta.partition_key = PartitionKey(reader.uuid("ce_partitionkey"));
  meta.by.account = reader.optional_id<UserId>("ce_account");
  meta.by.profile = reader.optional_id<ProfileId>("ce_profile");
  const auto origin = json::enum_of<OriginKind>(reader.text("ce_origin"));
  if (!origin) reader.complain("ce_origin", "is no origin");
  meta.by.origin = {origin.value_or(OriginKind::app), reader.optional_text("ce_provider"), reader.optional_text("ce_reference")};
  meta.by.command = CommandId(reader.uuid("ce_commandid"));
  meta.by.correlation = CorrelationId(reader.uuid("ce_correlationid"));
  meta.by.causation = reader.optional_id<EventId>("ce_causationid");
  meta.undoes = reader.optional_id<EventId>("ce_undoes");
}

}  // namespace

std::string topic_of(std::string_view epoch) { return "bloomwatch.events." + std::string(epoch); }

CloudEventHeaders::CloudEventHeaders(std::string_view epoch) : source_(source_of(epoch)) {}

std::span<const kafka::Header> CloudEventHeaders::of(const RawEvent& event, Position previous) {
  const Meta& meta = event.meta;
  Writer writer(text_, headers_, meta);
  writer.view("ce_specversion", "1.0");
  writer.id("ce_id", meta.event_id);
  writer.view("ce_type", event.type);
  writer.view("ce_source", source_);
  writer.text("ce_time", to_rfc3339(meta.recorded_at));
  writer.text("ce_subject", meta.stream.to_string());
  writer.view("content-type", content_type);
  writer.number("ce_position", meta.position);
  writer.number("ce_previous", previous);
  writer.number("ce_streamversion", meta.version);
  writer.number("ce_schemaversion", event.schema_version);
  writer.id("ce_partitionkey", meta.partition_key);
  writer.id("ce_account", meta.by.account);
  writer.id("ce_profile", meta.by.profile);
  writer.view("ce_origin", json::name_of(meta.by.origin.kind));
  if (meta.by.origin.provider) writer.text("ce_provider", *meta.by.origin.provider);
  if (meta.by.origin.reference) writer.text("ce_reference", *meta.by.origin.reference);
  writer.id("ce_commandid", meta.by.command);
  writer.id("ce_correlationid", meta.by.correlation);
  writer.id("ce_causationid", meta.by.causation);
  writer.id("ce_undoes", meta.undoes);
  return writer.done();
}

std::expected<CloudEvent, std::string> read_cloud_event(std::span<const kafka::Header> headers, std::string_view value,
                                                        std::int16_t partition, std::string_view epoch) {
  if (headers.empty()) return std::unexpected("it has no headers");
  Reader reader(headers);
  CloudEvent read;
  Meta& meta = read.event.meta;
  if (reader.text("ce_specversion") != "1.0") reader.complain("ce_specversion", "is not 1.0");
  read.event.type = reader.text("ce_type");
  if (const std::string_view source = reader.text("ce_source"); !source.starts_with("/bloomwatch/") || source.substr(12) != epoch)
    reader.complain("ce_source", "is not this epoch's");
  read_meta(reader, meta);
  read.previous = reader.number("ce_previous");
  read.event.schema_version = static_cast<int>(std::min<std::int64_t>(reader.number("ce_schemaversion"), 32'767));
  read.event.data = value;
  meta.partition = partition;
  if (reader.why().empty() && partition_of(meta.partition_key) != partition)
    reader.complain("ce_partitionkey", "belongs to another partition");
  if (reader.why().empty() && (meta.position < 1 || read.previous >= meta.position))
    reader.complain("ce_position", "does not follow ce_previous");
  if (value.empty() || value.front() != '{') reader.complain("the value", "is no JSON object");
  if (!reader.why().empty()) return std::unexpected(reader.why());
  return read;
}

}  // namespace bloomwatch
