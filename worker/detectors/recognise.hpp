#pragma once
// recognise: whose face it is. Faces are found by a network with landmarks, turned and cut to the
// square that recognisers are trained with, described by a network as a row of numbers, and named
// after the nearest row of the model's gallery, where that is near enough.

#include "worker/detectors/registry.hpp"

#include <memory>
#include <string>
#include <vector>

namespace framefleet::worker {

DetectorKind recognise_kind();

/// As try_model: opens it, and reads its gallery. Errors also: there is no model for faces beside
/// it, or no picture of the gallery is of use.
Result<ModelTrial, Error> try_recognise_model(const Model& model, const DetectorSettings& beside);

struct SeenFace {
  Candidate face;
  std::vector<float> numbers;  ///< Of length 1.
};

/// The two networks at work. One thread; its buffers are reused.
class FaceReader {
 public:
  FaceReader(std::shared_ptr<ModelNetwork> faces, std::shared_ptr<ModelNetwork> recogniser)
      : faces_(std::move(faces)), recogniser_(std::move(recogniser)) {}

  /// The surest face first. Requires: a BGR plane of the full size.
  Result<std::vector<SeenFace>, DetectError> read(const Picture& picture, float score_min);

  const ModelNetwork& faces() const { return *faces_; }
  const ModelNetwork& recogniser() const { return *recogniser_; }

 private:
  std::shared_ptr<ModelNetwork> faces_;
  std::shared_ptr<ModelNetwork> recogniser_;
};

/// The pictures of a folder: PERSON.jpg, or PERSON/any.jpg.
struct Gallery {
  std::vector<KnownFace> known;
  std::vector<std::string> left_out;  ///< What is of no use (no face, several, …), and why.
};
/// Decodes within `limits`. Errors: 66 the folder cannot be read, 78 it has too many files.
Result<Gallery, Error> read_gallery(const std::string& folder, FaceReader& reader,
                                    const ImageLimits& limits);

}  // namespace framefleet::worker
