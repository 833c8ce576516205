#include "cli/children.hpp"

#include <utility>

namespace framefleet::cli {

Result<void, Error> Children::start(const ChildName& name, const Command& command,
                                    const Streams& streams) {
  auto process = ChildProcess::spawn(command, streams);
  if (!process) return fail(std::move(process.error()));
  running_.push_back({name, *std::move(process)});
  return {};
}

void Children::signal(const ChildName& name, int number) {
  for (auto& child : running_) {
    if (child.name == name) child.process.signal(number);
  }
}

void Children::add_ends(std::vector<int>& fds) const {
  for (const auto& child : running_) fds.push_back(child.process.end_fd());
}

std::vector<Children::Ended> Children::reap() {
  std::vector<Ended> ended;
  std::erase_if(running_, [&ended](Running& child) {
    const auto status = child.process.reap();
    if (status) ended.push_back({child.name, *status});
    return status.has_value();
  });
  return ended;
}

}  // namespace framefleet::cli
