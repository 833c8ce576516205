#include "worker/once_line.hpp"

#include "shared/config/version.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace framefleet::worker {
namespace {

using Json = nlohmann::ordered_json;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Json detection_json(const Detection& detection) {
  const auto& box = detection.box;
  Json json{{"label", detection.label},
            {"score", as_printed(detection.score)},
            {"x", as_printed(box.x)},
            {"y", as_printed(box.y)},
            {"width", as_printed(box.width)},
            {"height", as_printed(box.height)},
            {"extra", nullptr}};
  if (auto extra = Json::parse(detection.extra, nullptr, false); extra.is_object()) {
    json["extra"] = std::move(extra);
  }
  return json;
}

Json detectors_json(const std::vector<DetectorReport>& reports) {
  auto all = Json::array();
  for (const auto& report : reports) {
    auto detections = Json::array();
    for (const auto& detection : report.detections) detections.push_back(detection_json(detection));
    all.push_back({{"detector", report.detector},
                   {"version", report.version},
                   {"elapsed", seconds(report.elapsed)},
                   {"detections", std::move(detections)}});
  }
  return all;
}

Json pictures_json(const Worked& worked, const std::vector<std::string>& files) {
  auto all = Json::array();
  for (std::size_t i = 0; i < worked.artefacts.size(); ++i) {
    Json json{{"kind", worked.record.artefacts[i].kind},
              {"path", nullptr},
              {"bytes", worked.artefacts[i].size()}};
    if (!files[i].empty()) json["path"] = files[i];
    all.push_back(std::move(json));
  }
  return all;
}

}  // namespace

std::string once_line(const TaskDescription& task, std::uint64_t sequence,
                      const Result<Worked, WorkError>& result, Duration worked,
                      const std::vector<std::string>& files) {
  Json json{{"sequence", sequence},
            {"origin", task.origin},
            {"detect", fmt::format("{}", fmt::join(task.detect, ","))},
            {"status", to_string(result ? Status::ok : Status::failed)},
            {"reason", to_string(result ? Reason::none : result.error().reason)},
            {"text", result ? std::string() : result.error().text},
            {"damaged", result && result->record.damaged},
            {"attempts", 1}};
  for (const char* key : {"width", "height", "worked", "decode", "annotate"}) json[key] = nullptr;
  if (result) {
    const auto& record = result->record;
    json["width"] = record.width;
    json["height"] = record.height;
    json["worked"] = seconds(worked);
    json["decode"] = seconds(record.decode);
    json["annotate"] = seconds(record.annotate);
  }
  json["build"] = config::version();
  json["annotated"] = task.annotate;
  json["detectors"] = result ? detectors_json(result->record.reports) : Json::array();
  json["pictures"] = result ? pictures_json(*result, files) : Json::array();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace framefleet::worker
