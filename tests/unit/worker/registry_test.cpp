#include "worker/detectors/registry.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <fmt/format.h>

#include <fstream>
#include <set>
#include <sstream>

namespace framefleet::worker {
namespace {

TEST_CASE("every detector can be made from its name alone") {
  std::set<std::string_view> names;
  for (const auto& kind : detector_kinds()) {
    INFO(kind.name);
    CHECK(names.insert(kind.name).second);
    CHECK_FALSE(kind.help.empty());
    CHECK(make_detector(kind.name, {}).has_value() != kind.needs_model);
  }
  CHECK(names == std::set<std::string_view>{"faces",  "people",    "objects",   "recognise",
                                            "edges",  "corners",   "markers",   "template",
                                            "blend",  "resize",    "crop",      "flip",
                                            "rotate", "grayscale", "normalise", "equalise",
                                            "blur",   "augment",   "edit",      "stub"});
}

TEST_CASE("a detector that does not exist names those that do") {
  const auto spec = parse_detector("facs?min_size=3");
  REQUIRE_FALSE(spec.has_value());
  CHECK(spec.error().exit_code == exit_code::kUsage);
  CHECK(spec.error().text ==
        "there is no detector \"facs\"; there are faces, people, objects, recognise, edges, "
        "corners, markers, "
        "template, blend, resize, crop, flip, rotate, grayscale, normalise, equalise, blur, "
        "augment, edit, stub");
}

TEST_CASE("a detector's options are checked against its own table") {
  CHECK(parse_detector("faces?min_size=40&scale=1.2").has_value());
  CHECK(parse_detector("faces?").has_value());
  CHECK_FALSE(parse_detector("faces?low=40").has_value());
  CHECK_FALSE(parse_detector("edges?aperture=4").has_value());
}

TEST_CASE("a cascade that is not installed is an error that names the file") {
  const test::TemporaryFolder empty;
  const auto detector = make_detector("faces", {empty.path().string()});
  REQUIRE_FALSE(detector.has_value());
  CHECK(detector.error().exit_code == exit_code::kNoInput);
  CHECK(detector.error().text.find((empty.path() / "haarcascades").string()) != std::string::npos);

  std::filesystem::create_directory(empty.path() / "lbpcascades");
  std::ofstream(empty.path() / "lbpcascades/lbpcascade_frontalface.xml") << "no cascade";
  CHECK_FALSE(make_detector("faces?cascade=lbp", {empty.path().string()}).has_value());
}

TEST_CASE("the version of a detector names its revision and OpenCV's version") {
  CHECK(version_of(detector_kinds()[0]).starts_with("1+opencv4."));
}

TEST_CASE("docs/DETECTORS.md lists every option with its default, values and meaning") {
  std::ifstream file(std::string(FRAMEFLEET_SOURCE_DIR) + "/docs/DETECTORS.md");
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  const std::string document = text.str();
  std::size_t rows = 0;
  for (const auto& kind : detector_kinds()) {
    INFO(document.find(fmt::format("### {}\n", kind.name)));
    CHECK(document.find(fmt::format("### {}\n", kind.name)) != std::string::npos);
    for (const auto& option : kind.options) {
      const auto row = fmt::format("| `{}` | {} | {} | {} |\n", option.name, option.standard,
                                   describe_range(option), option.help);
      INFO(kind.name << " must have the row\n" << row);
      CHECK(document.find(row) != std::string::npos);
      ++rows;
    }
  }
  // And no row for an option that is gone.
  std::size_t written = 0;
  for (auto at = document.find("\n| `"); at != std::string::npos;
       at = document.find("\n| `", at + 1)) {
    ++written;
  }
  CHECK(written == rows);
}

}  // namespace
}  // namespace framefleet::worker
