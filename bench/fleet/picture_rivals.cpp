#include "cli/child_process.hpp"
#include "cli/fleet_commands.hpp"
#include "cli/folders.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "bench/fleet/cast.hpp"
#include "bench/fleet/picture_contestants.hpp"
#include "bench/fleet/rival.hpp"
#include "bench/fleet/spending.hpp"

namespace framefleet::bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Of Debian's, which its packages are for.
constexpr const char* kPython = "/usr/bin/python3";

cli::Command command_of(const std::string& name, std::size_t workers, const fs::path& folder,
                        const fs::path& results) {
  if (name == kPlainLoop) {
    return {cli::locate(cli::own_folder(), "framefleet-bench-loop"),
            {"work", folder.string(), results.string()}};
  }
  return {kPython,
          {FRAMEFLEET_BENCH_RIVALS "/picture_pools.py", name, std::to_string(workers),
           folder.string(), results.string()}};
}

std::vector<Outcome> outcomes_in(const fs::path& results) {
  std::vector<Outcome> outcomes;
  std::ifstream lines(results);
  for (Outcome each; lines >> each.sequence >> each.done_at_s >> each.took_s >> each.detections;) {
    outcomes.push_back(each);
  }
  return outcomes;
}

class PictureRival final : public Contestant {
 public:
  PictureRival(std::string name, const PictureField& field)
      : name_(std::move(name)), field_(field) {}

  std::string name() const override { return name_; }
  Result<void, Error> start() override { return {}; }
  Result<RunFigures, Error> run(const Load& load) override {
    auto figures = one_run(load.tasks);
    if (!figures) figures.error().text = name_ + ": " + figures.error().text;
    return figures;
  }
  Result<void, Error> finish() override { return {}; }

 private:
  Result<RunFigures, Error> one_run(std::uint64_t tasks) const {
    const auto sources = field_.stock.folder_of(tasks);
    const auto folder = cli::PrivateFolder::create();
    if (!folder) return fail(folder.error());
    const auto results = folder->path() / "results";
    PictureRun run;
    auto member = CastMember::start(command_of(name_, field_.slots, sources, results), name_,
                                    folder->path() / "log");
    if (!member) return fail(member.error());
    if (auto done = member->until_done(patience_for(tasks)); !done) return fail(done.error());
    run.note_peak("all", spending_of(member->pid()).peak_bytes);
    const auto report = member->end();
    if (!report) return fail(report.error());
    if (auto left = run.reap(member->process(), name_, "all", folder->path() / "log"); !left) {
      return fail(left.error());
    }
    return run.figures(tasks, outcomes_in(results), field_.slots, field_.steady);
  }

  std::string name_;
  PictureField field_;
};

/// Whether Debian's Python can import these.
bool has_modules(const std::string& modules) {
  constexpr Duration kPatience = 60s;
  auto check =
      cli::ChildProcess::spawn({kPython, {"-c", "import " + modules}}, {.log = "/dev/null"});
  return check && until_left(*check, "python3", {}, kPatience);
}

}  // namespace

const std::vector<std::string>& picture_rivals() {
  static const std::vector<std::string> kAll{kPlainLoop, "joblib_threads", "joblib_loky",
                                             "multiprocessing"};
  return kAll;
}

std::string absence_of_picture_rival(const std::string& name) {
  if (name == kPlainLoop) return {};
  const bool joblib = name.starts_with("joblib");
  if (has_modules(joblib ? "cv2, joblib" : "cv2")) return {};
  return joblib ? "they are not here (Debian: python3-opencv python3-joblib)"
                : "it is not here (Debian: python3-opencv)";
}

std::unique_ptr<Contestant> make_picture_rival(const std::string& name, const PictureField& field) {
  return std::make_unique<PictureRival>(name, field);
}

}  // namespace framefleet::bench
