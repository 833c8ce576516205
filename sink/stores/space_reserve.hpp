#pragma once
// A file that holds some space of a disk for a bad day: a store that finds its disk full when it is
// opened (SQLite makes its index of the log anew then) gives it up, and takes it again as soon as
// there is any.
//
// Nothing here fails: a reserve that cannot be had is smaller, or none. Threads: as the store.

#include <cstdint>
#include <filesystem>
#include <utility>

namespace framefleet::sink {

class SpaceReserve {
 public:
  /// Enough for the index of a log of 500 MiB.
  static constexpr std::uint64_t kBytes = std::uint64_t{1} << 20U;

  explicit SpaceReserve(std::filesystem::path file) : file_(std::move(file)) {}

  /// On a disk that is full. False: it is not, or there was no reserve.
  bool give_up();
  /// Takes as much as there is, at most kBytes. Once it has them all this costs nothing.
  void keep();

 private:
  std::filesystem::path file_;
  bool whole_{false};
};

}  // namespace framefleet::sink
