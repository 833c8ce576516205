#pragma once
// A trained cascade that looks for objects of every size. Whoever does it, the boxes are those of
// cv::CascadeClassifier::detectMultiScale: cascades of upright Haar features are looked through
// here, in a fraction of its time (docs/adr/0027); all others by itself.

#include "worker/decoding/picture.hpp"

#include <memory>
#include <string>
#include <vector>

namespace framefleet::worker {

/// What is looked for.
struct CascadeSearch {
  double scale{1.1};  ///< From one size to the next; over 1.
  int neighbours{3};  ///< Windows that must agree on an object; 0: each window is one.
  /// Sides of objects, in pixels of the plane; 0: no limit.
  int width_min{0};
  int height_min{0};
  int width_max{0};
  int height_max{0};
};

/// An object, in pixels of the plane and within it.
struct CascadeObject {
  int x{0};
  int y{0};
  int width{0};
  int height{0};
  int neighbours{0};  ///< Windows that agree on it.

  friend bool operator==(const CascadeObject&, const CascadeObject&) = default;
};

class Cascade {
 public:
  virtual ~Cascade() = default;
  /// Belongs to one thread and starts none. Requires: the plane has one channel.
  virtual std::vector<CascadeObject> look(const Plane& grey, const CascadeSearch& search) = 0;
};

/// Null where the text is no cascade that OpenCV has written.
std::unique_ptr<Cascade> open_cascade(const std::string& text);

}  // namespace framefleet::worker
