#include "sink/stores/outcome_row.hpp"

#include "sink/stores/text.hpp"

#include <cmath>

namespace framefleet::sink {
namespace {

std::string joined(std::span<const std::string> words) {
  std::string all;
  for (const auto& word : words) {
    if (!all.empty()) all += ',';
    all += word;
  }
  return clean_text(all, kDetectBytesMax);
}

std::optional<double> number(float value) {
  return std::isfinite(value) ? std::optional(as_printed(value)) : std::nullopt;
}

DetectionRow detection_row(const Detection& found) {
  DetectionRow row{.label = name_text(found.label),
                   .score = number(found.score),
                   .x = number(found.box.x),
                   .y = number(found.box.y),
                   .width = number(found.box.width),
                   .height = number(found.box.height),
                   .extra = std::nullopt};
  if (!found.extra.empty()) row.extra = clean_text(found.extra, found.extra.size() * 3);
  return row;
}

void add_result(OutcomeRow& row, const Outcome& outcome, const ResultRecord& record) {
  row.damaged = record.damaged;
  row.width = record.width;
  row.height = record.height;
  row.worked = seconds(outcome.worked);
  row.decode = seconds(record.decode);
  row.annotate = seconds(record.annotate);
  row.runs.reserve(record.reports.size());
  for (const auto& report : record.reports) {
    auto& run = row.runs.emplace_back(DetectorRunRow{
        name_text(report.detector), name_text(report.version), seconds(report.elapsed), {}});
    run.detections.reserve(report.detections.size());
    for (const auto& found : report.detections) run.detections.push_back(detection_row(found));
  }
}

}  // namespace

std::string name_text(std::string_view given) { return clean_text(given, kNameBytesMax); }

OutcomeRow row_of(const OutcomeToStore& given, const std::string& stored_at,
                  std::span<const PictureRow> pictures) {
  const auto& outcome = given.outcome;
  const auto& description = given.description;
  OutcomeRow row;
  row.task = TaskIdText(outcome.id).view();
  row.job = name_text(outcome.job);
  row.source = name_text(outcome.source);
  row.epoch = outcome.id.epoch;
  row.sequence = static_cast<std::int64_t>(outcome.id.sequence);
  row.task_class = to_string(outcome.task_class);
  row.origin = clean_text(description.origin, kTextBytesMax);
  row.detect = joined(description.detect);
  row.status = to_string(outcome.status);
  row.reason = to_string(outcome.reason);
  row.text = clean_text(outcome.text, kTextBytesMax);
  row.attempts = outcome.attempts;
  if (description.captured_at_ms != 0) row.captured_at = iso_time(description.captured_at_ms);
  row.stored_at = stored_at;
  row.queued = seconds(outcome.queued);
  row.leased = seconds(outcome.leased);
  row.worker = name_text(outcome.worker);
  row.build = name_text(outcome.build);
  row.annotated = description.annotate;
  if (outcome.revived_from) row.revived_from = to_string(*outcome.revived_from);
  if (outcome.status == Status::ok) add_result(row, outcome, given.record);
  row.pictures.assign(pictures.begin(), pictures.end());
  row.history.reserve(outcome.history.size());
  for (const auto& attempt : outcome.history) {
    row.history.push_back({attempt.attempt, name_text(attempt.worker),
                           std::string(to_string(attempt.reason)),
                           clean_text(attempt.text, kTextBytesMax)});
  }
  return row;
}

}  // namespace framefleet::sink
