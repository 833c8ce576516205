// docs/PROTOCOL.md is what a client in another language is written from, so it is held against the
// code: every message, every key with its need and its limit, the limits of the whole, every
// reason.

#include "tests/support/catch.hpp"
#include "tests/unit/wire/tree.hpp"
#include "tests/unit/wire/wire_cases.hpp"

#include "shared/base/operator_messages.hpp"
#include "shared/base/reason.hpp"
#include "shared/wire/limits.hpp"

#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

using namespace framefleet;
using namespace framefleet::test;

namespace {

struct Row {
  std::string type;
  std::string limits;
  bool required{false};
};
using Rows = std::map<std::string, Row>;  // by key

std::vector<std::string> lines_of_document() {
  std::ifstream file(std::string(FRAMEFLEET_SOURCE_DIR) + "/docs/PROTOCOL.md");
  REQUIRE(file.good());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The cells of a table's row, without blanks and backticks around them; none for any other line.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  if (line.empty() || line.front() != '|') return cells;
  std::istringstream rest(line.substr(1));
  for (std::string cell; std::getline(rest, cell, '|');) {
    const auto first = cell.find_first_not_of(" `");
    const auto last = cell.find_last_not_of(" `");
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

/// The tables under the headings "### `name`", by name.
std::map<std::string, Rows> documented_keys() {
  std::map<std::string, Rows> tables;
  std::string heading;
  for (const auto& line : lines_of_document()) {
    if (line.rfind("##", 0) == 0) {
      heading.clear();
      if (line.rfind("### `", 0) == 0) heading = line.substr(5, line.find('`', 5) - 5);
      if (!heading.empty()) tables[heading];
    }
    const auto cells = cells_of(line);
    if (heading.empty() || cells.size() < 5 || line.rfind("| `", 0) != 0) continue;
    INFO(heading << ": " << line);
    CHECK(
        tables[heading].emplace(cells[0], Row{cells[1], cells[2], cells[3] == "required"}).second);
  }
  return tables;
}

bool belongs_to_every_message(const std::string& path) { return path == "type" || path == "sizes"; }

/// The last whole number in `text`.
std::optional<std::uint64_t> last_number(const std::string& text) {
  const auto last = text.find_last_of("0123456789");
  if (last == std::string::npos) return std::nullopt;
  const auto before = text.find_last_not_of("0123456789", last);
  const auto first = before == std::string::npos ? 0 : before + 1;
  return std::stoull(text.substr(first, last + 1 - first));
}

/// The largest value (of integers and durations) or length (of text and bin) that a row allows.
std::optional<std::uint64_t> documented_max(const Row& row) {
  constexpr std::uint64_t kDaysMs = 366ULL * 24 * 3600 * 1000;
  if (row.type == "ms") return kDaysMs;
  if (row.type == "us") return kDaysMs * 1000;
  if (row.type == "integer" && row.limits.empty()) return std::uint64_t{1} << 53U;
  if (row.type != "integer" && row.type != "text" && row.type != "bin") return std::nullopt;
  if (row.limits.find("a-z") != std::string::npos) return std::nullopt;
  return last_number(row.limits);
}

Tree value_of_size(const Row& row, std::uint64_t size) {
  if (row.type == "text") return text(std::string(size, 'x'));
  if (row.type == "bin") return bytes(std::string(size, 'x'));
  return whole(size);
}

}  // namespace

TEST_CASE("PROTOCOL.md has a table of every message and document, and of nothing else") {
  std::set<std::string> documented;
  for (const auto& [name, rows] : documented_keys()) documented.insert(name);
  std::set<std::string> wired;
  for (const auto& each : wire_cases()) wired.insert(each.name);
  CHECK(documented == wired);
}

TEST_CASE("PROTOCOL.md names every key that travels, and whether it is required") {
  const auto tables = documented_keys();
  for (const auto& wired : wire_cases()) {
    std::set<std::string> seen;
    for_each_change(
        wired.tree,
        [](Tree& in, std::size_t key) {
          const auto at = in.items.begin() + static_cast<std::ptrdiff_t>(key);
          in.items.erase(at, at + 2);
        },
        [&](const std::string& path, const Tree& without) {
          if (belongs_to_every_message(path)) return;
          seen.insert(path);
          INFO(wired.name << "." << path);
          REQUIRE(tables.at(wired.name).count(path) == 1);
          const auto missing = wired.name + "." + path + ": is missing";
          const bool is_required = without_indices(wired.read(pack(without))) == missing;
          CHECK(is_required == tables.at(wired.name).at(path).required);
        });
    for (const auto& [path, row] : tables.at(wired.name)) {
      INFO(wired.name << "." << path << " is documented and does not travel");
      CHECK(seen.count(path) == 1);
    }
  }
}

TEST_CASE("PROTOCOL.md states every key's limit") {
  const auto tables = documented_keys();
  const auto with_value = [](const Tree& tree, const std::string& wanted, const Tree& value) {
    auto changed = tree;
    bool is_first = true;
    for_each_key(changed, [&](const std::string& path, Tree& in, std::size_t key) {
      if (path == wanted && is_first) in.items[key + 1] = value;
      if (path == wanted) is_first = false;
    });
    return pack(changed);
  };
  for (const auto& wired : wire_cases()) {
    for (const auto& [path, row] : tables.at(wired.name)) {
      const auto max = documented_max(row);
      if (!max || path == "version") continue;
      INFO(wired.name << "." << path << " of at most " << *max);
      const auto read = [&, &path = path, &row = row](std::uint64_t size) {
        return wired.read(with_value(wired.tree, path, value_of_size(row, size)));
      };
      CHECK_THAT(read(*max), !Catch::Contains("over"));
      if (*max < ~std::uint64_t{0})
        CHECK_THAT(read(*max + 1), Catch::EndsWith(std::to_string(*max)));
      if (row.limits.rfind("1 to", 0) == 0) {
        CHECK_THAT(read(0), Catch::EndsWith("is empty") || Catch::EndsWith("0 is under 1"));
      }
    }
  }
}

TEST_CASE("PROTOCOL.md states the limits of the whole") {
  std::map<std::string, std::vector<std::string>> rows;
  for (const auto& line : lines_of_document()) {
    const auto cells = cells_of(line);
    if (cells.size() >= 4) rows[cells[0]] = {cells[1], cells[2], cells[3]};
  }
  const auto of_all = [](auto limit) {
    return std::vector{std::to_string(limit(wire::kHeaderLimits)),
                       std::to_string(limit(wire::kTaskLimits)),
                       std::to_string(limit(wire::kRecordLimits))};
  };
  CHECK(rows["bytes"] == of_all([](const auto& limits) { return limits.bytes; }));
  CHECK(rows["levels of lists and maps, the outermost is 1"] ==
        of_all([](const auto& limits) { return limits.depth; }));
  CHECK(rows["elements: keys, values, lists and maps, all of them"] ==
        of_all([](const auto& limits) { return limits.elements; }));
  CHECK(rows["keys of one map"] == of_all([](const auto&) { return wire::kKeysMax; }));
}

TEST_CASE("PROTOCOL.md says of every verb what it does, and names only verbs that are") {
  std::set<std::string> documented;
  bool in_table = false;
  for (const auto& line : lines_of_document()) {
    const auto cells = cells_of(line);
    if (cells.empty()) in_table = false;
    if (line.rfind("| verb |", 0) == 0) in_table = true;
    if (!in_table || line.rfind("| `", 0) != 0) continue;
    INFO(line);
    REQUIRE(cells.size() == 4);
    CHECK_FALSE((cells[2].empty() && cells[3].empty()));
    CHECK(documented.insert(cells[0]).second);
  }
  std::set<std::string> known;
  for (std::size_t i = 0; i < kControlVerbCount; ++i) {
    known.insert(std::string(to_string(static_cast<ControlVerb>(i))));
  }
  CHECK(documented == known);
}

TEST_CASE("PROTOCOL.md has every reason, with what it does to a task") {
  constexpr const char* kCharges[] = {"nothing", "failed", "lost", "final", "answer"};
  std::map<std::string, std::pair<std::string, std::string>> documented;
  bool in_section = false;
  for (const auto& line : lines_of_document()) {
    if (line.rfind("## ", 0) == 0) in_section = line.find("Reasons") != std::string::npos;
    const auto cells = cells_of(line);
    if (in_section && cells.size() >= 3 && line.rfind("| `", 0) == 0) {
      documented[cells[0]] = {cells[1], cells[2]};
    }
  }
  CHECK(documented.size() == reason_table().size());
  for (const auto& row : reason_table()) {
    INFO(row.code);
    const auto found = documented.find(std::string(row.code));
    REQUIRE(found != documented.end());
    CHECK(found->second.first == kCharges[static_cast<std::size_t>(row.charge)]);
    CHECK(found->second.second == row.text);
  }
}
