// The operations that make a picture of a picture: each against plain OpenCV or pixels that were
// computed by hand, on odd pictures too.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/decoding/decoder.hpp"
#include "worker/detectors/registry.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <array>

namespace framefleet::worker {
namespace {

using test::Bytes;

/// A detector with a decoder of its own.
class Maker {
 public:
  explicit Maker(const std::string& spec, const ImageLimits& limits = {}) : decoder_(limits) {
    DetectorSettings settings;
    settings.limits = limits;
    auto made = make_detector(spec, settings);
    INFO(spec << ": " << (made ? "" : made.error().text));
    REQUIRE(made.has_value());
    detector_ = std::move(*made);
  }

  Result<Found, DetectError> look(const Bytes& bytes, std::uint64_t sequence = 0) {
    const auto picture = decoder_.decode(bytes, {.grey = true, .bgr = detector_->needs().bgr});
    REQUIRE(picture.has_value());
    return detector_->detect({*picture, {}, sequence, 1, observer_});
  }
  Result<Found, DetectError> look(const cv::Mat& picture, std::uint64_t sequence = 0) {
    return look(test::encode(picture, ".png"), sequence);
  }
  std::string bytes(const cv::Mat& picture, std::uint64_t sequence = 0) {
    const auto found = look(picture, sequence);
    REQUIRE(found.has_value());
    CHECK(found->detections.empty());
    REQUIRE(found->pictures.size() == 1);
    return found->pictures[0].bytes;
  }
  cv::Mat make(const cv::Mat& picture, std::uint64_t sequence = 0) {
    return test::reference(test::as_bytes(bytes(picture, sequence)), cv::IMREAD_UNCHANGED);
  }

 private:
  NoObserver observer_;
  Decoder decoder_;
  std::unique_ptr<Detector> detector_;
};

/// What the spec makes, as a PNG, which loses nothing.
cv::Mat made(const std::string& spec, const cv::Mat& picture, std::uint64_t sequence = 0) {
  const char join = spec.find('?') == std::string::npos ? '?' : '&';
  return Maker(spec + join + "format=png").make(picture, sequence);
}

cv::Mat noise(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  cv::RNG(7).fill(picture, cv::RNG::UNIFORM, 0, 256);
  return picture;
}

cv::Mat row(const std::vector<uchar>& greys) { return cv::Mat(greys, true).reshape(1, 1); }

cv::Mat grey_of(const cv::Mat& picture) {
  cv::Mat grey;
  cv::cvtColor(picture, grey, cv::COLOR_BGR2GRAY);
  return grey;
}

std::string refusal(const std::string& spec) {
  const auto made = make_detector(spec, {});
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().exit_code == exit_code::kUsage);
  return made.error().text;
}

TEST_CASE("resize makes the size that is asked for") {
  const cv::Mat picture = noise(90, 60);
  const auto size = [&](const std::string& options) {
    return made("resize?" + options, picture).size();
  };
  CHECK(size("width=45") == cv::Size(45, 30));
  CHECK(size("width=0&height=90") == cv::Size(135, 90));
  CHECK(size("width=50&height=50") == cv::Size(50, 33));
  CHECK(size("width=50&height=50&fit=stretch") == cv::Size(50, 50));
  CHECK(size("width=50&height=50&fit=letterbox") == cv::Size(50, 50));
  CHECK(size("width=1") == cv::Size(1, 1));
  CHECK(made("resize?width=1", noise(5000, 1)).size() == cv::Size(1, 1));
  CHECK(made("resize?width=20000", noise(5000, 1)).size() == cv::Size(20000, 4));
  CHECK(refusal("resize?width=0").find("both 0") != std::string::npos);
}

TEST_CASE("resize makes the pixels that OpenCV makes") {
  const cv::Mat picture = noise(90, 60);
  const auto resized = [&](int width, int height, int interpolation) {
    cv::Mat other;
    cv::resize(picture, other, {width, height}, 0, 0, interpolation);
    return other;
  };
  using test::equal;
  CHECK(equal(made("resize?width=30", picture), resized(30, 20, cv::INTER_AREA)));
  CHECK(equal(made("resize?width=180", picture), resized(180, 120, cv::INTER_LINEAR)));
  const std::array<std::pair<const char*, int>, 5> all{{{"nearest", cv::INTER_NEAREST},
                                                        {"linear", cv::INTER_LINEAR},
                                                        {"cubic", cv::INTER_CUBIC},
                                                        {"area", cv::INTER_AREA},
                                                        {"lanczos", cv::INTER_LANCZOS4}}};
  for (const auto& [word, number] : all) {
    INFO(word);
    const std::string spec =
        fmt::format("resize?width=50&height=70&fit=stretch&interpolation={}", word);
    CHECK(equal(made(spec, picture), resized(50, 70, number)));
  }
}

TEST_CASE("a letterbox has its picture in the middle and its fill around it") {
  const cv::Mat boxed =
      made("resize?width=40&height=50&fit=letterbox&fill=9&interpolation=nearest", noise(20, 10));
  REQUIRE(boxed.size() == cv::Size(40, 50));
  CHECK(test::equal(boxed.rowRange(15, 35),
                    made("resize?width=40&interpolation=nearest", noise(20, 10))));
  const cv::Mat fill(15, 40, CV_8UC3, cv::Scalar::all(9));
  CHECK(test::equal(boxed.rowRange(0, 15), fill));
  CHECK(test::equal(boxed.rowRange(35, 50), fill));
}

TEST_CASE("crop takes the pixels that are named, and refuses what is not there") {
  const cv::Mat picture = noise(100, 50);
  CHECK(test::equal(made("crop", picture), picture(cv::Rect(25, 13, 50, 25))));
  CHECK(test::equal(made("crop?unit=pixels&x=10&y=0&width=90&height=50", picture),
                    picture(cv::Rect(10, 0, 90, 50))));
  CHECK(test::equal(made("crop?x=0&y=0&width=1&height=1", picture), picture));
  CHECK(
      test::equal(made("crop?x=1&y=1&width=0&height=0", picture), picture(cv::Rect(99, 49, 1, 1))));
  const cv::Mat point = noise(1, 1);
  CHECK(test::equal(made("crop", point), point));

  const auto over = Maker("crop?unit=pixels&x=11&y=0&width=90&height=50").look(picture);
  REQUIRE_FALSE(over.has_value());
  CHECK(over.error().reason == Reason::bad_description);
  CHECK(over.error().text ==
        "\"crop\": 90 x 50 pixels at 11,0 reach over the picture's edge, which has 100 x 50");
  CHECK(refusal("crop?x=0.6&width=0.5").find("1 at most") != std::string::npos);
}

TEST_CASE("flip changes sides") {
  const cv::Mat picture = noise(31, 17);
  const std::array<std::pair<const char*, int>, 3> all{
      {{"horizontal", 1}, {"vertical", 0}, {"both", -1}}};
  for (const auto& [word, code] : all) {
    cv::Mat flipped;
    cv::flip(picture, flipped, code);
    CHECK(test::equal(made(std::string("flip?direction=") + word, picture), flipped));
  }
}

TEST_CASE("rotate by quarters moves pixels and makes none") {
  const cv::Mat picture = noise(31, 17);
  const std::array<std::pair<int, int>, 6> all{{{90, cv::ROTATE_90_COUNTERCLOCKWISE},
                                                {-270, cv::ROTATE_90_COUNTERCLOCKWISE},
                                                {180, cv::ROTATE_180},
                                                {-180, cv::ROTATE_180},
                                                {270, cv::ROTATE_90_CLOCKWISE},
                                                {-90, cv::ROTATE_90_CLOCKWISE}}};
  for (const auto& [angle, code] : all) {
    INFO(angle);
    cv::Mat rotated;
    cv::rotate(picture, rotated, code);
    CHECK(test::equal(made(fmt::format("rotate?angle={}", angle), picture), rotated));
  }
  for (const int angle : {0, 360, -360}) {
    CHECK(test::equal(made(fmt::format("rotate?angle={}", angle), picture), picture));
  }
  CHECK(made("rotate?size=keep", picture).size() == picture.size());
}

TEST_CASE("rotate by any angle keeps the middle where it is, and all of the picture") {
  cv::Mat picture(41, 61, CV_8UC3, cv::Scalar::all(200));
  picture(cv::Rect(29, 19, 3, 3)).setTo(cv::Scalar::all(20));
  const cv::Mat kept = made("rotate?angle=30&size=keep&fill=7", picture);
  REQUIRE(kept.size() == picture.size());
  CHECK(kept.at<cv::Vec3b>(20, 30) == cv::Vec3b(20, 20, 20));
  CHECK(kept.at<cv::Vec3b>(0, 0) == cv::Vec3b(7, 7, 7));
  // 61 cos 30 + 41 sin 30 = 73.3; 61 sin 30 + 41 cos 30 = 66.0
  const cv::Mat whole = made("rotate?angle=30", picture);
  CHECK(whole.size() == cv::Size(74, 67));
  CHECK(std::abs(cv::sum(whole)[0] - cv::sum(picture)[0]) < 0.01 * cv::sum(picture)[0]);
  // Counter-clockwise: what was on the right is above the middle now.
  picture(cv::Rect(50, 18, 5, 5)).setTo(cv::Scalar(0, 0, 250));
  const cv::Mat turned = made("rotate?angle=30&size=keep", picture);
  CHECK(turned.at<cv::Vec3b>(9, 49) == cv::Vec3b(0, 0, 250));
  for (const char* border : {"replicate", "reflect"}) {
    const auto spec = fmt::format("rotate?angle=45&border={}", border);
    const cv::Mat corner = made(spec, cv::Mat(41, 61, CV_8UC3, cv::Scalar::all(200)));
    CHECK(corner.at<cv::Vec3b>(0, 0) == cv::Vec3b(200, 200, 200));
  }
}

TEST_CASE("grayscale is cvtColor's grey, in one channel") {
  const cv::Mat picture = noise(31, 17);
  CHECK(test::equal(made("grayscale", picture), grey_of(picture)));
  const cv::Mat grey = row({0, 1, 128, 255});
  CHECK(test::equal(made("grayscale", grey), grey));
}

TEST_CASE("normalise fills the range that is asked for") {
  CHECK(test::equal(made("edit?steps=normalise+grayscale", row({10, 20, 60})), row({0, 51, 255})));
  CHECK(test::equal(made("edit?steps=normalise+grayscale", row({77, 77})), row({0, 0})));
  // Mean 20, deviation 10.
  CHECK(test::equal(
      made("edit?steps=normalise:method=meanstd:mean=100:deviation=50+grayscale", row({10, 30})),
      row({50, 150})));
  CHECK(test::equal(made("edit?steps=normalise:method=meanstd+grayscale", row({9, 9})),
                    row({128, 128})));
  const cv::Mat colours(1, 2, CV_8UC3, cv::Scalar(10, 20, 30));
  cv::Mat two = colours.clone();
  two.at<cv::Vec3b>(0, 1) = {20, 20, 130};
  const cv::Mat together = made("normalise", two);
  CHECK(together.at<cv::Vec3b>(0, 0) == cv::Vec3b(0, 21, 42));  // 255 / 120 = 2.125 each
  CHECK(together.at<cv::Vec3b>(0, 1) == cv::Vec3b(21, 21, 255));
  const cv::Mat each = made("normalise?channels=each", two);
  CHECK(each.at<cv::Vec3b>(0, 0) == cv::Vec3b(0, 0, 0));
  CHECK(each.at<cv::Vec3b>(0, 1) == cv::Vec3b(255, 0, 255));
}

TEST_CASE("equalise spreads the luma of a colour picture and all of a grey one") {
  const cv::Mat picture = noise(64, 48) / 4;
  const auto expected = [](const cv::Mat& from, const auto& equalise) {
    std::vector<cv::Mat> planes;
    cv::Mat all;
    cv::cvtColor(from, all, cv::COLOR_BGR2YCrCb);
    cv::split(all, planes);
    equalise(planes[0]);
    cv::merge(planes, all);
    cv::cvtColor(all, all, cv::COLOR_YCrCb2BGR);
    return all;
  };
  CHECK(test::equal(made("equalise", picture),
                    expected(picture, [](cv::Mat& luma) { cv::equalizeHist(luma, luma); })));
  CHECK(test::equal(made("equalise?method=clahe&clip=4&tiles=3", picture),
                    expected(picture, [](cv::Mat& luma) {
                      cv::createCLAHE(4, {3, 3})->apply(luma, luma);
                    })));
  cv::Mat grey;
  cv::equalizeHist(grey_of(picture), grey);
  CHECK(test::equal(made("edit?steps=grayscale+equalise", picture), grey));
}

TEST_CASE("blur is OpenCV's, of every method, and an even size is refused") {
  const cv::Mat picture = noise(64, 48);
  cv::Mat other;
  cv::GaussianBlur(picture, other, {5, 5}, 0);
  CHECK(test::equal(made("blur", picture), other));
  cv::GaussianBlur(picture, other, {9, 9}, 2.5);
  CHECK(test::equal(made("blur?size=9&sigma=2.5", picture), other));
  cv::medianBlur(picture, other, 7);
  CHECK(test::equal(made("blur?method=median&size=7", picture), other));
  cv::blur(picture, other, {3, 3});
  CHECK(test::equal(made("blur?method=box&size=3", picture), other));
  CHECK(test::equal(made("blur?size=1", picture), picture));
  CHECK(refusal("blur?size=4").find("odd") != std::string::npos);
}

TEST_CASE("augment makes the same picture for the same seed and sequence, and no other does") {
  const cv::Mat picture = noise(64, 48);
  const auto bytes = [&](const std::string& options, std::uint64_t sequence) {
    return Maker("augment?format=png&" + options).bytes(picture, sequence);
  };
  Maker warm("augment?format=png&seed=5");
  const auto first = warm.bytes(picture, 11);
  CHECK(warm.bytes(picture, 12) != first);
  CHECK(warm.bytes(picture, 11) == first);
  CHECK(bytes("seed=5", 11) == first);
  CHECK(bytes("seed=6", 11) != first);
  CHECK(made("augment?seed=5", picture, 11).size() == picture.size());
  CHECK(test::equal(made("augment?flip=0&rotate=0&crop=0&brightness=0&contrast=0&noise=0", picture),
                    picture));
}

TEST_CASE("what augment draws is spread over its ranges, each by itself") {
  const cv::Mat flat(24, 32, CV_8UC3, cv::Scalar::all(100));
  const std::string none = "augment?rotate=0&crop=0&contrast=0";
  double darkest = 255;
  double brightest = 0;
  int flips = 0;
  cv::Mat halves = flat.clone();
  halves.colRange(16, 32).setTo(cv::Scalar::all(150));
  for (std::uint64_t sequence = 0; sequence < 200; ++sequence) {
    const double mean = cv::mean(made(none + "&flip=0&noise=0&brightness=0.2", flat, sequence))[0];
    darkest = std::min(darkest, mean);
    brightest = std::max(brightest, mean);
    const cv::Mat flipped = made(none + "&flip=0.5&noise=0&brightness=0", halves, sequence);
    flips += flipped.at<cv::Vec3b>(0, 0)[0] == 150 ? 1 : 0;
  }
  CHECK(darkest >= 49);
  CHECK(darkest < 54);
  CHECK(brightest <= 151);
  CHECK(brightest > 146);
  CHECK(flips > 70);
  CHECK(flips < 130);
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(made(none + "&flip=0&noise=10&brightness=0", flat), mean, deviation);
  CHECK(mean[0] == Approx(100).margin(2));
  CHECK(deviation[0] == Approx(10).margin(1));
}

TEST_CASE("edit does its steps one after the other") {
  const cv::Mat picture = noise(90, 60);
  cv::Mat expected = made("resize?width=30", picture);
  cv::flip(expected, expected, 0);
  CHECK(test::equal(made("edit?steps=resize:width=30+flip:direction=vertical+grayscale", picture),
                    grey_of(expected)));
  CHECK(refusal("edit?steps=resiz:width=3") ==
        "detector \"edit\" has no step \"resiz\"; it has resize, crop, flip, rotate, grayscale, "
        "normalise, equalise, blur, augment");
  CHECK(refusal("edit?steps=blur:size=x").find("option size=x") != std::string::npos);
  CHECK(refusal("edit?steps=blur:format=png").find("no option \"format\"") != std::string::npos);
  CHECK(refusal("edit?steps=+blur").find("words with + between") != std::string::npos);
  std::string many = "edit?steps=flip";
  for (int i = 0; i < 16; ++i) many += "+flip";
  CHECK(refusal(many).find("at most 16 steps") != std::string::npos);
}

TEST_CASE("no operation makes a picture over the limits of the worker") {
  ImageLimits limits;
  limits.pixels_max = 200'000;
  limits.side_max = 1000;
  const cv::Mat picture = noise(100, 100);
  for (const char* spec :
       {"resize?width=500&height=500", "resize?width=1001&height=1&fit=stretch",
        "resize?width=500&height=500&fit=letterbox", "edit?steps=grayscale+resize:width=900"}) {
    INFO(spec);
    const auto looked = Maker(spec, limits).look(picture);
    REQUIRE_FALSE(looked.has_value());
    CHECK(looked.error().reason == Reason::bad_description);
    CHECK(looked.error().text.find("the limits are 200000 in all and 1000 on a side") !=
          std::string::npos);
  }
  limits.side_max = 120;
  CHECK_FALSE(Maker("rotate?angle=45", limits).look(picture).has_value());
  CHECK(Maker("rotate?angle=90", limits).look(picture).has_value());
}

TEST_CASE("every operation takes pictures of one pixel, of one row or column, and grey ones") {
  for (const auto& kind : detector_kinds()) {
    if (!kind.make) continue;
    const auto limits = ImageLimits{};
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(1, 300), cv::Size(300, 1)}) {
      for (const int type : {CV_8UC1, CV_8UC3}) {
        if (std::none_of(kind.options.begin(), kind.options.end(),
                         [](const OptionSpec& each) { return each.name == "format"; })) {
          continue;
        }
        for (const char* options : {"format=jpg", "format=png", "format=jpg&quality=1"}) {
          INFO(kind.name << " " << size << " " << options);
          const bool enlarges = kind.name == "resize";  // one pixel of width to 640 is too much
          Maker maker(fmt::format("{}?{}{}", kind.name, options, enlarges ? "&width=3" : ""),
                      limits);
          CHECK_FALSE(maker.make(cv::Mat(size, type, cv::Scalar::all(90))).empty());
        }
      }
    }
  }
  for (const char* spec : {"equalise?method=clahe&tiles=64", "rotate?angle=45&border=reflect",
                           "blur?size=99&method=median", "blur?size=99"}) {
    INFO(spec);
    CHECK_FALSE(made(spec, cv::Mat(1, 1, CV_8UC3, cv::Scalar::all(90))).empty());
  }
}

TEST_CASE("every number that an operation takes is taken at both its ends") {
  const cv::Mat picture = noise(40, 30);
  for (const auto& kind : detector_kinds()) {
    const bool edits = std::any_of(kind.options.begin(), kind.options.end(),
                                   [](const OptionSpec& each) { return each.name == "format"; });
    if (!edits) continue;
    for (const auto& option : kind.options) {
      for (const double value : {option.min, option.max}) {
        if (option.type != OptionType::integer && option.type != OptionType::real) continue;
        const auto spec = fmt::format("{}?{}={}", kind.name, option.name, value);
        INFO(spec);
        const auto made_kind = make_detector(spec, {});
        if (!made_kind) continue;  // width=0 alone, a crop that is wider than a picture
        const auto found = Maker(spec).look(picture);
        CHECK((found.has_value() || found.error().reason == Reason::bad_description));
      }
    }
  }
}

}  // namespace
}  // namespace framefleet::worker
