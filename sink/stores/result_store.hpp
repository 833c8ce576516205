#pragma once
// Where a sink keeps outcomes: the interface of every store, and what goes in and comes out.
//
// Invariants: one outcome per task id, for ever; of two the first one wins. A commit is all or
// nothing and is on disk when it returns. Threads: a store belongs to one thread at a time
// (StoreThread gives it one of its own). Errors: `full` left nothing behind and may be tried again;
// after `failed` nothing is certain but what was committed before, and the process ends with exit
// code 74 and starts again.

#include "shared/base/detection.hpp"
#include "shared/base/messages.hpp"
#include "shared/base/result.hpp"
#include "shared/base/task.hpp"
#include "shared/base/task_id.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::sink {

/// One outcome with its payload taken apart. The views must stay valid until commit() has returned.
struct OutcomeToStore {
  Outcome outcome;              ///< `task` and `payload` of it are not looked at.
  TaskDescription description;  ///< The decoded `task`; empty where it could not be decoded.
  ResultRecord record;          ///< Status ok only.
  /// Status ok: the bytes of record.artefacts, in their order.
  std::vector<std::string_view> artefacts;
  /// Status failed: the payload frames of the task, kept as its dead letter.
  std::vector<std::string_view> picture;
};

struct StoreError {
  enum class Kind : std::uint8_t {
    full,   ///< No space: nothing was committed; try again when there is some.
    failed  ///< Anything else: stop.
  };
  Kind kind{Kind::failed};
  std::string text;  ///< For people; names the file.
};

/// What a store did since it was opened, and how large it is.
struct StoreStats {
  std::uint64_t stored{0};                     ///< Outcomes committed.
  std::uint64_t duplicates{0};                 ///< Outcomes whose id was there already.
  std::uint64_t commits{0};                    ///< Transactions.
  std::uint64_t pruned{0};                     ///< Outcomes that retention has emptied.
  std::uint64_t pictures{0};                   ///< Picture files written.
  std::uint64_t picture_bytes{0};              ///< Of all picture files kept now.
  std::uint64_t database_bytes{0};             ///< Pages in use now (dead letters included).
  std::uint64_t log_bytes{0};                  ///< Of the write-ahead log's file now.
  std::uint64_t dead_letters{0};               ///< Failed outcomes that retention has left.
  std::uint64_t dead_letter_bytes{0};          ///< Kept of their pictures now.
  std::uint64_t dead_letter_bytes_dropped{0};  ///< Since opening, by the cap or by operators.
  std::uint64_t ndjson_bytes{0};               ///< Length of results.ndjson now.
  std::uint64_t ndjson_behind{0};  ///< Committed outcomes that results.ndjson still lacks.
};

/// One bounded step of retention.
struct PruneStep {
  std::uint64_t outcomes{0};  ///< Emptied in this step.
  std::uint64_t files{0};     ///< Picture files removed in this step.
  bool more{false};           ///< Another step has something to do at the same time.
  /// How far the store is above `keep_bytes` although nothing is left to go: what stays of outcomes
  /// takes more. 0: it is not.
  std::uint64_t excess_bytes{0};
};

/// What an operator is told (a Report before its frames have an id).
struct ControlAnswer {
  Reason reason{Reason::none};
  std::string text;
  std::vector<std::string> frames;  ///< A JSON document; dead_export: and the dead letter's frames.
};

class ResultStore {
 public:
  ResultStore() = default;
  virtual ~ResultStore() = default;
  ResultStore(const ResultStore&) = delete;
  ResultStore& operator=(const ResultStore&) = delete;

  /// Stores all of them in one synced transaction. Returns, in the same order, what the store has
  /// now under each id: the outcome given, or the one that was there before it.
  virtual Result<std::vector<SettledTask>, StoreError> commit(
      std::span<const OutcomeToStore> outcomes) = 0;
  /// Those of `tasks` that the store has, in the same order; the others are left out.
  virtual Result<std::vector<SettledTask>, StoreError> find(std::span<const TaskId> tasks) = 0;
  /// Applies retention as of `now_ms` (Unix, milliseconds) to a bounded number of outcomes.
  virtual Result<PruneStep, StoreError> prune(std::int64_t now_ms) = 0;

  /// Answers a control about dead letters, in frames of at most `frame_bytes_max`.
  virtual Result<ControlAnswer, StoreError> carry_out(const Control& control,
                                                      std::uint64_t frame_bytes_max) = 0;

  /// Made when the store was created; a broker that knows another one refuses the sink.
  virtual const std::string& uuid() const = 0;
  virtual StoreStats stats() const = 0;
};

}  // namespace framefleet::sink
