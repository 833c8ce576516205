#include "worker/detectors/registry.hpp"

#include "worker/detectors/blend.hpp"
#include "worker/detectors/corners.hpp"
#include "worker/detectors/edges.hpp"
#include "worker/detectors/faces.hpp"
#include "worker/detectors/markers.hpp"
#include "worker/detectors/people.hpp"
#include "worker/detectors/stub.hpp"

#include <fmt/format.h>
#include <opencv2/core/version.hpp>

#include <algorithm>

namespace framefleet::worker {

std::span<const DetectorKind> detector_kinds() {
  static const std::vector<DetectorKind> kinds{
      faces_kind(),    //
      people_kind(),   //
      edges_kind(),    //
      corners_kind(),  //
      markers_kind(),  //
      blend_kind(),    //
      stub_kind(),     //
  };
  return kinds;
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

std::string version_of(const DetectorKind& kind, DecodeScale scale) {
  auto version = fmt::format("{}+opencv{}", kind.revision, CV_VERSION);
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
