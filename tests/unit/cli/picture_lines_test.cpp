// What `framefleet detect` shows of a worker's line.

#include "cli/picture_lines.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <string>

namespace framefleet::cli {
namespace {

constexpr const char* kLine =
    R"({"origin":"a.jpg","status":"ok","reason":"none","text":"","damaged":true,"width":64,)"
    R"("height":48,"worked":0.02,"decode":0.004,"detectors":[{"detector":"markers","elapsed":0.01,)"
    R"("detections":[{"label":"marker","score":1,"x":1.4,"y":2,"width":30,"height":31,)"
    R"("extra":{"id":7}}]},{"detector":"faces","elapsed":0.1,"detections":[]},)"
    R"({"detector":"blend","elapsed":0.1,"detections":[]}],)"
    R"("pictures":[{"kind":"annotated","path":"out/a.jpg","bytes":2048},)"
    R"({"kind":"blend","path":null,"bytes":10}]})";

TEST_CASE("a picture is shown with what was found, what was not, and what was made") {
  const auto picture = parse_picture_line(kLine);
  REQUIRE(picture.has_value());
  CHECK(render_picture(*picture) ==
        "a.jpg: 64 x 48 pixels, damaged, decoded in 4.0ms\n"
        "DETECTOR  LABEL   SCORE  X  Y  WIDTH  HEIGHT  EXTRA\n"
        "markers   marker      1  1  2     30      31  {\"id\":7}\n"
        "markers: 1 found, in 10ms\n"
        "faces: nothing, in 100ms\n"
        "annotated: 2.0 KiB, out/a.jpg\n"
        "blend: 10 B, not written; --made names a folder\n");
}

TEST_CASE("of many detections some are shown and all are counted") {
  PictureLine picture;
  picture.detectors.push_back({"corners", 0.5, {}});
  picture.detectors[0].detections.resize(kDetectionsShownMax + 1);
  const std::string text = render_picture(picture);
  CHECK(text.find("corners: 31 found, 30 of them above; --json has all, in 500ms\n") !=
        std::string::npos);
  const auto rows = std::count(text.begin(), text.end(), '\n');
  CHECK(rows == 1 + 1 + static_cast<long>(kDetectionsShownMax) + 1);
}

TEST_CASE("a picture that failed is told in one line, and a terminal is not obeyed to") {
  const auto picture = parse_picture_line(
      R"({"origin":"a\u001b[2J.jpg","status":"failed","reason":"undecodable","text":"no end"})");
  REQUIRE(picture.has_value());
  CHECK(picture->status == "failed");
  CHECK(render_failure(*picture) == "a?[2J.jpg: undecodable: no end");
}

TEST_CASE("a line that is none is an error") {
  CHECK_FALSE(parse_picture_line("").has_value());
  CHECK_FALSE(parse_picture_line("[1]").has_value());
  CHECK_FALSE(parse_picture_line(R"({"origin":"a.jpg"})").has_value());
}

}  // namespace
}  // namespace framefleet::cli
