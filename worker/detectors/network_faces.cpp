#include "worker/detectors/network_faces.hpp"

#include "worker/detectors/model_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace framefleet::worker {
namespace {

constexpr std::array kLayoutsTaken{Layout::yunet22, Layout::yunet23};

class NetworkFaces final : public Detector {
 public:
  NetworkFaces(std::shared_ptr<ModelNetwork> network, const Options& options)
      : network_(std::move(network)),
        score_min_(static_cast<float>(options.real("score"))),
        overlap_max_(static_cast<float>(options.real("overlap"))),
        min_size_(static_cast<float>(options.integer("min_size"))),
        max_size_(static_cast<float>(options.integer("max_size"))) {
    if (score_min_ <= 0) score_min_ = network_->about().score_min;
    if (overlap_max_ <= 0) overlap_max_ = network_->about().overlap_max;
    if (!options.given("min_size")) min_size_ = 0;  // the default is a cascade's
  }

  Needs needs() const override { return {.bgr = true, .smallest = network_->model().decode_scale}; }
  std::string version() const override { return network_->version(); }

  Result<Found, DetectError> detect(const DetectInput& input) override {
    const auto faces = network_->look(input.picture, score_min_, overlap_max_);
    if (!faces) return fail(faces.error());
    Found found;
    for (const auto& face : *faces) {
      const float side = std::max(face.width, face.height);
      if (side < min_size_ || (max_size_ > 0 && side > max_size_)) continue;
      found.detections.push_back({"face",
                                  face.score,
                                  {face.left, face.top, face.width, face.height},
                                  landmarks_json(face)});
    }
    return found;
  }

 private:
  std::shared_ptr<ModelNetwork> network_;
  float score_min_;
  float overlap_max_;
  float min_size_;
  float max_size_;
};

}  // namespace

Result<std::unique_ptr<Detector>, Error> make_network_faces(const Options& options,
                                                            const DetectorSettings& settings) {
  const auto model = settings.network_model("faces", options.model("model"));
  if (!model) return fail(model.error());
  auto network = open_faces_model(**model, settings);
  if (!network) return fail(network.error());
  return std::make_unique<NetworkFaces>(std::move(*network), options);
}

Result<std::unique_ptr<ModelNetwork>, Error> open_faces_model(const Model& model) {
  return ModelNetwork::open(model, kLayoutsTaken);
}

Result<std::shared_ptr<ModelNetwork>, Error> open_faces_model(const Model& model,
                                                              const DetectorSettings& settings) {
  return settings.open(model, kLayoutsTaken);
}

std::string landmarks_json(const Candidate& face) {
  std::string text = R"({"landmarks":[)";
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    text += fmt::format("{}[{:.1f},{:.1f}]", i == 0 ? "" : ",", face.landmarks[2 * i],
                        face.landmarks[2 * i + 1]);
  }
  return text + "]}";
}

}  // namespace framefleet::worker
