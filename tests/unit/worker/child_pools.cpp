#include "tests/unit/worker/child_pools.hpp"

#include "tests/support/catch.hpp"
#include "worker/decoding/encoder.hpp"

#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <utility>

namespace framefleet::worker {

std::unique_ptr<ProcessPool> open_pool(const ChildPoolOptions& options) {
  PoolOptions pool_options;
  pool_options.slots = options.slots;
  pool_options.decode_timeout = options.decode_timeout;
  pool_options.detect_timeout = options.detect_timeout;
  pool_options.workbench.detectors.models = options.models;
  IsolationOptions isolation;
  isolation.program = options.program;
  isolation.memory_max = options.memory_max;
  isolation.start_max = options.start_max;
  isolation.warm_up_max = options.warm_up_max;
  isolation.child_start_max = options.child_start_max;
  isolation.zygote_answer_max = options.zygote_answer_max;
  isolation.detectors = options.detectors;
  auto pool = ProcessPool::open(pool_options, isolation);
  REQUIRE(pool.has_value());
  return std::move(*pool);
}

bool wait_for_news(const Pool& pool) {
  pollfd bell{pool.notify_fd(), POLLIN, 0};
  return ::poll(&bell, 1, 60'000) == 1;
}

std::vector<WorkDone> take(Pool& pool, std::size_t count) {
  std::vector<WorkDone> all;
  while (all.size() < count && wait_for_news(pool)) {
    for (auto& done : pool.take_done()) all.push_back(std::move(done));
  }
  return all;
}

std::string grey_picture(int width, int height) {
  const auto stride = static_cast<std::size_t>(width);
  const std::vector<std::uint8_t> pixels(stride * static_cast<std::size_t>(height), 90);
  return *JpegEncoder().encode({pixels.data(), width, height, 1, stride}, 90);
}

WorkOrder order(std::uint64_t ticket, const std::string& detector, const std::string& origin) {
  static const std::string kPicture = grey_picture(30, 20);
  WorkOrder made;
  made.ticket = ticket;
  made.id = {7, 1, ticket, 0};
  made.task.detect = {detector};
  made.task.origin = origin;
  made.frames = {std::as_bytes(std::span(kPicture))};
  return made;
}

WorkDone run(Pool& pool, const WorkOrder& what) {
  REQUIRE(pool.start(what));
  auto done = take(pool, 1);
  REQUIRE(done.size() == 1);
  return std::move(done[0]);
}

std::set<pid_t> children_of(pid_t parent) {
  std::set<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      continue;
    }
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);  // empty where the process has just ended
    const auto after_name = stat.rfind(')');
    if (after_name == std::string::npos) continue;
    if (std::stol(stat.substr(after_name + 4)) == parent) found.insert(std::stoi(name));
  }
  return found;
}

std::string status_of(pid_t pid, const std::string& field) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word) {
    if (word == field + ":" && status >> word) return word;
  }
  return "";
}

pid_t only_child_of(pid_t parent) {
  const auto children = children_of(parent);
  std::string who;
  for (const pid_t child : children) {
    who += std::to_string(child) + ' ' + status_of(child, "Name") + ' ' + status_of(child, "State");
    who += child == *children.rbegin() ? "" : ", ";
  }
  INFO("children of " << parent << " (this is " << ::getpid() << "): " << who);
  REQUIRE(children.size() == 1);
  return *children.begin();
}

}  // namespace framefleet::worker
