#include "cli/autoscaler.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace framefleet::cli {
namespace {

constexpr std::uint32_t kWorkersMax = 256;  // Processes on one machine; more is a mistyped number.

std::optional<std::uint32_t> whole(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = error == std::errc{} && end == text.data() + text.size();
  return is_whole ? std::optional{value} : std::nullopt;
}

}  // namespace

Result<WorkerRange, std::string> parse_worker_range(const std::string& text) {
  const std::string_view all(text);
  const auto colon = all.find(':');
  if (colon != std::string_view::npos) {
    const auto min = whole(all.substr(0, colon));
    const auto max = whole(all.substr(colon + 1));
    const bool in_order = min && max && *min <= *max && *max >= 1 && *max <= kWorkersMax;
    if (in_order) return WorkerRange{*min, *max};
  }
  return fail("'" + text +
              "' is no MIN:MAX: two whole numbers with 0 <= MIN <= MAX and 1 <= MAX <= " +
              std::to_string(kWorkersMax) + ", as in 1:8");
}

ScaleStep Autoscaler::look(std::uint64_t desired, std::uint32_t present, Time now) {
  const auto& range = options_.range;
  const auto wanted =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(desired, range.min, range.max));
  if (looking_since_ == kNever) looking_since_ = now;
  const auto looked_for = now - looking_since_;
  least_.add(wanted, now, options_.up_delay);
  most_.add(wanted, now, options_.down_delay);
  if (present < range.min) return {.start = range.min - present, .drain = 0};
  if (present > range.max) return {.start = 0, .drain = present - range.max};
  if (least_.value() > present) {
    const bool is_settled = started_at_ == Time::min() || now - started_at_ >= options_.up_delay;
    if (looked_for < options_.up_delay || !is_settled) return {};
    started_at_ = now;
    return {.start = least_.value() - present, .drain = 0};
  }
  if (most_.value() < present && looked_for >= options_.down_delay) {
    return {.start = 0, .drain = present - most_.value()};
  }
  return {};
}

void Autoscaler::lost_sight() {
  looking_since_ = kNever;
  least_.forget();
  most_.forget();
}

}  // namespace framefleet::cli
