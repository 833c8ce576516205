#include "worker/pool/open_order.hpp"

#include "worker/pool/child_wire.hpp"
#include "worker/pool/parcel.hpp"

namespace framefleet::worker {

Result<OpenOrder, WorkError> open_order(const WorkOrder& order, const PoolOptions& options) {
  Order message{order.ticket, order.id, order.attempt, order.task, {}};
  for (const auto& frame : order.frames) message.frame_bytes.push_back(frame.size());
  auto packet = encode(ToChild(std::move(message)));
  if (!packet) {
    return fail(WorkError{Reason::bad_description, "the task's description is over a limit"});
  }
  auto parcel = make_parcel(order.frames);
  if (!parcel) return fail(WorkError{Reason::detector_error, parcel.error().text});
  OpenOrder open;
  open.ticket = order.ticket;
  open.id = order.id;
  open.packet = std::move(*packet);
  open.parcel = std::move(*parcel);
  open.begun = open.since = OpenOrder::Clock::now();
  // Decode, every detector, annotate.
  const std::size_t detectors = order.task.detect.size();
  open.stages_left = detectors + 2;
  open.cpu_budget =
      options.decode_timeout * 2 + options.detect_timeout * static_cast<std::int64_t>(detectors);
  return open;
}

Duration budget_of(const OpenOrder& order, const PoolOptions& options) {
  return order.stage == Stage::detect ? options.detect_timeout : options.decode_timeout;
}

}  // namespace framefleet::worker
