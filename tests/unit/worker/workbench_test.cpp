#include "worker/detectors/workbench.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/detectors/annotate.hpp"

#include <opencv2/imgproc.hpp>

namespace framefleet::worker {
namespace {

using test::Bytes;

/// Remembers the stages; abandons the task when it enters one of them.
class Recorder final : public StageObserver {
 public:
  void entered(Stage stage, std::string_view detector) override {
    stages.push_back(std::string(to_string(stage)) + (detector.empty() ? "" : ":") +
                     std::string(detector));
  }
  bool abandoned() const override { return !stages.empty() && stages.back() == abandon_at; }

  std::vector<std::string> stages;
  std::string abandon_at;
};

TaskDescription task(std::vector<std::string> detect, bool annotate = false) {
  TaskDescription description;
  description.origin = "test";
  description.detect = std::move(detect);
  description.annotate = annotate;
  return description;
}

Result<Worked, WorkError> work(Workbench& bench, const TaskDescription& description,
                               const std::vector<Bytes>& frames, Recorder& recorder) {
  const std::vector<std::span<const std::byte>> spans(frames.begin(), frames.end());
  return bench.work({1, 1, 41, 0}, 1, description, spans, recorder);
}

Bytes drawn_square() {
  cv::Mat drawn(120, 160, CV_8UC3, cv::Scalar(40, 40, 40));
  cv::rectangle(drawn, {40, 30}, {99, 89}, cv::Scalar(200, 220, 240), cv::FILLED);
  return test::encode(drawn, ".png");
}

TEST_CASE("one decode serves all detectors of a task, and the record says what each found") {
  Workbench bench;
  Recorder recorder;
  const auto worked =
      work(bench, task({"edges", "corners?max_count=4", "stub"}), {drawn_square()}, recorder);
  REQUIRE(worked.has_value());
  CHECK(recorder.stages ==
        std::vector<std::string>{"decode", "detect:edges", "detect:corners", "detect:stub"});
  const auto& record = worked->record;
  CHECK(record.width == 160);
  CHECK(record.height == 120);
  CHECK_FALSE(record.damaged);
  CHECK(record.decode > Duration::zero());
  CHECK(record.annotate == Duration::zero());
  REQUIRE(record.reports.size() == 3);
  CHECK(record.reports[0].detector == "edges");
  CHECK(record.reports[0].version.starts_with("1+opencv"));
  CHECK(record.reports[0].detections.size() == 2);
  CHECK(record.reports[1].detections.size() == 4);
  CHECK(record.reports[2].detections.at(0).extra == R"({"sequence":41,"attempt":1})");
  CHECK(worked->artefacts.empty());
}

TEST_CASE(
    "the artefacts are in the order of the record: annotated first, then what detectors made") {
  Workbench bench;
  Recorder recorder;
  const auto worked =
      work(bench, task({"blend", "corners"}, true), {drawn_square(), drawn_square()}, recorder);
  REQUIRE(worked.has_value());
  CHECK(recorder.stages.back() == "annotate");
  CHECK(worked->record.annotate > Duration::zero());
  CHECK(worked->record.artefacts == std::vector<Artefact>{{"annotated", "jpg"}, {"blend", "jpg"}});
  REQUIRE(worked->artefacts.size() == 2);
  for (const auto& artefact : worked->artefacts) {
    CHECK(test::reference(test::as_bytes(artefact), cv::IMREAD_COLOR).size() == cv::Size(160, 120));
  }
}

TEST_CASE("a task without detectors says how large the picture is") {
  Workbench bench;
  Recorder recorder;
  const auto worked = work(bench, task({}), {drawn_square()}, recorder);
  REQUIRE(worked.has_value());
  CHECK(worked->record.width == 160);
  CHECK(worked->record.reports.empty());
}

void check_refused(const Result<Worked, WorkError>& worked, Reason reason,
                   const std::string& text) {
  REQUIRE_FALSE(worked.has_value());
  CHECK(worked.error().reason == reason);
  CHECK(worked.error().text == text);
}

TEST_CASE("nothing is decoded for detectors that do not look, but the gate is passed") {
  Workbench bench;
  Recorder recorder;
  auto header_alone = drawn_square();
  header_alone.resize(header_alone.size() / 2);
  const auto worked = work(bench, task({"stub?decode=no"}), {header_alone}, recorder);
  REQUIRE(worked.has_value());
  CHECK(worked->record.width == 160);
  CHECK(worked->record.height == 120);
  CHECK_FALSE(work(bench, task({"stub?decode=no", "stub"}), {header_alone}, recorder).has_value());
  CHECK_FALSE(work(bench, task({"stub?decode=no"}), {{}}, recorder).has_value());
}

TEST_CASE("what cannot be worked on comes back with its reason, and the next task is unharmed") {
  Workbench bench;
  Recorder recorder;
  auto unreadable = task({"stub"});
  unreadable.unreadable = "a.jpg: permission denied";
  check_refused(work(bench, unreadable, {}, recorder), Reason::unreadable,
                "a.jpg: permission denied");
  check_refused(work(bench, task({"stub"}), {}, recorder), Reason::empty_picture,
                "the picture has no bytes");
  check_refused(work(bench, task({"nose"}), {drawn_square()}, recorder), Reason::bad_description,
                make_detector("nose", {}).error().text);
  check_refused(work(bench, task({"stub?fail=1"}), {drawn_square()}, recorder),
                Reason::detector_error, "detector \"stub\" was told to fail at sequence 41");
  check_refused(work(bench, task(std::vector<std::string>(17, "stub")), {drawn_square()}, recorder),
                Reason::bad_description, "the task names 17 detectors; the limit is 16");
  check_refused(
      work(bench, task({"blend"}), {drawn_square(), test::as_bytes("hello")}, recorder),
      Reason::not_a_picture,
      "second picture: text or HTML, not a picture; this worker takes JPEG, PNG, WebP (--formats)");
  CHECK(work(bench, task({"stub"}), {drawn_square()}, recorder).has_value());
}

TEST_CASE("more detections than a record may hold are an error, not a shortened answer") {
  Workbench bench;
  Recorder recorder;
  cv::Mat noise(600, 600, CV_8UC1);
  cv::RNG random(3);
  random.fill(noise, cv::RNG::UNIFORM, 0, 256);
  const auto bytes = test::encode(noise, ".png");
  const std::string most = "corners?max_count=5000&quality=0.0001&min_distance=1";
  CHECK(work(bench, task({most}), {bytes}, recorder).has_value());
  const auto worked = work(bench, task({most, most, "stub"}), {bytes}, recorder);
  REQUIRE_FALSE(worked.has_value());
  CHECK(worked.error().reason == Reason::detector_error);
  CHECK(worked.error().text.find("more than 10000 detections") != std::string::npos);
}

TEST_CASE("an abandoned task ends at the next stage") {
  Workbench bench;
  Recorder recorder;
  recorder.abandon_at = "detect:edges";
  const auto worked = work(bench, task({"edges", "corners"}, true), {drawn_square()}, recorder);
  REQUIRE_FALSE(worked.has_value());
  CHECK(worked.error().reason == Reason::drained);
  CHECK(recorder.stages == std::vector<std::string>{"decode", "detect:edges"});
}

TEST_CASE("many option sets do not pile up, and old ones still work") {
  Workbench bench;
  Recorder recorder;
  for (int size = 1; size <= 100; ++size) {
    const auto spec = "edges?min_length=" + std::to_string(size);
    REQUIRE(work(bench, task({spec, "stub"}), {drawn_square()}, recorder).has_value());
  }
  CHECK(work(bench, task({"edges?min_length=1"}), {drawn_square()}, recorder).has_value());
}

TEST_CASE("what was found is drawn where it was found, and nothing is drawn elsewhere") {
  const cv::Mat plain(200, 300, CV_8UC3, cv::Scalar(90, 90, 90));
  const Plane plane{plain.data, 300, 200, 3, plain.step};
  const std::vector<Detection> face{{"face", 12, {100, 80, 60, 60}, ""}};
  const std::vector<Detection> corner{{"corner", 1, {30, 150, 1, 1}, ""}};
  const std::vector<Detection> outside{{"person", 1, {290, -500, 400, 20}, ""}};
  cv::Mat mask(200, 300, CV_8UC1, cv::Scalar(0));
  mask(cv::Rect(250, 180, 20, 10)).setTo(255);
  const std::vector<Layer> layers{{"faces", face, {}},
                                  {"corners", corner, {}},
                                  {"people", outside, {}},
                                  {"edges", {}, {mask.data, 300, 200, 1, mask.step}}};
  Annotator annotator;
  const auto jpeg = annotator.draw(plane, layers);
  REQUIRE(jpeg.has_value());
  const cv::Mat drawn = test::reference(test::as_bytes(*jpeg), cv::IMREAD_COLOR);
  cv::Mat changed;
  cv::absdiff(drawn, plain, changed);
  cv::cvtColor(changed, changed, cv::COLOR_BGR2GRAY);
  changed = changed > 12;
  const auto marks = [&](const cv::Rect& area) { return cv::countNonZero(changed(area)); };
  CHECK(marks({95, 60, 110, 90}) > 300);   // The box and its caption above.
  CHECK(marks({110, 95, 40, 35}) == 0);    // Nothing inside the box.
  CHECK(marks({25, 145, 12, 12}) > 10);    // The circle.
  CHECK(marks({245, 175, 30, 20}) > 150);  // The tint.
  CHECK(cv::countNonZero(changed) ==
        marks({90, 55, 120, 95}) + marks({20, 140, 22, 22}) + marks({240, 170, 40, 30}));
}

}  // namespace
}  // namespace framefleet::worker
