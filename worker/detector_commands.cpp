#include "worker/detector_commands.hpp"

#include "worker/detectors/registry.hpp"

#include "shared/base/detector_list.hpp"

#include <cstdio>

namespace framefleet::worker {

bool only_about_detectors(const WorkerOptions& options) {
  return options.list_detectors || !options.check_detectors.empty();
}

Result<int, Error> run_detector_command(const WorkerOptions& options) {
  if (options.list_detectors) std::fputs(detector_catalogue().c_str(), stdout);
  for (const auto& spec : split_detectors(options.check_detectors)) {
    const auto offered = check_not_refused(options.refused_models, detector_name(spec));
    if (!offered) return fail(offered.error());
    auto detector = make_detector(spec, options.pool.workbench.detectors);
    if (!detector) return fail(detector.error());
  }
  return exit_code::kOk;
}

}  // namespace framefleet::worker
