#include "tests/support/test_data.hpp"

#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace framefleet::test {

std::filesystem::path test_data(const std::string& name) {
  return std::filesystem::path(FRAMEFLEET_TEST_DATA) / name;
}

bool have_test_data(const char* test) {
  if (std::filesystem::exists(test_data("data/photos"))) return true;
  std::fprintf(stderr, "SKIPPED: %s: no test pictures at %s\n", test, FRAMEFLEET_TEST_DATA);
  return false;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "framefleet-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace framefleet::test
