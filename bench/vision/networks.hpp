#pragma once
// What a network costs in each backend, next to the loop that everybody writes first.

#include <filesystem>

namespace framefleet::bench {

/// For each model file of the folder that is of `objects` or `faces`: a plain loop (imdecode, blob,
/// OpenCV's forward, and nothing done with what comes out) and our decode plan by each backend, on
/// drawn pictures of 720p. A backend that this build has not, or that cannot take the model, has a
/// line that says so. False: the folder cannot be read, which is said on stderr.
bool print_networks(const std::filesystem::path& models, double seconds, int repetitions);

}  // namespace framefleet::bench
