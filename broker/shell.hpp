#pragma once
// The broker's shell: tick, perform effects, wait until the next deadline or a message, handle a
// bounded batch, repeat. Decides nothing about tasks; checks tokens and source names at the door.

#include "broker/broker_metrics.hpp"
#include "broker/core/dispatcher.hpp"
#include "broker/journal_link.hpp"
#include "broker/options.hpp"

#include "shared/security/token.hpp"
#include "shared/telemetry/drain_watch.hpp"
#include "shared/transport/hub.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace framefleet::broker {

class Shell {
 public:
  /// Reads the journal, if there is one, and binds. Errors: 69 an address is taken, 69, 73 and 74
  /// the journal's (JournalLink), 78 an address is none or not allowed.
  static Result<std::unique_ptr<Shell>, Error> open(BrokerOptions options,
                                                    telemetry::Program& program);

  /// Until drained or told to stop: the exit code; 74 where the journal's disk cannot be trusted.
  Result<int, Error> run();
  const std::vector<std::string>& endpoints() const { return hub_->endpoints(); }

 private:
  Shell(const BrokerOptions& options, telemetry::Program& program,
        std::unique_ptr<transport::Hub> hub, std::unique_ptr<JournalLink> journal);
  Result<void, Error> begin();
  Result<int, Error> work();
  Result<void, Error> write(Time now);

  void handle(transport::Hub::Incoming incoming, Time now);
  void turn_away(PeerId from, const std::optional<Message>& message, Reason reason,
                 const std::string& text, Time now);
  std::string fault_of(PeerId from, const Message& message) const;
  bool is_proved(PeerId from, const TaskResult& result) const;
  void perform();
  void perform(SendTo& send_to);
  void show(const Show& wanted);
  void report_job(const std::string& name);
  void report_deaths(const WorkersDying& dying);
  void publish(Time now);
  int given_up() const;

  BrokerOptions options_;
  telemetry::Program& program_;
  std::unique_ptr<JournalLink> journal_;  // none: memory alone
  std::unique_ptr<transport::Hub> hub_;
  Dispatcher dispatcher_;
  security::TokenMint mint_;
  BrokerMetrics metrics_;
  telemetry::DrainWatch drain_;
  Effects effects_;
  std::map<PeerId, std::string> names_;  // of welcomed peers, for tokens and the log
  Time publish_at_{};
  bool drained_{false};
};

}  // namespace framefleet::broker
