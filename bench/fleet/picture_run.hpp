#pragma once
// Internal: what the runs of all contestants of `vision` have in common: the pictures, and the
// figures that come of when each was done. Threads: one.

#include "cli/child_process.hpp"
#include "cli/folders.hpp"

#include "shared/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/fleet/contestant.hpp"
#include "bench/vision/outcomes.hpp"

namespace framefleet::bench {

/// Drawn ones; a run's folder has as many names for them as it has tasks.
class PictureStock {
 public:
  /// Errors: they cannot be drawn.
  static Result<PictureStock, Error> draw();
  /// The folder for a run of so many, made where there is none yet.
  std::filesystem::path folder_of(std::uint64_t tasks) const;

 private:
  explicit PictureStock(cli::PrivateFolder folder) : folder_(std::move(folder)) {}
  cli::PrivateFolder folder_;
};

/// One run's stopwatch and purse, from before its first process is started.
class PictureRun {
 public:
  PictureRun();
  /// Waits until it has ended by itself, with 0, and counts what it and those whom it waited for
  /// have spent. `who`: as errors say it; `process`: as figures say it.
  Result<void, Error> reap(cli::ChildProcess& child, const std::string& who,
                           const std::string& process, const std::filesystem::path& log);
  void note_peak(const std::string& process, std::uint64_t bytes);
  /// Of the outcomes of so many tasks, in whatever order. `steady`: the pace while every one of so
  /// many slots is busy; else from the start of the first process to the last result. Errors: each
  /// picture has not come out once.
  Result<RunFigures, Error> figures(std::uint64_t tasks, std::vector<Outcome> outcomes,
                                    std::size_t slots, bool steady) const;

 private:
  ProcessFigures& of(const std::string& process);

  double begin_s_;      ///< Unix time, as results have it.
  double reaped_s_{0};  ///< Processor time of all that were reaped, at the last one.
  std::vector<ProcessFigures> processes_;  ///< Their CPU not yet divided by the tasks.
};

/// How long so many pictures may take before something must be wrong.
Duration patience_for(std::uint64_t pictures);

}  // namespace framefleet::bench
