#include "shared/wire/utf8.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace std::string_literals;

TEST_CASE("UTF-8 is what the Unicode standard says and nothing else") {
  for (const auto& good :
       {""s, "plain"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s, "\xEE\x80\x80"s,
        "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s, "a\0b"s}) {
    CHECK(wire::is_utf8(good));
    CHECK(wire::clip_utf8(good, 100) == good);
  }
  for (const auto& bad : {"\x80"s, "\xC0\x80"s, "\xC1\xBF"s, "\xC3"s, "\xE0\x9F\xBF"s,
                          "\xED\xA0\x80"s, "\xF0\x8F\xBF\xBF"s, "\xF4\x90\x80\x80"s,
                          "\xF5\x80\x80\x80"s, "\xFF"s, "\xE2\x82"s, "\xC3x"s}) {
    CHECK_FALSE(wire::is_utf8(bad));
    CHECK(wire::is_utf8(wire::clip_utf8(bad, 100)));
  }
}

TEST_CASE("each byte of a text counts, however long it is") {
  for (std::size_t size = 0; size < 20; ++size) {
    const std::string ascii(size, '\x7F');
    CHECK(wire::is_utf8(ascii));
    for (std::size_t at = 0; at < size; ++at) {
      auto text = ascii;
      text[at] = '\x80';
      CHECK_FALSE(wire::is_utf8(text));
      text = ascii;
      text.insert(at, "\xC3\xBC");
      CHECK(wire::is_utf8(text));
    }
  }
}

TEST_CASE("text for people is cut between characters and its foreign bytes are replaced") {
  CHECK(wire::clip_utf8("caf\xC3\xA9", 4) == "caf");
  CHECK(wire::clip_utf8("caf\xC3\xA9", 5) == "caf\xC3\xA9");
  CHECK(wire::clip_utf8("a\xFFz", 100) == "a\xEF\xBF\xBDz");
  CHECK(wire::clip_utf8("a\xFFz", 3) == "a");
}
