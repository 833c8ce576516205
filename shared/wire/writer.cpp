#include "shared/wire/writer.hpp"

#include "shared/base/assert.hpp"
#include "shared/wire/slug.hpp"
#include "shared/wire/utf8.hpp"

#include <fmt/format.h>
#include <msgpack.hpp>

#include <cmath>
#include <numeric>

namespace framefleet::wire {
namespace {

/// What msgpack::packer writes to.
struct Appender {
  std::string& out;
  void write(const char* bytes, std::size_t count) { out.append(bytes, count); }
};

}  // namespace

void Writer::payload(const Payload& payload, const Range& frames) {
  if (payload.frames != 0 || frames.min > 0) {
    must("frames", payload.frames, frames);
  }
  if (trail_.failed()) return;
  const Trail::Step step(trail_, "frames");
  if (payload.frames > frame_bytes_.size()) {
    return trail_.fail(fmt::format("{} promised, {} left", payload.frames, frame_bytes_.size()));
  }
  const auto taken = frame_bytes_.first(payload.frames);
  const auto bytes = std::accumulate(taken.begin(), taken.end(), std::uint64_t{0});
  if (bytes != payload.bytes) {
    return trail_.fail(fmt::format("have {} bytes, the payload says {}", bytes, payload.bytes));
  }
  frame_bytes_ = frame_bytes_.subspan(payload.frames);
}

void Writer::check(bool holds, std::string_view key, std::string_view why) {
  if (holds || trail_.failed()) return;
  const Trail::Step step(trail_, key);
  trail_.fail(why);
}

std::string Writer::finish() {
  if (!trail_.failed() && !frame_bytes_.empty()) {
    trail_.fail(fmt::format("{} payload frames belong to no entry", frame_bytes_.size()));
  }
  within_limits();
  return std::move(out_);
}

void Writer::put(bool value, Plain) {
  Appender to{out_};
  msgpack::packer<Appender>(to).pack(value);
  ++elements_;
}

void Writer::put(float value, Plain) {
  if (!std::isfinite(value)) return trail_.fail("is not a finite number");
  Appender to{out_};
  msgpack::packer<Appender>(to).pack_float(value);
  ++elements_;
}

void Writer::put(const Box& box, Plain) {
  open_list(4, 4, 4);
  for (const float side : {box.x, box.y, box.width, box.height}) put(side, Plain{});
}

void Writer::put(const LeaseId& lease, Plain) {
  open_list(2, 2, 2);
  put_whole(lease.incarnation);
  put_range(lease.counter, Range{});
}

void Writer::put(const VersionRange& versions, Plain) {
  if (versions.min > versions.max) return trail_.fail("min is over max");
  open_list(2, 2, 2);
  put_range(versions.min, kVersion);
  put_range(versions.max, kVersion);
}

void Writer::put(const std::string& text, const Text& rule) {
  if (text.size() < rule.bytes_min) return trail_.fail("is empty");
  if (text.size() > rule.bytes_max) {
    return trail_.fail(fmt::format("{} bytes, over {}", text.size(), rule.bytes_max));
  }
  if (!is_utf8(text)) return trail_.fail("is not UTF-8");
  put_text(text);
}

void Writer::put(const std::string& text, const Prose& rule) {
  if (text.size() <= rule.bytes_max && is_utf8(text)) return put_text(text);
  put_text(clip_utf8(text, rule.bytes_max));
}

void Writer::put(const std::string& text, Slug) {
  if (!is_slug(text)) return trail_.fail(kNoSlug);
  put_text(text);
}

void Writer::put(const std::string& bytes, const Bytes& rule) {
  if (bytes.size() < rule.bytes_min) return trail_.fail("is empty");
  if (bytes.size() > rule.bytes_max) {
    return trail_.fail(fmt::format("{} bytes, over {}", bytes.size(), rule.bytes_max));
  }
  Appender to{out_};
  const auto count = static_cast<std::uint32_t>(bytes.size());
  msgpack::packer<Appender>(to).pack_bin(count).pack_bin_body(bytes.data(), count);
  ++elements_;
}

void Writer::put(Duration value, Millis) { put_duration(value, std::chrono::milliseconds{1}); }

void Writer::put(Duration value, Micros) { put_duration(value, std::chrono::microseconds{1}); }

void Writer::put_duration(Duration value, Duration unit) {
  if (value < Duration::zero()) return trail_.fail("is negative");
  if (value > kDurationMax) return trail_.fail("is over 366 days");
  put_whole(static_cast<std::uint64_t>((value + unit - Duration{1}) / unit));
}

void Writer::put_text(std::string_view text) {
  constexpr std::size_t kShortFormBytes = 31;
  if (text.size() <= kShortFormBytes) {  // as nearly all are
    out_ += static_cast<char>(0xA0U | text.size());
    out_ += text;
  } else {
    Appender to{out_};
    const auto count = static_cast<std::uint32_t>(text.size());
    msgpack::packer<Appender>(to).pack_str(count).pack_str_body(text.data(), count);
  }
  ++elements_;
}

void Writer::put_whole(std::uint64_t value) {
  Appender to{out_};
  msgpack::packer<Appender>(to).pack_uint64(value);
  ++elements_;
}

void Writer::put_range(std::uint64_t value, const Range& rule) {
  if (value < rule.min) return trail_.fail(fmt::format("{} is under {}", value, rule.min));
  if (value > rule.max) return trail_.fail(fmt::format("{} is over {}", value, rule.max));
  put_whole(value);
}

void Writer::open_list(std::size_t count, std::size_t min, std::size_t max) {
  if (count < min) return trail_.fail(fmt::format("{} items, under {}", count, min));
  if (count > max) return trail_.fail(fmt::format("{} items, over {}", count, max));
  Appender to{out_};
  msgpack::packer<Appender>(to).pack_array(static_cast<std::uint32_t>(count));
  ++elements_;
}

// A map's head says how many keys follow, which is known at its end: room for the short form (up to
// 15 keys) is left here and filled there; the few maps with more are moved along.
void Writer::open_map() {
  out_ += '\0';
  ++elements_;
}

void Writer::close_map(std::size_t start) {
  constexpr std::size_t kShortFormKeys = 15;
  FRAMEFLEET_ASSERT(keys_ <= kKeysMax);
  if (keys_ <= kShortFormKeys) {
    out_[start] = static_cast<char>(0x80U | keys_);
  } else {
    out_.replace(start, 1, std::string{'\xDE', '\0', static_cast<char>(keys_)});
  }
}

void Writer::within_limits() {
  if (trail_.failed()) return;
  if (out_.size() > limits_.bytes) {
    trail_.fail_whole(fmt::format("over {} bytes", limits_.bytes), CodecError::Kind::too_large);
  } else if (elements_ > limits_.elements) {
    trail_.fail_whole(fmt::format("over {} elements", limits_.elements),
                      CodecError::Kind::too_large);
  }
}

}  // namespace framefleet::wire
