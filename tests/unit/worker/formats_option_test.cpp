// Which formats of pictures a worker can be told to take, and how small ones.

#include "tests/support/catch.hpp"
#include "worker/options.hpp"

#include "shared/config/load.hpp"

#include <iterator>
#include <string>
#include <vector>

namespace framefleet::worker {
namespace {

config::Outcome load(const std::vector<std::string>& arguments, WorkerOptions& options) {
  config::OptionSet set{"framefleet-worker", "Works."};
  describe(set, options);
  return config::load(set, arguments, {});
}

TEST_CASE("a worker takes JPEG, PNG and WebP unless it is told otherwise") {
  WorkerOptions options;
  CHECK(load({}, options).run());
  CHECK(formats_of(options) == FormatSet{ImageFormat::jpeg, ImageFormat::png, ImageFormat::webp});
  CHECK(formats_of(options) == ImageLimits{}.formats);
  WorkerOptions chosen;
  CHECK(load({"--isolation", "process", "--formats", "jpeg,png,webp,tiff"}, chosen).run());
  CHECK(formats_of(chosen) ==
        FormatSet{ImageFormat::jpeg, ImageFormat::png, ImageFormat::webp, ImageFormat::tiff});
}

TEST_CASE("an unknown format, a missing one, and BMP or TIFF without isolation are errors") {
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    std::string words;
  };
  for (const auto& [arguments, exit_code, words] : {
           Case{{"--formats", "gif"}, exit_code::kUsage, "jpeg, png, webp, bmp, tiff"},
           Case{{"--formats", ""}, exit_code::kConfig, "must name jpeg, png and webp"},
           Case{{"--formats", "jpeg,tiff"}, exit_code::kConfig, "must name jpeg, png and webp"},
           Case{{"--isolation", "none", "--formats", "jpeg,png,webp,bmp"},
                exit_code::kConfig,
                "bmp and tiff need worker.isolation = \"process\""},
       }) {
    WorkerOptions options;
    const auto outcome = load(arguments, options);
    INFO(outcome.err);
    CHECK(outcome.exit_code == exit_code);
    CHECK_THAT(outcome.err, Catch::Contains(words));
  }
}

TEST_CASE("a worker cannot be told to take less than the pictures of its self-tests") {
  WorkerOptions options;
  CHECK(load({"--pixels-max", "160000", "--picture-bytes-max", "64KiB"}, options).run());
  CHECK(load({"--pixels-max", "159999"}, options).exit_code == exit_code::kUsage);
  CHECK(load({"--picture-bytes-max", "63KiB"}, options).exit_code == exit_code::kUsage);
}

}  // namespace
}  // namespace framefleet::worker
