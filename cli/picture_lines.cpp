#include "cli/picture_lines.hpp"

#include "cli/humane.hpp"
#include "cli/json_reading.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace framefleet::cli {
namespace {

using Json = nlohmann::ordered_json;

Json list(const Json& json, const char* key) {
  Json found = object(json, key);
  return found.is_array() ? found : Json::array();
}

PictureLine::Detector detector_of(const Json& json) {
  PictureLine::Detector detector{text(json, "detector"), number(json, "elapsed").value_or(0), {}};
  for (const Json& each : list(json, "detections")) {
    const Json extra = object(each, "extra");
    detector.detections.push_back(
        {text(each, "label"), number(each, "score").value_or(0), number(each, "x").value_or(0),
         number(each, "y").value_or(0), number(each, "width").value_or(0),
         number(each, "height").value_or(0), extra.is_object() ? extra.dump() : std::string()});
  }
  return detector;
}

Table table_of(const std::vector<PictureLine::Detector>& detectors) {
  Table table({{"DETECTOR", Align::left, 20},
               {"LABEL", Align::left, 24},
               {"SCORE"},
               {"X"},
               {"Y"},
               {"WIDTH"},
               {"HEIGHT"},
               {"EXTRA", Align::left, 40}});
  const auto pixels = [](double value) { return fmt::format("{:.0f}", value); };
  for (const auto& detector : detectors) {
    const auto& all = detector.detections;
    for (std::size_t i = 0; i < std::min(all.size(), kDetectionsShownMax); ++i) {
      table.add({detector.name, all[i].label, fmt::format("{:.3g}", all[i].score), pixels(all[i].x),
                 pixels(all[i].y), pixels(all[i].width), pixels(all[i].height), all[i].extra});
    }
  }
  return table;
}

std::string heading(const PictureLine& picture) {
  return fmt::format("{}: {} x {} pixels, {}decoded in {}\n", printable(picture.origin),
                     picture.width, picture.height, picture.damaged ? "damaged, " : "",
                     humane_duration(picture.decode));
}

/// One that makes pictures finds nothing.
bool only_makes(const PictureLine::Detector& detector, const PictureLine& picture) {
  return detector.detections.empty() &&
         std::any_of(picture.pictures.begin(), picture.pictures.end(),
                     [&](const auto& made) { return made.kind == detector.name; });
}

/// What a detector did, in words: the table says it only of those that found something.
std::string summary(const PictureLine::Detector& detector) {
  const auto count = detector.detections.size();
  std::string words = count == 0 ? "nothing" : fmt::format("{} found", count);
  if (count > kDetectionsShownMax) {
    words += fmt::format(", {} of them above; --json has all", kDetectionsShownMax);
  }
  return fmt::format("{}: {}, in {}\n", printable(detector.name), words,
                     humane_duration(detector.elapsed));
}

}  // namespace

Result<PictureLine, std::string> parse_picture_line(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return fail(std::string("it is no JSON object"));
  PictureLine picture;
  picture.origin = text(json, "origin");
  picture.status = text(json, "status");
  picture.reason = text(json, "reason");
  picture.text = text(json, "text");
  if (picture.status.empty()) return fail(std::string("it has no status"));
  picture.damaged = flag(json, "damaged");
  picture.width = count(json, "width").value_or(0);
  picture.height = count(json, "height").value_or(0);
  picture.worked = number(json, "worked").value_or(0);
  picture.decode = number(json, "decode").value_or(0);
  for (const Json& each : list(json, "detectors")) picture.detectors.push_back(detector_of(each));
  for (const Json& each : list(json, "pictures")) {
    picture.pictures.push_back(
        {text(each, "kind"), text(each, "path"), count(each, "bytes").value_or(0)});
  }
  return picture;
}

std::string render_picture(const PictureLine& picture) {
  std::string out = heading(picture);
  const bool any = std::any_of(picture.detectors.begin(), picture.detectors.end(),
                               [](const auto& each) { return !each.detections.empty(); });
  if (any) out += table_of(picture.detectors).render();
  for (const auto& detector : picture.detectors) {
    if (!only_makes(detector, picture)) out += summary(detector);
  }
  for (const auto& made : picture.pictures) {
    const std::string where =
        made.path.empty() ? "not written; --made names a folder" : printable(made.path);
    out += fmt::format("{}: {}, {}\n", printable(made.kind),
                       humane_bytes(static_cast<double>(made.bytes)), where);
  }
  return out;
}

std::string render_failure(const PictureLine& picture) {
  return fmt::format("{}: {}{}{}", printable(picture.origin), printable(picture.reason),
                     picture.text.empty() ? "" : ": ", printable(picture.text));
}

}  // namespace framefleet::cli
