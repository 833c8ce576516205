#include "shared/base/messages.hpp"

#include <array>
#include <utility>

namespace framefleet {

std::string_view to_string(TaskClass task_class) {
  return task_class == TaskClass::live ? "live" : "batch";
}

std::string_view to_string(Status status) {
  constexpr std::array<std::string_view, kStatusCount> kNames{"ok",         "failed",    "expired",
                                                              "superseded", "cancelled", "lost"};
  return kNames.at(static_cast<std::size_t>(status));
}

std::string_view to_string(Role role) {
  constexpr std::array<std::string_view, 4> kNames{"producer", "worker", "sink", "client"};
  return kNames.at(static_cast<std::size_t>(role));
}

Hello hello_as(Role role, std::string name, std::string_view build) {
  Hello hello;
  hello.role = role;
  hello.name = std::move(name);
  hello.build = build;
  hello.wire = kWireVersions;
  hello.task = kTaskVersions;
  return hello;
}

std::string_view to_string(ControlVerb verb) {
  constexpr std::array<std::string_view, kControlVerbCount> kNames{
      "status",       "workers",     "sources",    "jobs",          "drain_worker", "drain_idlest",
      "drain_broker", "pause",       "resume",     "cancel_job",    "cancel_task",  "dead_list",
      "dead_show",    "dead_export", "dead_purge", "reload_sources"};
  return kNames.at(static_cast<std::size_t>(verb));
}

bool is_deed(ControlVerb verb) {
  switch (verb) {
    case ControlVerb::status:
    case ControlVerb::workers:
    case ControlVerb::sources:
    case ControlVerb::jobs:
    case ControlVerb::dead_list:
    case ControlVerb::dead_show:
    case ControlVerb::dead_export:
      return false;
    case ControlVerb::drain_worker:
    case ControlVerb::drain_idlest:
    case ControlVerb::drain_broker:
    case ControlVerb::pause:
    case ControlVerb::resume:
    case ControlVerb::cancel_job:
    case ControlVerb::cancel_task:
    case ControlVerb::dead_purge:
    case ControlVerb::reload_sources:
      break;
  }
  return true;
}

std::string_view name_of(const Message& message) {
  constexpr std::array<std::string_view, std::variant_size_v<Message>> kNames{
      "hello",   "welcome", "refused", "heartbeat", "goodbye", "submit",  "admitted",
      "busy",    "reject",  "settled", "ask",       "known",   "assign",  "result",
      "nack",    "release", "stale",   "recall",    "drain",   "outcome", "stored",
      "control", "report",  "sources", "claimed"};
  return kNames.at(message.index());
}

}  // namespace framefleet
