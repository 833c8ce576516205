#pragma once
// The table of all detectors. A detector is one pair of files that describes itself as a
// DetectorKind, and one line in registry.cpp.

#include "worker/detectors/detector.hpp"
#include "worker/detectors/model.hpp"
#include "worker/detectors/options.hpp"

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

/// Cascades by their path, as text.
using CascadeFiles = std::map<std::string, std::string, std::less<>>;

/// What this machine provides to detectors.
struct DetectorSettings {
  /// Holds haarcascades/ and lbpcascades/ (Debian: package opencv-data).
  std::string cascade_folder{"/usr/share/opencv4"};
  CascadeFiles cascades;  ///< Read already; what is not here is opened.
  std::vector<Model> models;

  /// Null where there is none.
  const Model* model(std::string_view detector, std::string_view name) const;
};

struct DetectorKind {
  std::string_view name;
  int revision{1};  ///< Goes up when the same picture may give another answer.
  std::string_view help;
  std::vector<OptionSpec> options;
  /// Errors: what the detector needs is not on this machine.
  Result<std::unique_ptr<Detector>, Error> (*make)(const Options&, const DetectorSettings&);
  /// Looks for what `make` needs, without reading it; none: it needs nothing.
  Result<void, Error> (*check)(const Options&, const DetectorSettings&){nullptr};
};

/// "faces?min_size=40": a kind and the values of its options.
struct DetectorSpec {
  const DetectorKind* kind{nullptr};  ///< Never null; lives as long as the program.
  Options options;
};

std::span<const DetectorKind> detector_kinds();

/// Errors (usage, exit code 64): an unknown detector or option names those that exist.
Result<DetectorSpec, Error> parse_detector(std::string_view text);

/// An option that names a model which is not there is an error as in parse_detector; a missing file
/// (a cascade) is one that names it (exit code 66).
Result<std::unique_ptr<Detector>, Error> make_detector(const DetectorSpec& spec,
                                                       const DetectorSettings& settings);
/// Both in one.
Result<std::unique_ptr<Detector>, Error> make_detector(std::string_view text,
                                                       const DetectorSettings& settings);

/// The errors of make_detector, in a moment: that a file is there is seen, not what is in it.
Result<void, Error> check_detector(std::string_view text, const DetectorSettings& settings);

/// What travels with every result: revision and the version of OpenCV, "1+opencv4.6.0"; and the
/// scale at which the picture was decoded, where that was not its own: "1+opencv4.6.0+scale1/2".
std::string version_of(const DetectorKind& kind, DecodeScale scale = DecodeScale::full);

/// Every detector with its options, for `--list-detectors`.
std::string detector_catalogue();

}  // namespace framefleet::worker
