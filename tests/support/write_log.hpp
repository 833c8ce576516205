#pragma once
// Every write, cut and sync that this program hands to the kernel while a recording runs: what LMDB
// or SQLite does to its files, in order. The functions of the C library are replaced for the whole
// program, so a test that uses this is a program of its own.
//
// Threads: one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::test {

struct LoggedWrite {
  std::uint64_t offset{0};  ///< Of a cut: the new size.
  std::string bytes{};      ///< None: a cut, or a sync of all that came before.
  std::string file{};       ///< Its name without a folder.
  bool is_cut{false};

  bool is_sync() const { return bytes.empty() && !is_cut; }
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
