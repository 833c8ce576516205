#include "worker/detectors/registry.hpp"

#include "worker/detectors/blend.hpp"
#include "worker/detectors/corners.hpp"
#include "worker/detectors/edges.hpp"
#include "worker/detectors/edit.hpp"
#include "worker/detectors/faces.hpp"
#include "worker/detectors/markers.hpp"
#include "worker/detectors/network_faces.hpp"
#include "worker/detectors/objects.hpp"
#include "worker/detectors/people.hpp"
#include "worker/detectors/recognise.hpp"
#include "worker/detectors/stub.hpp"
#include "worker/detectors/template.hpp"

#include <fmt/format.h>
#include <opencv2/core/version.hpp>

#include <algorithm>
#include <utility>

namespace framefleet::worker {

namespace {

std::vector<DetectorKind> all_kinds() {
  std::vector<DetectorKind> kinds{
      faces_kind(),    //
      people_kind(),   //
      objects_kind(),  //
      recognise_kind(),
      edges_kind(),     //
      corners_kind(),   //
      markers_kind(),   //
      template_kind(),  //
      blend_kind(),     //
  };
  for (auto& kind : edit_kinds()) kinds.push_back(std::move(kind));
  kinds.push_back(stub_kind());
  return kinds;
}

}  // namespace

std::span<const DetectorKind> detector_kinds() {
  static const std::vector<DetectorKind> kinds = all_kinds();
  return kinds;
}

std::vector<std::string> detectors_with_models() {
  std::vector<std::string> names;
  for (const auto& kind : detector_kinds()) {
    const bool takes =
        std::any_of(kind.options.begin(), kind.options.end(),
                    [](const OptionSpec& option) { return option.type == OptionType::model; });
    if (takes) names.emplace_back(kind.name);
  }
  return names;
}

Result<DetectorSpec, Error> parse_detector(std::string_view text) {
  const std::string_view name = text.substr(0, text.find('?'));
  const auto kinds = detector_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const DetectorKind& each) { return each.name == name; });
  if (kind == kinds.end()) {
    std::string names;
    for (const auto& each : kinds) {
      if (!names.empty()) names += ", ";
      names += each.name;
    }
    return fail(Error{fmt::format("there is no detector \"{}\"; there are {}", name, names),
                      exit_code::kUsage});
  }
  const std::string_view options =
      name.size() < text.size() ? text.substr(name.size() + 1) : std::string_view{};
  return Options::parse(name, kind->options, options).map([&](const Options& values) {
    return DetectorSpec{&*kind, values};
  });
}

const Model* DetectorSettings::model(std::string_view detector, std::string_view name) const {
  const auto found = std::find_if(models.begin(), models.end(), [&](const Model& each) {
    return each.detector == detector && each.name == name;
  });
  return found == models.end() ? nullptr : &*found;
}

Result<const Model*, Error> DetectorSettings::network_model(std::string_view detector,
                                                            std::string_view name) const {
  const auto found = std::find_if(models.begin(), models.end(), [&](const Model& each) {
    return each.detector == detector && each.network && (name == kAutomatic || each.name == name);
  });
  if (found != models.end()) return &*found;
  if (name != kAutomatic) return fail(not_accepted(detector, model_option(), name));
  return fail(Error{fmt::format("detector \"{}\": this worker has no model for it; name a folder "
                                "with one (--models, docs/DETECTORS.md)",
                                detector),
                    exit_code::kNoInput});
}

bool DetectorSettings::has_network(std::string_view detector) const {
  return network_model(detector, kAutomatic).has_value();
}

Result<std::shared_ptr<ModelNetwork>, Error> DetectorSettings::open(
    const Model& model, std::span<const Layout> allowed) const {
  if (networks != nullptr) return networks->get(model, allowed);
  return NetworkShelf().get(model, allowed);
}

OptionSpec model_option() {
  return {"model",
          OptionType::model,
          kAutomatic,
          0,
          0,
          "",
          {kAutomatic},
          "which network; auto: the worker's first, by name"};
}

OptionSpec score_option() {
  return {"score", OptionType::real, "0", 0, 1, "", {}, "least score; 0: as the model's file says"};
}

OptionSpec overlap_option() {
  return {
      "overlap",
      OptionType::real,
      "0",
      0,
      1,
      "",
      {},
      "most overlap (intersection over union) of two boxes of one class; 0: as the model's file "
      "says"};
}

Result<ModelTrial, Error> try_model(const Model& model, const DetectorSettings& beside) {
  if (model.detector == "template") {
    const auto tried = try_template(model, beside.limits);
    if (!tried) return fail(tried.error());
    return ModelTrial{"picture", "opencv" CV_VERSION, {}, {}};
  }
  if (!model.network) {
    const auto tried = try_cascade(model);
    if (!tried) return fail(tried.error());
    return ModelTrial{"cascade", "opencv" CV_VERSION, {}, {}};
  }
  if (model.detector == "recognise") return try_recognise_model(model, beside);
  const auto opened =
      model.detector == "faces" ? open_faces_model(model) : open_objects_model(model);
  if (!opened) return fail(opened.error());
  return ModelTrial{
      std::string(to_string((*opened)->layout())), (*opened)->backend_version(), {}, {}};
}

Result<std::unique_ptr<Detector>, Error> make_detector(const DetectorSpec& spec,
                                                       const DetectorSettings& settings) {
  const DetectorKind& kind = *spec.kind;
  for (const auto& option : kind.options) {
    if (option.type != OptionType::model) continue;
    const std::string_view name = spec.options.model(option.name);
    const bool own =
        std::find(option.choices.begin(), option.choices.end(), name) != option.choices.end();
    if (!own && settings.model(kind.name, name) == nullptr) {
      return fail(not_accepted(kind.name, option, name));
    }
  }
  return kind.make(spec.options, settings);
}

Result<std::unique_ptr<Detector>, Error> make_detector(std::string_view text,
                                                       const DetectorSettings& settings) {
  const auto spec = parse_detector(text);
  if (!spec) return fail(spec.error());
  return make_detector(*spec, settings);
}

Result<void, Error> check_detector(std::string_view text, const DetectorSettings& settings) {
  const auto spec = parse_detector(text);
  if (!spec) return fail(spec.error());
  const auto check = spec->kind->check;
  return check == nullptr ? Result<void, Error>{} : check(spec->options, settings);
}

std::string version_of(const DetectorKind& kind, DecodeScale scale,
                       const std::string& of_detector) {
  auto version = of_detector.empty() ? fmt::format("{}+opencv{}", kind.revision, CV_VERSION)
                                     : fmt::format("{}+{}", kind.revision, of_detector);
  if (scale != DecodeScale::full) version += fmt::format("+scale{}", to_string(scale));
  return version;
}

std::string detector_catalogue() {
  std::string text;
  for (const auto& kind : detector_kinds()) {
    text += fmt::format("{}: {}\n", kind.name, kind.help);
    for (const auto& option : kind.options) {
      text += fmt::format("  {}={}  ({}) {}\n", option.name, option.standard,
                          describe_range(option), option.help);
    }
  }
  return text;
}

}  // namespace framefleet::worker
