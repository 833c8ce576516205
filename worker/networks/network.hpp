#pragma once
// One network: a blob in, named outputs out. Who computes it (the backend) is chosen when it is
// opened; nobody else knows the difference.
//
// A network runs in the calling thread alone and starts none of its own, opens no file after its
// first run, and belongs to one thread. Nothing is thrown: what a backend throws becomes words.

#include "worker/networks/tensor.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace framefleet::worker {

enum class Backend : std::uint8_t { automatic, opencv, onnxruntime };
/// "auto", "opencv", "onnxruntime"; "" for what is none of them.
std::string_view to_string(Backend backend);

/// How a network's file is written, which its name tells.
enum class NetworkFormat : std::uint8_t { onnx, darknet, tensorflow };

/// A file that no backend reads has none: ".onnx", ".weights" (beside a ".cfg"), ".pb" (beside a
/// ".pbtxt", or alone).
Result<NetworkFormat, std::string> network_format(std::string_view file_name);

/// The bytes of a network's files; only needed while it is opened.
struct NetworkBytes {
  NetworkFormat format{NetworkFormat::onnx};
  std::string_view weights;
  std::string_view structure;  ///< Darknet's .cfg, TensorFlow's .pbtxt.
};

class Network {
 public:
  virtual ~Network() = default;
  /// The outputs, valid until the next run. Errors: why this network cannot take this blob.
  virtual Result<std::span<const Tensor>, std::string> run(const Blob& blob) = 0;
  virtual Backend backend() const = 0;
  /// "opencv4.6.0", "onnxruntime1.21.0": part of what a result calls its version.
  virtual std::string version() const = 0;
};

/// Errors: what is wrong with the file, and how to export one that is not so. Requires: a backend,
/// not Backend::automatic.
Result<std::unique_ptr<Network>, std::string> open_network(Backend backend,
                                                           const NetworkBytes& bytes);

/// Those that may take a file of this format, the faster first.
std::vector<Backend> backends_for(NetworkFormat format);

}  // namespace framefleet::worker
