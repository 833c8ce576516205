#include "worker/pool/limited_process.hpp"

#include <filesystem>

namespace framefleet::worker {

Result<LinkedProcess, Error> start_limited(const std::string& program, const char* word,
                                           const ImageLimits& limits) {
  // The program itself is /proc/self/exe where it is the worker's own.
  const std::string file = std::filesystem::path(program).filename();
  const auto side = std::to_string(limits.side_max);
  // OpenCV reads its limits from the environment when it is loaded.
  return start_linked(
      {program,
       file == "exe" ? "framefleet-worker" : file,
       word,
       {"OPENCV_IO_MAX_IMAGE_PIXELS=" + std::to_string(limits.pixels_max),
        "OPENCV_IO_MAX_IMAGE_WIDTH=" + side, "OPENCV_IO_MAX_IMAGE_HEIGHT=" + side}});
}

}  // namespace framefleet::worker
