#include "worker/decoding/exif.hpp"

namespace framefleet::worker {
namespace {

constexpr int kAsStored = 1;
constexpr std::uint32_t kTagOrientation = 0x0112;
constexpr std::uint32_t kTypeShort = 3;
constexpr std::size_t kEntryBytes = 12;
/// Real files have under 100 entries; more is not worth reading for one tag.
constexpr std::uint32_t kEntriesMax = 1000;

}  // namespace

int exif_orientation(ByteView tiff) {
  const bool little = tiff.holds(0, "II");
  if (!little && !tiff.holds(0, "MM")) return kAsStored;
  const auto u16 = [&](std::size_t at) { return little ? tiff.le16(at) : tiff.be16(at); };
  const auto u32 = [&](std::size_t at) { return little ? tiff.le32(at) : tiff.be32(at); };
  if (u16(2) != 42) return kAsStored;

  const std::size_t directory = u32(4);
  const std::uint32_t entries = u16(directory);
  if (entries > kEntriesMax) return kAsStored;
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (!tiff.has(entry, kEntryBytes)) return kAsStored;
    if (u16(entry) != kTagOrientation) continue;
    const std::uint32_t value = u16(entry + 8);
    const bool sound = u16(entry + 2) == kTypeShort && value >= 1 && value <= 8;
    return sound ? static_cast<int>(value) : kAsStored;
  }
  return kAsStored;
}

}  // namespace framefleet::worker
