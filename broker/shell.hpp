#pragma once
// The broker's shell: tick, perform effects, wait until the next deadline or a message, handle a
// bounded batch, repeat. Decides nothing about tasks; checks keys, tokens and source names at the
// door.

#include "broker/audit_log.hpp"
#include "broker/broker_metrics.hpp"
#include "broker/core/dispatcher.hpp"
#include "broker/core/outbox.hpp"
#include "broker/guard.hpp"
#include "broker/journal_link.hpp"
#include "broker/options.hpp"

#include "shared/security/digest.hpp"
#include "shared/security/token.hpp"
#include "shared/telemetry/drain_watch.hpp"
#include "shared/transport/hub.hpp"

#include <cstdint>
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
  Shell(const BrokerOptions& options, telemetry::Program& program, Guard guard,
        std::unique_ptr<transport::Hub> hub, std::unique_ptr<JournalLink> journal, AuditLog audit);
  Result<void, Error> begin();
  Result<int, Error> work();
  Result<void, Error> write(Time now);

  void receive_messages();
  void handle(transport::Hub::Incoming incoming);
  void look_at_keys(Time now);
  void turn_away(PeerId from, const std::optional<Message>& message, Reason reason,
                 const std::string& text, Time now);
  std::string check_claims(PeerId from, Message& message);
  bool is_hash_of(std::uint64_t hash, const std::string& source);
  bool note_deed(PeerId from, const transport::Hub::Sender& sender, const Control& control);
  void note_end(const Result<void, Error>& written);
  void perform();
  void perform(SendTo& send_to);
  void send_out();
  void show(const Show& wanted);
  void report_job(const std::string& name);
  void report_deaths(const WorkersDying& dying);
  void publish(Time now);
  int given_up() const;

  BrokerOptions options_;
  telemetry::Program& program_;
  std::unique_ptr<JournalLink> journal_;  // none: memory alone
  Guard guard_;
  std::unique_ptr<transport::Hub> hub_;
  Dispatcher dispatcher_;
  security::TokenMint mint_;
  BrokerMetrics metrics_;
  telemetry::DrainWatch drain_;
  AuditLog audit_;
  Effects effects_;
  Outbox outbox_;
  // Of peers that said hello, for tokens and the log; of one with a key "identity/name".
  std::map<PeerId, std::string> names_;
  std::string hashed_;  // the name of a source that was hashed last, and its hash
  std::uint64_t hash_{security::source_hash({})};
  Time now_{};  // read once a turn, after the wait
  Time publish_at_{};
  bool drained_{false};
};

}  // namespace framefleet::broker
