#include "worker/networks/network.hpp"

#include "worker/networks/onnx_network.hpp"
#include "worker/networks/opencv_network.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace framefleet::worker {

std::string shape_text(const Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.shape, ", "));
}

std::string_view to_string(Backend backend) {
  switch (backend) {
    case Backend::automatic:
      return "auto";
    case Backend::opencv:
      return "opencv";
    case Backend::onnxruntime:
      return "onnxruntime";
  }
  return "";
}

Result<NetworkFormat, std::string> network_format(std::string_view file_name) {
  if (file_name.ends_with(".onnx")) return NetworkFormat::onnx;
  if (file_name.ends_with(".weights")) return NetworkFormat::darknet;
  if (file_name.ends_with(".pb")) return NetworkFormat::tensorflow;
  return fail(
      fmt::format("{}: what it is cannot be told by its name, which has to end in .onnx, "
                  ".weights (Darknet) or .pb (TensorFlow)",
                  file_name));
}

std::vector<Backend> backends_for(NetworkFormat format) {
  if (format == NetworkFormat::onnx && has_onnx_runtime()) {
    return {Backend::onnxruntime, Backend::opencv};
  }
  return {Backend::opencv};
}

Result<std::unique_ptr<Network>, std::string> open_network(Backend backend,
                                                           const NetworkBytes& bytes) {
  FRAMEFLEET_ASSERT(backend != Backend::automatic);
  return backend == Backend::opencv ? open_opencv_network(bytes) : open_onnx_network(bytes);
}

}  // namespace framefleet::worker
