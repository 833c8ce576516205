// Thousands of files that are no sound picture, through one decoder after the other as in a worker:
// each is decided once, with pixels or with a reason of the image gate, within a bound of processor
// time, and nothing of its memory stays.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/bmp_tiff.hpp"
#include "tests/unit/worker/malformed_pictures.hpp"
#include "tests/unit/worker/picture_seeds.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/decoding/decoder.hpp"
#include "worker/imgcodecs/imgcodecs_decoder.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <cstdio>
#include <map>
#include <string>

namespace framefleet::worker {
namespace {

using test::make_bent_pictures;
using test::MalformedPicture;
using test::picture_seeds;
using test::Verdict;

/// What a picture may cost (the dearest is printed). AddressSanitizer makes each access to memory
/// several times as dear, and keeps what was freed for a while.
#if defined(__SANITIZE_ADDRESS__)
constexpr double kCpuSecondsMax = 12.0;
constexpr std::uint64_t kPeakBytesMax = 3'000'000'000;
#else
constexpr double kCpuSecondsMax = 3.0;
constexpr std::uint64_t kPeakBytesMax = 1'500'000'000;
#endif
constexpr std::size_t kPicturesMin = 2000;
/// What a decoder may keep warm: four planes of up to 32 MiB.
constexpr std::size_t kKeptBytesMax = std::size_t{4} * (std::size_t{32} << 20U);
/// What libraries keep for themselves, once.
constexpr std::size_t kSlackBytes = std::size_t{2} << 20U;
constexpr Planes kBoth{.grey = true, .bgr = true};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::size_t allocated_bytes() {
  const auto memory = ::mallinfo2();
  return memory.uordblks + memory.hblkhd;
}

/// A line of /proc/self/status, in bytes.
std::uint64_t status_bytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::stoull(line.substr(field.size() + 1)) * 1024;
  }
  return 0;
}

/// A complete answer: pixels of one size in both planes within the limits, or words and a reason.
bool is_an_answer(const Result<Picture, PictureError>& picture) {
  if (!picture)
    return test::is_of_the_gate(picture.error().reason) && !picture.error().text.empty();
  const auto fits = [&](const Plane& plane, int channels) {
    return plane.width == picture->width && plane.height == picture->height &&
           plane.channels == channels;
  };
  const auto pixels =
      static_cast<std::uint64_t>(picture->width) * static_cast<std::uint64_t>(picture->height);
  return fits(picture->grey, 1) && fits(picture->bgr, 3) && pixels > 0 &&
         pixels <= ImageLimits{}.pixels_max;
}

/// Reads each last byte, so that memory that is not there would be noticed.
unsigned touch(const Picture& picture) {
  unsigned sum = 0;
  for (const Plane& plane : {picture.grey, picture.bgr}) {
    sum += plane.pixels[plane.stride * static_cast<std::size_t>(plane.height) - 1];
  }
  return sum;
}

/// Decides about pictures with one decoder and keeps the books.
ImageLimits limits_of(FormatSet formats) {
  ImageLimits limits;
  limits.formats = formats;
  return limits;
}

class Inquest {
 public:
  explicit Inquest(FormatSet formats = ImageLimits{}.formats, OtherDecoder others = nullptr)
      : decoder_(limits_of(formats), others) {}

  void operator()(const MalformedPicture& malformed) {
    INFO(malformed.name);
    const double begin = cpu_seconds();
    const auto picture = decoder_.decode(test::bytes_of(malformed.bytes), kBoth);
    const double spent = cpu_seconds() - begin;
    if (picture) touch(*picture);
    ++met_;
    ++decisions_[picture ? (picture->damaged ? "damaged" : "sound")
                         : std::string(to_string(picture.error().reason))];
    if (spent > dearest_) {
      dearest_ = spent;
      dearest_name_ = malformed.name;
    }
    if (!picture) UNSCOPED_INFO(picture.error().text);
    if (!is_an_answer(picture) || !test::agrees(picture, malformed.verdict) ||
        spent > kCpuSecondsMax) {
      UNSCOPED_INFO("decided in " << spent << " s of processor time");
      FAIL_CHECK("decided wrongly, or too late");
    }
  }

  /// After this the decoder has only what an ordinary picture leaves it.
  void decode_an_ordinary_picture() {
    const auto seeds = picture_seeds();
    REQUIRE(decoder_.decode(test::bytes_of(seeds.front().bytes), kBoth).has_value());
  }

  std::size_t met() const { return met_; }
  void print(const char* what) const {
    std::printf("%s: %zu pictures, the dearest %.2f s of processor time (%s); peak %.0f MB\n", what,
                met_, dearest_, dearest_name_.c_str(),
                static_cast<double>(status_bytes("VmHWM")) / 1e6);
    for (const auto& [decision, count] : decisions_) {
      std::printf("  %-18s %zu\n", decision.c_str(), count);
    }
  }

 private:
  Decoder decoder_;
  std::size_t met_{0};
  double dearest_{0};
  std::string dearest_name_;
  std::map<std::string, std::size_t> decisions_;
};

TEST_CASE("thousands of bent pictures are each decided once, soon, and leave no memory behind") {
  make_bent_pictures(picture_seeds(),
                     [](const auto&) {});  // What the codecs and OpenCV keep is kept now.
  const std::size_t before = allocated_bytes();
  {
    Inquest inquest;
    make_bent_pictures(picture_seeds(), [&](const MalformedPicture& each) { inquest(each); });
    inquest.decode_an_ordinary_picture();
    CHECK(inquest.met() >= kPicturesMin);
    CHECK(allocated_bytes() <= before + kKeptBytesMax + kSlackBytes);
    inquest.print("bent pictures");
  }
  CHECK(allocated_bytes() <= before + kSlackBytes);
}

TEST_CASE("picture bombs cost at most their bound of time and memory, and give the memory back") {
  const std::size_t before = allocated_bytes();
  {
    Inquest inquest;
    test::make_picture_bombs([&](const MalformedPicture& each) { inquest(each); });
    inquest.decode_an_ordinary_picture();
    CHECK(allocated_bytes() <= before + kKeptBytesMax + kSlackBytes);
    inquest.print("picture bombs");
  }
  CHECK(allocated_bytes() <= before + kSlackBytes);
  CHECK(status_bytes("VmHWM") <= kPeakBytesMax);
}

// imgcodecs is no decoder of ours: that it leaves no memory behind is seen by the tests of real
// child processes, which also see what it costs.
TEST_CASE("thousands of bent BMPs and TIFFs are each decided once and soon") {
  Inquest inquest(FormatSet::all(), decode_by_imgcodecs);
  make_bent_pictures(test::bmp_tiff_seeds(), [&](const auto& each) { inquest(each); });
  test::make_lying_bmps_and_tiffs([&](const auto& each) { inquest(each); });
  CHECK(inquest.met() >= kPicturesMin);
  inquest.print("bent BMPs and TIFFs");
  CHECK(status_bytes("VmHWM") <= kPeakBytesMax);
}

TEST_CASE("a bent picture is decided the same by a decoder that has seen others as by a new one") {
  Decoder used;
  std::size_t round = 0;
  make_bent_pictures(picture_seeds(), [&](const MalformedPicture& each) {
    if (++round % 7 != 0) return;  // Those of a fixed stride: two decodes each.
    const auto bytes = test::bytes_of(each.bytes);
    if (const auto header = inspect_image(bytes, {}); header && header->width > 1000) return;
    Decoder fresh;
    const auto first = used.decode(bytes, kBoth);
    const auto second = fresh.decode(bytes, kBoth);
    INFO(each.name);
    REQUIRE(first.has_value() == second.has_value());
    if (!first) {
      CHECK(first.error().text == second.error().text);
    } else {
      CHECK(test::equal(test::view(first->bgr), test::view(second->bgr)));
      CHECK(test::equal(test::view(first->grey), test::view(second->grey)));
    }
  });
}

}  // namespace
}  // namespace framefleet::worker
