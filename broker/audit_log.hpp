#pragma once
// What operators did to the fleet: an append-only file of lines, one when a deed is asked for and
// one with what came of it.
//
// What cannot be written down is not done: asked() comes before the deed, and its error refuses it.
// A line is in the file when a call returns (the process may die; the machine may not, it is not
// synced). Bounded: FILE is renamed to FILE.1 at 16 MiB, and what was FILE.4 goes. Threads: one.
// Errors: 69 another broker writes to it, 73 it cannot be made.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/operator_messages.hpp"
#include "shared/base/result.hpp"
#include "shared/base/task_messages.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace framefleet::broker {

/// Who asks, as the kernel or a key proves it.
struct Operator {
  std::string identity;               ///< Of the key; "": none.
  std::optional<std::uint32_t> user;  ///< The user id, over ipc.
  std::string name;                   ///< What it calls itself: proves nothing.
};

class AuditLog {
 public:
  static constexpr std::uint64_t kFileBytesMax = std::uint64_t{16} << 20U;
  static constexpr int kOldFiles = 4;
  /// Deeds that wait for their reports; of one more the oldest is written off.
  static constexpr std::size_t kOpenMax = 1024;

  /// `file` empty: nothing is written down. `wall_clock_ms`: Unix time.
  static Result<AuditLog, Error> open(const std::filesystem::path& file,
                                      std::int64_t (*wall_clock_ms)(),
                                      std::uint64_t file_bytes_max = kFileBytesMax);

  /// Before the deed. Error: it could not be written; the deed must not be done. Requires:
  /// is_deed(control.verb).
  Result<void, Error> asked(PeerId peer, const Operator& who, const Control& control);
  /// The report to this peer, whatever it is about. Error: what came of a deed could not be
  /// written.
  Result<void, Error> answered(PeerId peer, const Report& report);
  /// No report reaches it any more. Error: likewise.
  Result<void, Error> gone(PeerId peer);

 private:
  struct Deed {
    std::uint64_t number{0};
    Operator who;
    Control control;
  };
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // peer, asker

  AuditLog(std::filesystem::path file, std::int64_t (*wall_clock_ms)(),
           std::uint64_t file_bytes_max);
  Result<void, Error> open_file();
  Result<void, Error> write(const std::string& line);
  Result<void, Error> rotate();
  Result<void, Error> end(std::map<Key, Deed>::iterator deed, std::string_view result,
                          const std::string& text);
  std::string line_of(const Deed& deed, std::string_view result, const std::string& text) const;

  std::filesystem::path file_;
  std::int64_t (*wall_clock_ms_)();
  std::uint64_t file_bytes_max_;
  FileDescriptor fd_;
  std::uint64_t bytes_{0};
  std::uint64_t numbers_{0};
  std::map<Key, Deed> open_;
};

}  // namespace framefleet::broker
