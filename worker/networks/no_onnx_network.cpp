#include "worker/networks/onnx_network.hpp"

namespace framefleet::worker {

bool has_onnx_runtime() { return false; }

Result<std::unique_ptr<Network>, std::string> open_onnx_network(const NetworkBytes&) {
  return fail(std::string(
      "this build has no ONNX Runtime (Debian 13 has the library): say backend = \"opencv\""));
}

}  // namespace framefleet::worker
