#include "broker/core/quotas.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace framefleet::broker {
namespace {

/// What may be taken at once, in the time that it takes to earn it.
constexpr Duration kBurst = std::chrono::seconds{1};
/// No single thing takes longer to earn: numbers from outside add up to no overflow.
constexpr Duration kEarnedWithin = std::chrono::hours{24};

Duration time_to_earn(std::uint64_t amount, double per_second) {
  if (per_second <= 0) return Duration::zero();
  const double nanoseconds = std::floor(static_cast<double>(amount) * 1e9 / per_second);
  const auto most = static_cast<double>(kEarnedWithin.count());
  return Duration{static_cast<Duration::rep>(std::min(nanoseconds, most))};
}

std::uint64_t share_of(std::uint64_t whole, double share) {
  return share >= 1 ? whole : static_cast<std::uint64_t>(static_cast<double>(whole) * share);
}

}  // namespace

Duration Rate::wait(std::uint64_t amount, double per_second, Time now) const {
  if (per_second <= 0 || earned_at_ <= now) return Duration::zero();
  const Duration allowed = std::max(kBurst - time_to_earn(amount, per_second), Duration::zero());
  return std::max(earned_at_ - now - allowed, Duration::zero());
}

void Rate::take(std::uint64_t amount, double per_second, Time now) {
  earned_at_ = std::max(earned_at_, now) + time_to_earn(amount, per_second);
}

void QuotaPart::take(Quota* quota, std::uint64_t bytes) {
  FRAMEFLEET_ASSERT(quota_ == nullptr);
  if (quota == nullptr) return;
  quota_ = quota;
  bytes_ = bytes;
  ++quota->unsettled;
  quota->held_bytes += bytes;
}

void QuotaPart::free_bytes() {
  if (quota_ != nullptr) quota_->held_bytes -= std::exchange(bytes_, 0);
}

void QuotaPart::free() {
  free_bytes();
  if (auto* const quota = std::exchange(quota_, nullptr)) --quota->unsettled;
}

void Quotas::set_listed(const std::map<std::string, QuotaLimits>& limits) {
  for (auto& [identity, quota] : quotas_) quota.listed = false;
  for (const auto& [identity, now] : limits) {
    auto& quota = *find_or_add(identity);
    if (quota.limits.tasks_per_second != now.tasks_per_second) quota.tasks = {};
    if (quota.limits.bytes_per_second != now.bytes_per_second) quota.bytes = {};
    quota.limits = now;
    quota.listed = true;
  }
}

Quota* Quotas::find_or_add(const std::string& identity) {
  if (identity.empty()) return nullptr;
  auto& quota = quotas_[identity];
  quota.identity = identity;
  return &quota;
}

std::optional<Quotas::Wait> Quotas::wait_for(const Quota& quota, const Need& need, Time now) const {
  const auto& limits = quota.limits;
  if (limits.unsettled_max > 0 && quota.unsettled >= limits.unsettled_max) {
    return Wait{Reason::key_unsettled, {}};
  }
  // Whoever holds nothing is within its share, or what is large would never be let in.
  if (quota.unsettled > 0 && (quota.unsettled >= share_of(tasks_max_, limits.backlog_share) ||
                              quota.held_bytes - need.freed_bytes + need.held_bytes >
                                  share_of(bytes_max_, limits.backlog_share))) {
    return Wait{Reason::key_share, {}};
  }
  const auto for_tasks = quota.tasks.wait(1, limits.tasks_per_second, now);
  const auto for_bytes =
      quota.bytes.wait(need.payload_bytes, static_cast<double>(limits.bytes_per_second), now);
  if (for_tasks == Duration::zero() && for_bytes == Duration::zero()) return std::nullopt;
  return for_bytes > for_tasks ? Wait{Reason::key_byte_rate, for_bytes}
                               : Wait{Reason::key_task_rate, for_tasks};
}

void Quotas::charge(Quota& quota, std::uint64_t payload_bytes, Time now) {
  quota.tasks.take(1, quota.limits.tasks_per_second, now);
  quota.bytes.take(payload_bytes, static_cast<double>(quota.limits.bytes_per_second), now);
}

}  // namespace framefleet::broker
