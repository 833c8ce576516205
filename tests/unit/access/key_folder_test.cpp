#include "broker/access/key_folder.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <filesystem>
#include <fstream>
#include <string>

using namespace framefleet;
using broker::KeyFolder;

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    fs::permissions(path(), fs::perms::owner_all);
    REQUIRE(security::write_key_file(path() / "broker.key", security::random_key_pair(), "first"));
    list("");
  }
  fs::path path() const { return folder_.path(); }
  void list(const std::string& content) const {
    std::ofstream(path() / "allowed.new") << content;
    fs::rename(path() / "allowed.new", path() / "allowed.toml");
  }
  static std::string entry(const std::string& name, const security::PublicKey& key) {
    return "[" + name + "]\npublic = \"" + key.text() + "\"\nroles = [\"worker\"]\n";
  }
  std::string error() const {
    const auto opened = KeyFolder::open(path());
    REQUIRE_FALSE(opened);
    CHECK(opened.error().exit_code == exit_code::kConfig);
    return opened.error().text;
  }

 private:
  test::TemporaryFolder folder_;
};

bool mentions(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("a change in the folder of keys is heard of, and read when asked for") {
  const Folder folder;
  auto keys = KeyFolder::open(folder.path());
  REQUIRE(keys);
  CHECK(keys->allowed_keys().empty());
  CHECK_FALSE(keys->take_changes());

  std::ofstream(folder.path() / "notes") << "nothing of ours";
  CHECK_FALSE(keys->take_changes());
  const auto key = security::random_key_pair().public_key;
  folder.list(Folder::entry("w1", key));
  CHECK(keys->take_changes());
  CHECK_FALSE(keys->take_changes());
  CHECK(keys->allowed_keys().empty());
  const auto reading = keys->read_again();
  REQUIRE(reading);
  CHECK_FALSE(reading->new_key);
  CHECK(keys->allowed_keys() == std::vector{key});
}

TEST_CASE("a key that was renamed over the broker's is the broker's new one") {
  const Folder folder;
  auto keys = KeyFolder::open(folder.path());
  REQUIRE(keys);
  const auto first = keys->public_key();
  CHECK(keys->take_first_key().public_key == first);
  const auto next = security::random_key_pair();
  REQUIRE(security::write_key_file(folder.path() / "broker-next.key", next, "second"));
  CHECK_FALSE(keys->take_changes());
  fs::rename(folder.path() / "broker-next.key", folder.path() / "broker.key");
  CHECK(keys->take_changes());
  const auto reading = keys->read_again();
  REQUIRE(reading);
  REQUIRE(reading->new_key);
  CHECK(reading->new_key->public_key == next.public_key);
  CHECK(keys->public_key() == next.public_key);
}

TEST_CASE("of a reading with any mistake nothing counts") {
  const Folder folder;
  const auto key = security::random_key_pair().public_key;
  folder.list(Folder::entry("w1", key));
  auto keys = KeyFolder::open(folder.path());
  REQUIRE(keys);
  const auto first = keys->public_key();
  REQUIRE(security::write_key_file(folder.path() / "next.key", security::random_key_pair(), "2"));
  fs::rename(folder.path() / "next.key", folder.path() / "broker.key");
  folder.list("[w1]\nroles = 1\n");
  CHECK_FALSE(keys->read_again());
  CHECK(keys->allowed_keys() == std::vector{key});
  CHECK(keys->public_key() == first);
}

TEST_CASE("a folder or a list that others could write into is refused") {
  const Folder folder;
  fs::permissions(folder.path(), fs::perms::owner_all | fs::perms::group_write);
  CHECK(mentions(folder.error(), "chmod 700"));
  fs::permissions(folder.path(), fs::perms::owner_all);
  fs::permissions(folder.path() / "allowed.toml",
                  fs::perms::owner_read | fs::perms::owner_write | fs::perms::others_write);
  CHECK(mentions(folder.error(), "allowed.toml"));
  fs::remove(folder.path() / "allowed.toml");
  CHECK(mentions(folder.error(), "No such file"));
}
