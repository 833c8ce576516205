// Not a test but a measurement: `unit_sink_stores '[speed]'` prints rows per second and asserts
// nothing about them.

#include "tests/unit/sink/store_fixture.hpp"

#include <chrono>

namespace framefleet::test {
namespace {

void print_speed(const char* what, std::uint64_t batch_size, bool ndjson, bool annotated) {
  const TemporaryFolder folder;
  auto options = store_options(folder.path());
  options.ndjson = ndjson;
  const auto store = open_store(options);
  constexpr std::uint64_t kCommits = 40;
  const auto count = kCommits * batch_size;
  const std::string picture(60'000, 'x');
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t first = 0; first < count; first += batch_size) {
    std::vector<sink::OutcomeToStore> batch;
    for (auto i = first; i < std::min(first + batch_size, count); ++i) {
      const auto origin = "/photos/" + std::to_string(i) + ".jpg";
      batch.push_back(annotated ? annotated_outcome(i, origin, picture) : ok_outcome(i, origin));
    }
    commit(*store, batch);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  // An outcome of the fixture is six rows: itself, two detector runs, two detections, one attempt.
  const auto per_second = static_cast<double>(count) / took.count();
  std::printf("%-28s batches of %4d: %8.0f outcomes/s = %8.0f rows/s\n", what,
              static_cast<int>(batch_size), per_second, per_second * (annotated ? 7 : 6));
}

TEST_CASE("how fast outcomes are stored", "[.][speed]") {
  for (const std::uint64_t batch_size : {1U, 8U, 64U, 512U}) {
    print_speed("SQLite", batch_size, false, false);
    print_speed("SQLite and NDJSON", batch_size, true, false);
    print_speed("and a picture of 60 KB each", batch_size, true, true);
  }
}

}  // namespace
}  // namespace framefleet::test
