#include "tests/support/catch.hpp"

#include "shared/security/digest.hpp"
#include "shared/security/sha256.hpp"
#include "shared/security/token.hpp"

#include <array>
#include <span>
#include <sstream>
#include <string>

using namespace framefleet;
using security::TokenMint;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

TEST_CASE("a source's hash is what Python's hashlib gives") {
  // int.from_bytes(hashlib.blake2b(name, digest_size=16).digest()[:8], "big")
  CHECK(security::source_hash("cam-1") == 0x063562b535598b26U);
  CHECK(security::source_hash("") == 0xcae66941d9efbd40U);
}

TEST_CASE("a payload's digest is that of all its frames in order") {
  // hashlib.blake2b(b"frame onetwo", digest_size=16).digest()
  const std::string expected =
      "\x48\x52\xBD\x59\xC1\xA4\x81\x22"
      "\xC1\x2A\x07\xEE\xBD\x22\x05\xAD";
  const std::array whole{bytes_of("frame onetwo")};
  const std::array parts{bytes_of("frame one"), bytes_of(""), bytes_of("two")};
  const std::array swapped{bytes_of("two"), bytes_of("frame one")};
  CHECK(security::payload_digest(whole) == expected);
  CHECK(security::payload_digest(parts) == expected);
  CHECK(security::payload_digest(swapped) != expected);
}

TEST_CASE("a SHA-256 is what sha256sum prints, of text and of a stream of any length") {
  CHECK(security::sha256_hex("frame one") ==
        "fb7ea6b53396d2b744742eb3808eda216c6baa80f8144f4601b5a04ce508a92c");
  std::istringstream empty;
  CHECK(security::sha256_hex(empty) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (const std::size_t length : {1U, 65'535U, 65'536U, 65'537U, 200'000U}) {
    std::string text(length, 'a');
    text.back() = 'b';
    std::istringstream stream(text);
    CHECK(security::sha256_hex(stream) == security::sha256_hex(text));
  }
}

TEST_CASE("a token is good for its task, lease and worker alone") {
  const TokenMint mint;
  const TaskId id{1, 2, 3, 0};
  const LeaseId lease{4, 5};
  const auto token = mint.mint(id, lease, "w-1");
  CHECK(token.size() == TokenMint::kTokenBytes);
  CHECK(mint.verify(token, id, lease, "w-1"));
  CHECK_FALSE(mint.verify(token, {1, 2, 4, 0}, lease, "w-1"));
  CHECK_FALSE(mint.verify(token, id, {4, 6}, "w-1"));
  CHECK_FALSE(mint.verify(token, id, {5, 5}, "w-1"));
  CHECK_FALSE(mint.verify(token, id, lease, "w-2"));
  CHECK_FALSE(mint.verify("", id, lease, "w-1"));
  CHECK_FALSE(mint.verify(token.substr(1), id, lease, "w-1"));
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto forged = token;
    forged[i] = static_cast<char>(forged[i] ^ 1);
    CHECK_FALSE(mint.verify(forged, id, lease, "w-1"));
  }
}

TEST_CASE("a token outlives its broker only with the broker's key") {
  const TokenMint before;
  const auto token = before.mint({}, {}, "w");
  CHECK(TokenMint(before.key()).verify(token, {}, {}, "w"));
  CHECK_FALSE(TokenMint().verify(token, {}, {}, "w"));
}
