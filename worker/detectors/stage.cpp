#include "worker/detectors/stage.hpp"

namespace framefleet::worker {

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::decode:
      return "decode";
    case Stage::detect:
      return "detect";
    case Stage::annotate:
      return "annotate";
  }
  return "?";
}

}  // namespace framefleet::worker
