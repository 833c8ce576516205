#include "broker/core/demand.hpp"

#include <algorithm>
#include <cmath>

namespace framefleet::broker {
namespace {

/// Of its time a slot is to work; the rest keeps live frames from waiting for one another.
constexpr double kBusyShare = 0.8;
/// No fleet has more, and every number below it is exact.
constexpr double kWorkersMax = 100'000;
/// Sums of fractions that should be a whole number are it.
constexpr double kRounding = 1e-9;

}  // namespace

void Demand::note_workers(std::uint64_t workers, std::uint64_t slots) {
  if (slots == 0) return;
  slots_per_worker_ = static_cast<double>(slots) / static_cast<double>(workers);
}

DemandRow Demand::row(const KnownWork& known, Time now) const {
  DemandRow row;
  row.offered_slots = seconds_.per_second(now) + known.paced_slots;
  row.waiting_seconds = known.batch_seconds;
  row.slots_per_worker = slots_per_worker_;
  if (!known.any && pictures_.per_second(now) <= 0) return row;
  const double slots =
      row.offered_slots / kBusyShare + row.waiting_seconds / seconds(drain_target_);
  const double workers = std::ceil(slots / slots_per_worker_ - kRounding);
  row.desired_workers = static_cast<std::uint64_t>(std::clamp(workers, 1.0, kWorkersMax));
  return row;
}

}  // namespace framefleet::broker
