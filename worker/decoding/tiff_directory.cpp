#include "worker/decoding/tiff_directory.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace framefleet::worker {
namespace {

constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kEntryBytes = 12;
constexpr std::size_t kInlineBytes = 4;
constexpr std::size_t kNextBytes = 4;  ///< Behind the entries: where the next directory is.
/// Real files have under 100.
constexpr std::uint32_t kEntriesMax = 1000;

constexpr std::array kPixelTags{
    tiff_tag::kWidth,           tiff_tag::kHeight,       tiff_tag::kBitsPerSample,
    tiff_tag::kCompression,     tiff_tag::kPhotometric,  tiff_tag::kFillOrder,
    tiff_tag::kStripOffsets,    tiff_tag::kRowsPerStrip, tiff_tag::kSamplesPerPixel,
    tiff_tag::kStripByteCounts, tiff_tag::kPredictor,    tiff_tag::kPlanarConfiguration,
    tiff_tag::kColorMap,        tiff_tag::kTileWidth,    tiff_tag::kTileHeight,
    tiff_tag::kTileOffsets,     tiff_tag::kSampleFormat, tiff_tag::kTileByteCounts};

/// Of the types that counts, sizes and offsets are written in; 0: another one.
std::size_t bytes_of_type(std::uint32_t type) {
  constexpr std::uint32_t kByte = 1;
  constexpr std::uint32_t kShort = 3;
  constexpr std::uint32_t kLong = 4;
  switch (type) {
    case kByte:
      return 1;
    case kShort:
      return 2;
    case kLong:
      return 4;
    default:
      return 0;
  }
}

}  // namespace

Result<TiffDirectory, TiffFault> TiffDirectory::read(ByteView bytes) {
  TiffDirectory directory(bytes);
  if (!bytes.has(0, kHeaderBytes)) return fail(TiffFault{"TIFF ends before its header"});
  directory.begin_ = directory.u32(4);
  if (directory.begin_ < kHeaderBytes || !bytes.has(directory.begin_, 2)) {
    return fail(TiffFault{"TIFF ends before its directory"});
  }
  const std::uint32_t entries = directory.u16(directory.begin_);
  if (entries > kEntriesMax) {
    return fail(TiffFault{
        fmt::format("TIFF has a directory of {} entries; the limit is {}", entries, kEntriesMax)});
  }
  if (!bytes.has(directory.begin_ + 2, entries * kEntryBytes)) {
    return fail(TiffFault{"TIFF ends within its directory"});
  }
  directory.end_ = directory.begin_ + 2 + entries * kEntryBytes + kNextBytes;
  for (std::uint32_t i = 0; i < entries; ++i) {
    if (auto fault = directory.take(directory.begin_ + 2 + i * kEntryBytes)) {
      return fail(TiffFault{std::move(*fault)});
    }
  }
  return directory;
}

/// What is wrong with it, or nothing.
std::optional<std::string> TiffDirectory::take(std::size_t entry_at) {
  const std::uint32_t tag = u16(entry_at);
  if (std::find(kPixelTags.begin(), kPixelTags.end(), tag) == kPixelTags.end()) return {};
  if (has(tag)) return fmt::format("TIFF has tag {} twice", tag);
  const std::size_t each = bytes_of_type(u16(entry_at + 2));
  if (each == 0) return fmt::format("TIFF has tag {} of another type than integers", tag);
  const std::uint32_t count = u32(entry_at + 4);
  const std::size_t value_bytes = std::size_t{count} * each;
  const std::size_t values_at = value_bytes <= kInlineBytes ? entry_at + 8 : u32(entry_at + 8);
  if (count == 0 || !bytes_.has(values_at, value_bytes)) {
    return fmt::format("TIFF ends before the {} values of tag {}", count, tag);
  }
  // They would be other ones once entries have moved.
  const bool apart = values_at >= end_ || values_at + value_bytes <= begin_;
  if (value_bytes > kInlineBytes && !apart) {
    return fmt::format("TIFF has the values of tag {} within its directory", tag);
  }
  entries_.push_back({tag, count, entry_at, values_at, each});
  return {};
}

const TiffDirectory::Entry* TiffDirectory::find(std::uint32_t tag) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [tag](const Entry& entry) { return entry.tag == tag; });
  return found == entries_.end() ? nullptr : &*found;
}

std::uint32_t TiffDirectory::count(std::uint32_t tag) const {
  const Entry* const entry = find(tag);
  return entry == nullptr ? 0 : entry->count;
}

std::uint32_t TiffDirectory::value(std::uint32_t tag, std::uint32_t index) const {
  const Entry* const entry = find(tag);
  FRAMEFLEET_ASSERT(entry != nullptr && index < entry->count);
  const std::size_t at = entry->values_at + index * entry->value_size;
  if (entry->value_size == 1) return bytes_.u8(at);
  return entry->value_size == 2 ? u16(at) : u32(at);
}

std::uint32_t TiffDirectory::value_or(std::uint32_t tag, std::uint32_t otherwise) const {
  return has(tag) ? value(tag, 0) : otherwise;
}

std::vector<std::uint8_t> TiffDirectory::bytes_of_pixels_alone() const {
  std::vector<std::uint8_t> copy(bytes_.size());
  bytes_.copy(0, copy.data(), copy.size());
  std::size_t to = begin_ + 2;
  for (const Entry& entry : entries_) {
    bytes_.copy(entry.at, copy.data() + to, kEntryBytes);
    to += kEntryBytes;
  }
  const std::size_t end = std::min(to + kNextBytes, copy.size());
  std::fill(copy.begin() + static_cast<std::ptrdiff_t>(to),
            copy.begin() + static_cast<std::ptrdiff_t>(end), std::uint8_t{0});
  const auto kept = static_cast<std::uint8_t>(entries_.size());
  copy[begin_] = little_ ? kept : 0;
  copy[begin_ + 1] = little_ ? 0 : kept;
  return copy;
}

}  // namespace framefleet::worker
