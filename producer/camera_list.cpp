#include "producer/camera_list.hpp"

#include "shared/base/task_messages.hpp"
#include "shared/wire/limits.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace framefleet::producer {
namespace {

constexpr std::array<std::string_view, 6> kSchemes{"rtsp://",  "rtsps://", "http://",
                                                   "https://", "v4l2:",    "file:"};

/// What `[cameras]` and every `[[camera]]` can say.
void add_common(config::Section section, CameraEntry& entry) {
  using namespace std::chrono_literals;
  auto& camera = entry.options;
  auto& gate = entry.gate;
  section
      .add("detect", camera.detect,
           {.help = "Detectors with their options: [\"faces?min_size=40\", \"edges\"]."})
      .add("annotate", camera.annotate, {.help = "Have every picture drawn with what was found."})
      .add("class", camera.task_class,
           {.help = "live: the newest frame, or none; batch: every frame that is submitted, at "
                    "least once.",
            .words = {{"live", TaskClass::live}, {"batch", TaskClass::batch}}})
      .add("priority", camera.priority,
           {.help = "Higher goes first; lower keeps a minimum share.",
            .min = 0,
            .max = wire::kPriorityMax})
      .add("weight", camera.weight,
           {.help = "Share of the workers' time against other sources.",
            .min = 1,
            .max = wire::kWeightMax})
      .add("ttl", camera.ttl,
           {.help = "How long a frame may wait for work on it to begin; 0s: as the broker has it.",
            .max = wire::kDurationMax})
      .add("fps", camera.fps,
           {.help = "Frames per second, at most; 0: what the camera gives.", .min = 0, .max = 1000})
      .add("width", camera.width,
           {.help = "Frames are scaled down to fit, never up; 0: as they come.",
            .min = 0,
            .max = 16'384})
      .add("height", camera.height, {.help = "Likewise.", .min = 0, .max = 16'384})
      .add("codec", camera.codec,
           {.help = "auto: what is JPEG already passes untouched unless it is too large; jpeg: "
                    "always encoded anew; passthrough: never.",
            .words = {{"auto", Codec::automatic},
                      {"jpeg", Codec::jpeg},
                      {"passthrough", Codec::passthrough}}})
      .add("quality", camera.quality,
           {.help = "Of the JPEG that is made here.", .min = 1, .max = 100})
      .add("chroma", camera.chroma,
           {.help = "How much of the colour that JPEG keeps: a quarter, half, all.",
            .words = {{"420", Chroma::yuv420}, {"422", Chroma::yuv422}, {"444", Chroma::yuv444}}})
      .add("rtsp_transport", camera.rtsp_transport,
           {.help = "How RTSP sends its pictures.",
            .words = {{"tcp", RtspTransport::tcp}, {"udp", RtspTransport::udp}}})
      .add("loop", camera.loop, {.help = "file: begins again at its end, for tests and shows."})
      .add("camera_timeout", camera.camera_timeout,
           {.help = "Silence after which a camera is stalled and opened anew.",
            .min = 200ms,
            .max = 10min})
      .add("open_timeout", camera.open_timeout,
           {.help = "From opening a camera to its first frame.", .min = 200ms, .max = 10min})
      .add("retry_min", camera.retry_min,
           {.help = "Pause before a camera is opened again; doubles …", .min = 10ms, .max = 1h})
      .add("retry_max", camera.retry_max, {.help = "… up to this.", .min = 10ms, .max = 1h})
      .add("motion", entry.motion,
           {.help =
                "Only frames with motion are submitted. mog2 learns leaves and water; difference "
                "costs a third, for scenes that stand still.",
            .words = {{"off", MotionChoice::off},
                      {"mog2", MotionChoice::mog2},
                      {"difference", MotionChoice::difference}}})
      .add("motion_min_area", gate.min_area,
           {.help = "The smallest patch that counts, as a share of the picture.",
            .min = 0,
            .max = 1})
      .add("motion_width", gate.width,
           {.help = "Pixels across the picture that is looked at.",
            .min = kMotionWidthMin,
            .max = kMotionWidthMax})
      .add("motion_warm_up", gate.warm_up,
           {.help = "Every frame passes while the background is learnt.", .max = 10min})
      .add("motion_hold", gate.hold,
           {.help = "Frames pass for so long after the last motion.", .max = 1h})
      .add("motion_forced_interval", gate.forced_interval,
           {.help = "A frame passes when none has for so long; 0s: never for that.", .max = 24h})
      .add("motion_masks", entry.masks,
           {.help = "Where motion does not count: JSON, a list of polygons of [x, y] from 0 to 1; "
                    "empty: nowhere."});
}

std::optional<std::string> judge_name(const std::string& name) {
  constexpr std::string_view kAllowed = "letters, digits and ._-, 1 to 64 of them";
  const bool sound = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (name.empty()) return fmt::format("it has no name; allowed: {}", kAllowed);
  if (!sound || name.size() > kCameraNameBytesMax) {
    return fmt::format("its name \"{}\" cannot be a source's; allowed: {}", name, kAllowed);
  }
  return std::nullopt;
}

std::optional<std::string> judge_url(const Secret& url) {
  const bool known = std::ranges::any_of(
      kSchemes, [&](std::string_view scheme) { return url.reveal().starts_with(scheme); });
  if (known) return std::nullopt;
  return fmt::format("its url {}; allowed: {}…",
                     url.empty() ? "is missing" : "begins with no scheme that is known",
                     fmt::join(kSchemes, "…, "));
}

std::optional<std::string> judge_zones(const std::string& zones) {
  if (zones.empty()) return std::nullopt;
  if (zones.size() > wire::kZonesBytesMax) {
    return fmt::format("its zones have over {} bytes", wire::kZonesBytesMax);
  }
  if (!nlohmann::json::accept(zones)) return "its zones are no JSON document";
  return std::nullopt;
}

/// "[[[0,0],[1,0],[1,0.2]]]"
Result<std::vector<RelativePolygon>, std::string> parse_masks(const std::string& text) {
  std::vector<RelativePolygon> masks;
  if (text.empty()) return masks;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto wrong = [] {
    return fail(std::string("its motion_masks are no list of polygons: [[[0,0],[1,0],[1,0.2]]]"));
  };
  if (!json.is_array()) return wrong();
  for (const auto& polygon : json) {
    if (!polygon.is_array()) return wrong();
    auto& points = masks.emplace_back();
    for (const auto& point : polygon) {
      const bool sound =
          point.is_array() && point.size() == 2 && point[0].is_number() && point[1].is_number();
      if (!sound) return wrong();
      points.push_back({point[0].get<double>(), point[1].get<double>()});
    }
  }
  return masks;
}

/// Fills in the motion gate from how the file spells it.
std::optional<std::string> finish_motion(CameraEntry& entry) {
  entry.options.motion.reset();
  auto masks = parse_masks(entry.masks);
  if (!masks) return masks.error();
  entry.gate.masks = std::move(*masks);
  entry.gate.method =
      entry.motion == MotionChoice::difference ? MotionMethod::difference : MotionMethod::mog2;
  if (auto sound = check(entry.gate); !sound) return "its motion gate: " + sound.error();
  if (entry.motion != MotionChoice::off) entry.options.motion = entry.gate;
  return std::nullopt;
}

std::optional<std::string> finish(CameraEntry& entry, const CameraList& list) {
  const auto& camera = entry.options;
  if (auto wrong = judge_name(camera.name)) return wrong;
  for (const auto& other : list.entries) {
    if (&other == &entry) break;
    if (other.options.name == camera.name) {
      return fmt::format("the name \"{}\" is that of a camera above", camera.name);
    }
  }
  auto wrong = judge_url(camera.url);
  if (!wrong) wrong = judge_zones(camera.zones);
  if (!wrong) wrong = finish_motion(entry);
  if (!wrong && camera.detect.empty()) {
    wrong = "it has no detector; give it, or [cameras], detect = [\"faces\"]";
  }
  if (!wrong && camera.retry_min > camera.retry_max) wrong = "its retry_min is over retry_max";
  if (wrong) return fmt::format("\"{}\": {}", camera.name, *wrong);
  return std::nullopt;
}

std::unique_ptr<config::OptionSet> begin_camera(CameraList& list) {
  list.entries.push_back(list.defaults);
  CameraEntry& entry = list.entries.back();
  auto set = std::make_unique<config::OptionSet>("camera", "One camera.");
  auto section = set->section("camera");
  section
      .add("name", entry.options.name,
           {.help = "The source's name in tables, metrics and the store."})
      .add(
          "url", entry.options.url,
          {.help = "rtsp://, rtsps://, http:// or https:// (MJPEG), v4l2:/dev/video0 or file:PATH. "
                   "Passwords: ${file:PATH}."});
  add_common(section, entry);
  section.add("zones", entry.options.zones,
              {.help = "A JSON document that travels with every frame; empty: none."});
  set->check([&list, &entry] { return finish(entry, list); });
  return set;
}

}  // namespace

std::vector<CameraOptions> CameraList::cameras() const {
  std::vector<CameraOptions> all;
  for (const auto& entry : entries) all.push_back(entry.options);
  return all;
}

void describe(config::OptionSet& set, CameraList& list) {
  add_common(set.section("cameras", "What holds for every camera that does not say otherwise.",
                         config::FlagStyle::section_and_key),
             list.defaults);
  set.tables("camera", "A camera. Its other keys are those of [cameras].", kCamerasMax,
             [&list] { return begin_camera(list); });
}

}  // namespace framefleet::producer
