#pragma once
// The table of all detectors. A detector is one pair of files that describes itself as a
// DetectorKind, and one line in registry.cpp.

#include "worker/decoding/image_gate.hpp"
#include "worker/detectors/detector.hpp"
#include "worker/detectors/model.hpp"
#include "worker/detectors/model_network.hpp"
#include "worker/detectors/options.hpp"

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

/// Cascades by their path.
using CascadeFiles = std::map<std::string, FileBytes, std::less<>>;

/// What was seen of a model that works.
struct ModelTrial {
  std::string layout;                 ///< "yolox", "cascade".
  std::string backend;                ///< "opencv4.6.0", "onnxruntime1.21.0".
  std::vector<KnownFace> gallery;     ///< Of a model that has one.
  std::vector<std::string> left_out;  ///< Pictures of the gallery that are of no use, and why.

  friend bool operator==(const ModelTrial&, const ModelTrial&) = default;
};

/// What this machine provides to detectors.
struct DetectorSettings {
  /// Holds haarcascades/ and lbpcascades/ (Debian: package opencv-data).
  std::string cascade_folder{"/usr/share/opencv4"};
  CascadeFiles cascades;  ///< Read already; what is not here is opened.
  std::vector<Model> models;
  ImageLimits limits;  ///< What pictures may be; made ones too.
  /// What is open already, of one thread; null: each is opened anew.
  std::shared_ptr<NetworkShelf> networks;

  /// Null where there is none.
  const Model* model(std::string_view detector, std::string_view name) const;
  /// The network of this name, or ("auto") the first that the detector has. Errors: 64 no network
  /// is called so, 66 there is none at all.
  Result<const Model*, Error> network_model(std::string_view detector, std::string_view name) const;
  bool has_network(std::string_view detector) const;
  Result<std::shared_ptr<ModelNetwork>, Error> open(const Model& model,
                                                    std::span<const Layout> allowed) const;
};

/// The options by which a task names a network ("auto" or its name), and how sure it has to be.
OptionSpec model_option();
OptionSpec score_option();
OptionSpec overlap_option();
inline constexpr std::string_view kAutomatic = "auto";

struct DetectorKind {
  std::string_view name;
  int revision{1};  ///< Goes up when the same picture may give another answer.
  std::string_view help;
  std::vector<OptionSpec> options;
  /// Errors: what the detector needs is not on this machine.
  std::function<Result<std::unique_ptr<Detector>, Error>(const Options&, const DetectorSettings&)>
      make;
  /// Looks for what `make` needs, without reading it; none: it needs nothing.
  Result<void, Error> (*check)(const Options&, const DetectorSettings&){nullptr};
  bool needs_model{false};  ///< A worker without a model for it does not offer it.
};

/// "faces?min_size=40": a kind and the values of its options.
struct DetectorSpec {
  const DetectorKind* kind{nullptr};  ///< Never null; lives as long as the program.
  Options options;
};

std::span<const DetectorKind> detector_kinds();

/// Those that take models: they have an option for them.
std::vector<std::string> detectors_with_models();

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
/// One that works with a network says which instead: "1+yolox@c789161ed43c+opencv4.6.0".
std::string version_of(const DetectorKind& kind, DecodeScale scale = DecodeScale::full,
                       const std::string& of_detector = {});

/// Errors: what is wrong with the model, as the detector that it is for finds it. Opens and uses it
/// as a detector would: where a file may be hostile, in a process of its own. `beside`: what it
/// needs for its gallery, models of faces.
Result<ModelTrial, Error> try_model(const Model& model, const DetectorSettings& beside = {});

/// Every detector with its options, for `--list-detectors`.
std::string detector_catalogue();

}  // namespace framefleet::worker
