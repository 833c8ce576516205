#pragma once
// What a worker without a fleet says about a picture (worker/once.hpp), and what a person is shown
// of it. Pure; threads: any. Errors: a text for people where a line cannot be read at all.

#include "shared/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::cli {

/// One picture. What the line does not say is "" or 0.
struct PictureLine {
  struct Detection {
    std::string label;
    double score{0};
    double x{0};
    double y{0};
    double width{0};
    double height{0};
    std::string extra;  ///< JSON, or "".
  };
  struct Detector {
    std::string name;
    double elapsed{0};  ///< Seconds.
    std::vector<Detection> detections;
  };
  struct Made {
    std::string kind;
    std::string path;  ///< "": not written.
    std::uint64_t bytes{0};
  };

  std::string origin;
  std::string status;
  std::string reason;
  std::string text;
  bool damaged{false};
  std::uint64_t width{0};
  std::uint64_t height{0};
  double worked{0};  ///< Seconds.
  double decode{0};
  std::vector<Detector> detectors;
  std::vector<Made> pictures;
};

Result<PictureLine, std::string> parse_picture_line(std::string_view line);

/// Detections of one detector that are shown; the rest is a count.
inline constexpr std::size_t kDetectionsShownMax = 30;

/// For people, several lines, each ended: the picture, a table of what was found, which detectors
/// found nothing, and what was written where. Requires: the picture did not fail.
std::string render_picture(const PictureLine& picture);
/// "dog.jpg: undecodable: PNG ends before its last pixel", without an end of the line.
std::string render_failure(const PictureLine& picture);

}  // namespace framefleet::cli
