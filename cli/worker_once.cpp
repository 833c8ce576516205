#include "cli/worker_once.hpp"

#include "cli/fleet_commands.hpp"

#include <fmt/format.h>

namespace framefleet::cli {
namespace {

/// A record holds 10 000 detections; what is longer than any of them is no line of a worker's.
constexpr std::size_t kLineBytesMax = std::size_t{64} << 20U;

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

Command command_of(const WorkerOnce& once) {
  Command command{
      locate(own_folder(), "framefleet-worker"),
      {"--log-level", "error", "--metrics-listen", "", "--once-detect", joined(once.detect)}};
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) command.arguments.insert(command.arguments.end(), {flag, value});
  };
  add("--once-annotated", once.annotated.string());
  add("--once-made", once.made.string());
  add("--once-second", once.second.string());
  add("--models", once.models.string());
  if (once.formats != WorkerOnce{}.formats) add("--formats", joined(once.formats));
  if (!once.isolated) add("--isolation", "none");
  if (once.one_slot) add("--slots", "1");
  command.arguments.emplace_back("--");
  command.arguments.insert(command.arguments.end(), once.pictures.begin(), once.pictures.end());
  return command;
}

}  // namespace

Result<int, Error> run_worker(const WorkerOnce& once, const TakeLine& take) {
  const auto worker = run_to_end(command_of(once), kLineBytesMax, take);
  if (!worker) return fail(worker.error());
  if (worker->status.signal != 0) {
    return fail(Error{fmt::format("framefleet-worker ended with {}\n{}", to_string(worker->status),
                                  worker->log)});
  }
  const int code = worker->status.code;
  if (code == exit_code::kOk || code == exit_code::kSomeFailed) return code;
  return fail(Error{worker->log, code});
}

}  // namespace framefleet::cli
