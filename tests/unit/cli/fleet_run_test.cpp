// `framefleet run` as a process, with children that are small shell scripts: the program is copied
// into a folder of the test, where it finds them beside itself. Every wait is for a file, a pipe or
// a process; the scripts end by themselves after a while, should the program not end them.

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace framefleet::cli {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

/// Serves until SIGTERM, then says so in order.txt and leaves.
const std::string kServe = R"(trap 'echo "$self left" >> order.txt; exit 0' TERM
echo "$self started" >> order.txt
for turn in $(seq 600); do sleep 0.05; done
)";
const std::string kPlan = R"(echo '{"event":"plan","job":"j1","pictures":2,"skipped":0}' >&3
)";
const std::string kEnd =
    R"(echo '{"event":"end","pictures":2,"ok":2,"submitted":2,"admitted":2,"in_flight":0}' >&3
)";
/// Waits until order.txt has a line, at most half a minute.
std::string await(const std::string& line) {
  return "for turn in $(seq 600); do grep -qx '" + line +
         "' order.txt && break; sleep 0.05; done\n";
}

std::string fleet_is_up() {
  return await("broker started") + await("sink started") + await("worker-1 started") +
         await("worker-2 started");
}
/// Half a minute in short steps, so that a signal is acted upon soon.
const std::string kIdle = "for turn in $(seq 600); do sleep 0.05; done\n";

class FakeFleet {
 public:
  FakeFleet() {
    fs::copy_file(fs::path(FRAMEFLEET_BINARY_DIR) / "framefleet", folder_.path() / "framefleet");
    program("broker", kServe);
    program("sink", kServe);
    program("worker", kServe);
    // Ends when the other four have come up.
    program("producer", kPlan + fleet_is_up() + kEnd);
  }

  /// A script that stands for framefleet-NAME; $self is the child's name.
  void program(const std::string& name, const std::string& body) {
    const fs::path path = folder_.path() / ("framefleet-" + name);
    std::ofstream(path)
        << "#!/bin/sh\n"
        << "[ \"$1\" = --check-detectors ] && { [ ! -x check ] || exec ./check; exit 0; }\n"
        << "self=" << name << "\n[ " << name << " = worker ] && self=$4\necho $$ >> pids.txt\n"
        << body;
    ::chmod(path.c_str(), 0755);
  }

  void file(const std::string& name, const std::string& content) {
    std::ofstream(folder_.path() / name) << content;
  }

  /// Runs `framefleet run --workers 2 ARGUMENTS`; answers the exit code.
  int run(const std::string& arguments = "--json photos") {
    const std::string line = "cd '" + folder_.path().string() +
                             "' && ./framefleet run --workers 2 " + arguments +
                             " > out.txt 2> err.txt";
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string read(const std::string& name) const {
    std::ifstream in(folder_.path() / name);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::string order() const { return read("order.txt"); }
  std::string err() const { return read("err.txt"); }
  nlohmann::json report() const {
    std::istringstream lines(read("out.txt"));
    std::string line;
    std::string last;
    while (std::getline(lines, line)) last = line;
    return nlohmann::json::parse(last, nullptr, false);
  }
  const fs::path& path() const { return folder_.path(); }

  /// No child that ever started is there any more.
  bool all_children_gone() const {
    std::istringstream pids(read("pids.txt"));
    int pid = 0;
    while (pids >> pid) {
      if (fs::exists("/proc/" + std::to_string(pid) + "/exe")) return false;
    }
    return true;
  }

 private:
  test::TemporaryFolder folder_;
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("a run starts the fleet after the plan and ends it in order: workers, broker, sink") {
  FakeFleet fleet;
  CHECK(fleet.run() == 0);
  const std::string order = fleet.order();
  const auto worker_left = std::max(order.find("worker-1 left"), order.find("worker-2 left"));
  CHECK(worker_left < order.find("broker left"));
  CHECK(order.find("broker left") < order.find("sink left"));
  CHECK(order.find("sink left") != std::string::npos);
  CHECK(fleet.all_children_gone());
  CHECK(fleet.report()["job"] == "j1");
  CHECK(fleet.report()["ledger"]["ok"] == 2);
  CHECK(fs::exists(fleet.path() / "results/.framefleet/logs/worker-2.log"));
}

TEST_CASE("a plan that fails passes the producer's message and code on and starts nothing") {
  FakeFleet fleet;
  fleet.program("producer", "echo 'photos: no pictures in this folder' >&2; exit 66\n");
  CHECK(fleet.run("photos") == 66);
  CHECK(fleet.err() == "photos: no pictures in this folder\n");
  CHECK(fleet.order().empty());
  CHECK(fleet.read("out.txt").empty());
}

TEST_CASE("what the worker says of detectors and models ends the run with its words and code") {
  FakeFleet fleet;
  for (const int code : {64, 66, 78}) {
    fleet.file("check", "#!/bin/sh\necho 'no detector cats; there are: faces, edges' >&2; exit " +
                            std::to_string(code) + "\n");
    ::chmod((fleet.path() / "check").c_str(), 0755);
    CHECK(fleet.run("--detect cats photos") == code);
    CHECK(fleet.err() == "no detector cats; there are: faces, edges\n");
    CHECK_FALSE(fs::exists(fleet.path() / "pids.txt"));
  }
}

TEST_CASE("an output folder that is a file, or in use by another run, is refused with 73") {
  FakeFleet fleet;
  fleet.file("taken", "x");
  CHECK(fleet.run("--out taken photos") == 73);
  CHECK_THAT(fleet.err(), Contains("taken") && Contains("it is a file"));
  CHECK(fleet.run("--out taken/below photos") == 73);
  fleet.program("producer", kPlan + await("broker started") +
                                "./framefleet run photos 2> second.txt; echo $? > second.code\n" +
                                kEnd);
  CHECK(fleet.run() == 0);
  CHECK(fleet.read("second.code") == "73\n");
  CHECK_THAT(fleet.read("second.txt"), Contains("another run is writing there"));
}

TEST_CASE("a worker that dies is started again, and the report says so") {
  FakeFleet fleet;
  fleet.program(
      "worker",
      "[ $self = worker-1 ] && [ ! -e died ] && { touch died; kill -KILL $$; }\n" + kServe);
  CHECK(fleet.run() == 0);
  CHECK(fleet.report()["restarts"]["worker-1"] == 1);
  CHECK_THAT(fleet.read("out.txt"), Contains(R"("event":"child_restarted")"));
  CHECK(fleet.all_children_gone());
}

TEST_CASE("a sink that cannot write ends the run with its message and 73") {
  FakeFleet fleet;
  fleet.program("sink", await("broker started") + await("worker-1 started") +
                            await("worker-2 started") +
                            "echo 'cannot create results.sqlite: no space' >&2; exit 73\n");
  fleet.program("producer", kPlan + kServe);
  CHECK(fleet.run("photos") == 73);
  CHECK_THAT(fleet.err(), Contains("cannot create results.sqlite: no space") &&
                              Contains("the sink ended with exit code 73") &&
                              Contains("logs/sink.log"));
  CHECK_THAT(fleet.order(), Contains("broker left"));
  CHECK(fleet.all_children_gone());
}

TEST_CASE("a worker that cannot live ends the run with 70 and its last words") {
  FakeFleet fleet;
  fleet.program("worker", "echo 'libfoo.so: cannot open' >&2; exit 127\n");
  fleet.program("producer", kPlan + kServe);
  CHECK(fleet.run("photos") == 70);
  CHECK_THAT(fleet.err(), Contains("libfoo.so: cannot open") && Contains("5 times in a row"));
  CHECK(fleet.all_children_gone());
}

TEST_CASE("a program that is not there ends the run with its name") {
  FakeFleet fleet;
  fs::remove(fleet.path() / "framefleet-broker");
  CHECK(fleet.run("photos") == 70);
  CHECK_THAT(fleet.err(), Contains("cannot run framefleet-broker") && Contains("nor in PATH"));
  CHECK(fleet.all_children_gone());
}

TEST_CASE("SIGTERM drains: the producer ends, then the fleet, and the report tells how to go on") {
  FakeFleet fleet;
  fleet.program("producer", kPlan +
                                R"(finish() {
  echo '{"event":"end","pictures":2,"ok":1,"submitted":1,"admitted":1,"interrupted":true}' >&3
  exit 0
}
trap finish TERM
)" + fleet_is_up() + "kill -TERM $PPID\n" +
                                kIdle);
  CHECK(fleet.run("'my photos'") == 3);
  const std::string out = fleet.read("out.txt");
  CHECK_THAT(out, Contains("interrupted, 1 pictures left; the same command continues"));
  CHECK_THAT(out, Contains("./framefleet run --workers 2 'my photos'"));
  CHECK_THAT(fleet.err(), Contains("again stops at once"));
  CHECK_THAT(fleet.order(), Contains("sink left"));
  CHECK(fleet.all_children_gone());
}

TEST_CASE("a second SIGTERM stops everything at once") {
  FakeFleet fleet;
  // Hears the first one and does not end; the second must not wait for it.
  fleet.program("producer", kPlan + "trap 'kill -TERM $PPID' TERM\n" + fleet_is_up() +
                                "kill -TERM $PPID\n" + kIdle);
  CHECK(fleet.run("--drain-timeout 10min --json photos") == 3);
  CHECK(fleet.report()["interrupted"] == true);
  CHECK(count(fleet.order(), "left") == 0);
  CHECK(fleet.all_children_gone());
}

TEST_CASE("kill -9 of the run takes every child with it") {
  FakeFleet fleet;
  fleet.program("broker", "touch ${2#ipc://}; dirname ${2#ipc://} > socket-folder\n" + kServe);
  fleet.program("producer", kPlan + fleet_is_up() + "kill -KILL $PPID\n" + kIdle);
  CHECK(fleet.run("photos") != 0);
  CHECK(count(fleet.order(), "left") == 0);
  bool gone = false;
  for (int turn = 0; turn < 100'000 && !gone; ++turn) gone = fleet.all_children_gone();
  CHECK(gone);
  std::string left = fleet.read("socket-folder");
  left.pop_back();
  CHECK(fs::exists(left));
  fleet.program("producer", "exit 66\n");
  CHECK(fleet.run("photos") == 66);
  CHECK_FALSE(fs::exists(left));  // The next run tidies up.
}

TEST_CASE("the fleet's socket lies in a private folder that is gone at the end") {
  FakeFleet fleet;
  fleet.program("broker",
                "echo $2 > endpoint; stat -c %a $(dirname ${2#ipc://}) > mode\n" + kServe);
  CHECK(fleet.run() == 0);
  std::string endpoint = fleet.read("endpoint");
  REQUIRE_THAT(endpoint, Catch::StartsWith("ipc:///"));
  endpoint.pop_back();
  CHECK(fleet.read("mode") == "700\n");
  CHECK(endpoint.size() < 107);
  CHECK_FALSE(fs::exists(fs::path(endpoint.substr(6)).parent_path()));
}

TEST_CASE("over tcp the broker can listen on the port that the run holds for it") {
  FakeFleet fleet;
  fleet.program("broker", R"(echo $2 > endpoint
python3 - ${2##*:} > listened <<'PYTHON'
import socket, sys
for life in range(2):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen()
    client = socket.create_connection(server.getsockname())
    server.close()
    print("life", life)
PYTHON
)" + kServe);
  CHECK(fleet.run("--transport tcp --json photos") == 0);
  CHECK_THAT(fleet.read("endpoint"), Catch::StartsWith("tcp://127.0.0.1:"));
  CHECK(fleet.read("listened") == "life 0\nlife 1\n");
}

TEST_CASE("a child leads its own process group, so that Ctrl-C reaches the run alone") {
  FakeFleet fleet;
  fleet.program("broker", "echo $$ $(cut -d ' ' -f 5 /proc/$$/stat) > group\n" + kServe);
  CHECK(fleet.run() == 0);
  std::istringstream group(fleet.read("group"));
  int pid = 0;
  int leader = 1;
  group >> pid >> leader;
  CHECK(pid == leader);
}

TEST_CASE("a configuration file of the run is read by the run alone") {
  FakeFleet fleet;
  fleet.file("run.toml", "[run]\nout = \"elsewhere\"\n");
  fleet.program("broker", "echo ${FRAMEFLEET_CONFIG-none} > config\n" + kServe);
  const std::string line =
      "cd '" + fleet.path().string() +
      "' && FRAMEFLEET_CONFIG=run.toml ./framefleet run --workers 2 --quiet photos > out.txt";
  CHECK(std::system(line.c_str()) == 0);
  CHECK(fleet.read("config") == "none\n");
  CHECK(fs::exists(fleet.path() / "elsewhere/.framefleet"));
}

TEST_CASE("a child blocks no signal, although the run does") {
  FakeFleet fleet;
  // By builtins alone: while dash waits for a command it blocks signals itself.
  fleet.program("broker",
                "while read -r key mask; do [ $key = SigBlk: ] && echo $mask > mask; done"
                " < /proc/$$/status\n" +
                    kServe);
  CHECK(fleet.run() == 0);
  CHECK(fleet.read("mask") == "0000000000000000\n");
}

TEST_CASE("children get no descriptor but their log, and the producer its pipe and stdin") {
  FakeFleet fleet;
  fleet.program("worker",
                "[ $self = worker-1 ] && ls /proc/self/fd | tr '\\n' ' ' > fds\n" + kServe);
  fleet.program("producer", kPlan + "cat > list\n" + await("worker-1 started") + kEnd);
  fleet.file("list.txt", "a.jpg\nb.jpg\n");
  CHECK(fleet.run("--quiet - < list.txt") == 0);
  CHECK(fleet.read("list") == "a.jpg\nb.jpg\n");
  CHECK(fleet.read("fds") == "0 1 2 3 ");  // 3 is ls reading the folder.
}

TEST_CASE("quiet shows the report alone, plain shows progress on stderr") {
  FakeFleet fleet;
  CHECK(fleet.run("--quiet photos") == 0);
  CHECK(fleet.err().empty());
  CHECK_THAT(fleet.read("out.txt"), Contains("2 submitted = 0 rejected + 2 admitted"));
  fleet.file("order.txt", "");
  CHECK(fleet.run("photos") == 0);
  CHECK_THAT(fleet.err(), Contains("2 of 2, 0 failed, 0 left"));
}

TEST_CASE("a producer that babbles is reported once and does no harm") {
  FakeFleet fleet;
  fleet.program("producer",
                kPlan + "echo babble >&3; echo '{}' >&3\n" + await("worker-1 started") + kEnd);
  CHECK(fleet.run("--quiet photos") == 0);
  CHECK(count(fleet.err(), "does not understand") == 1);
}

TEST_CASE("an unknown command lists those that there are") {
  FakeFleet fleet;
  const auto run = [&](const std::string& words) {
    const int status = std::system(
        ("cd '" + fleet.path().string() + "' && ./framefleet " + words + " > out.txt 2> err.txt")
            .c_str());
    return WEXITSTATUS(status);
  };
  CHECK(run("fly") == 64);
  CHECK_THAT(fleet.err(), Contains("no command 'fly'") && Contains("run"));
  CHECK(run("") == 64);
  CHECK(run("--help") == 0);
  CHECK(run("--version") == 0);
  CHECK(run("run --help") == 0);
  CHECK_THAT(fleet.read("out.txt"), Contains("--drain-timeout"));
  CHECK(run("run") == 64);
  CHECK(run("run --workers 0 photos") == 64);
  CHECK(run("run --quiet --json photos") != 0);
}

}  // namespace framefleet::cli
