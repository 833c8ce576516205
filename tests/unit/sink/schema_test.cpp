#include "sink/stores/schema.hpp"

#include "tests/unit/sink/store_fixture.hpp"

#include <array>

namespace framefleet::test {
namespace {

using Migrations = std::vector<std::string_view>;

constexpr std::string_view kFirst =
    "CREATE TABLE things (name TEXT); INSERT INTO things VALUES ('a')";
constexpr std::string_view kSecond =
    "ALTER TABLE things ADD COLUMN size INTEGER; "
    "UPDATE things SET size = 5";
constexpr std::string_view kBroken = "UPDATE things SET size = 6; CREATE TABLE things (name TEXT)";

Result<void, Error> migrate(const std::filesystem::path& file, const Migrations& migrations) {
  auto database = sink::Database::open(file, sink::Access::write);
  REQUIRE(database);
  return sink::prepare_schema(**database, file, migrations);
}

std::unique_ptr<sink::Database> read(const std::filesystem::path& file) {
  return std::move(*sink::Database::open(file, sink::Access::read));
}

TEST_CASE("an older store is copied, then migrated") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.sqlite";
  REQUIRE(migrate(file, {kFirst}));
  REQUIRE(migrate(file, {kFirst}));
  REQUIRE_FALSE(std::filesystem::exists(file.string() + ".v1.bak"));
  REQUIRE(migrate(file, {kFirst, kSecond}));
  CHECK(read(file)->number("SELECT size FROM things") == 5);
  CHECK(read(file)->number("PRAGMA user_version") == 2);
  const auto copy = read(file.string() + ".v1.bak");
  CHECK(copy->number("PRAGMA user_version") == 1);
  CHECK(copy->number("PRAGMA application_id") == sink::kApplicationId);
  CHECK(copy->text("SELECT name FROM things") == "a");
}

TEST_CASE("a migration that fails changes nothing, and the next try starts from there") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.sqlite";
  REQUIRE(migrate(file, {kFirst, kSecond}));
  const auto failed = migrate(file, {kFirst, kSecond, kBroken});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().exit_code == exit_code::kDiskError);
  CHECK(failed.error().text.find("from version 2 to 3") != std::string::npos);
  CHECK(read(file)->number("SELECT size FROM things") == 5);
  CHECK(read(file)->number("PRAGMA user_version") == 2);
  REQUIRE(migrate(file, {kFirst, kSecond, "UPDATE things SET size = 7"}));
  CHECK(read(file)->number("SELECT size FROM things") == 7);
}

TEST_CASE("a store of a newer program is refused and left as it is") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.sqlite";
  REQUIRE(migrate(file, {kFirst, kSecond}));
  const auto before = contents(file);
  const auto refused = migrate(file, {kFirst});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().exit_code == exit_code::kCannotCreate);
  CHECK(refused.error().text.find("has schema version 2") != std::string::npos);
  CHECK(contents(file) == before);
}

TEST_CASE("every migration of this program runs on the store before it") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.sqlite";
  const auto all = sink::schema_migrations();
  for (std::size_t count = 1; count <= all.size(); ++count) {
    REQUIRE(
        migrate(file, Migrations(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count))));
  }
  CHECK(read(file)->number("PRAGMA user_version") == static_cast<std::int64_t>(all.size()));
}

}  // namespace
}  // namespace framefleet::test
