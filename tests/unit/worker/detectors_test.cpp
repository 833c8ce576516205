// Each detector on real or drawn pictures, decoded by the worker's own decoder.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/decoding/decoder.hpp"
#include "worker/detectors/aruco.hpp"
#include "worker/detectors/registry.hpp"

#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include <array>
#include <atomic>
#include <thread>

namespace framefleet::worker {
namespace {

using test::Bytes;

/// A detector with a decoder of its own: bytes in, findings out.
class Probe {
 public:
  explicit Probe(std::string_view spec) {
    auto made = make_detector(spec, {});
    REQUIRE(made.has_value());
    detector_ = std::move(*made);
  }

  Result<Found, DetectError> look(const Bytes& bytes, std::uint64_t sequence = 0,
                                  std::uint16_t attempt = 1, const Bytes& second = {}) {
    const auto picture = decoder_.decode(bytes, {.grey = true, .bgr = detector_->needs().bgr});
    REQUIRE(picture.has_value());
    DetectInput input{*picture, {}, sequence, attempt, observer_};
    if (!second.empty()) input.second = *second_.decode(second, {.grey = false, .bgr = true});
    return detector_->detect(input);
  }
  std::vector<Detection> detections(const Bytes& bytes) { return look(bytes)->detections; }

 private:
  NoObserver observer_;
  Decoder decoder_;
  Decoder second_;
  std::unique_ptr<Detector> detector_;
};

Bytes photo(const std::string& name) { return test::read_bytes(test::test_data("data/" + name)); }

bool same_boxes(const std::vector<Detection>& detections, std::vector<cv::Rect> boxes) {
  if (detections.size() != boxes.size()) return false;
  for (const auto& detection : detections) {
    const auto match = std::find_if(boxes.begin(), boxes.end(), [&](const cv::Rect& box) {
      return detection.box == Box{static_cast<float>(box.x), static_cast<float>(box.y),
                                  static_cast<float>(box.width), static_cast<float>(box.height)};
    });
    if (match == boxes.end()) return false;
    boxes.erase(match);
  }
  return true;
}

bool near(const Box& box, const cv::Rect& wanted, float tolerance) {
  return std::abs(box.x - static_cast<float>(wanted.x)) <= tolerance &&
         std::abs(box.y - static_cast<float>(wanted.y)) <= tolerance &&
         std::abs(box.width - static_cast<float>(wanted.width)) <= tolerance &&
         std::abs(box.height - static_cast<float>(wanted.height)) <= tolerance;
}

std::vector<cv::Rect> opencv_faces(cv::CascadeClassifier& cascade,
                                   const std::filesystem::path& path, double scale, int neighbours,
                                   int min_size) {
  std::vector<cv::Rect> boxes;
  cascade.detectMultiScale(cv::imread(path.string(), cv::IMREAD_GRAYSCALE), boxes, scale,
                           neighbours, 0, cv::Size(min_size, min_size));
  return boxes;
}

TEST_CASE("faces equal, box by box, those of OpenCV on cv::imread, on every photo") {
  if (!test::have_test_data("faces")) return;
  cv::setNumThreads(1);
  Probe faces("faces");
  cv::CascadeClassifier cascade("/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml");
  std::size_t total = 0;
  for (const auto& path : test::files_in(test::test_data("data/photos"))) {
    INFO(path);
    const auto found = faces.detections(test::read_bytes(path));
    CHECK(same_boxes(found, opencv_faces(cascade, path, 1.1, 3, 30)));
    total += found.size();
  }
  CHECK(total >= 9);
}

TEST_CASE("cascade, scale, neighbours and min_size of faces are OpenCV's") {
  if (!test::have_test_data("faces")) return;
  const auto path = test::test_data("data/photos/obama-480p.jpg");
  Probe faces("faces?cascade=lbp&scale=1.3&neighbours=2&min_size=50");
  cv::CascadeClassifier cascade("/usr/share/opencv4/lbpcascades/lbpcascade_frontalface.xml");
  const auto found = faces.detections(test::read_bytes(path));
  CHECK(same_boxes(found, opencv_faces(cascade, path, 1.3, 2, 50)));
  REQUIRE(found.size() == 1);
  CHECK(found[0].label == "face");
  CHECK(found[0].score >= 2);
  CHECK(Probe("faces?max_size=40").detections(test::read_bytes(path)).empty());
}

TEST_CASE("the face of the astronaut is where people see it") {
  if (!test::have_test_data("faces")) return;
  const auto found = Probe("faces").detections(photo("photos/astronaut.png"));
  REQUIRE(found.size() == 1);
  CHECK(near(found[0].box, {178, 69, 92, 92}, 8));
}

TEST_CASE("people walk towards the camera as expected") {
  if (!test::have_test_data("people")) return;
  struct Frame {
    const char* name;
    std::vector<cv::Rect> people;
  };
  const std::array<Frame, 5> frames{{
      {"seq/ethz_00.png", {{206, 164, 70, 140}, {267, 127, 107, 214}}},
      {"seq/ethz_05.png", {{205, 165, 73, 146}, {272, 112, 124, 248}}},
      {"seq/ethz_10.png", {{201, 161, 81, 161}, {294, 98, 150, 299}}},
      {"seq/ethz_15.png", {{196, 153, 96, 191}, {318, 49, 201, 401}}},
      {"seq/ethz_20.png", {{185, 147, 101, 202}}},
  }};
  Probe people("people");
  for (const auto& frame : frames) {
    INFO(frame.name);
    const auto found = people.detections(photo(frame.name));
    REQUIRE(found.size() == frame.people.size());
    for (const auto& wanted : frame.people) {
      CHECK(std::any_of(found.begin(), found.end(), [&](const Detection& person) {
        return person.label == "person" && near(person.box, wanted, 4);
      }));
    }
    CHECK(std::is_sorted(found.begin(), found.end(),
                         [](const auto& a, const auto& b) { return a.score > b.score; }));
  }
}

TEST_CASE("edges give their share of the picture, the longest curve first, and a mask") {
  cv::Mat drawn(200, 300, CV_8UC1, cv::Scalar(30));
  cv::rectangle(drawn, {20, 30}, {119, 129}, 220, cv::FILLED);
  cv::rectangle(drawn, {200, 50}, {239, 89}, 220, cv::FILLED);
  const auto bytes = test::encode(drawn, ".png");
  Probe edges("edges");
  const auto found = edges.look(bytes);
  REQUIRE(found->detections.size() == 3);
  const auto& sum = found->detections[0];
  CHECK(sum.label == "edges");
  CHECK(sum.box == Box{0, 0, 300, 200});
  const auto pixels = nlohmann::json::parse(sum.extra).at("pixels").get<int>();
  CHECK(pixels == Approx(4 * 100 + 4 * 40).epsilon(0.1));
  CHECK(sum.score == Approx(static_cast<double>(pixels) / (300 * 200)));
  CHECK(found->detections[1].label == "curve");
  CHECK(near(found->detections[1].box, {19, 29, 102, 102}, 3));
  CHECK(near(found->detections[2].box, {199, 49, 42, 42}, 3));
  CHECK(found->detections[1].score > found->detections[2].score);
  REQUIRE(found->mask);
  CHECK(cv::countNonZero(test::view(found->mask)) == pixels);

  CHECK(Probe("edges?min_length=300").detections(bytes).size() == 2);
  CHECK(Probe("edges?max_count=0").detections(bytes).size() == 1);
}

TEST_CASE("the four corners of a square are its strongest corners") {
  cv::Mat drawn(100, 100, CV_8UC1, cv::Scalar(0));
  cv::rectangle(drawn, {30, 40}, {59, 69}, 255, cv::FILLED);
  const auto bytes = test::encode(drawn, ".png");
  for (const char* spec : {"corners?max_count=4", "corners?method=harris&max_count=4"}) {
    INFO(spec);
    const auto found = Probe(spec).detections(bytes);
    REQUIRE(found.size() == 4);
    CHECK(found[0].score == 1);
    for (const cv::Point corner : {cv::Point(30, 40), {59, 40}, {30, 69}, {59, 69}}) {
      CHECK(std::any_of(found.begin(), found.end(), [&](const Detection& each) {
        return near(each.box, {corner.x, corner.y, 1, 1}, 2);
      }));
    }
  }
}

TEST_CASE("corners are capped, strongest first, and keep their distance") {
  if (!test::have_test_data("corners")) return;
  const auto found =
      Probe("corners?max_count=50&min_distance=20").detections(photo("photos/board.jpg"));
  CHECK(found.size() == 50);
  for (std::size_t i = 1; i < found.size(); ++i) CHECK(found[i].score <= found[i - 1].score);
}

TEST_CASE("markers that were drawn are read back with their ids and corners") {
  cv::Mat drawn(240, 320, CV_8UC1, cv::Scalar(255));
  for (const auto& [id, x] : {std::pair{7, 40}, {998, 180}}) {
    drawn_marker(cv::aruco::DICT_4X4_1000, id, 90).copyTo(drawn(cv::Rect(x, 60, 90, 90)));
  }
  const auto found = Probe("markers").detections(test::encode(drawn, ".png"));
  REQUIRE(found.size() == 2);
  for (const auto& marker : found) {
    const auto extra = nlohmann::json::parse(marker.extra);
    const int id = extra.at("id");
    CHECK((id == 7 || id == 998));
    CHECK(near(marker.box, {id == 7 ? 40 : 180, 60, 89, 89}, 2));
    CHECK(extra.at("corners").size() == 4);
    CHECK(extra.at("corners")[0][0].get<float>() == Approx(marker.box.x).margin(2));
    CHECK(extra.at("corners")[2][1].get<float>() ==
          Approx(marker.box.y + marker.box.height).margin(2));
  }
  CHECK(Probe("markers?dictionary=6x6_250").detections(test::encode(drawn, ".png")).empty());
}

TEST_CASE("a blend is the weighted sum of two pictures in the size of the first") {
  const auto first = test::encode(cv::Mat(40, 60, CV_8UC3, cv::Scalar(100, 50, 200)), ".png");
  const auto second = test::encode(cv::Mat(20, 20, CV_8UC3, cv::Scalar(200, 100, 0)), ".png");
  const auto found = Probe("blend?alpha=0.25&beta=0.75&gamma=10").look(first, 0, 1, second);
  REQUIRE(found.has_value());
  CHECK(found->detections.empty());
  REQUIRE(found->pictures.size() == 1);
  CHECK(found->pictures[0].kind == "blend");
  CHECK(found->pictures[0].extension == "jpg");
  const cv::Mat sum = test::reference(test::as_bytes(found->pictures[0].bytes), cv::IMREAD_COLOR);
  CHECK(sum.size() == cv::Size(60, 40));
  CHECK(cv::norm(sum, cv::Mat(40, 60, CV_8UC3, cv::Scalar(185, 98, 60)), cv::NORM_INF) <= 4);
}

TEST_CASE("a blend without a second picture says how to give one") {
  const auto first = test::encode(cv::Mat(4, 4, CV_8UC3, cv::Scalar(1, 2, 3)), ".png");
  const auto found = Probe("blend").look(first);
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().reason == Reason::bad_description);
  CHECK(found.error().text.find("second payload frame") != std::string::npos);
}

TEST_CASE("the stub fails at the pictures and attempts it was told to") {
  const auto bytes = test::encode(cv::Mat(4, 6, CV_8UC1, cv::Scalar(9)), ".png");
  Probe every("stub?fail=3");
  for (std::uint64_t sequence = 0; sequence < 9; ++sequence) {
    CHECK(every.look(bytes, sequence).has_value() == (sequence % 3 != 2));
  }
  Probe first("stub?fail_at=5&fail_attempts=2");
  CHECK(first.look(bytes, 4, 1).has_value());
  CHECK_FALSE(first.look(bytes, 5, 1).has_value());
  CHECK_FALSE(first.look(bytes, 5, 2).has_value());
  CHECK(first.look(bytes, 5, 3).has_value());
  const auto found = first.look(bytes, 4, 2);
  CHECK(found->detections.at(0).extra == R"({"sequence":4,"attempt":2})");
  CHECK(found->detections.at(0).box == Box{0, 0, 6, 4});
}

TEST_CASE("no detector breaks on the smallest and the thinnest pictures") {
  for (const cv::Size size : {cv::Size(1, 1), {1, 500}, {500, 1}, {2, 2}, {20, 130}}) {
    const auto bytes = test::encode(cv::Mat(size, CV_8UC3, cv::Scalar(4, 5, 6)), ".png");
    for (const auto& kind : detector_kinds()) {
      if (kind.needs_model) continue;
      INFO(kind.name << " on " << size.width << " x " << size.height);
      // One column as wide as resize makes it by default would be too high.
      const std::string spec = kind.name == "resize" ? "resize?width=3" : std::string(kind.name);
      const auto found = Probe(spec).look(bytes, 0, 1, bytes);
      // The template would be of one colour, which is an error of its own.
      CHECK(found.has_value() == (kind.name != "template"));
    }
  }
}

}  // namespace
}  // namespace framefleet::worker
