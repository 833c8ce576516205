// resize, crop, flip and rotate: operations that move pixels.

#include "worker/detectors/operation.hpp"
#include "worker/detectors/turning.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace framefleet::worker {
namespace {

Error usage(std::string text) { return Error{std::move(text), exit_code::kUsage}; }

int interpolation_of(std::string_view word) {
  if (word == "nearest") return cv::INTER_NEAREST;
  if (word == "cubic") return cv::INTER_CUBIC;
  if (word == "area") return cv::INTER_AREA;
  if (word == "lanczos") return cv::INTER_LANCZOS4;
  return cv::INTER_LINEAR;
}

// --- resize -------------------------------------------------------------------------------------

class Resize final : public Operation {
 public:
  Resize(const Options& options, const ImageLimits& limits)
      : wanted_(static_cast<int>(options.integer("width")),
                static_cast<int>(options.integer("height"))),
        fit_(options.choice("fit")),
        interpolation_(options.choice("interpolation")),
        fill_(static_cast<int>(options.integer("fill"))),
        limits_(limits) {}

  Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t) override {
    const cv::Size2d exact = scaled(picture.size());
    const bool boxed = fit_ == "letterbox" && wanted_.width > 0 && wanted_.height > 0;
    const cv::Size2d made = boxed ? cv::Size2d(wanted_) : exact;
    if (auto fits = check_made_size("resize", made.width, made.height, limits_); !fits) {
      return fail(fits.error());
    }
    const cv::Size size(static_cast<int>(exact.width), static_cast<int>(exact.height));
    if (!boxed) {
      cv::resize(picture, made_, size, 0, 0, interpolation(picture.size(), size));
      return made_;
    }
    made_.create(wanted_, picture.type());
    made_.setTo(cv::Scalar::all(fill_));
    const cv::Rect middle({(wanted_.width - size.width) / 2, (wanted_.height - size.height) / 2},
                          size);
    cv::Mat inside = made_(middle);
    cv::resize(picture, inside, size, 0, 0, interpolation(picture.size(), size));
    return made_;
  }

 private:
  /// Whole numbers of at least 1, still as reals: they are checked before they become pixels.
  cv::Size2d scaled(cv::Size from) const {
    const double by_width = static_cast<double>(wanted_.width) / from.width;
    const double by_height = static_cast<double>(wanted_.height) / from.height;
    if (wanted_.width > 0 && wanted_.height > 0 && fit_ == "stretch") return cv::Size2d(wanted_);
    double scale = std::min(by_width, by_height);
    if (wanted_.width == 0) scale = by_height;
    if (wanted_.height == 0) scale = by_width;
    return {std::max(1.0, std::round(from.width * scale)),
            std::max(1.0, std::round(from.height * scale))};
  }

  int interpolation(cv::Size from, cv::Size to) const {
    if (interpolation_ != "auto") return interpolation_of(interpolation_);
    const bool grows = to.width > from.width || to.height > from.height;
    return grows ? cv::INTER_LINEAR : cv::INTER_AREA;
  }

  cv::Size wanted_;
  std::string fit_;
  std::string interpolation_;
  int fill_;
  ImageLimits limits_;
  cv::Mat made_;
};

Result<std::unique_ptr<Operation>, Error> make_resize(const Options& options,
                                                      const ImageLimits& limits) {
  if (options.integer("width") == 0 && options.integer("height") == 0) {
    return fail(usage("\"resize\": width and height are both 0; give one of them, or both"));
  }
  return std::make_unique<Resize>(options, limits);
}

// --- crop ---------------------------------------------------------------------------------------

class Crop final : public Operation {
 public:
  explicit Crop(const Options& options)
      : x_(options.real("x")),
        y_(options.real("y")),
        width_(options.real("width")),
        height_(options.real("height")),
        fractions_(options.choice("unit") == "fraction") {}

  Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t) override {
    const auto [left, right] = part_of(picture.cols, x_, width_);
    const auto [top, bottom] = part_of(picture.rows, y_, height_);
    if (right > picture.cols || bottom > picture.rows) {
      return fail(DetectError{
          Reason::bad_description,
          fmt::format("\"crop\": {} x {} pixels at {},{} reach over the picture's edge, which has "
                      "{} x {}",
                      right - left, bottom - top, left, top, picture.cols, picture.rows)});
    }
    return picture(cv::Rect(cv::Point(left, top), cv::Point(right, bottom)));
  }

 private:
  struct Part {
    int begin;
    int end;
  };
  /// At least one pixel.
  Part part_of(int side, double begin, double length) const {
    const double unit = fractions_ ? side : 1;
    const int first = static_cast<int>(std::lround(begin * unit));
    const int last = static_cast<int>(std::lround((begin + length) * unit));
    if (!fractions_) return {first, std::max(last, first + 1)};
    const int inside = std::min(first, side - 1);
    return {inside, std::max(last, inside + 1)};
  }

  double x_;
  double y_;
  double width_;
  double height_;
  bool fractions_;
};

Result<std::unique_ptr<Operation>, Error> make_crop(const Options& options, const ImageLimits&) {
  const auto over = [&](const char* begin, const char* length) {
    return options.real(begin) + options.real(length) > 1;
  };
  if (options.choice("unit") == "fraction" && (over("x", "width") || over("y", "height"))) {
    return fail(usage(
        "\"crop\": as fractions, x + width and y + height are 1 at most; or give unit=pixels"));
  }
  return std::make_unique<Crop>(options);
}

// --- flip ---------------------------------------------------------------------------------------

class Flip final : public Operation {
 public:
  explicit Flip(const Options& options) {
    const auto direction = options.choice("direction");
    if (direction == "vertical") code_ = 0;
    if (direction == "both") code_ = -1;
  }

  Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t) override {
    cv::flip(picture, made_, code_);
    return made_;
  }

 private:
  int code_{1};  ///< As cv::flip has it.
  cv::Mat made_;
};

Result<std::unique_ptr<Operation>, Error> make_flip(const Options& options, const ImageLimits&) {
  return std::make_unique<Flip>(options);
}

// --- rotate -------------------------------------------------------------------------------------

class Rotate final : public Operation {
 public:
  Rotate(const Options& options, const ImageLimits& limits)
      : angle_(options.real("angle")),
        expand_(options.choice("size") == "expand"),
        limits_(limits) {
    turning_.interpolation = interpolation_of(options.choice("interpolation"));
    turning_.fill = static_cast<int>(options.integer("fill"));
    const auto border = options.choice("border");
    if (border == "replicate") turning_.border = cv::BORDER_REPLICATE;
    if (border == "reflect") turning_.border = cv::BORDER_REFLECT_101;
  }

  Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t) override {
    const cv::Size2d size =
        expand_ ? size_of_turned(picture.size(), angle_) : cv::Size2d(picture.size());
    if (auto fits = check_made_size("rotate", size.width, size.height, limits_); !fits) {
      return fail(fits.error());
    }
    turn(picture, made_, angle_, size, turning_);
    return made_;
  }

 private:
  double angle_;
  bool expand_;
  ImageLimits limits_;
  Turning turning_;
  cv::Mat made_;
};

Result<std::unique_ptr<Operation>, Error> make_rotate(const Options& options,
                                                      const ImageLimits& limits) {
  return std::make_unique<Rotate>(options, limits);
}

}  // namespace

Result<void, DetectError> check_made_size(std::string_view operation, double width, double height,
                                          const ImageLimits& limits) {
  if (width * height <= static_cast<double>(limits.pixels_max) &&
      std::max(width, height) <= static_cast<double>(limits.side_max)) {
    return {};
  }
  return fail(DetectError{
      Reason::bad_description,
      fmt::format("\"{}\" would make {} x {} pixels; the limits are {} in all and {} on a side",
                  operation, width, height, limits.pixels_max, limits.side_max)});
}

OperationKind resize_operation() {
  return {"resize",
          "makes the picture larger or smaller",
          {{"width",
            OptionType::integer,
            "640",
            0,
            20000,
            "px",
            {},
            "of the new picture; 0: as the height asks for"},
           {"height",
            OptionType::integer,
            "0",
            0,
            20000,
            "px",
            {},
            "of the new picture; 0: as the width asks for"},
           {"fit",
            OptionType::choice,
            "inside",
            0,
            0,
            "",
            {"inside", "letterbox", "stretch"},
            "where both are given: the largest that fits into them, the same in the middle of a "
            "filled picture of that size, or that size whatever it does to the shape"},
           {"fill", OptionType::integer, "114", 0, 255, "", {}, "of the bars of a letterbox"},
           {"interpolation",
            OptionType::choice,
            "auto",
            0,
            0,
            "",
            {"auto", "nearest", "linear", "cubic", "area", "lanczos"},
            "how pixels are made; auto: area where no side grows, else linear"}},
          make_resize};
}

OperationKind crop_operation() {
  return {"crop",
          "makes a picture of a part of the picture",
          {{"x", OptionType::real, "0.25", 0, 20000, "", {}, "left edge"},
           {"y", OptionType::real, "0.25", 0, 20000, "", {}, "top edge"},
           {"width", OptionType::real, "0.5", 0, 20000, "", {}, "of the part; at least one pixel"},
           {"height", OptionType::real, "0.5", 0, 20000, "", {}, "of the part; at least one pixel"},
           {"unit",
            OptionType::choice,
            "fraction",
            0,
            0,
            "",
            {"fraction", "pixels"},
            "of the four; fractions of the picture's width and height are rounded to pixels"}},
          make_crop};
}

OperationKind flip_operation() {
  return {"flip",
          "makes the picture's mirror image",
          {{"direction",
            OptionType::choice,
            "horizontal",
            0,
            0,
            "",
            {"horizontal", "vertical", "both"},
            "left and right change places, top and bottom, or both"}},
          make_flip};
}

OperationKind rotate_operation() {
  return {"rotate",
          "makes the picture turned around its middle",
          {{"angle", OptionType::real, "90", -360, 360, "degrees", {}, "counter-clockwise"},
           {"size",
            OptionType::choice,
            "expand",
            0,
            0,
            "",
            {"expand", "keep"},
            "of the new picture: what the turned one needs, or that of the old one"},
           {"border",
            OptionType::choice,
            "constant",
            0,
            0,
            "",
            {"constant", "replicate", "reflect"},
            "what is where no picture was: the fill, its edge drawn out, or its mirror image"},
           {"fill", OptionType::integer, "0", 0, 255, "", {}, "of a constant border"},
           {"interpolation",
            OptionType::choice,
            "linear",
            0,
            0,
            "",
            {"nearest", "linear", "cubic"},
            "how pixels are made; a multiple of 90 degrees only moves them"}},
          make_rotate};
}

}  // namespace framefleet::worker
