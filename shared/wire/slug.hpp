#pragma once
// Names that become names of files: nothing that climbs out of a folder.
// Threads: any. Errors: none.

#include "shared/wire/limits.hpp"

#include <string_view>

namespace framefleet::wire {

inline constexpr std::string_view kNoSlug = "is not 1 to 32 lower-case letters, digits, '-' or '_'";

constexpr bool is_slug(std::string_view text) {
  return !text.empty() && text.size() <= kSlugBytesMax &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

}  // namespace framefleet::wire
