// grayscale, normalise, equalise and blur: operations that leave every pixel in its place.

#include "worker/detectors/operation.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <array>

namespace framefleet::worker {
namespace {

constexpr double kWhite = 255;

// --- grayscale ----------------------------------------------------------------------------------

class Grayscale final : public Operation {
 public:
  Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t) override {
    if (picture.channels() == 1) return picture;
    cv::cvtColor(picture, made_, cv::COLOR_BGR2GRAY);
    return made_;
  }

 private:
  cv::Mat made_;
};

Result<std::unique_ptr<Operation>, Error> make_grayscale(const Options&, const ImageLimits&) {
  return std::make_unique<Grayscale>();
}

// --- normalise ----------------------------------------------------------------------------------

class Normalise final : public Operation {
 public:
  explicit Normalise(const Options& options)
      : by_spread_(options.choice("method") == "meanstd"),
        each_(options.choice("channels") == "each"),
        mean_(options.real("mean")),
        deviation_(options.real("deviation")) {}

  Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t) override {
    if (!each_ || picture.channels() == 1) {
      stretch(picture, made_);
      return made_;
    }
    cv::split(picture, channels_);
    for (auto& channel : channels_) stretch(channel, channel);
    cv::merge(channels_, made_);
    return made_;
  }

 private:
  /// All values of the picture by one line, rounded and kept within 0 to 255.
  void stretch(const cv::Mat& from, cv::Mat& to) const {
    const cv::Mat values = from.reshape(1);
    double low = 0;
    double spread = 0;
    double wanted_low = 0;
    double wanted_spread = kWhite;
    if (by_spread_) {
      cv::Scalar mean;
      cv::Scalar deviation;
      cv::meanStdDev(values, mean, deviation);
      low = mean[0];
      spread = deviation[0];
      wanted_low = mean_;
      wanted_spread = deviation_;
    } else {
      double high = 0;
      cv::minMaxLoc(values, &low, &high);
      spread = high - low;
    }
    const double scale = spread > 0 ? wanted_spread / spread : 0;
    from.convertTo(to, -1, scale, wanted_low - low * scale);
  }

  bool by_spread_;
  bool each_;
  double mean_;
  double deviation_;
  std::vector<cv::Mat> channels_;
  cv::Mat made_;
};

Result<std::unique_ptr<Operation>, Error> make_normalise(const Options& options,
                                                         const ImageLimits&) {
  return std::make_unique<Normalise>(options);
}

// --- equalise -----------------------------------------------------------------------------------

class Equalise final : public Operation {
 public:
  explicit Equalise(const Options& options) {
    if (options.choice("method") == "histogram") return;
    const int tiles = static_cast<int>(options.integer("tiles"));
    clahe_ = cv::createCLAHE(options.real("clip"), {tiles, tiles});
  }

  Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t) override {
    if (picture.channels() == 1) {
      equalise(picture, made_);
      return made_;
    }
    cv::cvtColor(picture, luma_and_colour_, cv::COLOR_BGR2YCrCb);
    cv::extractChannel(luma_and_colour_, luma_, 0);
    equalise(luma_, equal_);
    cv::insertChannel(equal_, luma_and_colour_, 0);
    cv::cvtColor(luma_and_colour_, made_, cv::COLOR_YCrCb2BGR);
    return made_;
  }

 private:
  void equalise(const cv::Mat& from, cv::Mat& to) const {
    if (clahe_) {
      clahe_->apply(from, to);
    } else {
      cv::equalizeHist(from, to);
    }
  }

  cv::Ptr<cv::CLAHE> clahe_;  ///< Null: the whole histogram.
  cv::Mat luma_and_colour_;
  cv::Mat luma_;
  cv::Mat equal_;
  cv::Mat made_;
};

Result<std::unique_ptr<Operation>, Error> make_equalise(const Options& options,
                                                        const ImageLimits&) {
  return std::make_unique<Equalise>(options);
}

// --- blur ---------------------------------------------------------------------------------------

class Blur final : public Operation {
 public:
  explicit Blur(const Options& options)
      : method_(options.choice("method")),
        size_(static_cast<int>(options.integer("size"))),
        sigma_(options.real("sigma")) {}

  Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t) override {
    if (method_ == "median") {
      cv::medianBlur(picture, made_, size_);
    } else if (method_ == "box") {
      cv::blur(picture, made_, {size_, size_});
    } else {
      cv::GaussianBlur(picture, made_, {size_, size_}, sigma_);
    }
    return made_;
  }

 private:
  std::string method_;
  int size_;
  double sigma_;
  cv::Mat made_;
};

Result<std::unique_ptr<Operation>, Error> make_blur(const Options& options, const ImageLimits&) {
  const auto size = options.integer("size");
  if (size % 2 == 0) {
    return fail(Error{fmt::format("\"blur\": size={} has no middle; give an odd number", size),
                      exit_code::kUsage});
  }
  return std::make_unique<Blur>(options);
}

}  // namespace

OperationKind grayscale_operation() {
  return {"grayscale", "makes the picture grey, of one channel", {}, make_grayscale};
}

OperationKind normalise_operation() {
  return {"normalise",
          "makes the picture's values fill a common range",
          {{"method",
            OptionType::choice,
            "minmax",
            0,
            0,
            "",
            {"minmax", "meanstd"},
            "the least value becomes 0 and the greatest 255, or mean and standard deviation become "
            "those below"},
           {"channels",
            OptionType::choice,
            "together",
            0,
            0,
            "",
            {"together", "each"},
            "whether blue, green and red are measured as one or each by itself"},
           {"mean", OptionType::real, "128", 0, 255, "", {}, "meanstd only: the new mean"},
           {"deviation",
            OptionType::real,
            "64",
            0,
            255,
            "",
            {},
            "meanstd only: the new standard deviation"}},
          make_normalise};
}

OperationKind equalise_operation() {
  return {"equalise",
          "makes the picture's contrast even; of colour the luma's alone",
          {{"method",
            OptionType::choice,
            "histogram",
            0,
            0,
            "",
            {"histogram", "clahe"},
            "over the whole picture, or in tiles with limited contrast"},
           {"clip", OptionType::real, "2", 0.1, 100, "", {}, "clahe only: limit of contrast"},
           {"tiles", OptionType::integer, "8", 1, 64, "", {}, "clahe only: in each direction"}},
          make_equalise};
}

OperationKind blur_operation() {
  return {"blur",
          "makes the picture smooth",
          {{"method",
            OptionType::choice,
            "gaussian",
            0,
            0,
            "",
            {"gaussian", "median", "box"},
            "weighted mean, median, or mean of the pixels around"},
           {"size", OptionType::integer, "5", 1, 99, "px", {}, "side of what is around; odd"},
           {"sigma",
            OptionType::real,
            "0",
            0,
            100,
            "px",
            {},
            "gaussian only: its width; 0: as the size asks for"}},
          make_blur};
}

}  // namespace framefleet::worker
