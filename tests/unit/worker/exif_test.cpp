#include "worker/decoding/exif.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/worker/pictures.hpp"

#include <string>

namespace framefleet::worker {
namespace {

using namespace std::string_literals;

int orientation(const std::string& tiff) {
  const auto bytes = test::as_bytes(tiff);
  return exif_orientation(ByteView(bytes));
}

std::string little(char value) {
  return "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0"s + value + "\0\0\0"s;
}
std::string big(char value) { return "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0"s + value + "\0\0"s; }

TEST_CASE("both byte orders of EXIF give the orientation") {
  for (char value = 1; value <= 8; ++value) {
    CHECK(orientation(little(value)) == value);
    CHECK(orientation(big(value)) == value);
  }
}

TEST_CASE("an orientation that is out of range, of another type or missing means as stored") {
  CHECK(orientation(big(0)) == 1);
  CHECK(orientation(big(9)) == 1);
  CHECK(orientation("MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\6\0\0"s) == 1);
  CHECK(orientation("MM\0*\0\0\0\x08\0\0"s) == 1);
  CHECK(orientation("XX\0*\0\0\0\x08\0\0"s) == 1);
}

TEST_CASE("a cut or lying EXIF block is never read beyond its end") {
  const std::string whole = little(6);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK(orientation(whole.substr(0, length)) == 1);
  }
  CHECK(orientation("II*\0\xFF\xFF\xFF\xFF"s) == 1);          // Directory far outside.
  CHECK(orientation("II*\0\x08\0\0\0\xFF\xFF\x12\1"s) == 1);  // 65535 entries promised.
}

}  // namespace
}  // namespace framefleet::worker
