#pragma once
// A model's network at work: pictures in, boxes in pixels of the picture out. It was run once when
// it was opened, so that its layout is known, fits what the model file says, and nothing is left to
// be opened later.
//
// One thread; its buffers are reused.

#include "worker/detectors/detector.hpp"
#include "worker/detectors/model.hpp"

#include "shared/base/result.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

class ModelNetwork {
 public:
  /// `allowed`: the layouts that the detector can use. Errors (78): the file is damaged, of a kind
  /// that no backend takes, or not what the model file says; the text says what to do. 66: it
  /// cannot be read.
  static Result<std::unique_ptr<ModelNetwork>, Error> open(const Model& model,
                                                           std::span<const Layout> allowed);

  /// The surest first, none doubled, clipped to the picture. Requires: a layout with boxes, and a
  /// picture with a BGR plane.
  Result<std::vector<Candidate>, DetectError> look(const Picture& picture, float score_min,
                                                   float overlap_max);
  /// The numbers of one picture, of length 1. Requires: Layout::embedding, a BGR plane.
  Result<std::vector<float>, DetectError> embed(const Plane& bgr);

  const Model& model() const { return model_; }
  const NetworkModel& about() const { return *model_.network; }
  Layout layout() const { return layout_; }
  Backend backend() const { return network_->backend(); }
  std::string backend_version() const { return network_->version(); }
  /// "yolox@c789161ed43c+opencv4.6.0": which model, which bytes, computed by what.
  std::string version() const;

 private:
  ModelNetwork(Model model, std::unique_ptr<Network> network);

  Result<Outputs, std::string> run(const Plane& bgr, const Placement& placement);
  std::string probe(std::span<const Layout> allowed);

  Model model_;
  std::unique_ptr<Network> network_;
  Layout layout_{Layout::automatic};
  InputMaker maker_;
};

/// The networks of one thread, each opened once however many detectors use it.
class NetworkShelf {
 public:
  Result<std::shared_ptr<ModelNetwork>, Error> get(const Model& model,
                                                   std::span<const Layout> allowed);

 private:
  std::map<std::string, std::shared_ptr<ModelNetwork>, std::less<>> open_;  // by model
};

}  // namespace framefleet::worker
