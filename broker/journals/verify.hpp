#pragma once
// Reads a journal's file from end to end before anybody relies on it: its pages, its trees, its
// list of free pages, the seal of every value, the count of its tasks. The file is read as bytes,
// never mapped, and in a child process: whatever is in it, the parent lives.
//
// Threads: one, and no other (child_report.hpp). Errors: among the findings.

#include "broker/journals/journal.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace framefleet::broker {

struct JournalFindings {
  std::uint32_t format{0};
  std::uint32_t incarnation{0};
  std::uint64_t tasks{0};        ///< Whole ones.
  std::uint64_t quarantined{0};  ///< By earlier starts.
  std::uint64_t sources{0};
  std::uint64_t jobs{0};
  std::vector<DamagedTask> damaged;  ///< Still among the whole ones.
  /// What makes the file as a whole unfit for use; the first ones. Empty: it can be used.
  std::vector<std::string> problems;
};

/// Requires: nobody writes meanwhile. `alive` is called now and then while it takes long.
JournalFindings verify(const std::filesystem::path& file, const std::function<void()>& alive = {});

/// verify() of the folder's file in a child process. That it died or hung is one of the problems.
JournalFindings verify_in_child(const std::filesystem::path& folder);

/// What to tell who wanted to use it: the first problem, and the way out.
Error unusable(const std::filesystem::path& folder, const JournalFindings& findings);

}  // namespace framefleet::broker
