#pragma once
// The first use of every format and detector, which opens files, asks for the number of CPUs and
// fills caches: done once, by the zygote, so that children are born warm and never open anything.

#include "worker/detectors/workbench.hpp"

#include <string>
#include <vector>

namespace framefleet::worker {

/// Works on a picture of each format with each of the detectors at its default options. What goes
/// wrong is not told: it will be, with its reason, by the first task that meets it.
void warm_up(Workbench& bench, const std::vector<std::string>& detectors);
/// The same for the networks among the models whose detectors are warm, each once: opening one in
/// the middle of a task would take that task's time.
void warm_up_networks(Workbench& bench, const std::vector<std::string>& detectors,
                      const std::vector<Model>& models);

}  // namespace framefleet::worker
