// What operators do is written down before it is done, or it is not done.

#include "broker/audit_log.hpp"
#include "tests/integration/fleet.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/transport/ends.hpp"

#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

using namespace framefleet;
using namespace framefleet::test;
using broker::AuditLog;

namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

std::int64_t noon() { return 1'763'765'119'000; }

std::vector<Json> lines_of(const fs::path& file) {
  std::ifstream in(file);
  std::vector<Json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

Control cancel_of(const std::string& job, std::uint64_t asker = 1) {
  Control control;
  control.asker = asker;
  control.verb = ControlVerb::cancel_job;
  control.name = job;
  return control;
}

}  // namespace

TEST_CASE("a deed has a line before it is done and one with what came of it") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "audit.ndjson";
  auto log = AuditLog::open(file, noon);
  REQUIRE(log);
  REQUIRE(log->asked(PeerId{3}, {"door", 1000, "operator-1"}, cancel_of("ni\"ght\n")));
  REQUIRE(lines_of(file).size() == 1);
  CHECK(lines_of(file)[0]["result"] == "asked");
  CHECK(log->answered(PeerId{4}, {1, Reason::none, "of another peer", {}}));
  CHECK(log->answered(PeerId{3}, {2, Reason::none, "of another question", {}}));
  CHECK(lines_of(file).size() == 1);
  CHECK(log->answered(PeerId{3}, {1, Reason::not_found, "no such job", {}}));
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 2);
  CHECK(lines[1] == Json({{"at_ms", noon()},
                          {"deed", 1},
                          {"who", {{"identity", "door"}, {"user", 1000}, {"name", "operator-1"}}},
                          {"verb", "cancel_job"},
                          {"target", "ni\"ght\n"},
                          {"result", "not_found"},
                          {"text", "no such job"}}));
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777U) == 0600);
}

TEST_CASE("an operator who leaves first has lines too, and nobody else's deed ends with it") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "audit.ndjson";
  auto log = AuditLog::open(file, noon);
  REQUIRE(log);
  REQUIRE(log->asked(PeerId{3}, {}, cancel_of("a", 1)));
  REQUIRE(log->asked(PeerId{4}, {}, cancel_of("b", 1)));
  REQUIRE(log->asked(PeerId{3}, {}, cancel_of("c", 2)));
  CHECK(log->gone(PeerId{3}));
  CHECK(log->gone(PeerId{3}));
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 5);
  CHECK(lines[3]["target"] == "a");
  CHECK(lines[3]["result"] == "unanswered");
  CHECK(lines[4]["target"] == "c");
}

TEST_CASE("of what can be asked without end a bounded number is open") {
  const TemporaryFolder folder;
  auto log = AuditLog::open(folder.path() / "audit.ndjson", noon);
  REQUIRE(log);
  for (std::uint64_t i = 0; i <= AuditLog::kOpenMax; ++i) {
    REQUIRE(log->asked(PeerId{3}, {}, cancel_of("a", i)));
  }
  const auto lines = lines_of(folder.path() / "audit.ndjson");
  REQUIRE(lines.size() == AuditLog::kOpenMax + 2);
  CHECK(lines[AuditLog::kOpenMax]["result"] == "unanswered");
  CHECK(lines[AuditLog::kOpenMax]["deed"] == 1);
}

TEST_CASE(
    "the audit log goes on behind what is there, and a line cut off by a full disk is ended") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "audit.ndjson";
  std::ofstream(file) << "{\"deed\":1}\n{\"de";
  {
    auto log = AuditLog::open(file, noon);
    REQUIRE(log);
    REQUIRE(log->asked(PeerId{3}, {}, cancel_of("a")));
    const auto second = AuditLog::open(file, noon);
    REQUIRE_FALSE(second);
    CHECK(second.error().exit_code == exit_code::kUnavailable);
  }
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  REQUIRE(lines.size() == 3);
  CHECK(lines[1] == "{\"de");
  CHECK(Json::parse(lines[2])["target"] == "a");
}

TEST_CASE("a full audit log is renamed, and few old ones are kept") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "audit.ndjson";
  auto log = AuditLog::open(file, noon, 1000);
  REQUIRE(log);
  for (std::uint64_t i = 0; i < 100; ++i) {
    REQUIRE(log->asked(PeerId{3}, {}, cancel_of("job", i)));
    REQUIRE(log->answered(PeerId{3}, {i, Reason::none, "done", {}}));
  }
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    names.insert(entry.path().filename().string());
    CHECK(fs::file_size(entry.path()) <= 1000);
    CHECK_FALSE(lines_of(entry.path()).empty());
  }
  CHECK(names == std::set<std::string>{"audit.ndjson", "audit.ndjson.1", "audit.ndjson.2",
                                       "audit.ndjson.3", "audit.ndjson.4"});
  CHECK(lines_of(file).back()["deed"] == 100);
}

TEST_CASE("what is no file of ours is no audit log") {
  const TemporaryFolder folder;
  fs::create_symlink("/etc/passwd", folder.path() / "link");
  CHECK_FALSE(AuditLog::open(folder.path() / "link", noon));
  CHECK_FALSE(AuditLog::open(folder.path(), noon));
  CHECK_FALSE(AuditLog::open(folder.path() / "none" / "audit.ndjson", noon));
  CHECK_FALSE(AuditLog::open("/dev/null", noon));
}

TEST_CASE("without a file nothing is written down, and everything may be done") {
  auto log = AuditLog::open({}, noon);
  REQUIRE(log);
  CHECK(log->asked(PeerId{3}, {}, cancel_of("a")));
  CHECK(log->answered(PeerId{3}, {1, Reason::none, "", {}}));
}

TEST_CASE(
    "a broker writes down what its operator does, and does nothing that it cannot write down") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "audit.ndjson";
  auto options = broker_options("ipc://" + (folder.path() / "broker").string());
  options.audit = file;
  BrokerMember broker(options);
  const auto client = dialled(broker.endpoint());
  client->send(sample_hello(Role::client, "operator-7"));
  hear_a<Welcome>(*client);

  Control look;
  look.asker = 1;
  client->send(look);
  hear_a<Report>(*client);
  CHECK(lines_of(file).empty());

  Control pause;
  pause.asker = 2;
  pause.verb = ControlVerb::pause;
  client->send(pause);
  CHECK(hear_a<Report>(*client).reason == Reason::none);
  auto lines = lines_of(file);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["result"] == "asked");
  CHECK(lines[0]["who"]["name"] == "operator-7");
  CHECK(lines[0]["who"]["user"] == ::geteuid());
  CHECK(lines[1]["result"] == "done");

  // The file cannot grow any more, as on a full disk.
  const auto size = fs::file_size(file);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{size + 10, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  pause.asker = 3;
  pause.verb = ControlVerb::resume;
  client->send(pause);
  const auto refused = hear_a<Report>(*client);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(refused.reason == Reason::no_audit);
  CHECK(fs::file_size(file) == size);
  look.asker = 4;
  client->send(look);
  const auto report = hear_a<Report>(*client);
  const auto frames = client->payloads().frames(report.payload.id);
  REQUIRE_FALSE(frames.empty());
  CHECK(Json::parse(frames.front().text())["paused"] == true);
  client->send(pause);
  CHECK(hear_a<Report>(*client).reason == Reason::none);
  CHECK(lines_of(file).back()["result"] == "done");
}
