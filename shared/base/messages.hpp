#pragma once
// What framefleet's processes say to each other, as plain values: one struct per message of
// docs/PROTOCOL.md, with the same names. Cores take and emit these; shared/wire spells them as
// bytes; the simulator moves them as they are.

#include "shared/base/connection_messages.hpp"
#include "shared/base/operator_messages.hpp"
#include "shared/base/task_messages.hpp"

#include <string_view>
#include <variant>

namespace framefleet {

using Message = std::variant<Hello, Welcome, Refused, Heartbeat, Goodbye, Submit, Admitted, Busy,
                             Rejected, Settled, Ask, Known, Assign, Results, Nack, Release, Stale,
                             Recall, Drain, Outcomes, Stored, Control, Report, Sources, Claimed>;

/// Calls `visit(Payload&)` for each entry of the message that can carry payload frames, in the
/// order in which their frames travel.
template <class AnyMessage, class Visit>
void for_each_payload(AnyMessage& message, Visit visit) {
  if (auto* submit = std::get_if<Submit>(&message)) {
    for (auto& task : submit->tasks) visit(task.payload);
  } else if (auto* assign = std::get_if<Assign>(&message)) {
    for (auto& task : assign->tasks) visit(task.payload);
  } else if (auto* results = std::get_if<Results>(&message)) {
    for (auto& task : results->tasks) visit(task.payload);
  } else if (auto* outcomes = std::get_if<Outcomes>(&message)) {
    for (auto& outcome : outcomes->outcomes) visit(outcome.payload);
  } else if (auto* report = std::get_if<Report>(&message)) {
    visit(report->payload);
  }
}

/// The name of a message on the wire ("hello", "submit", …).
std::string_view name_of(const Message& message);

}  // namespace framefleet
