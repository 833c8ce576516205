// The pictures whose answers are known: the real detectors give them, broken ones do not.

#include "worker/detectors/self_test.hpp"

#include "tests/support/catch.hpp"
#include "worker/detectors/registry.hpp"

#include <algorithm>
#include <set>
#include <string>

using namespace framefleet;
using namespace framefleet::worker;

namespace {

Worked answer_to(const SelfTest& test, const DetectorSettings& settings = {}) {
  WorkbenchOptions options;
  options.detectors = settings;
  Workbench bench(options);
  const auto frames = test.frames();
  std::vector<std::span<const std::byte>> views;
  for (const auto& frame : frames) views.push_back(std::as_bytes(std::span(frame)));
  NoObserver nobody;
  auto worked = bench.work({}, 1, test.task(), views, nobody);
  INFO(test.name());
  REQUIRE(worked);
  return std::move(*worked);
}

/// Those of every detector, of pictures that this program decodes; format_pools_test has the rest.
std::vector<SelfTest> tests_here() {
  std::vector<std::string> detectors;
  for (const auto& kind : detector_kinds()) {
    if (!kind.needs_model) detectors.emplace_back(kind.name);
  }
  return self_tests_of(detectors, ImageLimits{}.formats);
}

const SelfTest& test_of(std::string_view name) {
  for (const auto& test : self_tests()) {
    if (test.name() == name) return test;
  }
  throw std::runtime_error("no such self-test");
}

/// What a detector that is a little broken would say.
std::vector<Worked> broken(const Worked& right) {
  std::vector<Worked> wrong;
  const auto add = [&](auto change) {
    Worked other = right;
    change(other);
    wrong.push_back(std::move(other));
  };
  add([](Worked& w) { w.record.damaged = true; });
  add([](Worked& w) { w.record.reports.clear(); });
  add([](Worked& w) { w.record.reports[0].detector = "other"; });
  if (right.record.reports[0].detections.empty()) {  // it makes pictures
    add([](Worked& w) { w.artefacts.clear(); });
    add([](Worked& w) { w.artefacts[0].back() ^= 1; });
    add([](Worked& w) { w.record.artefacts[0].kind = "annotated"; });
    return wrong;
  }
  add([](Worked& w) { w.record.reports[0].detections.clear(); });
  add([](Worked& w) {
    for (auto& each : w.record.reports[0].detections) each.box.x += 40;
  });
  add([](Worked& w) {
    for (auto& each : w.record.reports[0].detections) each.label = "cat";
  });
  return wrong;
}

}  // namespace

TEST_CASE("every detector has a self-test, and every format") {
  std::set<std::string> tested;
  FormatSet formats;
  for (const auto& test : self_tests()) {
    if (test.format == ImageFormat::jpeg) tested.emplace(test.detector);
    formats.add(test.format);
  }
  std::set<std::string> kinds;
  for (const auto& kind : detector_kinds()) kinds.emplace(kind.name);
  CHECK(tested == kinds);
  CHECK(formats == FormatSet::all());
}

TEST_CASE("the detectors of this machine pass their self-tests") {
  for (const auto& test : tests_here()) {
    INFO(test.name());
    CHECK(test.fault_of(answer_to(test)) == "");
  }
}

TEST_CASE("no self-test passes where its detector is broken") {
  for (const auto& test : tests_here()) {
    INFO(test.name());
    const auto right = answer_to(test);
    REQUIRE(test.fault_of(right) == "");
    for (const auto& wrong : broken(right)) CHECK(test.fault_of(wrong) != "");
  }
}

TEST_CASE("a model that may be given smaller pictures passes its self-test on one") {
  for (const auto scale : {DecodeScale::half, DecodeScale::quarter, DecodeScale::eighth}) {
    INFO(to_string(scale));
    DetectorSettings settings;
    settings.models = {{"alt2", "faces",
                        "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml", scale}};
    const auto worked = answer_to(test_of("faces"), settings);
    CHECK(worked.record.reports.at(0).version.ends_with(to_string(scale)));
    CHECK(test_of("faces").fault_of(worked) == "");
  }
}

TEST_CASE("what is surely wrong in one detector's own way is noticed") {
  SECTION("a face that few windows agree on") {
    auto worked = answer_to(test_of("faces"));
    worked.record.reports[0].detections[0].score = 3;
    CHECK(test_of("faces").fault_of(worked) == "face 279x279 at 63,56 with score 3");
  }
  SECTION("a face too many") {
    auto worked = answer_to(test_of("faces"));
    auto& found = worked.record.reports[0].detections;
    found.push_back(found[0]);
    CHECK(test_of("faces").fault_of(worked) != "");
  }
  SECTION("another marker") {
    auto worked = answer_to(test_of("markers"));
    auto& extra = worked.record.reports[0].detections[0].extra;
    extra.replace(extra.find("23"), 2, "24");
    CHECK(test_of("markers").fault_of(worked) != "");
  }
  SECTION("a corner that is not there") {
    auto worked = answer_to(test_of("corners"));
    auto& found = worked.record.reports[0].detections;
    found.erase(found.begin());
    CHECK(test_of("corners").fault_of(worked) != "");
  }
  SECTION("an outline with a gap") {
    auto worked = answer_to(test_of("edges"));
    worked.record.reports[0].detections[1].score *= 0.5F;
    CHECK(test_of("edges").fault_of(worked) != "");
  }
}

TEST_CASE("there is room on both sides of what faces and people need") {
  // Other builds of OpenCV round otherwise: the answer must not hang on it.
  const auto score_of = [](std::string_view name) {
    return answer_to(test_of(name)).record.reports[0].detections.at(0).score;
  };
  CHECK(score_of("faces") > 50);
  CHECK(score_of("people") > 4);
}

TEST_CASE("a cascade of something else fails the self-test of faces") {
  const std::string folder = DetectorSettings{}.cascade_folder;
  for (const auto* other :
       {"haarcascade_eye.xml", "haarcascade_fullbody.xml", "haarcascade_smile.xml"}) {
    INFO(other);
    DetectorSettings settings;
    settings.cascades[folder + "/haarcascades/haarcascade_frontalface_alt2.xml"] =
        read_bytes(folder + "/haarcascades/" + other);
    CHECK(test_of("faces").fault_of(answer_to(test_of("faces"), settings)) != "");
  }
}

TEST_CASE("a worker is tested in every format that it takes, and in the detectors it offers") {
  const auto names_of = [](FormatSet formats) {
    std::vector<std::string> names;
    for (const auto& test : self_tests_of({"faces", "stub"}, formats)) names.push_back(test.name());
    return names;
  };
  std::vector<std::string> names{"faces", "stub", "edges in png", "edges in webp"};
  CHECK(names_of(ImageLimits{}.formats) == names);
  names.insert(names.end(), {"edges in bmp", "edges in tiff"});
  CHECK(names_of(FormatSet::all()) == names);
}

TEST_CASE("the smallest limits that a worker can be given let the pictures of its self-tests in") {
  ImageLimits limits;
  limits.formats = FormatSet::all();
  limits.pixels_max = kSelfTestPixelsMax;
  limits.bytes_max = kSelfTestBytesMax;
  for (const auto& test : self_tests()) {
    INFO(test.name());
    for (const auto& frame : test.frames()) {
      CHECK(inspect_image(std::as_bytes(std::span(frame)), limits).has_value());
    }
  }
}
