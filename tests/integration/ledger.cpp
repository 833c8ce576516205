#include "tests/integration/ledger.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/telemetry/http_get.hpp"

#include "shared/base/task.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace framefleet::test {
namespace {

/// How many tasks of a source ended with a status.
using Ends = std::map<std::pair<std::string, std::string>, std::uint64_t>;

/// For messages about failures.
std::string listed(const Ends& ends) {
  std::ostringstream text;
  for (const auto& [end, count] : ends) {
    text << end.first << " " << end.second << " " << count << "\n";
  }
  return text.str();
}

std::string label_of(const std::string& sample, const std::string& label) {
  const auto begin = sample.find(label + "=\"");
  if (begin == std::string::npos) return "";
  const auto value = begin + label.size() + 2;
  return sample.substr(value, sample.find('"', value) - value);
}

Ends counted(const Member& broker) {
  Ends ends;
  std::istringstream lines{http_body(broker.get("/metrics"))};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("framefleet_broker_settled_tasks_total{")) continue;
    const auto count = std::stod(line.substr(line.rfind(' ') + 1));
    ends[{label_of(line, "source"), label_of(line, "status")}] = static_cast<std::uint64_t>(count);
  }
  return ends;
}

/// Runs of live frames included, which have one row for all.
Ends stored(const std::filesystem::path& store) {
  constexpr auto kQuestion =
      "SELECT source, status, sum(tasks) FROM"
      " (SELECT source, status, count(*) AS tasks FROM outcomes GROUP BY 1, 2"
      "  UNION ALL SELECT source, status, last - first + 1 FROM gaps) GROUP BY 1, 2";
  Ends ends;
  sqlite3* opened = nullptr;
  const auto path = (store / "results.sqlite").string();
  const int code = ::sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database{opened, ::sqlite3_close};
  REQUIRE(code == SQLITE_OK);
  const auto add = [](void* to, int, char** values, char**) {
    (*static_cast<Ends*>(to))[{values[0], values[1]}] = std::stoull(values[2]);
    return 0;
  };
  REQUIRE(::sqlite3_exec(database.get(), kQuestion, add, &ends, nullptr) == SQLITE_OK);
  return ends;
}

std::uint64_t sum(const Ends& ends) {
  std::uint64_t total = 0;
  for (const auto& [end, count] : ends) total += count;
  return total;
}

std::uint64_t sum(const Ends& ends, Status status) {
  std::uint64_t total = 0;
  for (const auto& [end, count] : ends) total += end.second == to_string(status) ? count : 0;
  return total;
}

/// A count in the line that a producer writes when it ends.
std::uint64_t told(const std::string& end, const std::string& noun) {
  const auto at = end.find(" " + noun + "=");
  INFO(noun << " in: " << end);
  REQUIRE(at != std::string::npos);
  return std::stoull(end.substr(at + noun.size() + 2));
}

std::string last_line_of(const Member& producer, const std::string& event) {
  std::string found;
  std::istringstream lines{producer.log()};
  for (std::string line; std::getline(lines, line);) {
    if (line.find(event) != std::string::npos) found = line;
  }
  return found;
}

}  // namespace

void check_balance(Member& broker) {
  CHECK(broker.eventually([&] {
    return broker.metric("framefleet_broker_submitted_tasks_total{") ==
           broker.metric("framefleet_broker_rejected_tasks_total") +
               broker.metric("framefleet_broker_settled_tasks_total{") +
               broker.metric("framefleet_broker_tasks{");
  }));
}

void check_books(Member& broker, const std::filesystem::path& store, BrokerSaw saw) {
  check_balance(broker);
  if (saw == BrokerSaw::all) {
    // What is stored is settled a moment later, and published another moment later.
    broker.eventually([&] { return counted(broker) == stored(store); });
    CHECK(listed(counted(broker)) == listed(stored(store)));
    return;
  }
  const auto in_store = stored(store);
  for (const auto& [end, count] : counted(broker)) {
    INFO(end.first << " " << end.second);
    REQUIRE(in_store.contains(end));
    CHECK(count <= in_store.at(end));
  }
}

void check_books(Member& broker, const Member& producer, const std::filesystem::path& store,
                 BrokerSaw saw) {
  const auto end = last_line_of(producer, " end ");
  CHECK(told(end, "submitted") == told(end, "rejected") + told(end, "admitted"));
  const auto in_store = stored(store);
  CHECK(told(end, "admitted") + told(end, "stored_before") == sum(in_store));
  if (told(end, "stored_before") == 0) {
    CHECK(told(end, "ok") == sum(in_store, Status::ok));
    CHECK(told(end, "failed") == sum(in_store, Status::failed));
  }
  check_books(broker, store, saw);
}

}  // namespace framefleet::test
