#pragma once
// A video file as a source: the sequence of a frame is its number, the frame travels as JPEG (90,
// or as it is where it is one). It is decoded by a capture process (film_reader.hpp), which is
// started at the first read, and once more where it dies. Where that does not help the source ends,
// since no later frame can be trusted; remark() then says how far the file's promise was kept, and
// why. Memory: one frame. Threads: one. Errors: 66 where the file cannot be opened or shows no
// frame; what to do stands in the text.

#include "producer/cameras/film_reader.hpp"
#include "producer/sources/image_source.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace framefleet::producer {

/// as_accepted: a frame after the other, as fast as they are taken; own: no faster than the file
/// says.
enum class VideoPace : std::uint8_t { as_accepted, own };

struct VideoOptions {
  VideoPace pace{VideoPace::as_accepted};
  std::string capture_program;  ///< Path of framefleet-capture; "": beside this program.
  Duration patience{std::chrono::milliseconds{100}};  ///< What ready() waits.
};

class VideoSource final : public ImageSource {
 public:
  /// Opens the video once to see that its first frame can be decoded, and that it has a pace where
  /// that is asked for (66), as framefleet-capture must be there.
  static Result<std::unique_ptr<VideoSource>, Error> open(std::string name, std::uint32_t epoch,
                                                          std::string path,
                                                          VideoOptions options = {});
  ~VideoSource() override;

  const std::string& name() const override { return name_; }
  std::uint32_t epoch() const override { return epoch_; }
  std::optional<std::uint64_t> count() const override;
  Duration interval() const override { return interval_; }
  std::optional<std::uint64_t> next_sequence(std::uint64_t from) const override;
  bool ready(std::uint64_t sequence) override;
  Result<std::optional<Picture>, Error> read(std::uint64_t sequence) override;
  std::string remark() const override;
  bool broke_off() const override { return !broken_.empty(); }

 private:
  VideoSource(std::string name, std::uint32_t epoch, std::string path, VideoOptions options);
  /// The film, ready to give this frame or an earlier one.
  Result<FilmReader*, FilmEnd> film_at(std::uint64_t sequence);
  Result<std::optional<CapturedFrame>, FilmEnd> frame(std::uint64_t sequence);
  /// No frame beyond those there were so far.
  void end_at(std::uint64_t sequence, const FilmEnd& end);

  std::string name_;
  std::uint32_t epoch_;
  std::string path_;
  VideoOptions options_;
  std::int64_t captured_at_ms_{0};
  std::optional<std::uint64_t> promised_;  // frames, by the file's own word
  std::optional<std::uint64_t> end_;       // frames there are, once the end was met
  Duration interval_{};                    // 0: as accepted
  std::uint64_t damaged_{0};               // frames that were left out, once the end was met
  std::string broken_;                     // why the end came early
  std::optional<FilmReader> film_;
  std::optional<std::uint64_t> retried_;  // by ready(), with a new process
};

}  // namespace framefleet::producer
