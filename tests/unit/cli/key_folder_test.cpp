// The folder of keys as it is edited: what is written, what is left alone, and what is refused.

#include "cli/key_folder.hpp"

#include "cli/keys_command.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace framefleet;
using namespace framefleet::cli;
using Catch::Contains;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

unsigned mode_of(const fs::path& file) {
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  return found.st_mode & 07777U;
}

access::Entry entry_of(const std::string& identity) {
  return {identity, security::random_key_pair().public_key, {.producer = true}, {}};
}

KeyFolder opened(const fs::path& path) {
  auto folder = KeyFolder::open(path, KeyFolder::Missing::make);
  REQUIRE(folder);
  REQUIRE(folder->make_broker_key());
  return std::move(*folder);
}

/// What the program says and ends with, but for its exit code.
int keys(std::vector<std::string> words) {
  words.insert(words.begin(), {"framefleet", "keys"});
  return keys_command(words);
}

}  // namespace

TEST_CASE("a table is put in, replaced and taken out, and all else stays as it was written") {
  const std::string text =
      "# Ours.\n"
      "\n"
      "[door]  # at the front\n"
      "public = \"a\"\n"
      "roles = [\n"
      "  \"producer\",\n"
      "]\n"
      "\n"
      "# The yard is not ours.\n"
      "['yard']\n"
      "public = \"b\"\n";
  CHECK(with_table(text, "gate", "[\"gate\"]\npublic = \"c\"\n") ==
        text + "\n[\"gate\"]\npublic = \"c\"\n");
  CHECK(with_table(text, "door", "") ==
        "# Ours.\n\n# The yard is not ours.\n['yard']\npublic = \"b\"\n");
  CHECK(with_table(text, "yard", "") == text.substr(0, text.find("['yard']")));
  CHECK(with_table(text, "door", "[\"door\"]\npublic = \"d\"\n") ==
        "# Ours.\n\n[\"door\"]\npublic = \"d\"\n\n# The yard is not ours.\n['yard']\npublic = "
        "\"b\"\n");
  CHECK(with_table("", "door", "[\"door\"]\n") == "[\"door\"]\n");
  CHECK(with_table("[a]\nx = 1", "door", "[\"door\"]\n") == "[a]\nx = 1\n\n[\"door\"]\n");
  CHECK(with_table("[a]\nx = 1\n", "a", "").empty());
}

TEST_CASE("a broker's folder is made once, for its owner alone") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  std::string first;
  {
    auto keys = KeyFolder::open(path, KeyFolder::Missing::make);
    REQUIRE(keys);
    CHECK(keys->make_broker_key().value());
    CHECK_FALSE(keys->make_broker_key().value());
    CHECK(mode_of(path) == 0700);
    CHECK(mode_of(keys->broker_key()) == 0600);
    CHECK(mode_of(keys->allowed()) == 0600);
    CHECK(keys->allow_list()->entries().empty());
    first = content_of(keys->broker_key());
    fs::remove(keys->broker_public());  // as after a crash
    CHECK(keys->make_broker_key());
    REQUIRE(keys->broker_keys());
    CHECK(keys->broker_keys()->front() == security::read_key_file(keys->broker_key())->public_key);
  }
  CHECK(content_of(path / "broker.key") == first);
}

TEST_CASE("two editors of one folder do not meet") {
  const TemporaryFolder folder;
  const auto first = opened(folder.path() / "keys");
  const auto second = KeyFolder::open(folder.path() / "keys", KeyFolder::Missing::refuse);
  REQUIRE_FALSE(second);
  CHECK(second.error().exit_code == exit_code::kUnavailable);
}

TEST_CASE("a folder that is missing or that others may enter is refused") {
  const TemporaryFolder folder;
  const auto none = KeyFolder::open(folder.path() / "none", KeyFolder::Missing::refuse);
  REQUIRE_FALSE(none);
  CHECK(none.error().exit_code == exit_code::kNoInput);
  fs::create_directory(folder.path() / "open");
  ::chmod((folder.path() / "open").c_str(), 0755);
  const auto open = KeyFolder::open(folder.path() / "open", KeyFolder::Missing::make);
  REQUIRE_FALSE(open);
  CHECK_THAT(open.error().text, Contains("chmod 700"));
}

TEST_CASE("an entry that is allowed reads back as it was meant") {
  const TemporaryFolder folder;
  auto keys = opened(folder.path() / "keys");
  auto door = entry_of("front.door");
  door.limits = {.tasks_per_second = 0.25,
                 .bytes_per_second = 5'000'000,
                 .unsettled_max = 100,
                 .backlog_share = 0.1};
  auto gate = entry_of("gate");
  gate.roles = {.producer = true, .worker = true, .sink = true, .operating = true};
  REQUIRE(keys.allow(door));
  REQUIRE(keys.allow(gate));
  auto list = keys.allow_list();
  REQUIRE(list);
  REQUIRE(list->entries().size() == 2);
  REQUIRE(list->find("front.door") != nullptr);
  CHECK(list->find("front.door")->limits == door.limits);
  CHECK(list->find("front.door")->key == door.key);
  CHECK(list->find("gate")->roles == gate.roles);

  door.key = security::random_key_pair().public_key;
  REQUIRE(keys.allow(door));
  CHECK(keys.allow_list()->find("front.door")->key == door.key);
  CHECK(keys.allow_list()->entries().size() == 2);
  CHECK(mode_of(keys.allowed()) == 0600);

  auto twin = entry_of("twin");
  twin.key = gate.key;
  REQUIRE_FALSE(keys.allow(twin));
  CHECK(keys.allow_list()->entries().size() == 2);

  REQUIRE(keys.revoke("front.door"));
  CHECK(keys.allow_list()->find("front.door") == nullptr);
  const auto again = keys.revoke("front.door");
  REQUIRE_FALSE(again);
  CHECK(again.error().exit_code == exit_code::kNoInput);
}

TEST_CASE("an allow-list with a mistake, or written in a way of its own, is not edited") {
  const TemporaryFolder folder;
  auto keys = opened(folder.path() / "keys");
  const auto door = entry_of("door");
  REQUIRE(keys.allow(door));
  const auto sound = content_of(keys.allowed());
  for (const std::string& text :
       {sound + "[gate]\nroles = [\"cook\"]\n", sound + "nonsense",
        fmt::format("door = {{public = \"{}\", roles = [\"producer\"]}}\n", door.key.text())}) {
    std::ofstream(keys.allowed()) << text;
    CHECK_FALSE(keys.revoke("door"));
    CHECK(content_of(keys.allowed()) == text);
  }
}

TEST_CASE("the broker's key is rotated in two steps, each of which can be done twice") {
  const TemporaryFolder folder;
  auto keys = opened(folder.path() / "keys");
  const auto first = keys.broker_keys()->front();
  CHECK_FALSE(keys.finish_rotation().value());
  CHECK(keys.begin_rotation().value());
  REQUIRE(keys.broker_keys()->size() == 2);
  CHECK(keys.broker_keys()->front() == first);  // tried first
  const auto next = keys.broker_keys()->back();
  CHECK_FALSE(keys.begin_rotation().value());
  CHECK(keys.broker_keys()->back() == next);
  CHECK(security::read_key_file(keys.broker_key())->public_key == first);
  CHECK(keys.finish_rotation().value());
  CHECK(keys.broker_keys().value() == std::vector{next});
  CHECK(security::read_key_file(keys.broker_key())->public_key == next);
  CHECK_FALSE(fs::exists(keys.next_key()));
  CHECK_FALSE(keys.finish_rotation().value());
}

TEST_CASE("a rotation that a crash cut off goes on with the same key") {
  const TemporaryFolder folder;
  auto keys = opened(folder.path() / "keys");
  const auto first = keys.broker_keys()->front();
  const auto before = content_of(keys.broker_public());
  REQUIRE(keys.begin_rotation());
  const auto next = keys.broker_keys()->back();
  std::ofstream(keys.broker_public()) << before;  // the key was made, clients were not told
  CHECK(keys.begin_rotation().value());
  CHECK(keys.broker_keys().value() == std::vector{first, next});
  fs::rename(keys.next_key(), keys.broker_key());  // it was taken, clients were not told
  CHECK(keys.finish_rotation().value());
  CHECK(keys.broker_keys().value() == std::vector{next});
}

TEST_CASE("a client's key is replaced once its new one is allowed, also after a crash") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "door.key";
  const auto first = security::random_key_pair();
  REQUIRE(security::write_key_file(file, first, "a key"));
  std::vector<security::PublicKey> told;
  const auto failed = replace_key_file(file, [&](const auto& key) -> Result<void, Error> {
    told.push_back(key);
    return fail(Error{"the disk is full", exit_code::kCannotCreate});
  });
  CHECK_FALSE(failed);
  CHECK(security::read_key_file(file)->public_key == first.public_key);
  const auto done = replace_key_file(file, [&](const auto& key) -> Result<void, Error> {
    told.push_back(key);
    return {};
  });
  REQUIRE(done);
  CHECK(told == std::vector{*done, *done});
  CHECK(security::read_key_file(file)->public_key == *done);
  CHECK(security::read_public_keys(security::public_file_of(file)).value() == std::vector{*done});
  CHECK(mode_of(file) == 0600);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("framefleet keys: what it does twice, refuses and ends with") {
  const TemporaryFolder folder;
  const auto path = (folder.path() / "keys").string();
  const auto door = (folder.path() / "door").string();
  CHECK(keys({"new"}) == exit_code::kUsage);
  CHECK(keys({"list", "--keys", path}) == exit_code::kNoInput);
  CHECK(keys({"new", "--keys", path}) == exit_code::kOk);
  CHECK(keys({"new", "--keys", path}) == exit_code::kCannotCreate);
  CHECK(keys({"new", "--keys", path, "--keep"}) == exit_code::kOk);
  CHECK(keys({"new", door + ".key"}) == exit_code::kOk);
  CHECK(keys({"new", door + ".key"}) == exit_code::kCannotCreate);
  CHECK(keys({"new", door + ".key", "--keep"}) == exit_code::kOk);

  const std::vector<std::string> allow{"allow",    "door",        "--keys",  path,
                                       "--public", door + ".pub", "--roles", "producer"};
  CHECK(keys(allow) == exit_code::kOk);
  CHECK(keys(allow) == exit_code::kOk);  // it is so
  auto other = allow;
  other.back() = "worker";
  CHECK(keys(other) == exit_code::kCannotCreate);
  other.emplace_back("--replace");
  CHECK(keys(other) == exit_code::kOk);
  other[1] = "no name";
  CHECK(keys(other) == exit_code::kUsage);
  auto secret = allow;
  secret[5] = door + ".key";  // the secret half is not asked for
  CHECK(keys(secret) == exit_code::kConfig);

  CHECK(keys({"list", "--keys", path, "--json"}) == exit_code::kOk);
  CHECK(keys({"rotate", "door", "--keys", path, "--key", door + ".key"}) == exit_code::kOk);
  CHECK(keys({"rotate", "door", "--broker", "--keys", path}) == exit_code::kUsage);
  CHECK(keys({"rotate", "--broker", "--finish", "--keys", path}) == exit_code::kNoInput);
  CHECK(keys({"revoke", "door", "--keys", path, "--yes"}) == exit_code::kOk);
  CHECK(keys({"revoke", "door", "--keys", path, "--yes"}) == exit_code::kNoInput);
  CHECK(keys({"sell"}) == exit_code::kUsage);
}
