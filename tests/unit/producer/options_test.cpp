#include "producer/options.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using producer::ProducerOptions;
using producer::shuffle_of;

namespace {

ProducerOptions camera() {
  ProducerOptions options;
  options.sources = {"synthetic:?fps=10"};
  options.task_class = TaskClass::live;
  return options;
}

}  // namespace

TEST_CASE("a live producer takes no manifest and says what to do instead") {
  auto options = camera();
  CHECK(check(options).has_value());
  options.manifest = "jobs";
  const auto checked = check(options);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().exit_code == exit_code::kUsage);
  CHECK(checked.error().text.find("leave out --manifest") != std::string::npos);
  options.task_class = TaskClass::batch;
  CHECK(check(options).has_value());
}

TEST_CASE("an order is by name, or shuffled by a seed") {
  CHECK(shuffle_of("name", 7).value() == std::nullopt);
  CHECK(shuffle_of("shuffled", 7).value() == 7U);
  CHECK(shuffle_of("shuffled:0", 7).value() == 0U);
  CHECK(shuffle_of("shuffled:18446744073709551615", 7).value() == 18446744073709551615U);
  for (const char* wrong : {"", "random", "shuffle", "shuffled:", "shuffled:x", "shuffled:1x",
                            "shuffled:-1", "shuffled 1", "shuffled:18446744073709551616"}) {
    CAPTURE(wrong);
    const auto refused = shuffle_of(wrong, 7);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().exit_code == exit_code::kUsage);
  }
}

TEST_CASE("a producer needs a source and a detector") {
  auto options = camera();
  options.detect = "";
  CHECK_FALSE(check(options).has_value());
  options = camera();
  options.sources.clear();
  CHECK_FALSE(check(options).has_value());
}
