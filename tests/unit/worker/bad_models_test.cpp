// Every kind of bad model is refused with its reason, by a process that may die of it.

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/worker/tiny_onnx.hpp"
#include "worker/models.hpp"
#include "worker/networks/onnx_network.hpp"

#include <opencv2/core/version.hpp>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using namespace framefleet;
using namespace framefleet::worker;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

/// A folder with one model, net.onnx, of objects.
class OneModel {
 public:
  explicit OneModel(const std::string& bytes, const std::string& keys = "") {
    std::ofstream(folder_.path() / "net.onnx", std::ios::binary) << bytes;
    std::ofstream(folder_.path() / "net.toml")
        << "[model]\ndetector = \"objects\"\nfile = \"net.onnx\"\nbackend = \"opencv\"\n"
        << (keys.empty() ? "[input]\nsize = \"32x32\"\n" : keys);
  }
  std::string refusal(const TrialOptions& options = {.program = FRAMEFLEET_WORKER}) const {
    const auto files = read_model_files(folder_.path());
    REQUIRE(files.has_value());
    const auto tried = try_models(*files, options);
    REQUIRE_FALSE(tried.at(0).trial.has_value());
    return tried[0].trial.error().text;
  }
  const fs::path& folder() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

std::string bytes_in(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool have_models(const char* test) {
  if (fs::exists(test::test_data("models/yolox_nano.onnx"))) return true;
  std::fprintf(stderr, "SKIPPED: %s: no models at %s\n", test, FRAMEFLEET_TEST_DATA);
  return false;
}

/// What OpenCV 4.6 refuses and that of Debian 13 does not: 16 bits, limits of Clip as inputs.
constexpr bool kReadsMore = CV_VERSION_MAJOR > 4 || CV_VERSION_MINOR >= 10;

const std::string kOfYolox = "layout = \"yolox\"\n[input]\nsize = \"416x416\"\n";

}  // namespace

TEST_CASE("a network whose numbers have 16 bits is refused where the backend cannot take them") {
  contains(OneModel(test::half_precision_onnx()).refusal(),
           kReadsMore ? "of no layout that is known here" : "its numbers have 16 bits");
}

TEST_CASE("a network of dynamic sizes is refused where the backend cannot take them") {
  contains(OneModel(test::dynamic_onnx()).refusal(), "its sizes are dynamic");
}

TEST_CASE("a network whose outputs are of no layout is refused with their shapes") {
  contains(OneModel(test::relu_onnx()).refusal(),
           "out [1, 3, 32, 32]) for an input of 32x32 are of no layout that is known here");
}

TEST_CASE("what is no network is refused") {
  contains(OneModel("a rose").refusal(), "it is not ONNX, or cut short");
}

TEST_CASE("a backend that the build has not is refused in words") {
  if (has_onnx_runtime()) return;
  OneModel model(test::relu_onnx());
  std::ofstream(model.folder() / "net.toml")
      << "[model]\ndetector = \"objects\"\nfile = \"net.onnx\"\nbackend = \"onnxruntime\"\n";
  contains(model.refusal(), "this build has no ONNX Runtime");
}

TEST_CASE("a file that crashes its parser, or hangs it, costs a process and not the worker") {
  const OneModel model("any");
  const auto program = model.folder() / "program";
  const auto refusal_by = [&](const std::string& line, Duration patience) {
    std::ofstream(program) << "#!/bin/sh\n" << line << "\n";
    ::chmod(program.c_str(), 0755);
    return model.refusal({.program = program, .patience = patience});
  };
  using namespace std::chrono_literals;
  contains(refusal_by("kill -SEGV $$", 1min), "crashes (signal 11)");
  contains(refusal_by("exit 3", 1min), "ended its process");
  contains(refusal_by("while :; do :; done", 200ms), "does not end");
}

TEST_CASE("a real network that is cut short, or not what is said of it, is refused") {
  if (!have_models("bad_models_test")) return;
  const std::string yolox = bytes_in(test::test_data("models/yolox_nano.onnx"));
  const std::string labels = "[output]\nlabels_file = \"" +
                             fs::absolute(test::test_data("models/coco.names")).string() + "\"\n";
  const auto refusal = [&](const std::string& bytes, const std::string& keys) {
    return OneModel(bytes, keys).refusal();
  };
  contains(refusal(yolox.substr(0, yolox.size() / 2), kOfYolox + labels), "cut short");
  contains(refusal(yolox, "layout = \"yolov8\"\n[input]\nsize = \"416x416\"\n" + labels),
           "are those of layout yolox, and not of yolov8");
  contains(refusal(yolox, kOfYolox + "[output]\nlabels = [\"cat\", \"dog\"]\n"),
           "it tells 80 classes apart, and there are 2 labels");
  contains(refusal(bytes_in(test::test_data("models/face_detection_yunet_2023mar.onnx")),
                   "[input]\nsize = \"320x320\"\n" + labels),
           "its layout is yunet23; detector objects takes yolov5");
  contains(refusal(bytes_in(test::test_data("models/mobilefacenet.onnx")),
                   "[input]\nsize = \"112x112\"\n" + labels),
           kReadsMore ? "its layout is embedding" : "opset 10");
}
