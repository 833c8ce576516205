#pragma once
// What a smaller picture does to the boxes of detectors that may be given one: the figures to look
// at before a model file allows it.

#include <filesystem>
#include <vector>

namespace framefleet::bench {

/// Prints, for each model that comes with OpenCV and each scale, how its boxes differ from those of
/// the full picture. `paths` are files and folders (not their sub-folders); without any, pictures
/// with drawn faces are made. What is no JPEG, or cannot be worked on, is counted and left out.
void print_drift(const std::vector<std::filesystem::path>& paths);

}  // namespace framefleet::bench
