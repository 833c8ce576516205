#include "producer/options.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using producer::ProducerOptions;

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

TEST_CASE("a producer needs a source and a detector") {
  auto options = camera();
  options.detect = "";
  CHECK_FALSE(check(options).has_value());
  options = camera();
  options.sources.clear();
  CHECK_FALSE(check(options).has_value());
}
