#pragma once
// The journal as the broker's loop sees it: what an earlier broker left, what is to be written
// after every turn, and what is on the disk. The disk is waited for in the journal's own thread.
//
// Threads: the loop's alone.

#include "broker/core/dispatcher.hpp"
#include "broker/journals/journal_writer.hpp"
#include "broker/journals/lmdb_journal.hpp"

#include "shared/telemetry/program.hpp"
#include "shared/transport/frame.hpp"
#include "shared/transport/payload_store.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::broker {

/// For metrics.
struct JournalLinkStats {
  JournalStats journal;
  std::uint64_t waiting_bytes{0};  ///< Handed over and not on the disk.
  bool full{false};                ///< Submits are answered busy.
};

class JournalLink {
 public:
  /// Verifies the journal and begins another incarnation, which is on the disk at its return.
  /// Errors: 69 another broker has it, 73 and 74 it cannot be made, read or written; what to do.
  static Result<std::unique_ptr<JournalLink>, Error> open(const JournalOptions& options,
                                                          telemetry::Program& program);

  std::uint32_t incarnation() const { return incarnation_; }
  /// What tokens are made with, in this incarnation and those before.
  const TokenKey& token_key() const { return token_key_; }
  /// Gives the dispatcher what an earlier one left. Before anything is bound.
  Result<void, Error> restore(Dispatcher& dispatcher, transport::PayloadStore& payloads, Time now,
                              Effects& out);

  /// Keeps what these effects want written. Before they are performed: payloads may be let go.
  void gather(const Effects& effects, const transport::PayloadStore& payloads);
  /// After a turn: hands over what was gathered, with the books of this moment, and tells the
  /// dispatcher what has come to the disk and whether there is room. Error (74): the disk cannot be
  /// trusted; stop at once, and answer nobody.
  Result<void, Error> turn(Dispatcher& dispatcher, Time now, Effects& out);
  /// Waits until everything is on the disk, or cannot be. The last call.
  Result<void, Error> close(Dispatcher& dispatcher);
  /// Readable when turn() has news.
  int notify_fd() const { return writer_->notify_fd(); }
  JournalLinkStats stats() const;
  /// How long the commits since the last call took.
  std::vector<Duration> take_commit_times() { return std::exchange(commit_times_, {}); }

 private:
  explicit JournalLink(telemetry::Program& program) : program_(program) {}

  void hand_over(Dispatcher& dispatcher);
  void look_at_room(const JournalWriterStatus& status, Dispatcher& dispatcher, Time now);

  telemetry::Program& program_;
  std::uint32_t incarnation_{0};
  TokenKey token_key_{};
  std::unique_ptr<Journal> journal_;  // until restore(); then the writer's
  std::unique_ptr<JournalWriter> writer_;
  // Of this turn, with the frames that they point into.
  std::vector<JournalChange> changes_;
  std::vector<transport::Frame> frames_;
  std::optional<JournalWork> work_;  // that the writer had no place for
  std::uint64_t works_{0};           // made so far
  std::uint64_t answers_{0};         // Dispatcher::to_be_written() at the last of them
  /// Works whose being durable the dispatcher waits for, with its number for it, and since when.
  struct Awaited {
    std::uint64_t work{0};
    std::uint64_t answers{0};
    Time since{};
  };
  std::deque<Awaited> awaited_;
  std::vector<Duration> commit_times_;
  bool full_{false};
};

}  // namespace framefleet::broker
