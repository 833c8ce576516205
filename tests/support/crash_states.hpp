#pragma once
// Trying many states of a disk, each in a child process: a damaged file may kill its reader.
//
// FRAMEFLEET_CRASH_STATES says how many states of each kind, FRAMEFLEET_CRASH_SEED which ones.

#include "broker/journals/child_report.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace framefleet::test {

/// In memory where there is such a disk: what is tested is which bytes are there.
class QuickFolder {
 public:
  QuickFolder() {
    std::string pattern = "/dev/shm/framefleet-test-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~QuickFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  QuickFolder(const QuickFolder&) = delete;
  QuickFolder& operator=(const QuickFolder&) = delete;

  const std::filesystem::path& path() const { return path_.empty() ? slow_.path() : path_; }

 private:
  TemporaryFolder slow_;
  std::filesystem::path path_;
};

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}
inline std::uint64_t states_wanted(std::uint64_t otherwise) {
  return from_environment("FRAMEFLEET_CRASH_STATES", otherwise);
}
inline std::uint64_t states_seed() { return from_environment("FRAMEFLEET_CRASH_SEED", 1); }

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

/// `wrong(n, folder)` makes state n in the folder, opens it, and says what is wrong with it, or "".
/// Of one child, which begins where its parent stands, there are so many states: if it dies, they
/// are suspects.
template <class Wrong>
void try_states(std::size_t count, const Wrong& wrong) {
  constexpr std::size_t kStatesPerChild = 50;
  const QuickFolder home;
  for (std::size_t first = 0; first < count; first += kStatesPerChild) {
    const auto last = std::min(count, first + kStatesPerChild);
    const auto report = broker::report_of_child(
        [&](const broker::Report& tell) {
          for (std::size_t n = first; n < last; ++n) {
            const auto text = wrong(n, home.path());
            if (!text.empty()) tell("state " + std::to_string(n) + ": " + text + "\n");
          }
        },
        std::chrono::seconds(100));
    INFO("states " << first << " to " << last);
    if (!report) FAIL(report.error());
    if (!report->empty()) FAIL(*report);
  }
}

}  // namespace framefleet::test
