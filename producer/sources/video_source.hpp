#pragma once
// A video file as a source: the sequence of a frame is its number, the frame travels as JPEG (90).
// The decoder is opened at the first read. A frame that cannot be decoded ends the source, since no
// later one can be trusted; remark() then says how far the file's promise was kept.
// Memory: one frame and the decoder. Threads: one at a time.
// Errors: 66 where the file cannot be opened or shows no frame; what to do stands in the text.

#include "producer/sources/image_source.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace framefleet::producer {

class VideoSource final : public ImageSource {
 public:
  /// Opens the video once to see that its first frame can be decoded.
  static Result<std::unique_ptr<VideoSource>, Error> open(std::string name, std::uint32_t epoch,
                                                          std::string path);
  ~VideoSource() override;

  const std::string& name() const override { return name_; }
  std::uint32_t epoch() const override { return epoch_; }
  std::optional<std::uint64_t> count() const override;
  Duration interval() const override { return Duration::zero(); }
  std::optional<std::uint64_t> next_sequence(std::uint64_t from) const override;
  Result<std::optional<Picture>, Error> read(std::uint64_t sequence) override;
  std::string remark() const override;

 private:
  struct Decoder;  // keeps OpenCV out of this header

  VideoSource(std::string name, std::uint32_t epoch, std::string path);
  Result<void, Error> open_decoder();
  /// Moves the decoder to `sequence`; false: the video ends before it.
  Result<bool, Error> seek(std::uint64_t sequence);

  std::string name_;
  std::uint32_t epoch_;
  std::string path_;
  std::int64_t captured_at_ms_{0};
  std::optional<std::uint64_t> promised_;  // frames, by the file's own word
  std::optional<std::uint64_t> end_;       // frames there are, once the end was met
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace framefleet::producer
