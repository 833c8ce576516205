#pragma once
// Who takes part in `vision`: our fleet as users run it, and what one would write instead. Every
// run starts all of its processes and ends them. Threads: one.

#include <memory>
#include <string>
#include <vector>

#include "bench/fleet/contestant.hpp"
#include "bench/fleet/picture_run.hpp"

namespace framefleet::bench {

struct PictureField {
  const PictureStock& stock;  ///< Outlives the contestants.
  bool tcp{true};
  std::size_t slots{1};  ///< Of our worker; processes or threads of those that have several.
  bool steady{true};     ///< What is told is the pace while all slots are busy.
};

/// Broker, sink, a worker with default isolation, a producer that reads the folder.
std::unique_ptr<Contestant> make_picture_fleet(const PictureField& field);

/// One thread: the yardstick.
inline constexpr const char* kPlainLoop = "plain_loop";
/// By name, kPlainLoop first.
const std::vector<std::string>& picture_rivals();
/// Why it cannot run here, with the packages that would bring it; "": it can.
std::string absence_of_picture_rival(const std::string& name);
/// Requires: one of those names.
std::unique_ptr<Contestant> make_picture_rival(const std::string& name, const PictureField& field);

}  // namespace framefleet::bench
