#pragma once
// What the networks of the test models find, by a plain program written after their authors'
// recipes, with OpenCV's own decoder, blob and removal of doubles. It shares no line with
// worker/networks, whose answers are compared with it.

#include <opencv2/core.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::worker {

struct ReferenceBox {
  std::string label;
  float score{0};
  cv::Rect2d box;  ///< Cut at the edges of the picture.
};

/// `models`: the folder of their files. `score_min` is applied before doubles are removed.
std::vector<ReferenceBox> yolox_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                          float score_min);
std::vector<ReferenceBox> nanodet_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                            float score_min);
std::vector<ReferenceBox> darknet_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                            float score_min);
std::vector<ReferenceBox> yunet22_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                            float score_min);
std::vector<ReferenceBox> yunet23_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                            float score_min);

}  // namespace framefleet::worker
