// What plain OpenCV says of pictures, for the end-to-end tests: one JSON object per line.
//
//   e2e_reference faces CASCADE.xml PICTURE...: the boxes of detectMultiScale on the grey picture
//
//   e2e_reference compare ORIGINAL PICTURE...: sizes, and how many samples differ, in pairs
//
// Nothing of framefleet is in here. Exit codes: 0; 64 arguments; 66 a file cannot be read.

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace {

using nlohmann::json;

constexpr int kUsage = 64;
constexpr int kNoInput = 66;
// The defaults of the detector, as docs/DETECTORS.md states them.
constexpr double kScale = 1.1;
constexpr int kNeighbours = 3;
constexpr int kMinSize = 30;
// A difference of one colour that re-encoding a JPEG does not explain.
constexpr double kDrawn = 64;

int print(const json& line) {
  std::printf("%s\n", line.dump().c_str());
  return 0;
}

int cannot_read(const std::string& path) {
  std::fprintf(stderr, "cannot read %s\n", path.c_str());
  return kNoInput;
}

int faces(cv::CascadeClassifier& cascade, const std::string& path) {
  const cv::Mat grey = cv::imread(path, cv::IMREAD_GRAYSCALE);
  if (grey.empty()) return cannot_read(path);
  std::vector<cv::Rect> boxes;
  cascade.detectMultiScale(grey, boxes, kScale, kNeighbours, 0, {kMinSize, kMinSize});
  json found = json::array();
  for (const auto& box : boxes) found.push_back({box.x, box.y, box.width, box.height});
  return print({{"path", path}, {"width", grey.cols}, {"height", grey.rows}, {"faces", found}});
}

int compare(const std::string& original_path, const std::string& path) {
  const cv::Mat original = cv::imread(original_path, cv::IMREAD_COLOR);
  const cv::Mat picture = cv::imread(path, cv::IMREAD_COLOR);
  if (original.empty()) return cannot_read(original_path);
  if (picture.empty()) return cannot_read(path);
  json line{{"path", path},
            {"width", picture.cols},
            {"height", picture.rows},
            {"original_width", original.cols},
            {"original_height", original.rows}};
  if (original.size() == picture.size()) {
    cv::Mat difference;
    cv::absdiff(original, picture, difference);
    const cv::Mat any = cv::Mat(difference.reshape(1) > kDrawn).reshape(3);
    line["mean_difference"] = cv::mean(difference.reshape(1))[0];
    line["drawn_samples"] = cv::countNonZero(any.reshape(1));
  }
  return print(line);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  int code = words.size() < 3 ? kUsage : 0;
  if (code == 0 && words[0] == "faces") {
    cv::CascadeClassifier cascade;
    if (!cascade.load(words[1])) code = cannot_read(words[1]);
    for (std::size_t i = 2; i < words.size() && code == 0; ++i) code = faces(cascade, words[i]);
  } else if (code == 0 && words[0] == "compare" && words.size() % 2 == 1) {
    for (std::size_t i = 1; i < words.size() && code == 0; i += 2) {
      code = compare(words[i], words[i + 1]);
    }
  } else {
    code = kUsage;
  }
  return code;
}
