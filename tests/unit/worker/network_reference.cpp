#include "tests/unit/worker/network_reference.hpp"

#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace framefleet::worker {
namespace {

/// Boxes of one picture before doubles are removed.
struct Raw {
  std::vector<cv::Rect2d> boxes;
  std::vector<float> scores;
  std::vector<int> classes;
};

std::vector<std::string> coco(const std::filesystem::path& models) {
  std::ifstream file(models / "coco.names");
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) names.push_back(line);
  return names;
}

/// Doubles class by class: OpenCV's function knows no classes, so each has a place of its own.
std::vector<ReferenceBox> finish(const Raw& raw, const std::vector<std::string>& names,
                                 float score_min, float overlap, const cv::Mat& bgr) {
  constexpr double kApart = 100'000;
  std::vector<cv::Rect2d> apart = raw.boxes;
  for (std::size_t i = 0; i < apart.size(); ++i) apart[i].x += raw.classes[i] * kApart;
  std::vector<int> stay;
  cv::dnn::NMSBoxes(apart, raw.scores, score_min, overlap, stay);
  std::vector<ReferenceBox> found;
  for (const int index : stay) {
    const auto i = static_cast<std::size_t>(index);
    const auto box = raw.boxes[i] & cv::Rect2d(0, 0, bgr.cols, bgr.rows);
    if (box.area() > 0) {
      found.push_back({names[static_cast<std::size_t>(raw.classes[i])], raw.scores[i], box});
    }
  }
  return found;
}

/// The picture in the upper left corner of a square, shrunk or enlarged to fit.
struct Square {
  cv::Mat pixels;
  double ratio;
};
Square in_corner(const cv::Mat& bgr, int side) {
  const double ratio = std::min(double(side) / bgr.cols, double(side) / bgr.rows);
  const cv::Size size(cvRound(bgr.cols * ratio), cvRound(bgr.rows * ratio));
  Square square{cv::Mat(side, side, CV_8UC3, cv::Scalar::all(114)), ratio};
  cv::Mat shrunk;
  cv::resize(bgr, shrunk, size, 0, 0, cv::INTER_AREA);
  shrunk.copyTo(square.pixels(cv::Rect({0, 0}, size)));
  return square;
}

std::vector<cv::Mat> run(cv::dnn::Net net, const cv::Mat& blob,
                         const std::vector<cv::String>& outputs) {
  net.setInput(blob);
  std::vector<cv::Mat> results;
  net.forward(results, outputs);
  return results;
}

int best_class(const float* scores, int count) {
  return static_cast<int>(std::max_element(scores, scores + count) - scores);
}

}  // namespace

std::vector<ReferenceBox> yolox_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                          float score_min) {
  const auto net = cv::dnn::readNetFromONNX(models / "yolox_nano.onnx");
  const auto [pixels, ratio] = in_corner(bgr, 416);
  const auto rows = run(net, cv::dnn::blobFromImage(pixels), net.getUnconnectedOutLayersNames())[0];
  Raw raw;
  int index = 0;
  for (const int stride : {8, 16, 32}) {
    for (int y = 0; y < 416 / stride; ++y) {
      for (int x = 0; x < 416 / stride; ++x, ++index) {
        const float* row = rows.ptr<float>(0, index);
        const int best = best_class(row + 5, 80);
        const double width = double{std::exp(row[2])} * stride;
        const double height = double{std::exp(row[3])} * stride;
        raw.boxes.emplace_back(((double{row[0]} + x) * stride - width / 2) / ratio,
                               ((double{row[1]} + y) * stride - height / 2) / ratio, width / ratio,
                               height / ratio);
        raw.scores.push_back(row[4] * row[5 + best]);
        raw.classes.push_back(best);
      }
    }
  }
  return finish(raw, coco(models), score_min, 0.45F, bgr);
}

std::vector<ReferenceBox> nanodet_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                            float score_min) {
  const auto net = cv::dnn::readNetFromONNX(models / "object_detection_nanodet_2022nov.onnx");
  const auto [pixels, ratio] = in_corner(bgr, 416);
  cv::Mat scaled;
  pixels.convertTo(scaled, CV_32FC3);
  cv::subtract(scaled, cv::Scalar(103.53, 116.28, 123.675), scaled);
  cv::divide(scaled, cv::Scalar(57.375, 57.12, 58.395), scaled);
  const auto outputs =
      run(net, cv::dnn::blobFromImage(scaled), {"792", "814", "836", "795", "817", "839"});
  Raw raw;
  for (int level = 0; level < 3; ++level) {
    const int stride = 8 << level;
    const auto& scores = outputs[static_cast<std::size_t>(level)];
    const auto& bins = outputs[static_cast<std::size_t>(level + 3)];
    for (int index = 0; index < scores.size[1]; ++index) {
      const float* row = scores.ptr<float>(0, index);
      const int best = best_class(row, 80);
      double side[4];
      for (int s = 0; s < 4; ++s) {
        const float* bin = bins.ptr<float>(0, index) + 8 * s;
        double sum = 0;
        double mean = 0;
        for (int b = 0; b < 8; ++b) {
          sum += std::exp(bin[b]);
          mean += b * double{std::exp(bin[b])};
        }
        side[s] = mean / sum * stride;
      }
      const int columns = 416 / stride;
      const double x = (index % columns) * stride + 0.5 * (stride - 1);
      const double y = (index / columns) * stride + 0.5 * (stride - 1);
      raw.boxes.emplace_back((x - side[0]) / ratio, (y - side[1]) / ratio,
                             (side[0] + side[2]) / ratio, (side[1] + side[3]) / ratio);
      raw.scores.push_back(row[best]);
      raw.classes.push_back(best);
    }
  }
  return finish(raw, coco(models), score_min, 0.6F, bgr);
}

std::vector<ReferenceBox> darknet_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                            float score_min) {
  const auto net = cv::dnn::readNetFromDarknet(models / "yolo-fastest-1.1-xl.cfg",
                                               models / "yolo-fastest-1.1-xl.weights");
  const auto outputs = run(net, cv::dnn::blobFromImage(bgr, 1 / 255.0, {320, 320}, {}, true, false),
                           net.getUnconnectedOutLayersNames());
  Raw raw;
  for (const auto& rows : outputs) {
    for (int i = 0; i < rows.rows; ++i) {
      const float* row = rows.ptr<float>(i);
      const int best = best_class(row + 5, 80);
      const double width = double{row[2]} * bgr.cols;
      const double height = double{row[3]} * bgr.rows;
      raw.boxes.emplace_back(double{row[0]} * bgr.cols - width / 2,
                             double{row[1]} * bgr.rows - height / 2, width, height);
      raw.scores.push_back(row[5 + best]);
      raw.classes.push_back(best);
    }
  }
  return finish(raw, coco(models), score_min, 0.45F, bgr);
}

namespace {

/// At most 1280 pixels on its longer side.
struct Shrunk {
  cv::Mat pixels;
  double ratio;
};
Shrunk shrunk(const cv::Mat& bgr) {
  const double ratio = std::min(1.0, 1280.0 / std::max(bgr.cols, bgr.rows));
  Shrunk small{bgr, ratio};
  if (ratio < 1) {
    cv::resize(bgr, small.pixels, {cvRound(bgr.cols * ratio), cvRound(bgr.rows * ratio)}, 0, 0,
               cv::INTER_AREA);
  }
  return small;
}

}  // namespace

/// As FaceDetectorYN of OpenCV 4.6 has it; later ones read the file of 2023 alone.
std::vector<ReferenceBox> yunet22_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                            float score_min) {
  const auto net = cv::dnn::readNetFromONNX(models / "face_detection_yunet_2022mar.onnx");
  const auto [pixels, ratio] = shrunk(bgr);
  const auto outputs = run(net, cv::dnn::blobFromImage(pixels), {"loc", "conf", "iou"});
  const std::vector<std::vector<int>> sides{{10, 16, 24}, {32, 48}, {64, 96}, {128, 192, 256}};
  cv::Size cells((pixels.cols + 1) / 2 / 2, (pixels.rows + 1) / 2 / 2);
  Raw raw;
  int prior = 0;
  for (std::size_t level = 0; level < sides.size(); ++level) {
    const int step = 8 << level;
    cells = {cells.width / 2, cells.height / 2};
    for (int i = 0; i < cells.area(); ++i) {
      for (const int side : sides[level]) {
        const float* offset = outputs[0].ptr<float>() + std::ptrdiff_t{14} * prior;
        const float face = outputs[1].ptr<float>()[2 * prior + 1];
        const float overlap = std::clamp(outputs[2].ptr<float>()[prior], 0.0F, 1.0F);
        const double x = (i % cells.width + 0.5) * step + double{offset[0]} * 0.1 * side;
        const double y = (i / cells.width + 0.5) * step + double{offset[1]} * 0.1 * side;
        const double width = side * std::exp(double{offset[2]} * 0.1);
        const double height = side * std::exp(double{offset[3]} * 0.2);
        raw.boxes.emplace_back((x - width / 2) / ratio, (y - height / 2) / ratio, width / ratio,
                               height / ratio);
        raw.scores.push_back(std::sqrt(face * overlap));
        raw.classes.push_back(0);
        ++prior;
      }
    }
  }
  return finish(raw, {"face"}, score_min, 0.3F, bgr);
}

std::vector<ReferenceBox> yunet23_reference(const std::filesystem::path& models, const cv::Mat& bgr,
                                            float score_min) {
  const auto net = cv::dnn::readNetFromONNX(models / "face_detection_yunet_2023mar.onnx");
  const auto [pixels, ratio] = shrunk(bgr);
  cv::Mat padded;
  cv::copyMakeBorder(pixels, padded, 0, (32 - pixels.rows % 32) % 32, 0,
                     (32 - pixels.cols % 32) % 32, cv::BORDER_CONSTANT, cv::Scalar::all(0));
  const auto outputs = run(
      net, cv::dnn::blobFromImage(padded),
      {"cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32"});
  Raw raw;
  for (std::size_t level = 0; level < 3; ++level) {
    const int stride = 8 << level;
    const int columns = padded.cols / stride;
    for (int i = 0; i < columns * (padded.rows / stride); ++i) {
      const auto at = [&](std::size_t what, int part, int parts) {
        return double{outputs[what * 3 + level].ptr<float>()[i * parts + part]};
      };
      const double width = std::exp(at(2, 2, 4)) * stride / ratio;
      const double height = std::exp(at(2, 3, 4)) * stride / ratio;
      const double x = (i % columns + at(2, 0, 4)) * stride / ratio;
      const double y = (i / columns + at(2, 1, 4)) * stride / ratio;
      raw.boxes.emplace_back(x - width / 2, y - height / 2, width, height);
      raw.scores.push_back(static_cast<float>(std::sqrt(at(0, 0, 1) * at(1, 0, 1))));
      raw.classes.push_back(0);
    }
  }
  return finish(raw, {"face"}, score_min, 0.3F, bgr);
}

}  // namespace framefleet::worker
