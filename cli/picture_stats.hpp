#pragma once
// The sums over many pictures: how many, of which formats, how large, and which are bad.
// Memory: bounded, however many pictures are added. Pure; threads: one; no errors.

#include "worker/decoding/image_gate.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::cli {

/// Bad pictures that are kept with their reasons; more are counted.
inline constexpr std::size_t kBadKeptMax = 10'000;
/// Different dimensions that are told apart; the pictures of further ones are counted together.
inline constexpr std::size_t kDimensionsMax = 10'000;

struct BadPicture {
  std::string path;
  std::string reason;  ///< Of the reason table: "undecodable".
  std::string text;
};

/// One bar of a histogram: what is up to `to`, and above the one before.
struct Bar {
  double to{0};  ///< 0: all that is above the last.
  std::uint64_t count{0};
};

class PictureStats {
 public:
  PictureStats();

  /// `bytes`: of the file. The header says how the picture is stored; counted is how it is shown.
  void add(std::uint64_t bytes, const worker::ImageHeader& header);
  void add_bad(BadPicture picture);

  struct Sum {
    std::uint64_t count{0};
    std::uint64_t bytes{0};
  };
  struct Range {
    std::uint64_t least{0};
    std::uint64_t most{0};
  };

  Sum all;                             ///< Without the bad ones.
  std::map<std::string, Sum> formats;  ///< By the words of --formats.
  Range file_bytes, pixels;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> dimensions;  ///< Width, height.
  std::uint64_t other_dimensions{0};  ///< Pictures of further ones.
  std::vector<Bar> megapixels, kibibytes;
  std::uint64_t bad{0};
  std::vector<BadPicture> bad_ones;
};

/// What else is told with the sums.
struct StatsRemarks {
  std::uint64_t left_out{0};  ///< Files that are not named like pictures, videos, hidden ones.
  double seconds{0};          ///< That looking at the files took.
};

/// For people, several lines, each ended.
std::string render_text(const PictureStats& stats, const StatsRemarks& remarks);
/// One object on one line, without its newline.
std::string render_json(const PictureStats& stats, const StatsRemarks& remarks);

}  // namespace framefleet::cli
