#pragma once
// Pools of real child processes: of framefleet-worker, and of programs whose children are odd.

#include "worker/pool/process_pool.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace framefleet::worker {

struct ChildPoolOptions {
  std::size_t slots{1};
  std::string program{std::string(FRAMEFLEET_BINARY_DIR) + "/framefleet-worker"};
  Duration decode_timeout{std::chrono::seconds{60}};
  Duration detect_timeout{std::chrono::seconds{60}};
  Duration start_max{std::chrono::seconds{60}};
  Duration warm_up_max{std::chrono::seconds{60}};
  Duration child_start_max{std::chrono::seconds{60}};
  Duration zygote_answer_max{std::chrono::seconds{60}};
  std::vector<std::string> detectors{"stub", "faces", "people", "edges", "corners", "markers"};
  std::uint64_t memory_max{std::uint64_t{256} << 20U};
  std::vector<Model> models;
};

std::unique_ptr<ProcessPool> open_pool(const ChildPoolOptions& options = {});

/// A minute at most: a test that hangs should fail, not hang.
bool wait_for_news(const Pool& pool);
std::vector<WorkDone> take(Pool& pool, std::size_t count);

/// A grey JPEG of one shade.
std::string grey_picture(int width, int height);
/// Of a picture of 30 x 20 pixels.
WorkOrder order(std::uint64_t ticket, const std::string& detector, const std::string& origin = "");
WorkDone run(Pool& pool, const WorkOrder& what);

/// Processes whose parent this is, be they ended and not reaped.
std::set<pid_t> children_of(pid_t parent);
/// What /proc/PID/status says of `field`.
std::string status_of(pid_t pid, const std::string& field);
/// Requires that it has one.
pid_t only_child_of(pid_t parent);

}  // namespace framefleet::worker
