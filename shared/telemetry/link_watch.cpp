#include "shared/telemetry/link_watch.hpp"

namespace framefleet::telemetry {

void LinkWatch::look(const Link& link, const std::string& trouble) {
  if (link.up()) {
    told_.clear();
  } else if (!trouble.empty() && trouble != told_) {
    program_.log.warn("connection_failed", {{"text", trouble}});
    told_ = trouble;
  }
  if (link.up() == was_up_) return;
  was_up_ = link.up();
  program_.log.info(was_up_ ? "broker_up" : "broker_down", {{"incarnation", link.incarnation()}});
}

std::optional<Error> refusal_of(const Link& link) {
  const auto& refusal = link.refusal();
  if (refusal.reason == Reason::none) return std::nullopt;
  return Error{"the broker refuses this process (" + std::string(to_string(refusal.reason)) +
                   "): " + refusal.text,
               exit_code::kUnavailable};
}

}  // namespace framefleet::telemetry
