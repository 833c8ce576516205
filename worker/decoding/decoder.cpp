#include "worker/decoding/decoder.hpp"

#include "worker/decoding/codecs.hpp"
#include "worker/decoding/exif.hpp"
#include "worker/decoding/header_parsers.hpp"

#include "shared/base/assert.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace framefleet::worker {
namespace {

enum class Mirror : int { none = 2, top_bottom = 0, left_right = 1, both = -1 };  // As cv::flip.

/// What undoes an orientation: exchange rows and columns, then mirror.
struct Turn {
  bool transpose;
  Mirror mirror;
};

Turn turn_for(int orientation) {
  switch (orientation) {
    case 2:
      return {false, Mirror::left_right};
    case 3:
      return {false, Mirror::both};
    case 4:
      return {false, Mirror::top_bottom};
    case 5:
      return {true, Mirror::none};
    case 6:
      return {true, Mirror::left_right};
    case 7:
      return {true, Mirror::both};
    case 8:
      return {true, Mirror::top_bottom};
    default:
      return {false, Mirror::none};
  }
}

cv::Mat as_mat(PlaneBuffer& buffer) {
  const Plane plane = buffer.plane();
  return cv::Mat(plane.height, plane.width, CV_8UC(plane.channels), buffer.data(), plane.stride);
}

void turn_upright(PlaneBuffer& stored, int orientation, PlaneBuffer& out) {
  const Plane from = stored.plane();
  const Turn turn = turn_for(orientation);
  if (turn.transpose) {
    out.reset(from.height, from.width, from.channels);
  } else {
    out.reset(from.width, from.height, from.channels);
  }
  const cv::Mat source = as_mat(stored);
  cv::Mat target = as_mat(out);
  if (turn.transpose) {
    cv::transpose(source, target);
  } else {
    source.copyTo(target);
  }
  if (turn.mirror != Mirror::none) cv::flip(target, target, static_cast<int>(turn.mirror));
}

void make_grey(PlaneBuffer& bgr, PlaneBuffer& grey) {
  grey.reset(bgr.plane().width, bgr.plane().height, 1);
  cv::Mat target = as_mat(grey);
  cv::cvtColor(as_mat(bgr), target, cv::COLOR_BGR2GRAY);
}

}  // namespace

struct Decoder::Parts {
  /// What this picture has no use for goes back to the system if it is large.
  void give_back_excess(const ImageHeader& header, Planes planes) {
    if (!planes.grey) grey.give_back_excess();
    if (!planes.bgr && header.format != ImageFormat::webp) bgr.give_back_excess();
    if (header.orientation == 1) stored.give_back_excess();
    if (header.format != ImageFormat::jpeg || header.channels != 4) jpeg.give_back_excess();
  }

  JpegDecoder jpeg;
  PlaneBuffer grey;
  PlaneBuffer bgr;
  PlaneBuffer stored;  ///< As stored, where the picture has to be turned.
};

Decoder::Decoder(ImageLimits limits, OtherDecoder others)
    : limits_(limits), others_(others), parts_(std::make_unique<Parts>()) {}

Decoder::~Decoder() = default;

Result<Picture, PictureError> Decoder::decode(std::span<const std::byte> bytes, Planes planes,
                                              DecodeScale scale) {
  FRAMEFLEET_ASSERT(planes.grey || planes.bgr);
  const auto header = inspect_image(bytes, limits_);
  if (!header) return fail(header.error());

  parts_->give_back_excess(*header, planes);
  Picture picture;
  if (header->format == ImageFormat::jpeg) {
    picture.scale = scale;
    const auto begun = parts_->jpeg.begin(bytes, *header, scale);
    if (!begun) return fail(begun.error());
  }

  const bool turned = exchanges_sides(header->orientation);
  picture.width = static_cast<int>(turned ? header->height : header->width);
  picture.height = static_cast<int>(turned ? header->width : header->height);
  // The grey of a WebP is that of its BGR: one pass over the bytes gives both.
  const bool grey_of_bgr = header->format == ImageFormat::webp;
  if (planes.bgr || grey_of_bgr) {
    const auto damaged = decode_plane(bytes, *header, 3, picture.scale, parts_->bgr);
    if (!damaged) return fail(damaged.error());
    picture.damaged = *damaged;
    if (planes.bgr) picture.bgr = parts_->bgr.plane();
  }
  if (planes.grey && grey_of_bgr) {
    make_grey(parts_->bgr, parts_->grey);
  } else if (planes.grey) {
    const auto damaged = decode_plane(bytes, *header, 1, picture.scale, parts_->grey);
    if (!damaged) return fail(damaged.error());
    picture.damaged = picture.damaged || *damaged;
  }
  if (planes.grey) picture.grey = parts_->grey.plane();
  return picture;
}

Result<Picture, PictureError> Decoder::measure(std::span<const std::byte> bytes) const {
  const auto header = inspect_image(bytes, limits_);
  if (!header) return fail(header.error());
  const bool turned = exchanges_sides(header->orientation);
  Picture picture;
  picture.width = static_cast<int>(turned ? header->height : header->width);
  picture.height = static_cast<int>(turned ? header->width : header->height);
  return picture;
}

Result<bool, PictureError> Decoder::decode_plane(std::span<const std::byte> bytes,
                                                 const ImageHeader& header, int channels,
                                                 DecodeScale scale, PlaneBuffer& out) {
  const bool upright = header.orientation == 1;
  PlaneBuffer& target = upright ? out : parts_->stored;
  const auto decoded = [&]() -> Result<bool, PictureError> {
    switch (header.format) {
      case ImageFormat::jpeg:
        return parts_->jpeg.decode(bytes, header, channels, scale, target);
      case ImageFormat::png:
        return decode_png(bytes, header, channels, target).map([] { return false; });
      case ImageFormat::webp:
        return decode_webp(bytes, header, target).map([] { return false; });
      case ImageFormat::bmp:
      case ImageFormat::tiff:
        if (others_ == nullptr) {
          return undecodable(std::string(to_string(header.format)) + ": no decoder here");
        }
        return others_(bytes, header, channels, target).map([] { return false; });
    }
    return false;
  }();
  if (decoded && !upright) turn_upright(target, header.orientation, out);
  return decoded;
}

}  // namespace framefleet::worker
