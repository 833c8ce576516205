// augment: a picture changed by lot, the same one every time for the same seed and sequence.

#include "worker/detectors/operation.hpp"
#include "worker/detectors/turning.hpp"

#include <opencv2/imgproc.hpp>

#include <cmath>

namespace framefleet::worker {
namespace {

/// SplitMix64: what is drawn depends on the two numbers alone, on every machine.
class Lot {
 public:
  Lot(std::uint64_t seed, std::uint64_t sequence) : state_(seed) {
    state_ = next() ^ sequence;
    next();
  }

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t bits = state_;
    bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
    return bits ^ (bits >> 31U);
  }
  /// From 0 to below 1.
  double share() { return static_cast<double>(next() >> 11U) * 0x1p-53; }
  /// Within `by` of 0.
  double around_zero(double by) { return (2 * share() - 1) * by; }

 private:
  std::uint64_t state_;
};

struct Ranges {
  double flip{0};
  double rotate{0};
  double crop{0};
  double brightness{0};
  double contrast{0};
  double noise{0};
};

/// What was drawn for one picture. All of it is drawn, in this order, whether it is used or not: a
/// range that is changed to 0 leaves the others as they were.
struct Drawn {
  Drawn(Lot lot, const Ranges& ranges)
      : flip(lot.share() < ranges.flip),
        degrees(lot.around_zero(ranges.rotate)),
        kept(1 - lot.share() * ranges.crop),
        x(lot.share()),
        y(lot.share()),
        brightness(lot.around_zero(ranges.brightness) * 255),
        contrast(1 + lot.around_zero(ranges.contrast)),
        noise(lot.next()) {}

  bool flip;
  double degrees;
  double kept;  ///< Share of each side.
  double x;     ///< Where in what is over, from 0 to 1.
  double y;
  double brightness;
  double contrast;
  std::uint64_t noise;  ///< Seed of it.
};

class Augment final : public Operation {
 public:
  explicit Augment(const Options& options)
      : seed_(static_cast<std::uint64_t>(options.integer("seed"))),
        ranges_{options.real("flip"),       options.real("rotate"),   options.real("crop"),
                options.real("brightness"), options.real("contrast"), options.real("noise")} {}

  Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t sequence) override {
    const Drawn drawn({seed_, sequence}, ranges_);
    cv::Mat now = picture;
    if (drawn.flip) {
      cv::flip(now, flipped_, 1);
      now = flipped_;
    }
    if (ranges_.rotate > 0) {
      turn(now, turned_, drawn.degrees, now.size(), {.border = cv::BORDER_REFLECT_101});
      now = turned_;
    }
    if (ranges_.crop > 0) {
      cv::resize(now(part(now.size(), drawn)), cropped_, now.size(), 0, 0, cv::INTER_LINEAR);
      now = cropped_;
    }
    // Around the middle grey, so that contrast by itself makes nothing lighter or darker.
    constexpr double kMiddle = 127.5;
    now.convertTo(made_, -1, drawn.contrast, kMiddle * (1 - drawn.contrast) + drawn.brightness);
    if (ranges_.noise > 0) add_noise(drawn.noise);
    return made_;
  }

 private:
  static cv::Rect part(cv::Size size, const Drawn& drawn) {
    const auto side = [&](int whole) {
      return std::max(1, static_cast<int>(std::lround(whole * drawn.kept)));
    };
    const cv::Size kept(side(size.width), side(size.height));
    return {{static_cast<int>((size.width - kept.width) * drawn.x),
             static_cast<int>((size.height - kept.height) * drawn.y)},
            kept};
  }

  /// Row by row, so that a large picture needs no second one of its size.
  void add_noise(std::uint64_t seed) {
    cv::RNG random(seed);
    cv::Mat noise(1, made_.cols, CV_16SC(made_.channels()));
    for (int y = 0; y < made_.rows; ++y) {
      random.fill(noise, cv::RNG::NORMAL, 0, ranges_.noise);
      cv::Mat row = made_.row(y);
      cv::add(row, noise, row, cv::noArray(), CV_8U);
    }
  }

  std::uint64_t seed_;
  Ranges ranges_;
  cv::Mat flipped_;
  cv::Mat turned_;
  cv::Mat cropped_;
  cv::Mat made_;
};

Result<std::unique_ptr<Operation>, Error> make(const Options& options, const ImageLimits&) {
  return std::make_unique<Augment>(options);
}

}  // namespace

OperationKind augment_operation() {
  return {"augment",
          "makes a picture that is changed by lot, for training",
          {{"seed",
            OptionType::integer,
            "0",
            0,
            9007199254740992,
            "",
            {},
            "with the task's sequence it decides all that is drawn"},
           {"flip",
            OptionType::real,
            "0.5",
            0,
            1,
            "",
            {},
            "probability of left and right changing "
            "places"},
           {"rotate",
            OptionType::real,
            "10",
            0,
            180,
            "degrees",
            {},
            "most that it is turned, either way; the border is its mirror image"},
           {"crop",
            OptionType::real,
            "0.1",
            0,
            0.9,
            "",
            {},
            "most of each side that is cut off; what is kept is enlarged again"},
           {"brightness",
            OptionType::real,
            "0.2",
            0,
            1,
            "",
            {},
            "most that is added or taken away, as a share of white"},
           {"contrast",
            OptionType::real,
            "0.2",
            0,
            1,
            "",
            {},
            "most that differences are increased or reduced, as a share of them"},
           {"noise",
            OptionType::real,
            "5",
            0,
            100,
            "",
            {},
            "standard deviation of what is added to every value"}},
          make};
}

}  // namespace framefleet::worker
