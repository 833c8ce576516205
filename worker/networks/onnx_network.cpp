#include "worker/networks/onnx_network.hpp"

#include <fmt/format.h>
#include <onnxruntime_cxx_api.h>

#include <array>
#include <exception>
#include <iostream>

namespace framefleet::worker {
namespace {

/// One for the process: it has the log, which is not wanted, and no thread. Debian's library makes
/// the operators of libonnx known twice and complains of each on std::cerr, where nothing of ours
/// is said; from here on nothing is.
Ort::Env& environment() {
  static Ort::Env one = [] {
    std::cerr.rdbuf(nullptr);
    return Ort::Env(ORT_LOGGING_LEVEL_FATAL, "framefleet");
  }();
  return one;
}

Ort::SessionOptions one_thread() {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1);
  options.SetInterOpNumThreads(1);
  options.SetExecutionMode(ORT_SEQUENTIAL);
  options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  return options;
}

class OnnxNetwork final : public Network {
 public:
  explicit OnnxNetwork(std::string_view file)
      : session_(environment(), file.data(), file.size(), one_thread()) {
    const Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t i = 0; i < session_.GetInputCount(); ++i) {
      inputs_.emplace_back(session_.GetInputNameAllocated(i, allocator).get());
    }
    const auto input = session_.GetInputTypeInfo(0);
    if (input.GetONNXType() == ONNX_TYPE_TENSOR) {
      sides_ = input.GetTensorTypeAndShapeInfo().GetShape();
    }
    for (std::size_t i = 0; i < session_.GetOutputCount(); ++i) {
      outputs_.emplace_back(session_.GetOutputNameAllocated(i, allocator).get());
    }
  }

  /// Why it is not one that is run here; "" where it is.
  std::string fault() const {
    if (inputs_.size() != 1) {
      return fmt::format("it has {} inputs; export one that takes a picture alone", inputs_.size());
    }
    const auto type = session_.GetInputTypeInfo(0).GetTensorTypeAndShapeInfo().GetElementType();
    if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) return {};
    return "its input does not take numbers of 32 bits: export it with them (for Ultralytics: "
           "half=False)";
  }

  Result<std::span<const Tensor>, std::string> run(const Blob& blob) override {
    if (!takes(blob)) {
      return fail(fmt::format(
          "its file takes pictures of {}x{} alone by ONNX Runtime, and not of {}x{}: say that size "
          "and another fit than own, export it with dynamic sides, or say backend = \"opencv\"",
          sides_[3], sides_[2], blob.width, blob.height));
    }
    try {
      const std::array<std::int64_t, 4> shape{1, blob.channels, blob.height, blob.width};
      const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
      // The C interface knows no read-only memory; an input is not written to.
      const auto input =
          Ort::Value::CreateTensor<float>(memory, const_cast<float*>(blob.values.data()),
                                          blob.values.size(), shape.data(), shape.size());
      const std::array input_names{inputs_[0].c_str()};
      std::vector<const char*> names;
      for (const auto& name : outputs_) names.push_back(name.c_str());
      values_ = session_.Run(Ort::RunOptions{nullptr}, input_names.data(), &input, 1, names.data(),
                             names.size());
      return take();
    } catch (const std::exception& error) {
      return fail(std::string("ONNX Runtime: ") + error.what());
    }
  }
  Backend backend() const override { return Backend::onnxruntime; }
  std::string version() const override { return "onnxruntime" + Ort::GetVersionString(); }

 private:
  /// Sides that are not known in advance are negative. OpenCV looks at none of them.
  bool takes(const Blob& blob) const {
    const auto fits = [](std::int64_t side, int is) { return side < 0 || side == is; };
    return sides_.size() != 4 || (fits(sides_[2], blob.height) && fits(sides_[3], blob.width));
  }

  Result<std::span<const Tensor>, std::string> take() {
    tensors_.resize(values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const auto about = values_[i].GetTensorTypeAndShapeInfo();
      if (about.GetElementType() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
        return fail(fmt::format("its output {} is no array of 32-bit numbers", outputs_[i]));
      }
      tensors_[i].name = outputs_[i];
      tensors_[i].shape.clear();
      for (const auto side : about.GetShape()) tensors_[i].shape.push_back(static_cast<int>(side));
      tensors_[i].values = {values_[i].GetTensorData<float>(), about.GetElementCount()};
    }
    return std::span<const Tensor>(tensors_);
  }

  Ort::Session session_;
  std::vector<std::string> inputs_;
  std::vector<std::int64_t> sides_;  ///< Of its input; none where it is no array.
  std::vector<std::string> outputs_;
  std::vector<Ort::Value> values_;
  std::vector<Tensor> tensors_;
};

}  // namespace

bool has_onnx_runtime() { return true; }

Result<std::unique_ptr<Network>, std::string> open_onnx_network(const NetworkBytes& bytes) {
  if (bytes.format != NetworkFormat::onnx) {
    return fail(std::string("ONNX Runtime reads ONNX alone: say backend = \"opencv\""));
  }
  try {
    auto network = std::make_unique<OnnxNetwork>(bytes.weights);
    if (auto fault = network->fault(); !fault.empty()) return fail(std::move(fault));
    return network;
  } catch (const std::exception& error) {
    return fail(std::string("ONNX Runtime: ") + error.what());
  }
}

}  // namespace framefleet::worker
