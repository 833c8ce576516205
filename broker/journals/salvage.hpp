#pragma once
// Saves what is whole of a journal that cannot be used any more, into a new one.
//
// Every value of every tree that can be reached is taken if its seal is right; then the leaves that
// no tree reaches any more. Of several copies the newest counts. A task needs its record and its
// payload. What was lost and has a name lies in the quarantine of the new journal, so that a broker
// tells it.
//
// Threads: one. Errors: for people (66, 69, 73, 74).

#include "broker/journals/journal.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::broker {

/// A copy may be older than what was handed out since: its next broker is as many incarnations
/// later, so that no lease is ever given twice.
inline constexpr std::uint32_t kIncarnationsSkipped = 1'000'000;

struct Salvaged {
  std::uint64_t tasks{0};
  std::uint64_t sources{0};
  std::uint64_t jobs{0};
  std::optional<std::uint64_t> counted;  ///< Tasks that there should be; nothing if it is lost too.
  std::vector<DamagedTask> lost;         ///< As far as they have names; those of before, too.
  /// Tasks that were settled may be among those that were saved: which pages are free is unknown.
  bool may_have_settled{false};

  /// Tasks that are gone without a name.
  std::uint64_t missing() const;
};

/// `incarnation`: of the new journal where the old one does not tell. `to` gets a new journal and
/// must not have one.
Result<Salvaged, Error> salvage(const std::filesystem::path& from, const std::filesystem::path& to,
                                std::uint32_t incarnation);

}  // namespace framefleet::broker
