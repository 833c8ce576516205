#include "shared/telemetry/signals.hpp"

#include "tests/support/catch.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using namespace framefleet::telemetry;
using Wish = StopRequest::Wish;

TEST_CASE("the first stop signal asks for a drain, the second to stop now") {
  for (const int first : {SIGTERM, SIGINT}) {
    for (const int second : {SIGTERM, SIGINT}) {
      StopRequest request;
      CHECK(request.wish() == Wish::none);
      CHECK(request.hear(first) == Wish::drain);
      CHECK(request.hear(second) == Wish::now);
      CHECK(request.hear(first) == Wish::now);
    }
  }
}

TEST_CASE("SIGUSR1 asks for a drain and never for more") {
  StopRequest request;
  CHECK(request.hear(SIGUSR1) == Wish::drain);
  CHECK(request.hear(SIGUSR1) == Wish::drain);
  CHECK(request.hear(SIGTERM) == Wish::drain);
  CHECK(request.hear(SIGUSR1) == Wish::drain);
  CHECK(request.hear(SIGTERM) == Wish::now);
  CHECK(request.hear(SIGUSR1) == Wish::now);
}

TEST_CASE("other signals change nothing") {
  StopRequest request;
  CHECK(request.hear(SIGHUP) == Wish::none);
  CHECK(request.hear(0) == Wish::none);
}

TEST_CASE("blocked signals wait at the descriptor, one by one") {
  // In a child: a signal mask is the whole process's business.
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGPIPE, SIG_DFL);  // Whoever started the test may have ignored it.
    int failed = 0;
    {
      Signals signals = Signals::block();
      const Signals moved = std::move(signals);
      failed += moved.next().has_value() ? 1 : 0;
      ::kill(::getpid(), SIGTERM);
      ::kill(::getpid(), SIGUSR1);
      ::kill(::getpid(), SIGPIPE);
      pollfd ready{.fd = moved.fd(), .events = POLLIN, .revents = 0};
      failed += ::poll(&ready, 1, 0) == 1 ? 0 : 2;
      const auto first = moved.next();
      const auto second = moved.next();
      failed +=
          first && second && *first != *second && *first + *second == SIGTERM + SIGUSR1 ? 0 : 4;
      failed += moved.next().has_value() ? 8 : 0;
    }
    ::_exit(failed);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
