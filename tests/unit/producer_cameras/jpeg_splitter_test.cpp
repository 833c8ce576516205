#include "producer/capture/jpeg_splitter.hpp"

#include "tests/support/catch.hpp"

#include <turbojpeg.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace framefleet::producer {
namespace {

std::string jpeg(int width, int height, int flags = 0) {
  std::vector<unsigned char> pixels(static_cast<std::size_t>(width * height * 3));
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<unsigned char>(i * 2654435761U >> 13U);
  }
  const std::unique_ptr<void, int (*)(void*)> compressor(tjInitCompress(), tjDestroy);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  REQUIRE(tjCompress2(compressor.get(), pixels.data(), width, 0, height, TJPF_BGR, &bytes, &size,
                      TJSAMP_420, 90, flags) == 0);
  std::string made(reinterpret_cast<const char*>(bytes), size);
  tjFree(bytes);
  return made;
}

/// With a thumbnail in an application segment, as cameras write it.
std::string with_thumbnail(const std::string& picture, const std::string& thumbnail) {
  const auto length = thumbnail.size() + 2;
  std::string segment = "\xFF\xE1";
  segment += static_cast<char>(length >> 8U);
  segment += static_cast<char>(length & 0xFFU);
  return picture.substr(0, 2) + segment + thumbnail + picture.substr(2);
}

std::string part(const std::string& picture, const std::string& headers) {
  return "--boundary\r\n" + headers + "\r\n\r\n" + picture + "\r\n";
}

std::vector<std::string> split(JpegSplitter& splitter, std::string_view stream, std::size_t step) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    const auto chunk = stream.substr(at, step);
    splitter.feed(std::as_bytes(std::span(chunk)));
    while (const auto picture = splitter.next()) {
      found.emplace_back(reinterpret_cast<const char*>(picture->bytes.data()),
                         picture->bytes.size());
    }
  }
  return found;
}

std::vector<std::string> split(std::string_view stream, std::size_t step = 1000) {
  JpegSplitter splitter;
  return split(splitter, stream, step);
}

TEST_CASE("pictures come out untouched, however the bytes arrive") {
  const auto first = jpeg(64, 48);
  const auto second = jpeg(80, 40, TJFLAG_PROGRESSIVE);
  const auto stream =
      part(first, "Content-Type: image/jpeg\r\nContent-Length: " + std::to_string(first.size())) +
      part(second, "Content-Type: image/jpeg");
  for (const std::size_t step : {1U, 2U, 3U, 7U, 100U, 100'000U}) {
    CHECK(split(stream, step) == std::vector{first, second});
  }
}

TEST_CASE("a picture is there with its last byte, without a boundary behind it") {
  const auto picture = jpeg(64, 48);
  CHECK(split("--b\r\n\r\n" + picture) == std::vector{picture});
}

TEST_CASE("restart markers and stuffed bytes inside a scan are no end of it") {
  auto picture = jpeg(64, 48);
  picture.insert(picture.size() - 40, "\xFF\xD0 \xFF\xD7 \xFF\xFF\xD3");
  picture.insert(picture.size() - 20, std::string("\xFF\0", 2));
  CHECK(split(picture) == std::vector{picture});
}

TEST_CASE("a length that is a lie changes nothing") {
  const auto picture = jpeg(64, 48);
  for (const auto* length : {"0", "1", "99999999999999999999", "-5", "abc"}) {
    const auto stream = part(picture, std::string("Content-Length: ") + length) + part(picture, "");
    CHECK(split(stream).size() == 2);
  }
}

TEST_CASE("garbage between pictures is skipped, in no more memory than a marker needs") {
  const auto picture = jpeg(64, 48);
  std::string garbage;
  for (int i = 0; i < 200'000; ++i) garbage += static_cast<char>(i * 7919 >> 4);
  // No start of a picture by chance.
  for (std::size_t at = 0; (at = garbage.find("\xFF\xD8", at)) != std::string::npos;) {
    garbage[at] = 'x';
  }
  JpegSplitter splitter;
  CHECK(split(splitter, garbage, 1000).empty());
  CHECK(splitter.held_bytes() <= 1);
  CHECK(split(splitter, picture + garbage + picture, 1000) == std::vector{picture, picture});
}

TEST_CASE("a picture that breaks off costs itself alone") {
  const auto picture = jpeg(200, 150);
  for (const double share : {0.5, 0.9, 0.999}) {
    const auto cut =
        picture.substr(0, static_cast<std::size_t>(static_cast<double>(picture.size()) * share));
    CHECK(split(part(cut, "") + part(picture, "") + part(picture, "")) ==
          std::vector{picture, picture});
  }
}

TEST_CASE("a picture that breaks off in its headers costs one more at most") {
  const auto picture = jpeg(200, 150);
  for (std::size_t length = 2; length < 600; length += 7) {
    const auto found = split(part(picture.substr(0, length), "") + part(picture, "") +
                             part(picture, "") + part(picture, ""));
    REQUIRE(found.size() >= 2);
    CHECK(found.back() == picture);
  }
}

TEST_CASE("a thumbnail inside a picture is no picture, even where the picture breaks off") {
  const auto thumbnail = jpeg(16, 16);
  const auto picture = with_thumbnail(jpeg(200, 150), thumbnail);
  CHECK(split(picture) == std::vector{picture});
  const auto cut = picture.substr(0, picture.size() / 2);
  CHECK(split(part(cut, "") + part(picture, "")) == std::vector{picture});
}

TEST_CASE("a picture that never ends is dropped at the cap, and the next one is found") {
  const auto picture = jpeg(64, 48);
  JpegSplitter splitter(10'000);
  const auto endless = picture.substr(0, picture.size() - 2) + std::string(50'000, 'x');
  CHECK(split(splitter, endless, 1000).empty());
  CHECK(splitter.held_bytes() <= 11'000);
  CHECK(split(splitter, picture, 1000) == std::vector{picture});
}

TEST_CASE("what is found does not depend on how the bytes arrive, whatever they are") {
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return random() % n; };
  const auto picture = with_thumbnail(jpeg(40, 30), jpeg(8, 8));
  std::size_t pictures = 0;
  for (int round = 0; round < 300; ++round) {
    std::string stream;
    for (std::size_t i = below(6); i < 6; ++i) {
      stream += part(picture.substr(0, below(4) == 0 ? below(picture.size()) : picture.npos), "");
    }
    for (std::size_t i = below(20); i > 0; --i) {
      stream[below(stream.size())] = static_cast<char>(below(3) == 0 ? 0xFF : below(256));
    }
    const auto found = split(stream, stream.size());
    CHECK(split(stream, 1 + below(700)) == found);
    for (const auto& each : found) {
      CHECK(each.starts_with("\xFF\xD8"));
      CHECK(each.ends_with("\xFF\xD9"));
      CHECK(stream.find(each) != stream.npos);
    }
    pictures += found.size();
  }
  CHECK(pictures > 300);
}

TEST_CASE("a picture's size is read from it") {
  const auto picture = jpeg(67, 41);
  const auto found = JpegSplitter::whole(std::as_bytes(std::span(picture)));
  REQUIRE(found);
  CHECK(found->width == 67);
  CHECK(found->height == 41);
  CHECK(found->bytes.size() == picture.size());
}

TEST_CASE("bytes that do not begin with a picture are none, and padding behind one is cut off") {
  const auto picture = jpeg(64, 48);
  const auto whole = [](const std::string& bytes) {
    return JpegSplitter::whole(std::as_bytes(std::span(bytes)));
  };
  CHECK_FALSE(whole(""));
  CHECK_FALSE(whole("x" + picture));
  CHECK_FALSE(whole(picture.substr(0, picture.size() - 1)));
  CHECK_FALSE(whole(std::string("\xFF\xD8\xFF\xD9", 4)));
  const std::string padded = picture + std::string(100, '\0');
  REQUIRE(whole(padded));
  CHECK(whole(padded)->bytes.size() == picture.size());
}

}  // namespace
}  // namespace framefleet::producer
