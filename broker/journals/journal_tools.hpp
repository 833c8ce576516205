#pragma once
// What people do with a journal by hand: look into it, copy it, save what is whole of it.
// Threads: one, and no other (child_report.hpp). Errors: for people (66, 69, 73, 74).

#include "broker/journals/salvage.hpp"
#include "broker/journals/verify.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>

namespace framefleet::broker {

/// Reads it from end to end. Error: it is not there, or a broker has it.
Result<JournalFindings, Error> check_journal(const std::filesystem::path& folder);

struct JournalOverview {
  JournalStats stats;
  std::uint32_t incarnation{0};
  std::uint64_t quarantined{0};
  std::uint64_t sources{0};
  std::uint64_t jobs{0};
};
/// At one moment, while a broker may write.
Result<JournalOverview, Error> overview(const std::filesystem::path& folder);

/// A copy without free pages, complete and synced, as the journal is at one moment, while a broker
/// may write. `file` must not exist. The copy becomes a journal as data.mdb in a folder of its own.
Result<void, Error> back_up(const std::filesystem::path& folder, const std::filesystem::path& file);

}  // namespace framefleet::broker
