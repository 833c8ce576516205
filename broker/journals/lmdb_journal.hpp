#pragma once
// A journal in one file of LMDB (tables.hpp says what is in it).
//
// Invariants: a commit is one transaction with its count of tasks in it, and is synced when it
// returns; every value is sealed with a checksum; a requeue writes a record and never a payload.
// The file has its whole size from the start, so a full disk never stops a settlement; twentieth
// parts of it are kept for ends, which need room to make room. Damaged tasks lie in a table of
// their own and are told by every scan until a JournalEnd names them.
//
// Threads: one at a time; another process may read and copy meanwhile. Errors: open() says what is
// wrong with the folder or the file and what to do (66, 69, 73, 74); JournalFault afterwards.

#include "broker/journals/journal.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace framefleet::broker {

struct JournalOptions {
  std::filesystem::path folder;  ///< Created if need be, its parents too.
  /// Of the file, reserved on the disk. At least kJournalBytesMin; less than is in use is that.
  std::uint64_t bytes_max{0};
};

inline constexpr std::uint64_t kJournalBytesMin = std::uint64_t{1} << 20U;

class LmdbJournal final : public Journal {
 public:
  /// Verifies the file (verify.hpp: in a child process) before it is used, and moves damaged tasks
  /// into quarantine.
  static Result<std::unique_ptr<LmdbJournal>, Error> open(const JournalOptions& options);
  ~LmdbJournal() override;

  /// Damaged tasks that this open() found; scan() tells those of earlier ones, too.
  const std::vector<DamagedTask>& found_damaged() const;

  /// One more than the last one, or `at_least`: whatever else gave the numbers meanwhile, a broker
  /// without a journal or one with another copy of this. On the disk when it returns: before
  /// anything is bound.
  Result<std::uint32_t, JournalFault> begin_incarnation(std::uint32_t at_least = 0);
  /// The key that was kept, or where there is none `fresh`, which is kept from now on.
  Result<TokenKey, JournalFault> keep_token_key(const TokenKey& fresh);

  Result<void, JournalFault> commit(std::span<const JournalBatch> batches) override;
  Result<JournalContents, JournalFault> scan(
      const std::function<void(JournaledTask, std::vector<std::string> frames)>& visit)
      const override;
  JournalStats stats() const override;

 private:
  struct Parts;  ///< Keeps LMDB out of this header.
  explicit LmdbJournal(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace framefleet::broker
