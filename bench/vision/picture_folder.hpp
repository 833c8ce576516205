#pragma once
// A folder of as many pictures as are wanted, of which few are different.

#include <cstddef>
#include <filesystem>
#include <vector>

namespace framefleet::bench {

/// Makes the folder and gives it `count` files, in the order of whose names the pictures take
/// turns: hard links. Requires: on one file system. Errors: throws std::filesystem_error.
void link_in_turn(const std::vector<std::filesystem::path>& pictures,
                  const std::filesystem::path& folder, std::size_t count);

}  // namespace framefleet::bench
