#pragma once
// The newest frame of a camera, handed from its capture process to its producer without a wait on
// either side: three slots in shared memory, of which the writer fills one, the reader empties one,
// and the third holds the newest finished frame. Publishing and taking swap a slot with the third
// in one atomic step, so a frame is never torn and one that nobody took is replaced.
//
//   word: which slot is the third, and whether it holds a frame that was not taken yet
//
// The writer decodes hostile streams and may be taken over: the reader believes nothing that stands
// in the memory, maps none of the pictures (a page that cannot be had would kill it), and copies a
// frame out before anybody looks at it. The size is sealed. Threads: one writer process, one reader
// thread.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace framefleet::producer {

/// Of one encoded frame. Pages that are never written cost nothing.
inline constexpr std::uint64_t kFrameBytesMax = std::uint64_t{32} << 20U;
inline constexpr std::uint32_t kFrameSideMax = 16384;

/// A frame as it comes out of a capture process. The bytes are a JPEG if all is well there.
struct CapturedFrame {
  std::string bytes;
  std::int64_t captured_at_ms{0};  ///< Wall clock (Unix) when its picture was complete.
  std::uint32_t width{0};          ///< Pixels, 1 to kFrameSideMax.
  std::uint32_t height{0};
  std::uint64_t number{0};  ///< 1, 2, … in its capture process, with those that were replaced.
};

/// What a capture process counts, from its start. A claim, no more.
struct CaptureCounts {
  std::uint64_t decoded{0};  ///< Pictures the camera gave.
  std::uint64_t gated{0};    ///< Kept back by the motion gate.
  std::uint64_t published{0};
  std::uint64_t skipped{0};  ///< Not decoded, to catch up with a camera that was ahead.
  std::uint64_t damaged{0};  ///< Decoded, but not whole: packets were lost.
};

struct SlotsWord;  // the page that both ends map

class FrameReader {
 public:
  /// Errors: the system has no memory or descriptors.
  static Result<FrameReader, Error> make();
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;
  ~FrameReader();

  /// The memory, for the writer.
  int file() const { return file_.get(); }

  /// The newest frame, once; nothing where there is no new one. An error: what stands in the memory
  /// is no writer's of ours.
  Result<std::optional<CapturedFrame>, Error> take();
  CaptureCounts counts() const;

 private:
  FrameReader() = default;

  FileDescriptor file_;
  SlotsWord* word_{nullptr};
  std::uint32_t mine_{0};
};

class FrameWriter {
 public:
  /// Errors: `file` is no memory that a FrameReader made.
  static Result<FrameWriter, Error> open(FileDescriptor file);
  FrameWriter(FrameWriter&&) noexcept;
  FrameWriter& operator=(FrameWriter&&) noexcept;
  ~FrameWriter();

  /// False: the frame is empty or larger than a slot. `number` is given here.
  [[nodiscard]] bool publish(std::span<const std::byte> jpeg, std::uint32_t width,
                             std::uint32_t height, std::int64_t captured_at_ms);
  /// All but `published`, which is counted here.
  void count(const CaptureCounts& counts);

 private:
  FrameWriter() = default;

  FileDescriptor file_;
  SlotsWord* word_{nullptr};
  std::uint32_t mine_{1};
  std::uint64_t number_{0};
};

}  // namespace framefleet::producer
