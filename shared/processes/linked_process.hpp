#pragma once
// Starting a program of ours (mostly itself again) as a process that is given nothing but one end
// of a conversation, /dev/null and the environment named here: no descriptor, no variable, no
// signal mask of its parent's.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace framefleet {

struct LinkedProcess {
  pid_t pid{0};
  FileDescriptor link;  ///< Packets from and to it.
};

struct LinkedProgram {
  std::string path;
  std::string name;                      ///< What ps shows.
  std::string word;                      ///< The private argument that tells it what it is.
  std::vector<std::string> environment;  ///< All it is given: "NAME=value".
};

/// With the arguments `word` and the number of its descriptor. Errors: the system cannot start it.
Result<LinkedProcess, Error> start_linked(LinkedProgram program);

/// In the process: the descriptor, where the arguments are `word` and a number; else nothing. -1:
/// no number.
std::optional<int> link_in(int argc, const char* const* argv, const char* word);

}  // namespace framefleet
