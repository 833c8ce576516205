// The models of the test data on its photos, through the model files of config/models and a
// workbench: box by box what the reference program finds, by each backend of this build. By default
// on some of the photos; the environment variable CHECK_LONG asks for all (scripts/check.sh docker
// and --long).

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/worker/network_reference.hpp"
#include "worker/detectors/workbench.hpp"
#include "worker/models.hpp"
#include "worker/networks/onnx_network.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

using namespace framefleet;
using namespace framefleet::worker;
namespace fs = std::filesystem;

namespace {

bool have_models(const char* test) {
  if (fs::exists(test::test_data("models/yolox_nano.onnx"))) return test::have_test_data(test);
  std::fprintf(stderr, "SKIPPED: %s: no models at %s\n", test, FRAMEFLEET_TEST_DATA);
  return false;
}

std::string bytes_in(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The model files of this project beside the files that they name.
class KnownModels {
 public:
  explicit KnownModels(const std::vector<std::string>& names) {
    for (const auto& each : fs::directory_iterator(test::test_data("models"))) {
      fs::create_symlink(fs::absolute(each.path()), folder_.path() / each.path().filename());
    }
    for (const auto& name : names) {
      fs::copy_file(fs::path(FRAMEFLEET_SOURCE_DIR "/config/models") / (name + ".toml"),
                    folder_.path() / (name + ".toml"));
    }
  }
  const fs::path& path() const { return folder_.path(); }
  std::string text_of(const std::string& name) const { return bytes_in(path() / (name + ".toml")); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path() / (name + ".toml")) << text;
  }
  std::vector<Backend> backends() const {
    const auto files = read_model_files(path());
    REQUIRE(files.has_value());
    return backends_for(network_format(files->at(0).model.path).value());
  }
  std::vector<TriedModel> tried() const {
    const auto files = read_model_files(path());
    REQUIRE(files.has_value());
    return try_models(*files, {.program = FRAMEFLEET_WORKER});
  }

 private:
  test::TemporaryFolder folder_;
};

std::vector<fs::path> photos() {
  std::vector<fs::path> all;
  for (const auto& each : fs::directory_iterator(test::test_data("data/photos"))) {
    all.push_back(each.path());
  }
  std::sort(all.begin(), all.end());
  const char* const wanted = std::getenv("CHECK_LONG");
  if (wanted != nullptr && *wanted != 0) return all;
  const std::vector<std::string> some{"astronaut.png", "dog.jpg", "horses.jpg", "obama-240p.jpg"};
  std::erase_if(all, [&](const fs::path& each) {
    return std::find(some.begin(), some.end(), each.filename()) == some.end();
  });
  return all;
}

DetectorReport report_of(Workbench& bench, const std::string& spec, const fs::path& photo) {
  const std::string bytes = bytes_in(photo);
  const std::vector frames{std::as_bytes(std::span(bytes))};
  TaskDescription task;
  task.detect = {spec};
  NoObserver nobody;
  const auto worked = bench.work({}, 1, task, frames, nobody);
  REQUIRE(worked.has_value());
  return worked->record.reports.at(0);
}

bool close(const Detection& ours, const ReferenceBox& theirs) {
  constexpr double kPixels = 2;
  constexpr double kScore = 0.02;
  const auto near = [](double a, double b, double by) { return std::abs(a - b) <= by; };
  return ours.label == theirs.label && near(ours.score, theirs.score, kScore) &&
         near(ours.box.x, theirs.box.x, kPixels) && near(ours.box.y, theirs.box.y, kPixels) &&
         near(ours.box.width, theirs.box.width, kPixels) &&
         near(ours.box.height, theirs.box.height, kPixels);
}

std::string text_of(const std::string& label, double score, double x, double y, double width,
                    double height) {
  char text[160];
  std::snprintf(text, sizeof text, "%s %.3f [%.1f,%.1f,%.1f,%.1f]; ", label.c_str(), score, x, y,
                width, height);
  return text;
}

/// Each of ours that is sure enough has its own one of theirs, and the other way round. What is
/// within the tolerance of the threshold may be on one side alone.
void check_equal(const std::vector<Detection>& ours, std::vector<ReferenceBox> theirs,
                 double score_min) {
  constexpr double kScore = 0.02;
  std::string told;
  for (const auto& each : ours) {
    const auto twin = std::find_if(theirs.begin(), theirs.end(),
                                   [&](const ReferenceBox& other) { return close(each, other); });
    if (twin != theirs.end()) {
      theirs.erase(twin);
    } else if (each.score > score_min + kScore) {
      told += "only ours: " + text_of(each.label, each.score, each.box.x, each.box.y,
                                      each.box.width, each.box.height);
    }
  }
  for (const auto& each : theirs) {
    if (each.score <= score_min + kScore) continue;
    told += "only theirs: " + text_of(each.label, each.score, each.box.x, each.box.y,
                                      each.box.width, each.box.height);
  }
  CHECK(told == "");
}

using Reference = std::vector<ReferenceBox> (*)(const fs::path&, const cv::Mat&, float);

std::vector<ReferenceBox> as_reference(const std::vector<Detection>& detections) {
  std::vector<ReferenceBox> boxes;
  for (const auto& each : detections) {
    boxes.push_back(
        {each.label, each.score, {each.box.x, each.box.y, each.box.width, each.box.height}});
  }
  return boxes;
}

/// Every backend finds what the reference finds, and what the first of them has found.
void compare(const std::string& model, const std::string& detector, Reference reference,
             double score_min) {
  if (!have_models(model.c_str())) return;
  const KnownModels models({model});
  const std::string toml = models.text_of(model);
  const auto pictures = photos();
  std::vector<std::vector<ReferenceBox>> expected;
  for (const auto& photo : pictures) {
    const cv::Mat bgr = cv::imread(photo, cv::IMREAD_COLOR);
    expected.push_back(reference(models.path(), bgr, static_cast<float>(score_min)));
  }
  std::vector<std::vector<ReferenceBox>> by_the_first;
  for (const Backend backend : models.backends()) {
    const std::string name(to_string(backend));
    std::string with_backend = toml;
    with_backend.insert(toml.find("[model]\n") + 8, "backend = \"" + name + "\"\n");
    models.write(model, with_backend);
    const auto tried = models.tried();
    for (const auto& refused : refused_ones(tried)) {
      INFO(refused.error.text);
      // ONNX Runtime alone minds the size that is written into a file.
      REQUIRE(refused.error.text.find("alone by ONNX Runtime") != std::string::npos);
      std::printf("%s by %s: refused: %s\n", model.c_str(), name.c_str(),
                  refused.error.text.c_str());
    }
    if (good_ones(tried).empty()) continue;
    WorkbenchOptions options;
    options.detectors.models = good_ones(tried);
    Workbench bench(options);
    std::size_t boxes = 0;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      INFO(model << " by " << name << " " << pictures[i].filename());
      const auto report = report_of(bench, detector, pictures[i]);
      CHECK(report.version.find("+" + name) != std::string::npos);
      check_equal(report.detections, expected[i], score_min);
      boxes += report.detections.size();
      if (by_the_first.size() == i) by_the_first.push_back(as_reference(report.detections));
      check_equal(report.detections, by_the_first[i], score_min);
    }
    CHECK(boxes > 0);
    std::printf("%s by %s: %zu boxes in %zu photos\n", model.c_str(), name.c_str(), boxes,
                pictures.size());
  }
}

}  // namespace

TEST_CASE("YOLOX finds what its authors' recipe finds") {
  compare("yolox", "objects", yolox_reference, 0.3);
}

TEST_CASE("NanoDet finds what its authors' recipe finds") {
  compare("nanodet", "objects", nanodet_reference, 0.4);
}

TEST_CASE("Yolo-Fastest finds what its authors' recipe finds") {
  compare("yolo-fastest", "objects", darknet_reference, 0.3);
}

TEST_CASE("YuNet of 2022 finds what its authors' recipe finds") {
  compare("yunet2022", "faces", yunet22_reference, 0.9);
}

TEST_CASE("YuNet of 2023 finds what its authors' recipe finds") {
  compare("yunet", "faces", yunet23_reference, 0.8);
}

TEST_CASE("people of the gallery are named in other pictures, strangers are not") {
  if (!have_models("recognise")) return;
  const KnownModels models({"yunet", "mobilefacenet"});
  std::string toml = models.text_of("mobilefacenet");
  const auto replace = [&toml](const std::string& key, const std::string& value) {
    const auto at = toml.find("\n" + key + " = ") + 1;
    toml.replace(at, toml.find('\n', at) - at, key + " = \"" + value + "\"");
  };
  if (!has_onnx_runtime()) {  // OpenCV 4.6 reads the derived file alone.
    replace("file", "mobilefacenet_clipfix_derived.onnx");
    replace("sha256", "1040555900213268bebc4378e4846f140f1020279461f09d02726fc593e59659");
    models.write("mobilefacenet", toml);
  }
  const auto photo = [](const std::string& name) {
    return fs::absolute(test::test_data("data/photos/" + name));
  };
  fs::create_directories(models.path() / "people/biden");
  fs::create_symlink(photo("obama.jpg"), models.path() / "people/obama.jpg");
  fs::create_symlink(photo("biden.jpg"), models.path() / "people/biden/1.jpg");
  fs::create_symlink(photo("dog.jpg"), models.path() / "people/nobody.jpg");
  fs::create_symlink(photo("obama_and_biden.jpg"), models.path() / "people/biden/2.jpg");

  const auto tried = models.tried();
  for (const auto& refused : refused_ones(tried)) FAIL_CHECK(refused.error.text);
  REQUIRE(tried.at(0).trial.has_value());
  const auto& left_out = tried[0].trial->left_out;
  REQUIRE(left_out.size() == 2);
  CHECK(left_out[0].ends_with(
      "biden/2.jpg: 3 faces are found in it, and nobody says whose it is of"));
  CHECK(left_out[1].ends_with("nobody.jpg: no face is found in it"));

  WorkbenchOptions options;
  options.detectors.models = good_ones(tried);
  Workbench bench(options);
  const auto named = [&](const std::string& name) {
    std::multiset<std::string> labels;
    for (const auto& each : report_of(bench, "recognise", photo(name)).detections) {
      const bool known = each.label != "unknown";
      INFO(name << ": " << each.label << " " << each.score);
      std::printf("recognise %s: %s %.2f\n", name.c_str(), each.label.c_str(),
                  static_cast<double>(each.score));
      CHECK((each.score >= 0.45F) == known);
      labels.insert(each.label);
    }
    return labels;
  };
  using Labels = std::multiset<std::string>;
  CHECK(named("obama2.jpg") == Labels{"obama"});
  CHECK(named("obama-240p.jpg") == Labels{"obama"});
  CHECK(named("obama_and_biden.jpg") == Labels{"biden", "obama", "unknown"});
  CHECK(named("astronaut.png") == Labels{"unknown"});
  CHECK(named("alex-lacamoire.png") == Labels{"unknown"});
}
