#pragma once
// A model as a detector is given it: what its file in the folder of models says, checked.

#include "worker/decoding/picture.hpp"

#include <cstddef>
#include <string>

namespace framefleet::worker {

/// In one folder, and bytes of a path: so many fit into the packet that a zygote is told them in.
inline constexpr std::size_t kModelsMax = 64;
inline constexpr std::size_t kModelPathMax = 512;

struct Model {
  std::string name;      ///< What tasks call it: its file's, without ".toml".
  std::string detector;  ///< Of which it is one.
  std::string path;      ///< Of what it describes.
  /// The smallest picture that it may be given.
  DecodeScale decode_scale{DecodeScale::full};
};

}  // namespace framefleet::worker
