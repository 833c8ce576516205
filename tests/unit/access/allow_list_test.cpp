#include "shared/access/allow_list.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <filesystem>
#include <fstream>
#include <string>

using namespace framefleet;
using access::read_allow_list;

namespace {

class AllowListFile {
 public:
  Result<access::AllowList, Error> read(const std::string& content) const {
    const auto file = folder_.path() / access::kAllowListName;
    std::ofstream(file) << content;
    return read_allow_list(file);
  }
  std::string error(const std::string& content) const {
    const auto list = read(content);
    REQUIRE_FALSE(list);
    CHECK(list.error().exit_code == exit_code::kConfig);
    return list.error().text;
  }
  std::filesystem::path path() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

std::string public_line(const security::PublicKey& key) {
  return "public = \"" + key.text() + "\"\n";
}

bool mentions(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("an allow-list says whose a key is, what it may be and how much it may use") {
  const AllowListFile file;
  const auto door = security::random_key_pair().public_key;
  const auto hands = security::random_key_pair().public_key;
  const auto list = file.read("[front-door]\n" + public_line(door) +
                              "roles = [\"producer\"]\ntasks_per_second = 50\n"
                              "bytes_per_second = \"10MiB\"\nunsettled_max = 1000\n"
                              "backlog_share = 0.25\n"
                              "[gpu-1]\n" +
                              public_line(hands) + "roles = [\"worker\", \"operator\"]\n");
  REQUIRE(list);
  REQUIRE(list->entries().size() == 2);
  const auto* entry = list->find(door);
  REQUIRE(entry != nullptr);
  CHECK(entry->identity == "front-door");
  CHECK(entry->roles == access::Roles{.producer = true});
  CHECK(entry->limits == access::Limits{50, 10U << 20U, 1000, 0.25});
  REQUIRE(list->find("gpu-1") != nullptr);
  CHECK(list->find("gpu-1")->key == hands);
  CHECK(list->find(hands)->roles == access::Roles{.worker = true, .operating = true});
  CHECK(list->find(hands)->limits == access::Limits{});
  CHECK(list->find(security::random_key_pair().public_key) == nullptr);
  CHECK(list->find("nobody") == nullptr);
}

TEST_CASE("an empty allow-list lets nobody in") {
  const auto list = AllowListFile{}.read("# nobody yet\n");
  REQUIRE(list);
  CHECK(list->entries().empty());
}

TEST_CASE("mistakes of an allow-list are told with their places and what is allowed") {
  const AllowListFile file;
  const auto key = public_line(security::random_key_pair().public_key);
  const std::string good = "roles = [\"producer\"]\n";

  auto text = file.error("[a]\n" + key + "role = [\"producer\"]\n");
  CHECK(mentions(text, "allowed.toml:3:1: a.role: unknown key, did you mean roles?"));
  CHECK(mentions(text, "tasks_per_second"));
  CHECK(mentions(file.error("[a]\n" + key + "roles = [\"admin\"]\n"),
                 "\"admin\" is not one of the words; allowed: a list of producer, worker, sink"));
  CHECK(mentions(file.error("[a]\n" + key), "has no role"));
  CHECK(mentions(file.error("[a]\n" + good), "needs a public key"));
  CHECK(mentions(file.error("[a]\npublic = \"short\"\n" + good), "needs a public key"));
  CHECK(mentions(file.error("[a]\n" + key + good + "[b]\n" + key + good), "that of [a] too"));
  CHECK(mentions(file.error("[a]\n" + key + good + "[a]\n"), "allowed.toml:4"));
  CHECK(mentions(file.error("[\"a b\"]\n" + key + good), "cannot be an identity"));
  CHECK(mentions(file.error("a = 1\n"), "not a table"));
  CHECK(mentions(file.error("[a]\n" + key + good + "backlog_share = 2\n"), "out of range"));
  CHECK(mentions(file.error("[a"), "not TOML"));
  const auto none = read_allow_list(file.path() / "none.toml");
  REQUIRE_FALSE(none);
  CHECK(mentions(none.error().text, "No such file"));
}
