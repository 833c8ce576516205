#include "cli/categories.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace framefleet::cli {
namespace {

constexpr std::size_t kCategoriesMax = 100'000;

/// COCO's 80 classes in their order. Their numbers are 1 to 90: ten more were planned and dropped.
constexpr std::array<std::string_view, 80> kCocoNames{
    "person",        "bicycle",      "car",
    "motorcycle",    "airplane",     "bus",
    "train",         "truck",        "boat",
    "traffic light", "fire hydrant", "stop sign",
    "parking meter", "bench",        "bird",
    "cat",           "dog",          "horse",
    "sheep",         "cow",          "elephant",
    "bear",          "zebra",        "giraffe",
    "backpack",      "umbrella",     "handbag",
    "tie",           "suitcase",     "frisbee",
    "skis",          "snowboard",    "sports ball",
    "kite",          "baseball bat", "baseball glove",
    "skateboard",    "surfboard",    "tennis racket",
    "bottle",        "wine glass",   "cup",
    "fork",          "knife",        "spoon",
    "bowl",          "banana",       "apple",
    "sandwich",      "orange",       "broccoli",
    "carrot",        "hot dog",      "pizza",
    "donut",         "cake",         "chair",
    "couch",         "potted plant", "bed",
    "dining table",  "toilet",       "tv",
    "laptop",        "mouse",        "remote",
    "keyboard",      "cell phone",   "microwave",
    "oven",          "toaster",      "sink",
    "refrigerator",  "book",         "clock",
    "vase",          "scissors",     "teddy bear",
    "hair drier",    "toothbrush"};
constexpr std::array kCocoGaps{12, 26, 29, 30, 45, 66, 68, 69, 71, 83};

/// As Darknet spells them: in most files of labels that models come with.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kSpellings{
    {{"motorbike", "motorcycle"},
     {"aeroplane", "airplane"},
     {"sofa", "couch"},
     {"pottedplant", "potted plant"},
     {"diningtable", "dining table"},
     {"tvmonitor", "tv"}}};

Result<std::vector<std::string>, Error> read_labels(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) {
    return fail(
        Error{fmt::format("cannot read the labels in {}", path.string()), exit_code::kNoInput});
  }
  std::vector<std::string> labels;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    labels.push_back(line);
    if (labels.size() > kCategoriesMax) {
      return fail(Error{fmt::format("{} has more than {} labels", path.string(), kCategoriesMax),
                        exit_code::kUsage});
    }
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

}  // namespace

Categories::Categories(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    classes_.try_emplace(name, all_.size());
    all_.push_back({static_cast<int>(all_.size()) + 1, name});
  }
}

Categories Categories::of_coco() {
  Categories coco({kCocoNames.begin(), kCocoNames.end()});
  int id = 0;
  for (auto& category : coco.all_) {
    do {
      ++id;
    } while (std::find(kCocoGaps.begin(), kCocoGaps.end(), id) != kCocoGaps.end());
    category.coco_id = id;
  }
  for (const auto& [other, own] : kSpellings) {
    coco.classes_.emplace(other, coco.classes_.find(own)->second);
  }
  return coco;
}

Result<Categories, Error> Categories::choose(const std::vector<std::string>& labels,
                                             const std::filesystem::path& file) {
  const auto missing_in = [&](const Categories& categories) {
    return std::find_if(labels.begin(), labels.end(), [&](const std::string& label) {
      return categories.classes_.count(label) == 0;
    });
  };
  if (!file.empty()) {
    const auto lines = read_labels(file);
    if (!lines) return fail(lines.error());
    Categories of_file(*lines);
    const auto missing = missing_in(of_file);
    if (missing == labels.end() && !lines->empty()) return of_file;
    return fail(Error{lines->empty()
                          ? fmt::format("{} has no labels: one a line", file.string())
                          : fmt::format("\"{}\" was found, and is no label in {}: add it, or name "
                                        "the detector that the file is for (--detector)",
                                        *missing, file.string()),
                      exit_code::kUsage});
  }
  if (labels.size() > kCategoriesMax) {
    return fail(
        Error{fmt::format("there are more than {} labels", kCategoriesMax), exit_code::kUsage});
  }
  Categories coco = of_coco();
  if (!labels.empty() && missing_in(coco) == labels.end()) return coco;
  return Categories(labels);
}

}  // namespace framefleet::cli
