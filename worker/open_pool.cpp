#include "worker/open_pool.hpp"

#include "worker/pool/format_pools.hpp"
#include "worker/pool/process_pool.hpp"
#include "worker/pool/thread_pool.hpp"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

namespace framefleet::worker {
namespace {

/// The program of the second kind of child, which is installed beside this one.
Result<std::string, Error> imgcodecs_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  auto program = self.parent_path() / "framefleet-worker-imgcodecs";
  if (!error && ::access(program.c_str(), X_OK) == 0) return program.string();
  return fail(Error{"worker.formats: bmp and tiff need the program " + program.string() +
                        ", which is not there: install it, or leave them out",
                    exit_code::kNoInput});
}

}  // namespace

Result<std::unique_ptr<Pool>, Error> open_pool(WorkerOptions options) {
  const FormatSet formats = formats_of(options);
  options.pool.workbench.limits.formats = formats;
  if (options.isolation == Isolation::none) return std::make_unique<ThreadPool>(options.pool);
  IsolationOptions isolation;
  isolation.memory_max = options.child_memory_max;
  isolation.detectors = std::move(options.detectors);
  if (formats.both(FormatSet::of_imgcodecs()).empty()) {
    return ProcessPool::open(options.pool, std::move(isolation));
  }
  const auto second = imgcodecs_program();
  if (!second) return fail(second.error());
  return FormatPools::open(options.pool, isolation, *second);
}

}  // namespace framefleet::worker
