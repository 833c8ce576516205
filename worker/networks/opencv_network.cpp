#include "worker/networks/opencv_network.hpp"

#include <fmt/format.h>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

#include <array>
#include <exception>
#include <mutex>

namespace framefleet::worker {
namespace {

/// What OpenCV says, and what helps. Each row was met with a real export.
struct Advice {
  std::string_view complaint;
  std::string_view advice;
};
constexpr std::array<Advice, 8> kAdvice{{
    {"FLOAT16", "its numbers have 16 bits: export it in 32 (for Ultralytics: half=False)"},
    {"Unsupported data type", "export it with numbers of 32 bits (for Ultralytics: half=False)"},
    {"isDynamicShape", "its sizes are dynamic: export it with a fixed batch, height and width"},
    {"parseShape", "its sizes are dynamic: export it with a fixed batch, height and width"},
    {"parseClip",
     "it has Clip with its limits as inputs: export it with opset 10, or turn them into "
     "attributes"},
    {"blob_0.size == blob_1.size",
     "it adds two constants: simplify it (onnxsim), or export the heads without decoding them"},
    {"shape_utils",
     "it multiplies constants of unequal rank, as YOLOv8's head does: store its strides as "
     "[1,4,N], "
     "or cut the head off"},
    {"ONNX", "it is not ONNX, or cut short: get it again and compare its sha256 with its source's"},
}};

/// OpenCV's own words, without its file and line.
std::string told(const std::string& complaint) {
  const auto advice = export_advice(complaint);
  std::string line = complaint.substr(0, complaint.find('\n'));
  constexpr std::size_t kSaidMax = 240;
  if (line.size() > kSaidMax) line = line.substr(0, kSaidMax) + "…";
  return advice.empty() ? fmt::format("OpenCV {}: {}", CV_VERSION, line)
                        : fmt::format("{} (OpenCV {}: {})", advice, CV_VERSION, line);
}

/// OpenCV prints what it throws; here it is told in our words, once.
int say_nothing(int, const char*, const char*, const char*, int, void*) { return 0; }

class Quiet {
 public:
  Quiet()
      : level_(cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT)),
        before_(cv::redirectError(say_nothing)) {}
  ~Quiet() {
    cv::redirectError(before_);
    cv::utils::logging::setLogLevel(level_);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  cv::utils::logging::LogLevel level_;
  cv::ErrorCallback before_;
};

/// The module's layers are called "onnx_node_output_0!cls_8" where the file says "cls_8".
std::string name_in_file(const std::string& layer) {
  const auto mark = layer.find('!');
  return mark == std::string::npos ? layer : layer.substr(mark + 1);
}

class OpencvNetwork final : public Network {
 public:
  explicit OpencvNetwork(cv::dnn::Net net)
      : net_(std::move(net)), layers_(net_.getUnconnectedOutLayersNames()) {
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    tensors_.resize(layers_.size());
  }

  Result<std::span<const Tensor>, std::string> run(const Blob& blob) override {
    const Quiet quiet;
    try {
      const std::array shape{1, blob.channels, blob.height, blob.width};
      // OpenCV has no read-only Mat, and a network does not write to its input.
      const cv::Mat input(static_cast<int>(shape.size()), shape.data(), CV_32F,
                          const_cast<float*>(blob.values.data()));
      net_.setInput(input);
      net_.forward(outputs_, layers_);
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        if (auto fault = take(i); !fault.empty()) return fail(std::move(fault));
      }
    } catch (const cv::Exception& error) {
      return fail(told(error.err + " (" + error.func + ", " + error.file + ")"));
    } catch (const std::exception& error) {
      return fail(std::string(error.what()));
    }
    return std::span<const Tensor>(tensors_);
  }
  Backend backend() const override { return Backend::opencv; }
  std::string version() const override { return "opencv" CV_VERSION; }

 private:
  std::string take(std::size_t index) {
    const cv::Mat& output = outputs_.at(index);
    Tensor& tensor = tensors_[index];
    tensor.name = name_in_file(layers_[index]);
    if (output.depth() != CV_32F || !output.isContinuous()) {
      return fmt::format("its output {} is no plain array of 32-bit numbers", tensor.name);
    }
    tensor.shape.assign(output.size.p, output.size.p + output.dims);
    tensor.values = {output.ptr<float>(), output.total()};
    return {};
  }

  cv::dnn::Net net_;
  std::vector<cv::String> layers_;
  std::vector<cv::Mat> outputs_;
  std::vector<Tensor> tensors_;
};

cv::dnn::Net read(const NetworkBytes& bytes) {
  const auto& [format, weights, structure] = bytes;
  switch (format) {
    case NetworkFormat::onnx:
      return cv::dnn::readNetFromONNX(weights.data(), weights.size());
    case NetworkFormat::darknet:
      return cv::dnn::readNetFromDarknet(structure.data(), structure.size(), weights.data(),
                                         weights.size());
    case NetworkFormat::tensorflow:
      return cv::dnn::readNetFromTensorflow(weights.data(), weights.size(), structure.data(),
                                            structure.size());
  }
  return {};
}

}  // namespace

std::string_view export_advice(std::string_view complaint) {
  for (const auto& row : kAdvice) {
    if (complaint.find(row.complaint) != std::string_view::npos) return row.advice;
  }
  return {};
}

Result<std::unique_ptr<Network>, std::string> open_opencv_network(const NetworkBytes& bytes) {
  static std::once_flag once;
  std::call_once(once, [] { cv::setNumThreads(1); });
  const Quiet quiet;
  try {
    auto net = read(bytes);
    if (net.empty()) return fail(std::string("OpenCV finds no layers in it"));
    return std::make_unique<OpencvNetwork>(std::move(net));
  } catch (const cv::Exception& error) {
    return fail(told(error.err + " (" + error.func + ", " + error.file + ")"));
  } catch (const std::exception& error) {
    return fail(std::string(error.what()));
  }
}

}  // namespace framefleet::worker
