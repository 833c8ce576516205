#pragma once
// The process that children are born from. It is a program of the worker's (the same one, or
// framefleet-worker-imgcodecs) started with a private argument, so that it has no socket, key,
// lease or thread of the worker's; it loads libraries and models and uses each once, and then forks
// a child, which costs milliseconds, whenever it is asked to. It never sees a picture from outside,
// reaps what dies, and ends with its worker.

#include "worker/pool/child.hpp"

#include <optional>

namespace framefleet::worker {

/// The private argument: the program is called with it and the number of a descriptor.
inline constexpr const char* kZygoteWord = "--zygote-fd";

/// Nothing where the arguments are not those of a zygote; else it has been one until now, and this
/// is its exit code. Requires: called first in main. In a child it does not return. `others`
/// decodes what the worker's own decoders do not (framefleet-worker-imgcodecs).
std::optional<int> run_as_zygote(int argc, const char* const* argv,
                                 ChildProgram program = work_orders, OtherDecoder others = nullptr);

}  // namespace framefleet::worker
