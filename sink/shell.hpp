#pragma once
// The sink's shell: talks to the broker, feeds the store's thread, confirms what is committed.

#include "sink/core/intake.hpp"
#include "sink/options.hpp"
#include "sink/sink_metrics.hpp"
#include "sink/stores/store_thread.hpp"

#include "shared/telemetry/drain_watch.hpp"
#include "shared/telemetry/link_watch.hpp"
#include "shared/transport/channel.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::sink {

class Shell {
 public:
  /// Opens the store. Errors: 69 its folder is in use, 73 it cannot be created, 74 it is damaged,
  /// 78 the broker's address is none.
  static Result<std::unique_ptr<Shell>, Error> open(const SinkOptions& options,
                                                    telemetry::Program& program);

  /// Until drained, refused or told to stop: the exit code, or the error that ended it.
  Result<int, Error> run();

 private:
  Shell(const SinkOptions& options, telemetry::Program& program,
        std::unique_ptr<transport::Channel> channel, std::unique_ptr<StoreThread> store);

  void receive_messages();
  void take_completions(Time now);
  void report_store(const StoreThreadStatus& status);
  void prune_when_due(Time now);
  void pruned(const PruneStep& step, Time now);
  void carry_out(Control control);
  void report(ControlAnswer answer, Time now);
  void enqueue(StoreWork work);
  void perform(Time now);
  void commit(std::vector<Outcome> outcomes);
  OutcomeToStore prepared(Outcome outcome) const;
  void publish(Time now);

  SinkOptions options_;
  telemetry::Program& program_;
  std::unique_ptr<transport::Channel> channel_;
  std::unique_ptr<StoreThread> store_;
  Intake intake_;
  SinkMetrics metrics_;
  telemetry::DrainWatch drain_;
  telemetry::LinkWatch link_watch_;
  Effects effects_;
  Time commit_began_at_{};
  Time publish_at_{};
  Time prune_at_{};
  bool pruning_{false};            // the store has a prune to do
  std::uint64_t excess_bytes_{0};  // of the last one: above a cap that cannot be kept
  bool refused_by_store_{false};   // there was no place for a piece of work
  std::string blocked_;            // what was said last about a store that waits
};

}  // namespace framefleet::sink
