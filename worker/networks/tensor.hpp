#pragma once
// Numbers on their way into a network and out of it. Views: whoever made the numbers owns them.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace framefleet::worker {

/// One picture as a network takes it: planes of 32-bit numbers, channel after channel, each row
/// after row.
struct Blob {
  int channels{0};
  int height{0};
  int width{0};
  std::span<const float> values;  ///< channels × height × width of them.
};

/// One output by its name in the file.
struct Tensor {
  std::string name;
  std::vector<int> shape;
  std::span<const float> values;  ///< As many as the product of the shape.

  /// The size of one dimension; 0 where there is none.
  int dim(std::size_t index) const { return index < shape.size() ? shape[index] : 0; }
};

/// "[1, 3549, 85]", for messages.
std::string shape_text(const Tensor& tensor);

}  // namespace framefleet::worker
