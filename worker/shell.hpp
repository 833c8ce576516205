#pragma once
// The worker's shell: talks to the broker, starts tasks in the pool, sends back what it made of
// them, and vouches only for tasks whose stage is within its budget.

#include "worker/core/session.hpp"
#include "worker/options.hpp"
#include "worker/pool/pool.hpp"
#include "worker/self_tester.hpp"
#include "worker/worker_metrics.hpp"

#include "shared/telemetry/drain_watch.hpp"
#include "shared/telemetry/link_watch.hpp"
#include "shared/transport/channel.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::worker {

/// Where the program was started by a worker to be its child process: the exit code with which that
/// ended. Requires: called first in main.
std::optional<int> run_as_child_process(int argc, const char* const* argv);

class Shell {
 public:
  /// Looks for the detectors it is to offer and for their files, and starts the pool; whether they
  /// work is for the self-tests. Errors: 64 a detector that does not exist, 66 a detector's file is
  /// missing, 78 the broker's address is none.
  static Result<std::unique_ptr<Shell>, Error> open(WorkerOptions options,
                                                    telemetry::Program& program);

  /// Until drained, refused or told to stop: the exit code, or the error that ended it. At its
  /// return the broker has its leases back. Requires: called once.
  Result<int, Error> run();
  /// After run(): ends the process here, with what run() gave, while a thread of the pool still has
  /// a task. The destructor would wait for it.
  void exit_if_working(const Result<int, Error>& ended);

 private:
  Shell(const WorkerOptions& options, telemetry::Program& program,
        std::unique_ptr<transport::Channel> channel, std::unique_ptr<Pool> pool);

  Result<int, Error> work();
  void receive_messages();
  void take_done(Time now);
  void finish(const LeaseId& lease, Worked worked, Duration elapsed, Time now);
  void failed(const LeaseId& lease, Reason reason, const std::string& text, Time now);
  std::string too_much(const std::string& record, const std::vector<std::string>& artefacts) const;
  void give_up_the_overdue(Time now);
  void run_self_tests(Time now);
  void take_self_test(const WorkDone& done, Time now);
  Time next_deadline() const;
  void perform(Time now);
  void note_hello();
  void start(const AssignedTask& task, Time now);
  void take_back(const std::vector<LeaseId>& leases, Time now);
  std::uint64_t ticket_of(const LeaseId& lease) const;
  void take_pool_stats();
  std::string serving() const;
  void publish(Time now);
  Result<int, Error> ended() const;

  WorkerOptions options_;
  telemetry::Program& program_;
  std::unique_ptr<transport::Channel> channel_;  // until the end of run()
  std::unique_ptr<Pool> pool_;
  SelfTester self_tester_;
  Session session_;
  WorkerMetrics metrics_;
  telemetry::DrainWatch drain_;
  telemetry::LinkWatch link_watch_;
  Effects effects_;
  Effects performed_;                         // those that are being performed; keeps its memory
  std::map<std::uint64_t, LeaseId> tickets_;  // of what the pool has
  std::uint64_t last_ticket_{0};
  WorkerStats stats_;
  Time publish_at_{};
  bool said_hello_{false};
  bool was_ready_{false};
  bool stuck_{false};  // a thread of the pool does not come back from a task
};

}  // namespace framefleet::worker
