#include "shared/telemetry/drain_watch.hpp"

#include <csignal>

namespace framefleet::telemetry {

DrainWatch::Word DrainWatch::hear(Time now) {
  auto word = Word::nothing;
  while (const auto signal = program_.signals.next()) {
    if (*signal == SIGHUP) hung_up_ = true;
    const auto wish = request_.hear(*signal);
    if (wish == StopRequest::Wish::now) {
      program_.log.warn("stopping_now", {{"signal", *signal}});
      return Word::stop;
    }
    if (wish == StopRequest::Wish::drain && !draining()) {
      begin(now);
      word = Word::drain;
    }
  }
  if (now < until_) return word;
  program_.log.warn("drain_given_up", {{"timeout", timeout_}});
  gave_up_ = true;
  return Word::stop;
}

void DrainWatch::begin(Time now) {
  if (draining()) return;
  program_.log.info("draining", {{"timeout", timeout_}});
  program_.health.not_ready("draining");
  until_ = now + timeout_;
}

}  // namespace framefleet::telemetry
