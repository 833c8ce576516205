#pragma once
// How bytes change hands without a socket: a task's frames go to a child in a sealed memfd of their
// own, which it maps; a result comes back on the child's answer sheet, a memfd of fixed size that
// the worker made, so that it never opens a file a child gave it. Everything is copied out of a
// sheet before it is looked at.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

/// Room for a result: a record of 4 MiB and pictures made of a picture of 50 MP. Pages that are
/// never written cost nothing.
inline constexpr std::uint64_t kAnswerBytesMax = std::uint64_t{128} << 20U;

/// Errors: the system has no memory or descriptors for it.
Result<FileDescriptor, Error> make_parcel(std::span<const std::span<const std::byte>> frames);

/// A parcel in a child's memory, until it is destroyed.
class OpenParcel {
 public:
  /// Frames of these sizes, one after the other; fewer where the parcel does not hold them.
  OpenParcel(const FileDescriptor& parcel, std::span<const std::uint64_t> frame_bytes);
  ~OpenParcel();
  OpenParcel(const OpenParcel&) = delete;
  OpenParcel& operator=(const OpenParcel&) = delete;

  const std::vector<std::span<const std::byte>>& frames() const { return frames_; }

 private:
  void* mapped_{nullptr};
  std::size_t size_{0};
  std::vector<std::span<const std::byte>> frames_;
};

/// -1 inside: the system has none to give.
FileDescriptor make_answer_sheet();
/// False: it does not fit.
[[nodiscard]] bool write_answer(int sheet, std::span<const std::string_view> parts);
/// Nothing: these sizes cannot be on a sheet.
std::optional<std::vector<std::string>> read_answer(int sheet,
                                                    std::span<const std::uint64_t> part_bytes);

}  // namespace framefleet::worker
