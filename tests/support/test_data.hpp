#pragma once
// Where the test pictures are, and a folder of its own for each test.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace framefleet::test {

/// A file or folder of the shared test data, e.g. test_data("data/photos/dog.jpg").
inline std::filesystem::path test_data(const std::string& name) {
  return std::filesystem::path(FRAMEFLEET_TEST_DATA) / name;
}

/// True where the shared test data is there; otherwise says loudly that the calling test is
/// skipped.
inline bool have_test_data(const char* test) {
  if (std::filesystem::exists(test_data("data/photos"))) return true;
  std::fprintf(stderr, "SKIPPED: %s: no test pictures at %s\n", test, FRAMEFLEET_TEST_DATA);
  return false;
}

/// A new empty folder, removed with everything in it at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "framefleet-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace framefleet::test
