// What `framefleet stats` tells of pictures.

#include "cli/picture_stats.hpp"
#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace framefleet;
using namespace framefleet::cli;
using Catch::Matchers::Contains;
using worker::ImageFormat;
using worker::ImageHeader;

namespace {

ImageHeader header(ImageFormat format, std::uint32_t width, std::uint32_t height,
                   int orientation = 1) {
  return {format, width, height, 3, 8, orientation};
}

std::uint64_t sum_of(const std::vector<Bar>& bars) {
  std::uint64_t sum = 0;
  for (const auto& bar : bars) sum += bar.count;
  return sum;
}

}  // namespace

TEST_CASE("pictures are counted by format, size and dimensions") {
  PictureStats stats;
  stats.add(1000, header(ImageFormat::jpeg, 640, 480));
  stats.add(3000, header(ImageFormat::jpeg, 640, 480));
  stats.add(500, header(ImageFormat::png, 10, 20));
  CHECK(stats.all.count == 3);
  CHECK(stats.all.bytes == 4500);
  CHECK(stats.formats.at("jpeg").count == 2);
  CHECK(stats.formats.at("png").bytes == 500);
  CHECK(stats.file_bytes.least == 500);
  CHECK(stats.file_bytes.most == 3000);
  CHECK(stats.pixels.least == 200);
  CHECK(stats.pixels.most == 640 * 480);
  CHECK(stats.dimensions.at({640, 480}) == 2);
  CHECK(sum_of(stats.megapixels) == 3);
  CHECK(sum_of(stats.kibibytes) == 3);
}

TEST_CASE("dimensions are those that the picture is shown with") {
  PictureStats stats;
  stats.add(1, header(ImageFormat::jpeg, 1800, 1200, 6));
  stats.add(1, header(ImageFormat::jpeg, 1200, 1800, 3));
  CHECK(stats.dimensions == decltype(stats.dimensions){{{1200, 1800}, 2}});
}

TEST_CASE("a bar has what is up to its step, the last one what is above all") {
  PictureStats stats;
  stats.add(10 * 1024, header(ImageFormat::jpeg, 1000, 1000));
  stats.add(10 * 1024 + 1, header(ImageFormat::jpeg, 1001, 1000));
  stats.add(std::uint64_t{1} << 30U, header(ImageFormat::jpeg, 8000, 6000));
  CHECK(stats.kibibytes.front().count == 1);
  CHECK(stats.kibibytes.at(1).count == 1);
  CHECK(stats.kibibytes.back().count == 1);
  CHECK(stats.megapixels.at(2).count == 1);  // to 1
  CHECK(stats.megapixels.at(3).count == 1);  // to 2
  CHECK(stats.megapixels.back().count == 1);
}

TEST_CASE("memory stays bounded: what is too much to list is counted") {
  PictureStats stats;
  for (std::uint32_t i = 0; i < kDimensionsMax + 5; ++i) {
    stats.add(1, header(ImageFormat::png, i + 1, 1));
    stats.add_bad({"p", "undecodable", "t"});
  }
  stats.add(1, header(ImageFormat::png, 1, 1));  // is known
  CHECK(stats.dimensions.size() == kDimensionsMax);
  CHECK(stats.other_dimensions == 5);
  CHECK(stats.dimensions.at({1, 1}) == 2);
  CHECK(stats.bad == kBadKeptMax + 5);
  CHECK(stats.bad_ones.size() == kBadKeptMax);
}

TEST_CASE("the text names bad files with their reasons and how fast it went") {
  PictureStats stats;
  stats.add(2048, header(ImageFormat::webp, 320, 240));
  stats.add_bad({"photos/a\x1b.jpg", "empty_picture", "the picture has no bytes"});
  const auto text = render_text(stats, {.left_out = 7, .seconds = 0.5});
  CHECK_THAT(text, Contains("1 picture, 2.0 KiB; 1 bad; 7 left out\n"));
  CHECK_THAT(text, Contains("320x240"));
  CHECK_THAT(text, Contains("empty_picture: the picture has no bytes\n"));
  CHECK_THAT(text, !Contains("\x1b"));
  CHECK_THAT(text, Contains("2 files in 500ms, 4 files/s\n"));
}

TEST_CASE("the text of no good picture at all has no tables") {
  PictureStats stats;
  for (int i = 0; i < 22; ++i) stats.add_bad({"a", "undecodable", "b"});
  const auto text = render_text(stats, {});
  CHECK_THAT(text, Contains("0 pictures, 0 B; 22 bad; 0 left out\n"));
  CHECK_THAT(text, Contains("and 2 more (--json lists them)\n"));
  CHECK_THAT(text, !Contains("dimensions"));
}

TEST_CASE("the document has every number, and paths that are no UTF-8") {
  PictureStats stats;
  stats.add(2048, header(ImageFormat::webp, 320, 240));
  stats.add_bad({"a\xff.jpg", "unreadable", "Permission denied"});
  const auto json = nlohmann::json::parse(render_json(stats, {.left_out = 1, .seconds = 2}));
  CHECK(json["pictures"] == 1);
  CHECK(json["formats"]["webp"]["bytes"] == 2048);
  CHECK(json["dimensions"][0] == nlohmann::json{{"width", 320}, {"height", 240}, {"count", 1}});
  CHECK(json["kibibytes"].back()["to"].is_null());
  CHECK(json["bad_pictures"][0]["reason"] == "unreadable");
  CHECK(json["seconds"] == 2.0);
}
