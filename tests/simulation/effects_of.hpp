#pragma once
// Which buffer of effects belongs to which core of a client: for code that treats them all alike.

#include "producer/core/submission.hpp"
#include "sink/core/intake.hpp"
#include "worker/core/session.hpp"

namespace framefleet::simulation {

/// The effects that a core appends.
template <class Core>
struct EffectsOf;
template <>
struct EffectsOf<worker::Session> {
  using Type = worker::Effects;
};
template <>
struct EffectsOf<producer::Submission> {
  using Type = producer::Effects;
};
template <>
struct EffectsOf<sink::Intake> {
  using Type = sink::Effects;
};

}  // namespace framefleet::simulation
