#include "worker/detectors/model_network.hpp"

#include "worker/detectors/mat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace framefleet::worker {
namespace {

/// What a network that takes pictures of any size is tried with.
constexpr int kProbeSide = 320;

tl::unexpected<Error> bad(const Model& model, std::string_view what) {
  return fail(Error{fmt::format("{}: {}", model.path, what), exit_code::kConfig});
}

/// "[1, 3549, 85]" for each output, by name.
std::string shapes_of(Outputs outputs) {
  constexpr std::size_t kNamedMax = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(outputs.size(), kNamedMax); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", outputs[i].name, shape_text(outputs[i]));
  }
  if (outputs.size() > kNamedMax) text += fmt::format(" and {} more", outputs.size() - kNamedMax);
  return text;
}

std::string words_of(std::span<const Layout> layouts) {
  std::string text;
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    if (i > 0) text += i + 1 == layouts.size() ? " or " : ", ";
    text += to_string(layouts[i]);
  }
  return text;
}

void clip(Candidate& box, float width, float height) {
  const float right = std::clamp(box.left + box.width, 0.0F, width);
  const float bottom = std::clamp(box.top + box.height, 0.0F, height);
  box.left = std::clamp(box.left, 0.0F, width);
  box.top = std::clamp(box.top, 0.0F, height);
  box.width = right - box.left;
  box.height = bottom - box.top;
}

/// From a plane's pixels to the picture's.
void enlarge(Candidate& box, Ratio ratio) {
  const auto x = static_cast<float>(ratio.x);
  const auto y = static_cast<float>(ratio.y);
  box.left *= x;
  box.width *= x;
  box.top *= y;
  box.height *= y;
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    box.landmarks[2 * i] *= x;
    box.landmarks[2 * i + 1] *= y;
  }
}

DetectError detector_error(const Model& model, const std::string& text) {
  return {Reason::detector_error, fmt::format("model {}: {}", model.name, text)};
}

}  // namespace

ModelNetwork::ModelNetwork(Model model, std::unique_ptr<Network> network)
    : model_(std::move(model)), network_(std::move(network)) {}

Result<std::unique_ptr<ModelNetwork>, Error> ModelNetwork::open(const Model& model,
                                                                std::span<const Layout> allowed) {
  const auto format = network_format(model.path);
  if (!format) return fail(Error{format.error(), exit_code::kConfig});
  const FileBytes weights = bytes_of(model);
  const FileBytes structure = structure_bytes_of(model);
  if (weights == nullptr || structure == nullptr) {
    return fail(Error{model.path + ": it, or the file of its structure, cannot be read",
                      exit_code::kNoInput});
  }
  auto backends = backends_for(*format);
  if (model.network->backend != Backend::automatic) backends = {model.network->backend};
  std::string faults;
  for (const Backend backend : backends) {
    auto network = open_network(backend, {*format, *weights, *structure});
    std::string fault;
    if (network) {
      std::unique_ptr<ModelNetwork> opened(new ModelNetwork(model, std::move(*network)));
      fault = opened->probe(allowed);
      if (fault.empty()) return opened;
    } else {
      fault = std::move(network.error());
    }
    faults += (faults.empty() ? "" : "; ") + fault;
  }
  return bad(model, faults);
}

/// Runs it on a grey picture, and compares what comes out with what was said.
std::string ModelNetwork::probe(std::span<const Layout> allowed) {
  const NetworkModel& said = about();
  InputSize size = said.input.size;
  if (said.input.fit == Fit::own) {
    size = {std::min(size.width, kProbeSide), std::min(size.height, kProbeSide)};
  }
  const std::vector<std::uint8_t> grey(
      static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 3, 114);
  const Plane plane{grey.data(), size.width, size.height, 3,
                    static_cast<std::size_t>(size.width) * 3};
  constexpr int kStepMax = 32;  // the layout, and so its own step, is not known yet
  const auto placement = place(size.width, size.height, said.input, kStepMax);
  const auto outputs = run(plane, placement);
  if (!outputs) return outputs.error();
  const Layout seen = layout_of(*outputs, placement.canvas);
  layout_ = said.layout == Layout::automatic ? seen : said.layout;
  if (!fits(layout_, *outputs, placement.canvas)) {
    const auto shapes = shapes_of(*outputs);
    if (seen != Layout::automatic) {
      return fmt::format("its outputs ({}) are those of layout {}, and not of {}", shapes,
                         to_string(seen), to_string(layout_));
    }
    return fmt::format(
        "its outputs ({}) for an input of {}x{} are of no layout that is known here; "
        "another input size or another export may help (docs/DETECTORS.md)",
        shapes, placement.canvas.width, placement.canvas.height);
  }
  if (std::find(allowed.begin(), allowed.end(), layout_) == allowed.end()) {
    return fmt::format("its layout is {}; detector {} takes {}", to_string(layout_),
                       model_.detector, words_of(allowed));
  }
  const int classes = classes_in(layout_, *outputs);
  if (classes != 0 && std::cmp_not_equal(classes, said.labels.size())) {
    return fmt::format(
        "it tells {} classes apart, and there are {} labels; give it the list that "
        "it was trained with",
        classes, said.labels.size());
  }
  return {};
}

Result<Outputs, std::string> ModelNetwork::run(const Plane& bgr, const Placement& placement) {
  return network_->run(maker_.make(bgr, about().input, placement));
}

Result<std::vector<Candidate>, DetectError> ModelNetwork::look(const Picture& picture,
                                                               float score_min, float overlap_max) {
  const Plane& bgr = picture.bgr;
  const auto placement = place(bgr.width, bgr.height, about().input, side_step(layout_));
  const auto outputs = run(bgr, placement);
  if (!outputs) return fail(detector_error(model_, outputs.error()));
  if (!fits(layout_, *outputs, placement.canvas)) {
    return fail(detector_error(
        model_, fmt::format("other outputs for an input of {}x{}: {}", placement.canvas.width,
                            placement.canvas.height, shapes_of(*outputs))));
  }
  auto found =
      without_doubles(candidates_of(layout_, *outputs, placement.canvas, score_min), overlap_max);
  const Ratio ratio = full_to(picture, bgr);
  for (auto& box : found) {
    to_picture(box, placement);
    enlarge(box, ratio);
    clip(box, static_cast<float>(picture.width), static_cast<float>(picture.height));
  }
  std::erase_if(found, [](const Candidate& box) { return box.width <= 0 || box.height <= 0; });
  return found;
}

Result<std::vector<float>, DetectError> ModelNetwork::embed(const Plane& bgr) {
  const auto outputs = run(bgr, place(bgr.width, bgr.height, about().input, 1));
  if (!outputs) return fail(detector_error(model_, outputs.error()));
  const auto values = (*outputs)[0].values;
  std::vector<float> numbers(values.begin(), values.end());
  double squares = 0;
  for (const float number : numbers) squares += double{number} * number;
  const double length = std::sqrt(squares);
  if (!std::isfinite(length) || length <= 0) {
    return fail(detector_error(model_, "its answer to a face is no direction"));
  }
  for (float& number : numbers) number = static_cast<float>(number / length);
  return numbers;
}

std::string ModelNetwork::version() const {
  constexpr std::size_t kDigits = 12;
  const auto digest = model_.sha256.empty() ? "" : "@" + model_.sha256.substr(0, kDigits);
  return fmt::format("{}{}+{}", model_.name, digest, network_->version());
}

Result<std::shared_ptr<ModelNetwork>, Error> NetworkShelf::get(const Model& model,
                                                               std::span<const Layout> allowed) {
  const auto known = open_.find(model.name);
  if (known != open_.end()) return known->second;
  auto opened = ModelNetwork::open(model, allowed);
  if (!opened) return fail(opened.error());
  return open_.emplace(model.name, std::move(*opened)).first->second;
}

}  // namespace framefleet::worker
