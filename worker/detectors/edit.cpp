#include "worker/detectors/edit.hpp"

#include "worker/decoding/encoder.hpp"
#include "worker/detectors/mat.hpp"
#include "worker/detectors/operation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace framefleet::worker {
namespace {

constexpr std::string_view kEdit = "edit";
constexpr std::size_t kStepsMax = 16;

const std::vector<OperationKind>& operation_kinds() {
  static const std::vector<OperationKind> kinds{
      resize_operation(),   crop_operation(),      flip_operation(),
      rotate_operation(),   grayscale_operation(), normalise_operation(),
      equalise_operation(), blur_operation(),      augment_operation(),
  };
  return kinds;
}

/// Does its steps on the colour picture and makes a file of what comes out.
class Edit final : public Detector {
 public:
  Edit(std::string_view kind, const Options& options, std::vector<std::unique_ptr<Operation>> steps)
      : kind_(kind),
        png_(options.choice("format") == "png"),
        quality_(static_cast<int>(options.integer("quality"))),
        steps_(std::move(steps)) {}

  Needs needs() const override { return {.bgr = true}; }

  Result<Found, DetectError> detect(const DetectInput& input) override {
    cv::Mat picture = as_mat(input.picture.bgr);
    for (const auto& step : steps_) {
      if (input.observer.abandoned()) break;
      auto made = step->apply(picture, input.sequence);
      if (!made) return fail(made.error());
      picture = *made;
    }
    auto bytes = png_ ? encode_png(as_plane(picture)) : jpeg_.encode(as_plane(picture), quality_);
    if (!bytes) return fail(DetectError{Reason::detector_error, bytes.error().text});
    Found found;
    found.pictures.push_back({std::string(kind_), png_ ? "png" : "jpg", std::move(*bytes)});
    return found;
  }

 private:
  std::string_view kind_;
  bool png_;
  int quality_;
  std::vector<std::unique_ptr<Operation>> steps_;
  JpegEncoder jpeg_;
};

/// What all of them can be told beside their own options.
std::vector<OptionSpec> with_output(std::vector<OptionSpec> options) {
  options.push_back({"format",
                     OptionType::choice,
                     "jpg",
                     0,
                     0,
                     "",
                     {"jpg", "png"},
                     "of the picture that is written; png loses nothing"});
  options.push_back(
      {"quality", OptionType::integer, "90", 1, 100, "", {}, "of the JPEG that is written"});
  return options;
}

/// "blur:size=5:sigma=2", as "blur?size=5&sigma=2" names it outside of edit.
Result<std::unique_ptr<Operation>, Error> make_step(std::string_view text,
                                                    const ImageLimits& limits) {
  const std::string_view name = text.substr(0, text.find(':'));
  const auto& kinds = operation_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const OperationKind& each) { return each.name == name; });
  if (kind == kinds.end()) {
    std::string names;
    for (const auto& each : kinds)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
    return fail(Error{fmt::format("detector \"edit\" has no step \"{}\"; it has {}", name, names),
                      exit_code::kUsage});
  }
  std::string options(text.substr(std::min(text.size(), name.size() + 1)));
  std::replace(options.begin(), options.end(), ':', '&');
  const auto values = Options::parse(name, kind->options, options);
  if (!values) return fail(values.error());
  return kind->make(*values, limits);
}

Result<std::unique_ptr<Detector>, Error> make_edit(const Options& options,
                                                   const DetectorSettings& settings) {
  const auto words = options.words("steps");
  if (words.size() > kStepsMax) {
    return fail(Error{
        fmt::format("detector \"edit\" does at most {} steps, not {}", kStepsMax, words.size()),
        exit_code::kUsage});
  }
  std::vector<std::unique_ptr<Operation>> steps;
  for (const auto& word : words) {
    auto step = make_step(word, settings.limits);
    if (!step) return fail(step.error());
    steps.push_back(std::move(*step));
  }
  return std::make_unique<Edit>(kEdit, options, std::move(steps));
}

DetectorKind kind_of(const OperationKind& operation) {
  DetectorKind kind{operation.name, 1, operation.help, with_output(operation.options), nullptr};
  kind.make = [&operation](
                  const Options& options,
                  const DetectorSettings& settings) -> Result<std::unique_ptr<Detector>, Error> {
    auto made = operation.make(options, settings.limits);
    if (!made) return fail(made.error());
    std::vector<std::unique_ptr<Operation>> steps;
    steps.push_back(std::move(*made));
    return std::make_unique<Edit>(operation.name, options, std::move(steps));
  };
  return kind;
}

}  // namespace

std::vector<DetectorKind> edit_kinds() {
  std::vector<DetectorKind> kinds;
  for (const auto& operation : operation_kinds()) kinds.push_back(kind_of(operation));
  kinds.push_back({kEdit, 1, "makes several of these changes, one after the other",
                   with_output({{"steps",
                                 OptionType::words,
                                 "grayscale",
                                 0,
                                 0,
                                 "",
                                 {},
                                 "resize, crop, … with their options: "
                                 "resize:width=320+grayscale+blur:size=3"}}),
                   make_edit});
  return kinds;
}

}  // namespace framefleet::worker
