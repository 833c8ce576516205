#pragma once
// The options of the synthetic camera, as its argument spells them:
//   synthetic:?count=3000&fps=0&size=640x480&seed=1&camera=7&quality=90&name=cam1
// All are optional, in any order, each at most once. Threads: any. Errors: exit code 64; the text
// names the option, its range, and for an unknown one those that exist.

#include "shared/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace framefleet::producer {

/// What an argument for the synthetic camera starts with.
inline constexpr std::string_view kSyntheticScheme = "synthetic:";

struct SyntheticOptions {
  std::uint64_t count{3000};  ///< Frames, 0 to 1e9; 0: goes on until it is stopped (at frame 1e9).
  double fps{0};              ///< Frames per second, 0 to 1000; 0: as fast as they are accepted.
  int width{640};             ///< Pixels, 200 to 8192.
  int height{480};
  std::uint64_t seed{1};  ///< Decides how the shapes move.
  int camera{0};          ///< 0 to 999, drawn as a marker.
  int quality{90};        ///< JPEG, 30 to 100.
  std::string name;       ///< 1 to 64 of [A-Za-z0-9._-]; default: the argument itself.

  friend bool operator==(const SyntheticOptions&, const SyntheticOptions&) = default;
};

/// `argument` with its scheme.
Result<SyntheticOptions, Error> parse_synthetic(std::string_view argument);

/// The argument that gives these options: every option in a fixed order.
std::string to_argument(const SyntheticOptions& options);

}  // namespace framefleet::producer
