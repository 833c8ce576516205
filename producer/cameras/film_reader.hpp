#pragma once
// A video file, read by a capture process of its own: FFmpeg sees a stranger's file there and
// nowhere else. A frame is asked for and waited for, which takes minutes where it is far behind the
// last one; the process is killed when it is silent for too long, and with its reader. Threads:
// one, the one that opened it (the process dies with it).

#include "producer/cameras/film_wire.hpp"
#include "producer/cameras/frame_slots.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace framefleet::producer {

/// Why a film gives no more frames. The text is a stranger's: any bytes, up to a kilobyte.
struct FilmEnd {
  /// How many frames there are. Nothing: nobody knows; the process died, was killed or refused.
  std::optional<std::uint64_t> frames;
  std::string text;
};

class FilmReader {
 public:
  /// Starts `program` (framefleet-capture) for the file at `path`, and waits for its facts.
  static Result<FilmReader, FilmEnd> open(const std::string& path, const std::string& program);
  FilmReader(FilmReader&& other) noexcept;
  FilmReader& operator=(FilmReader&& other) noexcept;
  ~FilmReader();

  const FilmFacts& facts() const { return facts_; }
  /// The smallest sequence that can be asked for.
  std::uint64_t next() const { return next_; }
  /// Asks for a frame and waits for it, no longer than `patience`. True: read() answers at once.
  /// Requires: sequence >= next(), and the same one until it has been read.
  bool ready(std::uint64_t sequence, Duration patience);
  /// It was ready to say that its process is of no use any more.
  bool failed() const { return answer_ && !*answer_ && !answer_->error().frames; }
  /// A frame; nothing: it is there and cannot become a JPEG. Requires: as ready().
  Result<std::optional<CapturedFrame>, FilmEnd> read(std::uint64_t sequence);
  /// Frames that are not counted and not given out, because they could be decoded in part alone.
  std::uint64_t damaged() const { return frames_.counts().damaged; }

 private:
  FilmReader(FrameReader frames, pid_t pid, FileDescriptor link)
      : frames_(std::move(frames)), pid_(pid), link_(std::move(link)) {}
  bool ask(std::uint64_t sequence);
  /// The next report. Requires: there is something to read.
  Result<FilmReport, FilmEnd> hear_one();
  /// The next one but that it is busy.
  Result<FilmReport, FilmEnd> hear();

  FrameReader frames_;
  pid_t pid_;
  FileDescriptor link_;
  FilmFacts facts_;
  std::uint64_t next_{0};
  bool asked_{false};  ///< For the frame that is read next.
  std::optional<Result<FilmReport, FilmEnd>> answer_;
  Duration silent_{};  ///< What ready() has waited since the last report.
};

}  // namespace framefleet::producer
