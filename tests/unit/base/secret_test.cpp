#include "shared/base/secret.hpp"

#include "tests/support/catch.hpp"

#include <array>
#include <random>
#include <sstream>

using namespace framefleet;

TEST_CASE("A URL is shown without what names a user or a password", "[secret]") {
  const std::array<std::pair<const char*, const char*>, 13> shown{{
      {"rtsp://admin:geheim@10.0.0.7:554/live", "rtsp://***@10.0.0.7:554/live"},
      {"rtsp://admin@10.0.0.7/live", "rtsp://***@10.0.0.7/live"},
      {"rtsp://10.0.0.7:554/live", "rtsp://10.0.0.7:554/live"},
      {"rtsp://10.0.0.7/a@b", "rtsp://10.0.0.7/a@b"},
      {"rtsp://[fe80::1]:554/a@b", "rtsp://[fe80::1]:554/a@b"},
      {"rtsp://admin:ge@he@im@cam/live", "rtsp://***@cam/live"},
      {"rtsp://admin:ge/he?im@cam/live", "rtsp://***@cam/live"},
      {"http://cam/video.mjpg?user=admin&pwd=x", "http://cam/video.mjpg?***"},
      {"http://cam/video.mjpg#token", "http://cam/video.mjpg#***"},
      {"rtsp://cam/a/user=admin_password=x_channel=1/0.sdp", "rtsp://cam/a/***"},
      {"file:/videos/walk.avi", "file:/videos/walk.avi"},
      {"v4l2:/dev/video0", "v4l2:/dev/video0"},
      {"", ""},
  }};
  for (const auto& [url, expected] : shown) CHECK(redacted_url(url) == expected);
}

TEST_CASE("A secret writes itself only without its secret parts", "[secret]") {
  const Secret secret{"rtsp://cam/s3cret/live", {"s3cret"}};
  std::ostringstream out;
  out << secret;
  CHECK(out.str() == "rtsp://cam/***/live");
  CHECK(secret.reveal() == "rtsp://cam/s3cret/live");
  CHECK(Secret{"whole", {"whole"}}.redacted() == "***");
}

TEST_CASE("Percent-encoding is undone exactly", "[secret]") {
  CHECK(percent_encoded("p@ss w/ö~") == "p%40ss%20w%2F%C3%B6~");
  CHECK(percent_decoded("p%40ss%20w%2f%C3%b6~") == "p@ss w/ö~");
  CHECK(percent_decoded("100%, %4, %zz") == "100%, %4, %zz");
}

TEST_CASE("A secret is blotted out of what others wrote, however they wrote it", "[secret]") {
  const Scrubber scrubber{Secret{"rtsp://admin:p%40ss%2Fw@cam:554/live"}};
  const std::array<std::pair<const char*, const char*>, 13> texts{{
      {"rtsp://admin:p%40ss%2Fw@cam:554/live: 401 Unauthorized",
       "rtsp://***@cam:554/live: 401 Unauthorized"},
      {"password p@ss/w refused", "password *** refused"},
      {"password p%40ss/w refused", "password *** refused"},
      {"password p%40ss%2fw refused", "password *** refused"},
      {"password p%2540ss%252Fw refused", "password *** refused"},
      {"prefixp@ss/wsuffix", "prefix***suffix"},
      {"user admin, administrator", "user ***, administrator"},
      {"Authorization: Basic YWRtaW46cEBzcy93", "Authorization: Basic ***"},
      {"cut off: rtsp://admin:p%40s", "cut off: rtsp://***"},
      {"cut off: p%40ss%2", "cut off: ***"},
      {"http://other:one@host/x and http://host/y", "http://***@host/x and http://host/y"},
      {"nothing to see at cam:554/live", "nothing to see at cam:554/live"},
      {"", ""},
  }};
  for (const auto& [text, expected] : texts) CHECK(scrubber.scrubbed(text) == expected);
}

TEST_CASE("What a query or a file gave is blotted out too", "[secret]") {
  Scrubber scrubber{Secret{"http://cam/v.mjpg?user=joe&pwd=f%C3%BCnf&n=1"}};
  scrubber.add(Secret{"rtsp://cam/t0ken/live", {"t0ken"}});
  CHECK(scrubber.scrubbed("GET /v.mjpg?user=joe&pwd=f%C3%BCnf&n=1 HTTP/1.1") ==
        "GET /v.mjpg*** HTTP/1.1");
  CHECK(scrubber.scrubbed("joe, fünf, number 11, xt0keny") == "***, ***, number 11, x***y");
  CHECK(Scrubber{}.scrubbed("a text") == "a text");
}

TEST_CASE("No text around a secret, and no spelling of it, lets it through", "[secret]") {
  std::mt19937 random{20251121};
  const auto pick = [&random](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(random);
  };
  constexpr std::string_view kBytes = "abcXYZ019@:/%?&=# .-_~\xC3\xB6\"\\";
  const auto any_text = [&](std::size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += kBytes[pick(kBytes.size())];
    return text;
  };
  for (int i = 0; i < 5000; ++i) {
    // A word of its own letters, so that what surrounds it cannot spell it.
    std::string password = any_text(pick(6)) + "Qq" + any_text(pick(6)) + "Jj";
    std::string spelled;
    for (const char c : password) {
      const auto hex = [c](const char* digits) {
        const auto byte = static_cast<unsigned char>(c);
        return std::string{digits[byte >> 4U], digits[byte & 15U]};
      };
      switch (pick(4)) {
        case 0:
          spelled += "%" + hex("0123456789ABCDEF");
          break;
        case 1:
          spelled += "%" + hex("0123456789abcdef");
          break;
        case 2:
          spelled += "%25" + hex("0123456789ABCDEF");
          break;
        default:
          spelled += c;
      }
    }
    const std::string url = "rtsp://u:" + percent_encoded(password) + "@host/path";
    const Secret secret{url};
    CHECK(secret.redacted() == "rtsp://***@host/path");
    const auto out = Scrubber{secret}.scrubbed(any_text(pick(20)) + " " + spelled + " " +
                                               any_text(pick(20)) + url);
    CAPTURE(url, spelled, out);
    CHECK(out.find("Qq") == std::string::npos);
    CHECK(percent_decoded(percent_decoded(out)).find("Qq") == std::string::npos);
    CHECK(out.find(percent_encoded(password)) == std::string::npos);
  }
}
