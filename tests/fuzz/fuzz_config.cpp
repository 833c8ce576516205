// Any bytes as a configuration file. What must hold: the file is refused with exit code 78 and
// words that begin with its name, or it is taken, and then --print-config writes a file that says
// the same.

#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/unit/config/sample_options.hpp"

#include "shared/base/assert.hpp"
#include "shared/config/load.hpp"

#include <string>

using namespace framefleet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const test::MemoryFile file(std::string_view(reinterpret_cast<const char*>(data), size));
  test::Sample sample;
  const auto taken = config::parse_file_into(sample.set, file.path());
  if (!taken) {
    FRAMEFLEET_ASSERT(taken.error().exit_code == exit_code::kConfig);
    FRAMEFLEET_ASSERT(taken.error().text.starts_with(file.path().string()));
    return 0;
  }
  const test::MemoryFile printed(config::effective_toml(sample.set));
  test::Sample again;
  FRAMEFLEET_ASSERT(config::parse_file_into(again.set, printed.path()).has_value());
  FRAMEFLEET_ASSERT(again.options == sample.options);
  return 0;
}
