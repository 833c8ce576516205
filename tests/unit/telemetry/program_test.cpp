#include "shared/telemetry/program.hpp"

#include "tests/support/catch.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

using namespace framefleet;
using namespace framefleet::telemetry;

namespace {

struct Ended {
  int exit_code;
  std::string out;
  std::string err;
};

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> part{};
  ssize_t got = 0;
  while ((got = ::read(fd, part.data(), part.size())) > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return text;
}

/// run_program in a child process, because it changes the signal mask and writes to stderr.
Ended run(std::vector<const char*> arguments, const ProgramSteps& steps) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  REQUIRE(::pipe(out.data()) == 0);
  REQUIRE(::pipe(err.data()) == 0);
  std::fflush(nullptr);  // or the child would write, once more, what this process has not written
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    for (const int fd : {out[0], out[1], err[0], err[1]}) ::close(fd);
    ProgramOptions options;
    config::OptionSet set{"sample", "Is a program."};
    describe(set, options);
    arguments.insert(arguments.begin(), "sample");
    const int code =
        run_program(static_cast<int>(arguments.size()), arguments.data(), set, options, steps);
    ::_exit(code);
  }
  ::close(out[1]);
  ::close(err[1]);
  Ended ended{.exit_code = -1, .out = read_all(out[0]), .err = read_all(err[0])};
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  return ended;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a program logs its start and its options, runs, and ends with the code of its steps") {
  const auto ended = run({"--metrics-listen", "127.0.0.1:0", "--log-level=debug"},
                         {.before_threads = [](Logger& log) -> Result<void, Error> {
                            log.info("first");
                            return {};
                          },
                          .run = [](Program& program) -> Result<int, Error> {
                            program.log.info("second", {{"port", program.http.port() > 0}});
                            return 3;
                          }});
  CHECK(ended.exit_code == 3);
  CHECK(ended.out.empty());
  const auto starting = ended.err.find(" info sample starting version=");
  const auto options =
      ended.err.find(" info sample options log.level=debug metrics.listen=127.0.0.1:0");
  const auto first = ended.err.find(" info sample first");
  const auto second = ended.err.find(" info sample second port=true");
  REQUIRE(second != std::string::npos);
  CHECK(starting < options);
  CHECK(options < first);
  CHECK(first < second);
  CHECK(contains(ended.err, " info sample ended exit_code=3\n"));
}

TEST_CASE("a process without a name is known by its machine and its number") {
  const std::string name = own_name("worker");
  CHECK_THAT(name,
             Catch::StartsWith("worker-") && Catch::EndsWith("-" + std::to_string(::getpid())));
  CHECK(name.size() > std::string("worker--").size() + std::to_string(::getpid()).size());
}

TEST_CASE("--help and bad options end before the log begins") {
  const ProgramSteps never{.run = [](Program&) -> Result<int, Error> { return 1; }};
  const auto help = run({"--help"}, never);
  CHECK(help.exit_code == 0);
  CHECK(contains(help.out, "sample: Is a program.\n"));
  CHECK(help.err.empty());
  const auto bad = run({"--log-level", "loud"}, never);
  CHECK(bad.exit_code == exit_code::kUsage);
  CHECK(bad.out.empty());
  CHECK(bad.err.starts_with("--log-level: log.level:"));
}

TEST_CASE("an error of a step is one line and its exit code") {
  const auto early = run({}, {.before_threads = [](Logger&) -> Result<void, Error> {
                                return fail(Error{"no models", exit_code::kNoInput});
                              },
                              .run = [](Program&) -> Result<int, Error> { return 0; }});
  CHECK(early.exit_code == exit_code::kNoInput);
  CHECK(contains(early.err, " error sample failed text=\"no models\"\n"));
  const auto late = run({}, {.run = [](Program&) -> Result<int, Error> {
                          return fail(Error{"port is taken", exit_code::kUnavailable});
                        }});
  CHECK(late.exit_code == exit_code::kUnavailable);
  CHECK(contains(late.err, "text=\"port is taken\""));
}

TEST_CASE("an exception that nobody expected is one line and 70") {
  const auto ended = run(
      {}, {.run = [](Program&) -> Result<int, Error> { throw std::runtime_error("out of luck"); }});
  CHECK(ended.exit_code == exit_code::kInternal);
  CHECK(contains(ended.err, " error sample failed text=\"out of luck\"\n"));
}
