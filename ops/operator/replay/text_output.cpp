// A replay as text: NDJSON or CSV, to a file or to standard output.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "ops/operator/replay/output.h"
#include "runtime/json.h"

namespace bloomwatch::ops {
namespace {

/// Names are CloudEvents': lower case, no separators. In the order in which they are written.
struct Line {
  std::string_view specversion = "1.0";
  EventId id;
  std::string_view type;
  std::string_view source;
  Time time;
  std::string subject;
  std::string_view datacontenttype = "application/json";
  Position position = 0;
  Position previous = 0;
  Version streamversion = 0;
  std::int32_t schemaversion = 1;
  std::int16_t partition = 0;
  PartitionKey partitionkey;
  std::optional<UserId> account;
  std::optional<ProfileId> profile;
  OriginKind origin = OriginKind::app;
  std::optional<std::string> provider;
  std::optional<std::string> reference;
  CommandId commandid;
  CorrelationId correlationid;
  std::optional<EventId> causationid;
  std::optional<EventId> undoes;
  json::Raw data;
};
BOOST_DESCRIBE_STRUCT(Line, (),
                      (specversion, id, type, source, time, subject, datacontenttype, position, previous, streamversion, schemaversion,
                       partition, partitionkey, account, profile, origin, provider, reference, commandid, correlationid, causationid,
                       undoes, data))

/// The same in every line, so no columns.
constexpr std::array<std::string_view, 2> not_in_csv = {"specversion", "datacontenttype"};

template <class D>
consteval bool in_csv() {
  for (const std::string_view name : not_in_csv) {
    if (name == D::name) return false;
  }
  return true;
}

Line line_of(const RawEvent& event, Position previous, std::string_view source) {
  const Meta& meta = event.meta;
  return {.id = meta.event_id,
          .type = event.type,
          .source = source,
          .time = meta.recorded_at,
          .subject = meta.stream.to_string(),
          .position = meta.position,
          .previous = previous,
          .streamversion = meta.version,
          .schemaversion = event.schema_version,
          .partition = meta.partition,
          .partitionkey = meta.partition_key,
          .account = meta.by.account,
          .profile = meta.by.profile,
          .origin = meta.by.origin.kind,
          .provider = meta.by.origin.provider,
          .reference = meta.by.origin.reference,
          .commandid = meta.by.command,
          .correlationid = meta.by.correlation,
          .causationid = meta.by.causation,
          .undoes = meta.undoes,
          .data = {std::string(event.data)}};
}

/// RFC 4180 §2: what holds a quote, a comma or a line break is quoted; so is an empty text, which an absent one is not.
void append_field(std::string& text, std::string_view value) {
  if (!value.empty() && value.find_first_of("\",\r\n") == std::string_view::npos) {
    text += value;
    return;
  }
  text += '"';
  for (const char c : value) {
    if (c == '"') text += '"';
    text += c;
  }
  text += '"';
}

template <class T>
void append_value(std::string& text, const T& value) {
  if constexpr (json::detail::is_optional<T>) {
    if (value) append_value(text, *value);
  } else if constexpr (std::is_same_v<T, json::Raw>) {
    append_field(text, value.text);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    append_field(text, value);
  } else if constexpr (json::DescribedEnum<T>) {
    text += json::name_of(value);
  } else if constexpr (std::is_integral_v<T>) {
    text += std::to_string(value);
  } else if constexpr (std::is_same_v<T, Time>) {
    text += to_rfc3339(value);
  } else {
    text += value.to_string();
  }
}

void append_csv(std::string& text, const Line& line) {
  bool first = true;
  boost::mp11::mp_for_each<json::detail::MembersOf<Line>>([&]<class D>(D) {
    if constexpr (in_csv<D>()) {
      if (!first) text += ',';
      first = false;
      append_value(text, line.*D::pointer);
    }
  });
  text += "\r\n";
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::generic_category().message(errno)); }

class TextOutput : public ReplayOutput {
 public:
  TextOutput(const std::string& path, TextFormat format, std::string_view epoch, std::int64_t bytes)
      : path_(path), format_(format), source_("/bloomwatch/" + std::string(epoch)), bytes_(bytes) {
    if (path != "-") {
      descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
      if (descriptor_ < 0) fail("cannot write " + path);
      struct stat status;
      is_file_ = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
    }
    if (is_file_) {
      if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) fail("another replay writes " + path);
      const off_t end = ::lseek(descriptor_, 0, SEEK_END);
      if (end < bytes) throw std::runtime_error(path + " is shorter than its state file says: it was changed by somebody else");
      if (::ftruncate(descriptor_, bytes) != 0 || ::lseek(descriptor_, bytes, SEEK_SET) != bytes) fail("cannot write " + path);
    }
    if (bytes == 0 && format == TextFormat::csv) text_ = csv_header();
  }
  ~TextOutput() override {
    if (descriptor_ != STDOUT_FILENO) ::close(descriptor_);
  }
  TextOutput(const TextOutput&) = delete;
  TextOutput& operator=(const TextOutput&) = delete;

  void put(const RawEvent& event, Position previous) override { append_line(text_, format_, event, previous, source_); }

  std::int64_t settle() override {
    for (std::string_view rest = text_; !rest.empty();) {
      const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
      if (written < 0 && errno != EINTR) fail("cannot write " + path_);
      if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (is_file_ && ::fdatasync(descriptor_) != 0) fail("cannot write " + path_);
    bytes_ += static_cast<std::int64_t>(text_.size());
    text_.clear();
    return bytes_;
  }

 private:
  std::string path_;
  TextFormat format_;
  std::string source_;
  std::int64_t bytes_;
  bool is_file_ = false;  ///< which can be cut and synced
  int descriptor_ = STDOUT_FILENO;
  std::string text_;
};

}  // namespace

std::string csv_header() {
  std::string header;
  boost::mp11::mp_for_each<json::detail::MembersOf<Line>>([&]<class D>(D) {
    if constexpr (in_csv<D>()) header += (header.empty() ? "" : ",") + std::string(D::name);
  });
  return header + "\r\n";
}

void append_line(std::string& text, TextFormat format, const RawEvent& event, Position previous, std::string_view source) {
  const Line line = line_of(event, previous, source);
  if (format == TextFormat::csv) return append_csv(text, line);
  json::write_sparse(text, line);
  text += '\n';
}

std::unique_ptr<ReplayOutput> text_output(const std::string& path, TextFormat format, std::string_view epoch, std::int64_t bytes) {
  return std::make_unique<TextOutput>(path, format, epoch, bytes);
}

}  // namespace bloomwatch::ops
