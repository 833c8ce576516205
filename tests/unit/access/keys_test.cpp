#include "shared/security/keys.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include "shared/security/z85.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using namespace framefleet;
using security::PublicKey;

namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& content) {
  std::ofstream(file) << content;
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

std::string content_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string error_of(const fs::path& file) {
  const auto read = security::read_key_file(file);
  REQUIRE_FALSE(read);
  CHECK(read.error().exit_code == exit_code::kConfig);
  return read.error().text;
}

bool mentions(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("Z85 is that of its specification, and takes nothing else") {
  const std::array<unsigned char, 8> bytes{0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B};
  std::array<char, 10> text{};
  security::encode_z85(bytes, text);
  CHECK(std::string(text.data(), text.size()) == "HelloWorld");
  std::array<unsigned char, 8> back{};
  CHECK(security::decode_z85("HelloWorld", back));
  CHECK(back == bytes);
  CHECK_FALSE(security::decode_z85("HelloWor", back));
  CHECK_FALSE(security::decode_z85("HelloWorl~", back));
  CHECK_FALSE(security::decode_z85("HelloWor\"d", back));
  CHECK_FALSE(security::decode_z85("#####World", back));  // over 32 bits
}

TEST_CASE("a key file gives back the pair it was made of, and its owner alone can read it") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "broker.key";
  const auto pair = security::random_key_pair();
  REQUIRE(security::write_key_file(file, pair, "of a test"));

  const auto read = security::read_key_file(file);
  REQUIRE(read);
  CHECK(read->public_key == pair.public_key);
  CHECK(std::ranges::equal(read->secret_key.bytes(), pair.secret_key.bytes()));
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777U) == 0600U);

  const auto keys = security::read_public_keys(folder.path() / "broker.pub");
  REQUIRE(keys);
  CHECK(*keys == std::vector{pair.public_key});
  CHECK_FALSE(mentions(content_of(folder.path() / "broker.pub"), "secret"));
  CHECK(PublicKey::parse(pair.public_key.text()) == pair.public_key);
}

TEST_CASE("no key file is written over another one") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "a.key";
  REQUIRE(security::write_key_file(file, security::random_key_pair(), "first"));
  const auto before = content_of(file);
  const auto again = security::write_key_file(file, security::random_key_pair(), "second");
  REQUIRE_FALSE(again);
  CHECK(again.error().exit_code == exit_code::kCannotCreate);
  fs::remove(folder.path() / "a.pub");
  CHECK_FALSE(security::write_key_file(file, security::random_key_pair(), "third"));
  CHECK(content_of(file) == before);
}

TEST_CASE("a key file that others may read is refused with what to do") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "a.key";
  REQUIRE(security::write_key_file(file, security::random_key_pair(), "of a test"));
  for (const auto extra : {fs::perms::group_read, fs::perms::others_read, fs::perms::group_write}) {
    fs::permissions(file, fs::perms::owner_read | extra);
    CHECK(mentions(error_of(file), "chmod 600"));
  }
  fs::permissions(file, fs::perms::owner_read);
  CHECK(security::read_key_file(file));
}

TEST_CASE("what is no key file is refused without a word of what stands in it") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "a.key";
  const auto pair = security::random_key_pair();
  REQUIRE(security::write_key_file(file, pair, "of a test"));
  const auto whole = content_of(file);
  const auto secret_line = whole.substr(whole.find("secret"));
  const auto secret_text = secret_line.substr(secret_line.find('"') + 1, security::kKeyTextBytes);

  write(file, secret_text + "\n");
  CHECK_FALSE(mentions(error_of(file), secret_text.substr(0, 8)));
  write(file, "secret = \"" + secret_text + "\"\n");
  CHECK(mentions(error_of(file), "public"));
  write(file, whole + secret_line);
  CHECK(mentions(error_of(file), "one line secret"));
  write(file, "public = \"" + security::random_key_pair().public_key.text() + "\"\n" + secret_line);
  CHECK(mentions(error_of(file), "belong together"));
  write(file, std::string(5000, '#'));
  CHECK(mentions(error_of(file), "too large"));
  CHECK(mentions(error_of(folder.path()), "is no file"));
  CHECK(mentions(error_of(folder.path() / "none.key"), "No such file"));
}

TEST_CASE("a file of public keys holds one or more of them, and no secret") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "brokers.pub";
  const auto first = security::random_key_pair();
  const auto second = security::random_key_pair();
  const auto line_of = [](const security::KeyPair& pair) {
    return "public = \"" + pair.public_key.text() + "\"\n";
  };
  write(file, "# two\n\n" + line_of(first) + line_of(second));
  const auto keys = security::read_public_keys(file);
  REQUIRE(keys);
  CHECK(*keys == std::vector{first.public_key, second.public_key});

  write(file, "# none\n");
  CHECK_FALSE(security::read_public_keys(file));
  REQUIRE(security::write_key_file(folder.path() / "a.key", first, "of a test"));
  const auto secret = security::read_public_keys(folder.path() / "a.key");
  REQUIRE_FALSE(secret);
  CHECK(mentions(secret.error().text, "holds a secret key"));
}
