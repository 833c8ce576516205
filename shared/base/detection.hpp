#pragma once
// What detectors found in one picture: the vocabulary of workers and sinks. Plain values, no
// pixels.

#include "shared/base/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace framefleet {

/// Pixels of the upright picture (EXIF orientation applied), origin top left. May reach over the
/// edge where a detector says so.
struct Box {
  float x{0};
  float y{0};
  float width{0};
  float height{0};

  friend bool operator==(const Box&, const Box&) = default;
};

struct Detection {
  std::string label;  ///< "face", "person", "marker", …
  float score{1};     ///< Detector's own scale, higher is surer; 1 where it has none.
  Box box;
  std::string
      extra;  ///< A JSON object as text with what a box cannot say (landmarks, ids); or empty.

  friend bool operator==(const Detection&, const Detection&) = default;
};

/// The double that reads like the float: 0.87, not 0.87000000476837. What is written for others.
double as_printed(float value);

/// One detector's answer for one picture. An empty list means "looked, found nothing".
struct DetectorReport {
  std::string detector;  ///< Name in the registry ("faces").
  std::string version;   ///< Changes when the same picture may give another answer.
  Duration elapsed{};    ///< Time inside the detector.
  std::vector<Detection> detections;

  friend bool operator==(const DetectorReport&, const DetectorReport&) = default;
};

/// A picture made by a worker that the sink writes as a file (annotated, blended, …): its bytes
/// travel as a payload frame of the result, in the order of this list.
struct Artefact {
  std::string kind;       ///< "annotated", "blend": becomes the sub-folder of the output.
  std::string extension;  ///< "jpg" or "png", without the dot.

  friend bool operator==(const Artefact&, const Artefact&) = default;
};

/// Everything a worker says about one picture that it could work on (payload frame 0 of a result).
struct ResultRecord {
  std::uint32_t width{0};  ///< Of the upright picture, pixels.
  std::uint32_t height{0};
  bool damaged{false};  ///< Decoded as far as its bytes go (truncated or corrupt JPEG).
  Duration decode{};    ///< Time of the image gate and the decoder.
  Duration annotate{};  ///< Time of drawing and encoding the artefacts; 0 when there are none.
  std::vector<DetectorReport> reports;
  std::vector<Artefact> artefacts;

  friend bool operator==(const ResultRecord&, const ResultRecord&) = default;
};

}  // namespace framefleet
