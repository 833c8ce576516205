#include "producer/sources/synthetic_source.hpp"

#include "producer/sources/jpeg.hpp"
#include "producer/sources/synthetic_oracle.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>
#if __has_include(<opencv2/objdetect/aruco_detector.hpp>)
#include <opencv2/objdetect/aruco_detector.hpp>  // OpenCV 4.7 and newer
#else
#include <opencv2/aruco.hpp>
#endif

#include <utility>
#include <vector>

namespace framefleet::producer {

struct SyntheticSource::Canvas {
  explicit Canvas(const SyntheticOptions& options);
  void draw(const SyntheticOptions& options, std::uint64_t sequence);

  cv::Mat background;  // a grey ramp with the four white tiles
  cv::Mat frame;
  cv::Mat marker;
  decltype(cv::aruco::getPredefinedDictionary(0)) dictionary;  // or a pointer to it, up to 4.6
};

namespace {

cv::Rect pixels(const Box& box) {
  return {static_cast<int>(box.x), static_cast<int>(box.y), static_cast<int>(box.width),
          static_cast<int>(box.height)};
}

/// Fills exactly the pixels of `box`: the outermost ones of a disc and a diamond touch its edges.
void draw_shape(cv::Mat& frame, ShapeKind kind, const Box& box) {
  const auto area = pixels(box);
  const int radius = area.width / 2;
  const cv::Point centre(area.x + radius, area.y + radius);
  switch (kind) {
    case ShapeKind::rectangle:
      cv::rectangle(frame, area, cv::Scalar(40, 40, 200), cv::FILLED);
      return;
    case ShapeKind::disc:
      cv::circle(frame, centre, radius, cv::Scalar(40, 160, 40), cv::FILLED);
      return;
    case ShapeKind::diamond:
      cv::fillConvexPoly(frame,
                         std::vector<cv::Point>{{centre.x, centre.y - radius},
                                                {centre.x + radius, centre.y},
                                                {centre.x, centre.y + radius},
                                                {centre.x - radius, centre.y}},
                         cv::Scalar(200, 80, 40));
      return;
  }
}

}  // namespace

SyntheticSource::Canvas::Canvas(const SyntheticOptions& options)
    : background(options.height, options.width, CV_8UC3),
      dictionary(cv::aruco::getPredefinedDictionary(cv::aruco::DICT_4X4_1000)) {
  for (int y = 0; y < options.height; ++y) {
    background.row(y).setTo(cv::Scalar::all(120 + 80 * y / options.height));
  }
  const int border = marker_border(options.width, options.height);
  for (const auto& box : expected_marker_boxes(options.width, options.height)) {
    const auto tile = pixels(box) + cv::Size(2 * border, 2 * border) - cv::Point(border, border);
    cv::rectangle(background, tile, cv::Scalar::all(255), cv::FILLED);
  }
}

void SyntheticSource::Canvas::draw(const SyntheticOptions& options, std::uint64_t sequence) {
  background.copyTo(frame);
  const auto ids = expected_marker_ids(options.camera, sequence);
  const auto boxes = expected_marker_boxes(options.width, options.height);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto area = pixels(boxes[i]);
#if __has_include(<opencv2/objdetect/aruco_detector.hpp>)
    cv::aruco::generateImageMarker(dictionary, ids[i], area.width, marker);
#else
    cv::aruco::drawMarker(dictionary, ids[i], area.width, marker);
#endif
    cv::cvtColor(marker, frame(area), cv::COLOR_GRAY2BGR);
  }
  const auto expected = expected_frame(options, sequence);
  for (std::size_t i = 0; i < expected.shapes.size(); ++i) {
    draw_shape(frame, kShapeKinds[i], expected.shapes[i]);
  }
}

SyntheticSource::SyntheticSource(std::string name, std::uint32_t epoch, SyntheticOptions options)
    : name_(std::move(name)), epoch_(epoch), options_(std::move(options)) {}

SyntheticSource::~SyntheticSource() = default;

std::uint64_t SyntheticSource::end() const {
  return options_.count == 0 ? kSyntheticFramesMax : options_.count;
}

std::optional<std::uint64_t> SyntheticSource::count() const {
  if (options_.count == 0) return std::nullopt;
  return options_.count;
}

Duration SyntheticSource::interval() const {
  if (options_.fps <= 0) return Duration::zero();
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / options_.fps));
}

std::optional<std::uint64_t> SyntheticSource::next_sequence(std::uint64_t from) const {
  if (from >= end()) return std::nullopt;
  return from;
}

Result<std::optional<Picture>, Error> SyntheticSource::read(std::uint64_t sequence) {
  if (sequence >= end()) return std::optional<Picture>{};
  const auto broken = [&](const std::string& reason) {
    return fail(Error{fmt::format("{}: frame {} cannot be drawn: {}", name_, sequence, reason),
                      exit_code::kInternal});
  };
  try {
    if (!canvas_) canvas_ = std::make_unique<Canvas>(options_);
    canvas_->draw(options_, sequence);
  } catch (const cv::Exception& error) {
    return broken(error.what());
  }
  auto bytes = encode_jpeg(canvas_->frame, options_.quality);
  if (!bytes) return broken(bytes.error());
  Picture picture;
  picture.origin =
      fmt::format("{}#{}", options_.name.empty() ? "synthetic" : options_.name, sequence);
  picture.bytes = std::move(*bytes);
  return std::optional<Picture>(std::move(picture));
}

}  // namespace framefleet::producer
