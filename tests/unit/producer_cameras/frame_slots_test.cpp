#include "producer/cameras/frame_slots.hpp"

#include "tests/support/catch.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace framefleet::producer {
namespace {

FrameWriter writer_of(const FrameReader& reader) {
  return std::move(*FrameWriter::open(FileDescriptor(::dup(reader.file()))));
}

bool publish(FrameWriter& writer, const std::string& bytes, std::uint32_t width = 4) {
  return writer.publish(std::as_bytes(std::span(bytes)), width, 3, 1000);
}

TEST_CASE("a frame is taken once, as it was published") {
  auto reader = std::move(*FrameReader::make());
  auto writer = writer_of(reader);
  CHECK_FALSE(reader.take()->has_value());
  REQUIRE(publish(writer, "first"));
  const auto frame = reader.take();
  REQUIRE(frame);
  REQUIRE(frame->has_value());
  CHECK((*frame)->bytes == "first");
  CHECK((*frame)->width == 4);
  CHECK((*frame)->height == 3);
  CHECK((*frame)->captured_at_ms == 1000);
  CHECK((*frame)->number == 1);
  CHECK_FALSE(reader.take()->has_value());
}

TEST_CASE("the newest frame takes the place of one that nobody took") {
  auto reader = std::move(*FrameReader::make());
  auto writer = writer_of(reader);
  for (int i = 1; i <= 10; ++i) REQUIRE(publish(writer, std::to_string(i)));
  CHECK((*reader.take())->bytes == "10");
  CHECK_FALSE(reader.take()->has_value());
  CHECK(reader.counts().published == 10);
}

TEST_CASE("a frame that is empty or larger than a slot is not published") {
  auto reader = std::move(*FrameReader::make());
  auto writer = writer_of(reader);
  CHECK_FALSE(publish(writer, ""));
  CHECK_FALSE(publish(writer, std::string(kFrameBytesMax + 1, 'x')));
  CHECK_FALSE(reader.take()->has_value());
  REQUIRE(publish(writer, std::string(kFrameBytesMax, 'x')));
  CHECK((*reader.take())->bytes.size() == kFrameBytesMax);
}

TEST_CASE("frames are whole and in order while both ends are busy") {
  auto reader = std::move(*FrameReader::make());
  auto writer = writer_of(reader);
  constexpr std::uint32_t kFrames = 20'000;
  std::thread writing([&] {
    for (std::uint32_t i = 1; i <= kFrames; ++i) {
      // Every byte of a frame tells its number, and so does its length.
      publish(writer, std::string(1 + i % 3000, static_cast<char>('a' + i % 26)), i % 16'000 + 1);
    }
  });
  std::uint64_t last = 0;
  std::uint64_t torn = 0;
  std::uint64_t taken = 0;
  while (last < kFrames) {
    const auto frame = reader.take();
    if (!frame || !*frame) continue;
    const auto i = static_cast<std::uint32_t>((*frame)->number);
    const std::string expected(1 + i % 3000, static_cast<char>('a' + i % 26));
    if ((*frame)->bytes != expected || (*frame)->width != i % 16'000 + 1 || i <= last) ++torn;
    last = i;
    ++taken;
  }
  writing.join();
  CHECK(torn == 0);
  CHECK(taken > 0);
}

/// What a capture process that was taken over can write into.
struct Taken {
  FrameReader reader{std::move(*FrameReader::make())};
  std::uint32_t word() const {
    std::uint32_t value = 0;
    REQUIRE(::pread(reader.file(), &value, sizeof value, 0) == sizeof value);
    return value;
  }
  void set_word(std::uint32_t value) const {
    REQUIRE(::pwrite(reader.file(), &value, sizeof value, 0) == sizeof value);
  }
  /// Fields of a slot's header: number, captured_at_ms, bytes, then width and height together.
  void set_header(std::uint32_t slot, std::uint64_t bytes, std::uint32_t width,
                  std::uint32_t height) const {
    struct {
      std::uint64_t number, at, bytes;
      std::uint32_t width, height;
    } const header{1, 1, bytes, width, height};
    const auto at = 4096 + slot * (4096 + kFrameBytesMax);
    REQUIRE(::pwrite(reader.file(), &header, sizeof header, static_cast<off_t>(at)) ==
            sizeof header);
  }
};

TEST_CASE("nothing that a capture process writes is believed") {
  Taken taken;
  SECTION("a slot that is none") {
    taken.set_word(4 | 3);
    CHECK_FALSE(taken.reader.take());
  }
  SECTION("the slot that the reader has") {
    taken.set_header(0, 1, 1, 1);
    taken.set_word(4 | 0);
    CHECK_FALSE(taken.reader.take());
  }
  SECTION("bits that nobody sets do not make a slot of it") {
    taken.set_header(2, 1, 1, 1);
    taken.set_word(0xfffffff0 | 4 | 2);
    CHECK(taken.reader.take());
  }
  SECTION("a frame larger than its slot") {
    taken.set_header(2, kFrameBytesMax + 1, 1, 1);
    taken.set_word(4 | 2);
    CHECK_FALSE(taken.reader.take());
  }
  SECTION("a size that would wrap") {
    taken.set_header(2, ~std::uint64_t{0}, 1, 1);
    taken.set_word(4 | 2);
    CHECK_FALSE(taken.reader.take());
  }
  SECTION("an empty frame") {
    taken.set_header(2, 0, 1, 1);
    taken.set_word(4 | 2);
    CHECK_FALSE(taken.reader.take());
  }
  SECTION("sides that no picture has") {
    taken.set_header(2, 1, kFrameSideMax + 1, 1);
    taken.set_word(4 | 2);
    CHECK_FALSE(taken.reader.take());
  }
}

TEST_CASE("the memory cannot be made smaller or larger") {
  const auto reader = std::move(*FrameReader::make());
  CHECK(::ftruncate(reader.file(), 4096) != 0);
  CHECK(::ftruncate(reader.file(), std::int64_t{1} << 40U) != 0);
  CHECK(::fcntl(reader.file(), F_ADD_SEALS, F_SEAL_WRITE) != 0);
}

TEST_CASE("what is no memory for frames is refused by the writer") {
  const FileDescriptor other(::memfd_create("other", MFD_CLOEXEC));
  CHECK_FALSE(FrameWriter::open(FileDescriptor(::dup(other.get()))));
  CHECK_FALSE(FrameWriter::open(FileDescriptor()));
}

}  // namespace
}  // namespace framefleet::producer
