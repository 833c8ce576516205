#pragma once
// What of a child's stderr a person should see: what it wrote for people and the errors of its log,
// or where there is neither its last lines. Pure.

#include <cstddef>
#include <string>
#include <string_view>

namespace framefleet::cli {

/// At most `lines_max` lines, the latest ones, without a newline at the end.
std::string log_excerpt(std::string_view text, std::size_t lines_max);

}  // namespace framefleet::cli
