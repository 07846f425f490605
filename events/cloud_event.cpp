// Header by header, both ways, in one order. Headers that we do not know are left alone: a later version may add some.
#include "events/cloud_event.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "runtime/interned.h"
#include "runtime/json.h"

namespace bloomwatch {
namespace {

constexpr std::string_view content_type = "application/json";

/// The headers that we know, in the order in which the relay writes them.
enum class Field : std::uint8_t {
  specversion,
  id,
  type,
  source,
  time,
  subject,
  content_type,
  position,
  previous,
  streamversion,
  schemaversion,
  partitionkey,
  account,
  profile,
  origin,
  provider,
  reference,
  commandid,
  correlationid,
  causationid,
  undoes
};
constexpr std::array<std::string_view, 21> names = {
    "ce_specversion", "ce_id",       "ce_type",          "ce_source",        "ce_time",          "ce_subject",     "content-type",
    "ce_position",    "ce_previous", "ce_streamversion", "ce_schemaversion", "ce_partitionkey",  "ce_account",     "ce_profile",
    "ce_origin",      "ce_provider", "ce_reference",     "ce_commandid",     "ce_correlationid", "ce_causationid", "ce_undoes"};
static_assert(names.size() <= CloudEventHeaders::count_max && names.back() == "ce_undoes");

constexpr std::size_t index(Field field) { return static_cast<std::size_t>(field); }
static_assert(index(Field::undoes) + 1 == names.size());

/// Which field a header is, looked for from `next` on; names.size(): none of ours.
std::size_t field_named(std::string_view name, std::size_t next) {
  for (std::size_t field = next; field < names.size(); ++field)
    if (names[field] == name) return field;
  for (std::size_t field = 0; field < next; ++field)
    if (names[field] == name) return field;
  return names.size();
}

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
  void view(Field field, std::string_view value) { headers_[count_++] = {names[index(field)], value}; }
  void text(Field field, std::string_view value) {
    const std::size_t start = text_.size();
    text_ += value;
    view(field, std::string_view(text_).substr(start));
  }
  void number(Field field, std::int64_t value) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text(field, {digits.data(), static_cast<std::size_t>(end - digits.data())});
  }
  template <class Tag>
  void id(Field field, const Id<Tag>& value) {
    const std::size_t start = text_.size();
    value.uuid.append_to(text_);
    view(field, std::string_view(text_).substr(start));
  }
  void stream(Field field, const StreamName& name) {
    const std::size_t start = text_.size();
    text_ += name.category;
    text_ += '-';
    name.id.append_to(text_);
    view(field, std::string_view(text_).substr(start));
  }
  template <class Tag>
  void id(Field field, const std::optional<Id<Tag>>& value) {
    if (value) id(field, *value);
  }
  std::span<const kafka::Header> done() const { return headers_.first(count_); }

 private:
  static constexpr std::size_t fixed_bytes_max = 1024;  ///< ids, numbers, times and the stream's name

  std::string& text_;
  std::span<kafka::Header> headers_;
  std::size_t count_ = 0;
};

/// The headers of a record by field: found in one pass, mostly each where it is looked for first.
class Reader {
 public:
  explicit Reader(std::span<const kafka::Header> headers) {
    std::size_t next = 0;
    for (const kafka::Header& header : headers) {
      const std::size_t field = field_named(header.name, next);
      if (field == names.size()) continue;
      if (!values_[field]) values_[field] = header.value;
      next = field + 1;
    }
  }

  std::optional<std::string_view> find(Field field) const { return values_[index(field)]; }

  std::string_view text(Field field) {
    const auto found = find(field);
    if (!found) complain(field, "is missing");
    return found.value_or(std::string_view());
  }
  std::int64_t number(Field field) {
    const std::string_view digits = text(field);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) complain(field, "is no number");
    return value;
  }
  Uuid uuid(Field field) {
    const auto value = Uuid::parse(text(field));
    if (!value) complain(field, "is no UUID");
    return value.value_or(Uuid{});
  }
  template <class IdType>
  std::optional<IdType> optional_id(Field field) {
    const auto found = find(field);
    if (!found) return std::nullopt;
    const auto value = Uuid::parse(*found);
    if (!value) complain(field, "is no UUID");
    return IdType(value.value_or(Uuid{}));
  }
  std::optional<std::string> optional_text(Field field) {
    const auto found = find(field);
    if (!found) return std::nullopt;
    return std::string(*found);
  }

  /// The first complaint is what counts.
  void complain(std::string_view of, std::string_view what) {
    if (why_.empty()) why_ = std::string(of) + ' ' + std::string(what);
  }
  void complain(Field field, std::string_view what) { complain(names[index(field)], what); }
  const std::string& why() const { return why_; }

 private:
  std::array<std::optional<std::string_view>, names.size()> values_;
  std::string why_;
};

StreamName stream_of(Reader& reader) {
  constexpr std::size_t uuid_length = 36;
  const std::string_view subject = reader.text(Field::subject);
  if (subject.size() < uuid_length + 2 || subject[subject.size() - uuid_length - 1] != '-') {
    reader.complain(Field::subject, "names no stream");
    return {};
  }
  const auto id = Uuid::parse(subject.substr(subject.size() - uuid_length));
  if (!id) reader.complain(Field::subject, "names no stream");
  return {interned(subject.substr(0, subject.size() - uuid_length - 1)), id.value_or(Uuid{})};
}

void read_meta(Reader& reader, Meta& meta) {
  meta.event_id = EventId(reader.uuid(Field::id));
  const auto time = parse_rfc3339(reader.text(Field::time));
  if (!time) reader.complain(Field::time, "is no time");
  meta.recorded_at = time.value_or(Time{});
  meta.stream = stream_of(reader);
  meta.position = reader.number(Field::position);
  meta.version = reader.number(Field::streamversion);
  meta.partition_key = PartitionKey(reader.uuid(Field::partitionkey));
  meta.by.account = reader.optional_id<UserId>(Field::account);
  meta.by.profile = reader.optional_id<ProfileId>(Field::profile);
  const auto origin = json::enum_of<OriginKind>(reader.text(Field::origin));
  if (!origin) reader.complain(Field::origin, "is no origin");
  meta.by.origin = {origin.value_or(OriginKind::app), reader.optional_text(Field::provider), reader.optional_text(Field::reference)};
  meta.by.command = CommandId(reader.uuid(Field::commandid));
  meta.by.correlation = CorrelationId(reader.uuid(Field::correlationid));
  meta.by.causation = reader.optional_id<EventId>(Field::causationid);
  meta.undoes = reader.optional_id<EventId>(Field::undoes);
}

}  // namespace

std::string topic_of(std::string_view epoch) { return "bloomwatch.events." + std::string(epoch); }

CloudEventHeaders::CloudEventHeaders(std::string_view epoch) : source_(source_of(epoch)) {}

std::span<const kafka::Header> CloudEventHeaders::of(const RawEvent& event, Position previous) {
  const Meta& meta = event.meta;
  Writer writer(text_, headers_, meta);
  writer.view(Field::specversion, "1.0");
  writer.id(Field::id, meta.event_id);
  writer.view(Field::type, event.type);
  writer.view(Field::source, source_);
  writer.text(Field::time, to_rfc3339(meta.recorded_at));
  writer.stream(Field::subject, meta.stream);
  writer.view(Field::content_type, content_type);
  writer.number(Field::position, meta.position);
  writer.number(Field::previous, previous);
  writer.number(Field::streamversion, meta.version);
  writer.number(Field::schemaversion, event.schema_version);
  writer.id(Field::partitionkey, meta.partition_key);
  writer.id(Field::account, meta.by.account);
  writer.id(Field::profile, meta.by.profile);
  writer.view(Field::origin, json::name_of(meta.by.origin.kind));
  if (meta.by.origin.provider) writer.text(Field::provider, *meta.by.origin.provider);
  if (meta.by.origin.reference) writer.text(Field::reference, *meta.by.origin.reference);
  writer.id(Field::commandid, meta.by.command);
  writer.id(Field::correlationid, meta.by.correlation);
  writer.id(Field::causationid, meta.by.causation);
  writer.id(Field::undoes, meta.undoes);
  return writer.done();
}

std::expected<CloudEvent, std::string> read_cloud_event(std::span<const kafka::Header> headers, std::string_view value,
                                                        std::int16_t partition, std::string_view epoch) {
  std::expected<CloudEvent, std::string> result;
  if (headers.empty()) return std::unexpected("it has no headers");
  Reader reader(headers);
  CloudEvent& read = *result;
  Meta& meta = read.event.meta;
  if (reader.text(Field::specversion) != "1.0") reader.complain(Field::specversion, "is not 1.0");
  read.event.type = reader.text(Field::type);
  if (const std::string_view source = reader.text(Field::source); !source.starts_with("/bloomwatch/") || source.substr(12) != epoch)
    reader.complain(Field::source, "is not this epoch's");
  read_meta(reader, meta);
  read.previous = reader.number(Field::previous);
  read.event.schema_version = static_cast<int>(std::min<std::int64_t>(reader.number(Field::schemaversion), 32'767));
  read.event.data = value;
  meta.partition = partition;
  if (reader.why().empty() && partition_of(meta.partition_key) != partition)
    reader.complain(Field::partitionkey, "belongs to another partition");
  if (reader.why().empty() && (meta.position < 1 || read.previous >= meta.position))
    reader.complain(Field::position, "does not follow ce_previous");
  if (value.empty() || value.front() != '{') reader.complain("the value", "is no JSON object");
  if (!reader.why().empty()) return std::unexpected(reader.why());
  return result;
}

}  // namespace bloomwatch
