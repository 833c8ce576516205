#include "shared/base/detector_list.hpp"

#include <algorithm>

namespace framefleet {

std::vector<std::string> split_detectors(std::string_view list) {
  std::vector<std::string> specs;
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (comma != 0) specs.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return specs;
}

std::string_view detector_name(std::string_view spec) { return spec.substr(0, spec.find('?')); }

std::vector<std::string> detector_names(const std::vector<std::string>& specs) {
  std::vector<std::string> names;
  names.reserve(specs.size());
  for (const auto& spec : specs) names.emplace_back(detector_name(spec));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace framefleet
