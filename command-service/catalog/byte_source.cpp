// Reading, inflating, cutting into lines.
#include "command-service/catalog/byte_source.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <utility>

namespace bloomwatch::catalog {
namespace {

constexpr std::string_view zstd_magic = "\x28\xB5\x2F\xFD";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t piece_bytes = std::size_t{256} << 10;
constexpr int window_log_max = 27;  ///< 128 MiB: what `zstd --ultra --long` makes; larger windows are refused

}  // namespace

struct ByteSource::Inflating {
  Inflating() : stream(ZSTD_createDCtx(), ZSTD_freeDCtx) { ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, window_log_max); }

  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> stream;
  ZSTD_inBuffer in = {nullptr, 0, 0};
  std::size_t expects = 1;  ///< 0: a frame has come to its end
};

ByteSource::ByteSource(std::istream& in, std::size_t bytes_max) : in_(in), bytes_max_(bytes_max), raw_(piece_bytes, '\0') {}
ByteSource::~ByteSource() = default;

/// The next piece of the file's contents into `piece_`; false at the end.
bool ByteSource::fill() {
  at_ = 0;
  piece_.clear();
  const auto read = [this] {
    in_.read(raw_.data(), static_cast<std::streamsize>(raw_.size()));
    if (in_.bad()) throw UnreadableFile("the file cannot be read");
    return std::string_view(raw_.data(), static_cast<std::size_t>(in_.gcount()));
  };
  const bool begins = !std::exchange(looked_, true);
  if (!zstd_) {
    const std::string_view raw = read();
    if (begins && raw.starts_with(zstd_magic)) {
      zstd_ = std::make_unique<Inflating>();
      zstd_->in = {raw.data(), raw.size(), 0};
    } else {
      piece_ = raw;
    }
  }
  if (zstd_) {
    piece_.resize(piece_bytes);
    ZSTD_outBuffer out = {piece_.data(), piece_.size(), 0};
    // At the beginning one byte more than a byte order mark has, so that no piece is a part of one, or nothing but one.
    const std::size_t bytes_min = begins ? byte_order_mark.size() + 1 : 1;
    while (out.pos < bytes_min) {
      if (zstd_->in.pos == zstd_->in.size) {
        const std::string_view more = read();
        if (more.empty()) {
          if (zstd_->expects != 0) throw UnreadableFile("the file is cut off: its last zstd frame has no end");
          break;
        }
        zstd_->in = {more.data(), more.size(), 0};
      }
      zstd_->expects = ZSTD_decompressStream(zstd_->stream.get(), &out, &zstd_->in);
      if (ZSTD_isError(zstd_->expects) != 0)
        throw UnreadableFile(fmt::format("the file is no sound zstd file: {}", ZSTD_getErrorName(zstd_->expects)));
    }
    piece_.resize(out.pos);
  }
  inflated_ += piece_.size();
  if (inflated_ > bytes_max_) throw UnreadableFile(fmt::format("the file has more than {} MiB", bytes_max_ >> 20));
  if (begins && piece_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
  return at_ < piece_.size();
}

std::string_view ByteSource::peek() {
  if (at_ == piece_.size() && !fill()) return {};
  return std::string_view(piece_).substr(at_);
}

ByteSource::Line ByteSource::next_line(std::string& line, std::size_t bytes_max) {
  line.clear();
  bool too_long = false;
  bool any = false;
  for (std::string_view rest = peek(); !rest.empty(); rest = peek()) {
    any = true;
    const std::size_t end = rest.find('\n');
    const std::string_view part = rest.substr(0, end);
    const std::size_t room = bytes_max - line.size();
    line += part.substr(0, room);
    too_long = too_long || part.size() > room;
    skip(end == std::string_view::npos ? rest.size() : end + 1);
    if (end != std::string_view::npos) break;
  }
  if (!any) return Line::end;
  if (!line.empty() && line.back() == '\r' && !too_long) line.pop_back();
  return too_long ? Line::too_long : Line::whole;
}

void ByteSource::read_rest(std::string& into) {
  for (std::string_view rest = peek(); !rest.empty(); rest = peek()) {
    into += rest;
    skip(rest.size());
  }
}

}  // namespace bloomwatch::catalog
