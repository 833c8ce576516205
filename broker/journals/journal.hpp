#pragma once
// Where a broker keeps what must outlive it: durably admitted tasks with their payloads, and the
// books. A mirror of the core's tables, never asked while the broker runs: read once, at its start.
//
// Threads: one at a time; commit() waits for the disk. Errors: see JournalFault.

#include "shared/base/journal_records.hpp"
#include "shared/base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::broker {

/// A task that is admitted with its payload. The frames belong to whoever made the batch, and stay
/// until it is committed.
struct JournalAdmission {
  JournaledTask task;
  std::vector<std::span<const std::byte>> frames;
};
/// A task that is there already has another history. No copy of its payload.
struct JournalAttempt {
  JournaledTask task;
};
/// A task is settled, and forgotten.
struct JournalEnd {
  TaskId task;
};

using JournalChange = std::variant<JournalAdmission, JournalAttempt, JournalEnd>;

struct JournalBatch {
  std::vector<JournalChange> changes;  ///< In order.
  JournaledBooks books;
};

struct JournalFault {
  enum class Kind : std::uint8_t {
    full,   ///< Nothing of the batch is there. Ends alone would still find room.
    broken  ///< The disk or the file: what is durable is not known. Stop, and verify at the start.
  };
  Kind kind{Kind::broken};
  std::string text;
};

struct JournalStats {
  std::uint64_t tasks{0};
  std::uint64_t used_bytes{0};  ///< Of the file, by what is alive.
  std::uint64_t bytes_max{0};
};

/// A task whose bytes are not those that were written.
struct DamagedTask {
  TaskId id;
  std::string text;                       ///< What is wrong with it.
  std::optional<JournaledTask> record{};  ///< Where only its payload is damaged.
};

struct JournalContents {
  FleetBook fleet;
  std::vector<SourceBook> sources;
  std::vector<JobBook> jobs;
  std::vector<DamagedTask> damaged;
};

/// What the tokens of assignments are made with. As secret as the pictures: it is in no report.
using TokenKey = std::array<unsigned char, 32>;

class Journal {
 public:
  virtual ~Journal() = default;

  /// All of them, in order, or nothing; on the disk when it returns.
  virtual Result<void, JournalFault> commit(std::span<const JournalBatch> batches) = 0;
  /// Every whole task with its frames, in the order of their ids; then the rest.
  virtual Result<JournalContents, JournalFault> scan(
      const std::function<void(JournaledTask, std::vector<std::string> frames)>& visit) const = 0;
  virtual JournalStats stats() const = 0;
};

}  // namespace framefleet::broker
