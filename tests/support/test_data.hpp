#pragma once
// Where the test pictures are, and a folder of its own for each test.

#include <filesystem>
#include <string>

namespace framefleet::test {

/// A file or folder of the shared test data, e.g. test_data("data/photos/dog.jpg").
std::filesystem::path test_data(const std::string& name);

/// True where the shared test data is there; otherwise says loudly that the calling test is
/// skipped.
bool have_test_data(const char* test);

/// A new empty folder, removed with everything in it at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace framefleet::test
