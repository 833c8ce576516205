#pragma once
// The interface that every detector implements: one decoded picture in, what was found out.
//
// A detector is made once per pool thread from its options and used for many pictures; it keeps no
// state between calls but buffers, and never sees bytes: decoding is done before, once for all
// detectors of a task. Not thread-safe, one instance per thread. Exceptions of OpenCV may leave
// detect(); the workbench turns them into a DetectError.

#include "worker/decoding/picture.hpp"
#include "worker/detectors/stage.hpp"

#include "shared/base/detection.hpp"
#include "shared/base/reason.hpp"
#include "shared/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::worker {

/// What a detector wants to be given besides the grey picture.
struct Needs {
  /// It looks at the picture. If nobody does, the image gate lets it in and nothing is decoded:
  /// width and height are what the header says, and there are no planes.
  bool pixels{true};
  bool bgr{false};
  bool second_picture{false};  ///< Payload frame 1 of the task, decoded as BGR.
  /// The smallest planes that will do. A detector that allows less than full ones finds a plane's
  /// size in the plane, and still answers in pixels of the full picture.
  DecodeScale smallest{DecodeScale::full};
};

struct DetectInput {
  Picture picture;
  Picture second;             ///< Without planes unless the detector needs it and the task has one.
  std::uint64_t sequence{0};  ///< Of the task in its source.
  std::uint16_t attempt{1};   ///< 1, 2, …
  const StageObserver& observer;  ///< A detector that waits asks it whether to stop.
};

/// A picture that a detector made: the result carries it, the sink writes it.
struct MadePicture {
  std::string kind;       ///< Sub-folder of the output: "blend".
  std::string extension;  ///< "jpg"
  std::string bytes;
};

struct Found {
  std::vector<Detection> detections;  ///< In pixels of the upright picture; the surest first.
  std::vector<MadePicture> pictures;
  /// What a box cannot show: one grey plane of the picture's size, lit where something was found,
  /// to be tinted in the annotated picture. Points into the detector, valid until its next call. Or
  /// empty.
  Plane mask;
};

struct DetectError {
  /// detector_error: tried again. bad_description: the task can never work as described.
  Reason reason{Reason::detector_error};
  std::string text;
};

class Detector {
 public:
  virtual ~Detector() = default;
  virtual Needs needs() const { return {}; }
  /// What else than this build decides the answer (a model); part of the version of its results.
  virtual std::string version() const { return {}; }
  virtual Result<Found, DetectError> detect(const DetectInput& input) = 0;
};

}  // namespace framefleet::worker
