// Every file of the shared folder of odd pictures, and what is decided about it.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/decoding/decoder.hpp"

#include <map>
#include <string>

namespace framefleet::worker {
namespace {

const std::string kOk = "ok";
const std::string kDamaged = "ok, damaged";

const std::map<std::string, std::string>& decisions() {
  static const std::map<std::string, std::string> table{
      {"gen_16bit.png", kOk},
      {"gen_16bit_gray.png", kOk},
      {"gen_1x1.jpg", kOk},
      {"gen_1x1.png", kOk},
      {"gen_1x5000.png", kOk},
      {"gen_5000x1.jpg", kOk},
      {"gen_alpha.png", kOk},
      {"gen_bitflips.jpg", kDamaged},
      {"gen_bomb_20000_gray.png", "too_large_picture"},
      {"gen_empty.jpg", "empty_picture"},
      {"gen_huge_30000_nodata.png", "too_large_picture"},
      {"gen_huge_60000.png", "too_large_picture"},
      {"gen_huge_sof16000.jpg", "too_large_picture"},
      {"gen_huge_sof65000.jpg", "too_large_picture"},
      {"gen_html_named.jpg", "not_a_picture"},
      {"gen_progressive.jpg", kOk},
      {"gen_trunc50.jpg", kDamaged},
      {"gen_trunc_hdr.jpg", "undecodable"},
      {"gen_zero_sof.jpg", "undecodable"},
      {"pil_broken.png", "undecodable"},
      {"pil_broken_data_stream.png", "undecodable"},
      {"pil_broken_exif_dpi.jpg", kOk},
      {"pil_hopper.jpg", kOk},
      {"pil_hopper.webp", kOk},
      {"pil_hopper_16bit_qtables.jpg", kOk},
      {"pil_hopper_bad_exif.jpg", kDamaged},  // Its scan has bytes too many, besides the bad EXIF.
      {"pil_hopper_gray.jpg", kOk},
      {"pil_hopper_orientation_6.jpg", kOk},
      {"pil_invalid-exif.jpg", kOk},
      {"pil_mode_16bit.png", kOk},
      {"pil_multiple_exif.jpg", kOk},
      {"pil_p_16.png", kOk},
      {"pil_pil_sample_cmyk.jpg", kOk},
      {"pil_pil_sample_rgb.jpg", kOk},
      {"pil_sugarshack_bad_mpo_header.jpg", kOk},
      {"pil_syntax_num_frames_zero.png", "undecodable"},
      {"pil_tRNS_null_1x1.png", kOk},
      {"skimage_truncated.jpg", "undecodable"},
  };
  return table;
}

/// Formats that the gate refuses by name, whatever is in the file.
bool is_refused_format(const std::string& extension) {
  for (const char* each :
       {".bmp", ".tif", ".tiff", ".gif", ".ico", ".dds", ".j2k", ".pfm", ".pgm"}) {
    if (extension == each) return true;
  }
  return false;
}

std::string decision(const Result<Picture, PictureError>& picture) {
  if (!picture) return std::string(to_string(picture.error().reason));
  return picture->damaged ? kDamaged : kOk;
}

TEST_CASE("every odd picture is decided as the table says, by one decoder in a row") {
  if (!test::have_test_data("odd pictures")) return;
  Decoder decoder;
  std::size_t met = 0;
  for (const auto& path : test::files_in(test::test_data("data/odd"))) {
    const std::string name = path.filename().string();
    INFO(name);
    const auto bytes = test::read_bytes(path);
    const auto picture = decoder.decode(bytes, {.grey = true, .bgr = true});
    if (!picture) CHECK_FALSE(picture.error().text.empty());
    if (is_refused_format(path.extension().string())) {
      CHECK(decision(picture) == "not_a_picture");
      continue;
    }
    ++met;
    const auto expected = decisions().find(name);
    REQUIRE(expected != decisions().end());
    CHECK(decision(picture) == expected->second);
    if (expected->second != kOk) continue;
    CHECK(test::equal(test::view(picture->grey), test::reference(bytes, cv::IMREAD_GRAYSCALE)));
    CHECK(test::equal(test::view(picture->bgr), test::reference(bytes, cv::IMREAD_COLOR)));
  }
  CHECK(met == decisions().size());
}

}  // namespace
}  // namespace framefleet::worker
