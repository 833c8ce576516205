#include "producer/sources/video_source.hpp"

#include "producer/cameras/camera.hpp"
#include "producer/sources/file_search.hpp"
#include "producer/sources/source_name.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace framefleet::producer {
namespace {

/// Frames a second that are believed: from a time lapse to a high-speed camera.
constexpr double kPaceMin = 0.001;
constexpr double kPaceMax = 1000;

Error no_input(std::string text) { return Error{std::move(text), exit_code::kNoInput}; }

}  // namespace

VideoSource::VideoSource(std::string name, std::uint32_t epoch, std::string path,
                         VideoOptions options)
    : name_(std::move(name)),
      epoch_(epoch),
      path_(std::move(path)),
      options_(std::move(options)),
      captured_at_ms_(found_file(path_).mtime_ns / 1'000'000) {}

VideoSource::~VideoSource() = default;

Result<std::unique_ptr<VideoSource>, Error> VideoSource::open(std::string name, std::uint32_t epoch,
                                                              std::string path,
                                                              VideoOptions options) {
  if (options.capture_program.empty()) {
    auto found = capture_program();
    if (!found) return fail(found.error());
    options.capture_program = std::move(*found);
  }
  std::unique_ptr<VideoSource> source(
      new VideoSource(std::move(name), epoch, std::move(path), std::move(options)));
  const auto shown = printable(source->path_);
  const auto film = source->film_at(0);
  if (!film) {
    return fail(
        no_input(fmt::format("cannot open the video {}: {}", shown, printable(film.error().text))));
  }
  const auto facts = (*film)->facts();
  if (const auto first = (*film)->read(0); !first) {
    return fail(
        no_input(fmt::format("{}: not one frame of this video can be decoded ({}); leave it "
                             "out or repair it (ffmpeg -i shows what is wrong)",
                             shown, printable(first.error().text))));
  }
  if (facts.frames > 0) source->promised_ = facts.frames;
  if (source->options_.pace == VideoPace::own) {
    if (!(facts.fps >= kPaceMin && facts.fps <= kPaceMax)) {
      return fail(no_input(
          fmt::format("{}: the file does not say how many frames a second it has; give --rate "
                      "instead of --realtime",
                      shown)));
    }
    source->interval_ =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / facts.fps));
  }
  source->film_.reset();
  return source;
}

Result<FilmReader*, FilmEnd> VideoSource::film_at(std::uint64_t sequence) {
  if (!film_ || film_->next() > sequence) {
    film_.reset();
    auto film = FilmReader::open(path_, options_.capture_program);
    if (!film) return fail(film.error());
    film_.emplace(std::move(*film));
  }
  return &*film_;
}

Result<std::optional<CapturedFrame>, FilmEnd> VideoSource::frame(std::uint64_t sequence) {
  const auto film = film_at(sequence);
  if (!film) return fail(film.error());
  auto read = (*film)->read(sequence);
  if (read) return read;
  damaged_ = (*film)->damaged();
  film_.reset();
  return fail(read.error());
}

void VideoSource::end_at(std::uint64_t sequence, const FilmEnd& end) {
  end_ = end.frames.value_or(sequence);
  if (!end.frames) broken_ = printable(end.text);
}

std::optional<std::uint64_t> VideoSource::count() const { return end_ ? end_ : promised_; }

std::optional<std::uint64_t> VideoSource::next_sequence(std::uint64_t from) const {
  if (end_ && from >= *end_) return std::nullopt;
  return from;
}

bool VideoSource::ready(std::uint64_t sequence) {
  if (end_ && sequence >= *end_) return true;
  const auto film = film_at(sequence);
  if (!film) return true;  // read() says why
  if (!(*film)->ready(sequence, options_.patience)) return false;
  if (!(*film)->failed() || retried_ == sequence) return true;
  retried_ = sequence;
  film_.reset();
  return false;
}

Result<std::optional<Picture>, Error> VideoSource::read(std::uint64_t sequence) {
  if (end_ && sequence >= *end_) return std::optional<Picture>{};
  auto found = frame(sequence);
  // Whatever killed the process may have been no fault of the film.
  if (!found && !found.error().frames && retried_ != sequence) found = frame(sequence);
  if (!found) {
    end_at(sequence, found.error());
    return std::optional<Picture>{};
  }
  Picture picture;
  picture.origin = fmt::format("{}#{}", printable(path_), sequence);
  picture.captured_at_ms = captured_at_ms_;
  if (*found) {
    picture.bytes = std::move((*found)->bytes);
  } else {
    picture.unreadable = picture.origin + ": it is too large, or of a kind that cannot be a JPEG";
  }
  return std::optional<Picture>(std::move(picture));
}

std::string VideoSource::remark() const {
  if (!end_) return {};
  std::string text;
  const auto add = [&text](const std::string& words) {
    text += (text.empty() ? "" : "; ") + words;
  };
  if (promised_ && *end_ < *promised_) add(fmt::format("the file promises {}", *promised_));
  if (damaged_ > 0) add(fmt::format("{} damaged ones were left out", damaged_));
  if (!broken_.empty()) add(fmt::format("then {}", broken_));
  if (text.empty()) return {};
  return fmt::format("{}: {} frames could be read; {}", printable(path_), *end_, text);
}

}  // namespace framefleet::producer
