#pragma once
// Every write and sync that this program hands to the kernel while a recording runs: what LMDB does
// to its file, in order. The functions of the C library are replaced for the whole program.
//
// Threads: one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::test {

struct LoggedWrite {
  std::uint64_t offset{0};
  std::string bytes;  ///< None: a sync of all that came before.
};

/// While it lives, writes are recorded. One at a time.
class WriteLog {
 public:
  WriteLog();
  ~WriteLog();
  WriteLog(const WriteLog&) = delete;
  WriteLog& operator=(const WriteLog&) = delete;

  const std::vector<LoggedWrite>& writes() const;
};

}  // namespace framefleet::test
