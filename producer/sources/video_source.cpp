#include "producer/sources/video_source.hpp"

#include "producer/sources/file_search.hpp"
#include "producer/sources/jpeg.hpp"
#include "producer/sources/source_name.hpp"

#include <fmt/format.h>
#include <opencv2/videoio.hpp>

#include <cmath>
#include <exception>
#include <filesystem>
#include <utility>

namespace framefleet::producer {

namespace {

constexpr int kJpegQuality = 90;
/// What a broken header promises beyond this is not believed.
constexpr double kFramesMax = 1e9;

/// No other backend: OpenCV's others would take a file's name for a pattern or a pipeline, as
/// FFmpeg would take "a:b.avi" for a protocol if the path were not absolute.
bool open_capture(cv::VideoCapture& capture, const std::string& path) {
  return capture.open(std::filesystem::absolute(path).string(), cv::CAP_FFMPEG);
}

}  // namespace

struct VideoSource::Decoder {
  cv::VideoCapture capture;
  cv::Mat frame;
  std::uint64_t next{0};  // number of the frame that the next grab gives
};

VideoSource::VideoSource(std::string name, std::uint32_t epoch, std::string path)
    : name_(std::move(name)), epoch_(epoch), path_(std::move(path)) {
  captured_at_ms_ = found_file(path_).mtime_ns / 1'000'000;
}

VideoSource::~VideoSource() = default;

Result<std::unique_ptr<VideoSource>, Error> VideoSource::open(std::string name, std::uint32_t epoch,
                                                              std::string path) {
  std::unique_ptr<VideoSource> source(new VideoSource(std::move(name), epoch, std::move(path)));
  if (auto opened = source->open_decoder(); !opened) return fail(opened.error());
  const auto first = source->seek(1);
  if (!first) return fail(first.error());
  if (!*first) {
    return fail(Error{fmt::format("{}: not one frame of this video can be decoded; leave it out or "
                                  "repair it (ffmpeg -i shows what is wrong)",
                                  printable(source->path_)),
                      exit_code::kNoInput});
  }
  source->decoder_.reset();
  return source;
}

Result<void, Error> VideoSource::open_decoder() {
  decoder_ = std::make_unique<Decoder>();
  std::string reason = "it is no video that FFmpeg can read";
  try {
    if (open_capture(decoder_->capture, path_)) {
      const double promised = decoder_->capture.get(cv::CAP_PROP_FRAME_COUNT);
      if (promised >= 1 && promised <= kFramesMax) {
        promised_ = static_cast<std::uint64_t>(std::llround(promised));
      }
      return {};
    }
  } catch (const std::exception& error) {
    reason = error.what();
  }
  decoder_.reset();
  return fail(Error{fmt::format("cannot open the video {}: {}", printable(path_), reason),
                    exit_code::kNoInput});
}

Result<bool, Error> VideoSource::seek(std::uint64_t sequence) {
  if (!decoder_ || decoder_->next > sequence) {
    if (auto opened = open_decoder(); !opened) return fail(opened.error());
  }
  try {
    while (decoder_->next < sequence) {
      if (!decoder_->capture.grab()) {
        end_ = decoder_->next;
        return false;
      }
      ++decoder_->next;
    }
    return true;
  } catch (const cv::Exception& error) {
    return fail(Error{fmt::format("{}: {}", printable(path_), error.what()), exit_code::kNoInput});
  }
}

std::optional<std::uint64_t> VideoSource::count() const { return end_ ? end_ : promised_; }

std::optional<std::uint64_t> VideoSource::next_sequence(std::uint64_t from) const {
  if (end_ && from >= *end_) return std::nullopt;
  return from;
}

Result<std::optional<Picture>, Error> VideoSource::read(std::uint64_t sequence) {
  if (end_ && sequence >= *end_) return std::optional<Picture>{};
  const auto there = seek(sequence);
  if (!there) return fail(there.error());
  if (!*there) return std::optional<Picture>{};
  Picture picture;
  picture.origin = fmt::format("{}#{}", printable(path_), sequence);
  picture.captured_at_ms = captured_at_ms_;
  try {
    if (!decoder_->capture.read(decoder_->frame)) {
      end_ = sequence;
      return std::optional<Picture>{};
    }
  } catch (const cv::Exception& error) {
    return fail(Error{fmt::format("{}: {}", picture.origin, error.what()), exit_code::kNoInput});
  }
  ++decoder_->next;
  auto bytes = encode_jpeg(decoder_->frame, kJpegQuality);
  if (bytes) {
    picture.bytes = std::move(*bytes);
  } else {
    picture.unreadable = fmt::format("{}: {}", picture.origin, bytes.error());
  }
  return std::optional<Picture>(std::move(picture));
}

std::string VideoSource::remark() const {
  if (!end_ || !promised_ || *end_ >= *promised_) return {};
  return fmt::format("{}: {} frames could be read; the file promises {}", printable(path_), *end_,
                     *promised_);
}

}  // namespace framefleet::producer
