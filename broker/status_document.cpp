#include "broker/status_document.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>

namespace framefleet::broker {
namespace {

using Json = nlohmann::ordered_json;

Json account_of(const Account& account) {
  Json json{{"submitted", account.submitted},
            {"rejected", account.rejected},
            {"admitted", account.admitted}};
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    json[std::string(to_string(static_cast<Status>(i)))] = account.settled.at(i);
  }
  return json;
}

Json in_progress_of(const InProgress& tasks) {
  return {{"ready", tasks.ready},
          {"delayed", tasks.delayed},
          {"leased", tasks.leased},
          {"storing", tasks.storing}};
}

/// A mean that nobody has measured is not 0.
Json measured(Duration duration) {
  return duration > Duration::zero() ? Json(seconds(duration)) : Json(nullptr);
}

Json demand_of(const DemandRow& row) {
  return {{"offered_slots", row.offered_slots},
          {"waiting_seconds", row.waiting_seconds},
          {"slots_per_worker", row.slots_per_worker}};
}

std::string spelled(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const WorkerRow& row) {
  return {{"name", row.name},
          {"build", row.build},
          {"detectors", row.detectors},
          {"slots", row.slots},
          {"leased", row.leased},
          {"draining", row.draining},
          {"not_ready", row.not_ready.empty() ? Json(nullptr) : Json(row.not_ready)},
          {"with_suspect", row.with_suspect},
          {"mean_service_seconds", measured(row.mean_service)},
          {"finished", row.finished},
          {"silent_seconds", seconds(row.silent)}};
}

Json json_of(const SourceRow& row) {
  return {{"name", row.name},
          {"owner", row.owner.empty() ? Json(nullptr) : Json(row.owner)},
          {"epoch", row.epoch},
          {"weight", row.weight},
          {"paused", row.paused},
          {"account", account_of(row.account)},
          {"in_progress", in_progress_of(row.in_progress)},
          {"unaccounted", row.unaccounted},
          {"backlog_bytes", row.bytes},
          {"mean_service_seconds", measured(row.mean_service)},
          {"state", row.state.empty() ? Json(nullptr) : Json(row.state)},
          {"state_seconds", row.state.empty() ? Json(nullptr) : Json(seconds(row.state_for))},
          {"state_text", row.state_text.empty() ? Json(nullptr) : Json(row.state_text)}};
}

Json json_of(const JobRow& row) {
  return {{"name", row.name},
          {"account", account_of(row.account)},
          {"in_progress", in_progress_of(row.in_progress)},
          {"expected", row.expected > 0 ? Json(row.expected) : Json(nullptr)},
          {"cancelled", row.cancelled},
          {"finished", row.finished},
          {"elapsed_seconds", seconds(row.elapsed)},
          {"tasks_per_second", row.rate},
          {"eta_seconds", row.eta ? Json(seconds(*row.eta)) : Json(nullptr)}};
}

template <class Rows>
std::string list_document(const char* name, const Rows& rows) {
  Json list = Json::array();
  for (const auto& row : rows) list.push_back(json_of(row));
  return spelled(Json{{name, std::move(list)}});
}

}  // namespace

std::string status_document(const FleetStatus& status) {
  return spelled(Json{{"account", account_of(status.total)},
                      {"in_progress", in_progress_of(status.in_progress)},
                      {"unaccounted", status.unaccounted},
                      {"unstored", status.in_progress.storing},
                      {"unstored_bytes", status.unstored_bytes},
                      {"backlog_bytes", status.backlog_bytes},
                      {"oldest_seconds", seconds(status.oldest)},
                      {"workers", status.workers},
                      {"workers_draining", status.workers_draining},
                      {"workers_not_ready", status.workers_not_ready},
                      {"slots", status.slots},
                      {"free_slots", status.free_slots},
                      {"desired_workers", status.demand.desired_workers},
                      {"demand", demand_of(status.demand)},
                      {"producers", status.producers},
                      {"sources", status.sources},
                      {"jobs", status.jobs},
                      {"suspects", status.suspects},
                      {"workers_dying", status.workers_dying},
                      {"sink_connected", status.sink_connected},
                      {"paused", status.paused},
                      {"draining", status.draining}});
}

std::string workers_document(const std::vector<WorkerRow>& workers) {
  return list_document("workers", workers);
}
std::string draining_document(const std::vector<std::string>& workers) {
  return spelled(Json{{"draining", workers}});
}
std::string sources_document(const std::vector<SourceRow>& sources) {
  return list_document("sources", sources);
}
std::string jobs_document(const std::vector<JobRow>& jobs) { return list_document("jobs", jobs); }

}  // namespace framefleet::broker
