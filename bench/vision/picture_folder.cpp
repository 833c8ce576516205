#include "bench/vision/picture_folder.hpp"

#include <fmt/format.h>

namespace framefleet::bench {
namespace fs = std::filesystem;

void link_in_turn(const std::vector<fs::path>& pictures, const fs::path& folder,
                  std::size_t count) {
  fs::create_directory(folder);
  for (std::size_t i = 0; i < count; ++i) {
    fs::create_hard_link(pictures[i % pictures.size()], folder / fmt::format("{:06}.jpg", i));
  }
}

}  // namespace framefleet::bench
