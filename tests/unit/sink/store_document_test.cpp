// docs/STORE.md against the real schema: every table and column, every example query, every field
// of a line.

#include "tests/unit/sink/store_fixture.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <sstream>

namespace framefleet::test {
namespace {

using Columns = std::vector<std::string>;

std::string document() {
  return contents(std::filesystem::path(FRAMEFLEET_SOURCE_DIR) / "docs" / "STORE.md");
}

/// The word between the backticks at `from`.
std::string quoted(const std::string& line, std::size_t from) {
  return line.substr(from, line.find('`', from) - from);
}

/// "column type" of each table in the document, by the name in its heading.
std::map<std::string, Columns> documented_tables() {
  std::map<std::string, Columns> tables;
  std::istringstream lines(document());
  std::string table;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("## ", 0) == 0) table.clear();
    if (line.rfind("### `", 0) == 0) table = quoted(line, 5);
    if (table.empty() || line.rfind("| `", 0) != 0) continue;
    const auto column = quoted(line, 3);
    const auto type_at = line.find(" | ") + 3;
    tables[table].push_back(column + " " + line.substr(type_at, line.find(' ', type_at) - type_at));
  }
  return tables;
}

std::map<std::string, Columns> real_tables(sink::Database& database) {
  std::map<std::string, Columns> tables;
  sink::Statement columns(
      database,
      "SELECT s.name, c.name || ' ' || c.type FROM sqlite_schema s, "
      "pragma_table_info(s.name) c WHERE s.type IN ('table', 'view') AND s.name "
      "NOT LIKE 'sqlite_%' ORDER BY s.name, c.cid");
  REQUIRE(columns.start());
  while (columns.next()) tables[std::string(columns.text(0))].emplace_back(columns.text(1));
  return tables;
}

Columns example_queries() {
  Columns queries;
  const auto text = document();
  const std::string fence = "```sql\n";
  for (auto at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    at += fence.size();
    queries.push_back(text.substr(at, text.find("```", at) - at));
  }
  return queries;
}

void fill(const std::filesystem::path& folder) {
  const auto store = open_store(store_options(folder));
  auto marker = ok_outcome(3);
  marker.record.reports = {{"markers", "1", {}, {{"marker", 1, {}, R"({"id":17})"}}},
                           {"faces", "1", {}, {}}};
  auto revived = ok_outcome(7);
  revived.outcome.revived_from = task_number(2);
  commit(*store, {ok_outcome(1), failed_outcome(2, "x"), marker, revived});
}

TEST_CASE("docs/STORE.md has every table and column of the schema, and no other") {
  const TemporaryFolder folder;
  fill(folder.path());
  const auto database = read_database(folder.path());
  const auto real = real_tables(*database);
  const auto documented = documented_tables();
  CHECK(real.size() >= 13);
  for (const auto& [table, columns] : real) {
    INFO("table " << table);
    REQUIRE(documented.count(table) == 1);
    CHECK(documented.at(table) == columns);
  }
  for (const auto& [table, columns] : documented) {
    INFO("table " << table);
    CHECK(real.count(table) == 1);
  }
}

TEST_CASE("every example query of docs/STORE.md runs and finds something") {
  const TemporaryFolder folder;
  fill(folder.path());
  const auto queries = example_queries();
  CHECK(queries.size() >= 10);
  const auto database = read_database(folder.path());
  for (const auto& query : queries) {
    INFO(query);
    sink::Statement statement(*database, query);
    INFO(database->error().text);
    REQUIRE(statement.usable());
    CHECK(statement.start());
    CHECK(statement.next());
  }
}

TEST_CASE("the fields of a line are the columns of outcomes and three lists") {
  const TemporaryFolder folder;
  fill(folder.path());
  std::set<std::string> expected{"detectors", "pictures", "history"};
  const auto database = read_database(folder.path());
  const auto real = real_tables(*database);
  for (const auto& column : real.at("outcomes")) {
    expected.insert(column.substr(0, column.find(' ')));
  }
  expected.erase("id");
  const auto fields = [](const nlohmann::json& line) {
    std::set<std::string> names;
    for (const auto& field : line.items()) names.insert(field.key());
    return names;
  };
  const auto written = contents(folder.path() / "results.ndjson");
  CHECK(fields(nlohmann::json::parse(written.substr(0, written.find('\n')))) == expected);
  const auto text = document();
  const auto example_at = text.find("```json\n") + 8;
  const auto example = text.substr(example_at, text.find("```", example_at) - example_at);
  CHECK(fields(nlohmann::json::parse(example)) == expected);
}

}  // namespace
}  // namespace framefleet::test
