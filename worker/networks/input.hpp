#pragma once
// From a picture to a network's input, and back with what was found. Pixels are placed on a canvas
// of the input's size (or the canvas is made of the picture's), then each becomes
// (pixel - mean) x scale, in the order of colours that the network was trained with.
//
// One InputMaker per thread; its buffers are reused.

#include "worker/decoding/picture.hpp"
#include "worker/networks/layout.hpp"
#include "worker/networks/tensor.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace framefleet::worker {

enum class Fit : std::uint8_t {
  stretch,   ///< To the input's size, whatever the picture's shape is.
  centre,    ///< Shrunk or enlarged to fit in, in the middle (Ultralytics, NanoDet).
  top_left,  ///< The same in the corner (YOLOX).
  own,       ///< In its own size, shrunk only where it is larger than the input.
};
/// "stretch", "centre", "top_left", "own"; "" for what is none of them.
std::string_view to_string(Fit fit);

enum class ColourOrder : std::uint8_t { bgr, rgb };
std::string_view to_string(ColourOrder order);

/// How a picture is shrunk. The authors of a network say it; it moves scores by some hundredths.
enum class Resample : std::uint8_t { linear, area };
std::string_view to_string(Resample resample);

struct InputSpec {
  InputSize size{640, 640};
  Fit fit{Fit::centre};
  Resample resample{Resample::linear};
  ColourOrder colour{ColourOrder::bgr};
  std::array<float, 3> mean{0, 0, 0};   ///< In the network's order of colours; of 0 to 255.
  std::array<float, 3> scale{1, 1, 1};  ///< The same.
  std::uint8_t fill{114};               ///< Grey around the picture.

  friend bool operator==(const InputSpec&, const InputSpec&) = default;
};

/// Where the picture lies on the canvas: x on the canvas = x in the picture x scale_x + left.
struct Placement {
  InputSize canvas;
  InputSize picture;  ///< Its size on the canvas.
  double scale_x{1};
  double scale_y{1};
  int left{0};
  int top{0};
};

/// `step`: sides of the canvas are multiples of it (side_step of the layout), where they follow
/// the picture's.
Placement place(int width, int height, const InputSpec& spec, int step);

/// From the canvas to the picture, in place: box and landmarks.
void to_picture(Candidate& candidate, const Placement& placement);

class InputMaker {
 public:
  /// Valid until the next call. Requires: a BGR plane that is not empty.
  Blob make(const Plane& bgr, const InputSpec& spec, const Placement& placement);

 private:
  std::vector<std::uint8_t> canvas_;
  std::vector<float> values_;
};

}  // namespace framefleet::worker
