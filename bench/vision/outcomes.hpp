#pragma once
// When each picture of a run was done, and what was found in it: of a fleet as its store has it.

#include "shared/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <ios>
#include <vector>

namespace framefleet::bench {

struct Outcome {
  std::uint64_t sequence{0};
  double done_at_s{0};  ///< Unix time.
  double took_s{0};     ///< From when somebody took it up.
  std::size_t detections{0};
};

/// What a sink's results.ndjson has from `from` on, which moves to its end. Errors: a line that
/// cannot be read, or a picture that did not end `ok`.
Result<std::vector<Outcome>, Error> stored_outcomes(const std::filesystem::path& file,
                                                    std::streamoff& from);

/// Pictures per second while every slot is busy, so that neither a start nor an end is counted:
/// between the result that ends the slots' first pictures and the one before their last.
/// Requires: more than two pictures for each slot, in the order in which they were done.
double steady_pace(const std::vector<Outcome>& outcomes, std::size_t slots);

}  // namespace framefleet::bench
