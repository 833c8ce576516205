#pragma once
// Spells a command so that a person can paste it into a POSIX shell and get the same words again.

#include <span>
#include <string>
#include <string_view>

namespace framefleet::cli {

/// One word; quoted only where the shell would not take it as it is.
std::string shell_quote(std::string_view word);

/// All words of a command, separated by spaces.
std::string shell_command(std::span<const std::string> words);

}  // namespace framefleet::cli
