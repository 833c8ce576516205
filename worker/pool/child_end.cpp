#include "worker/pool/child_end.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstring>

namespace framefleet::worker {
namespace {

std::string place(Stage stage, const std::string& detector) {
  if (stage != Stage::detect) return std::string(to_string(stage));
  return fmt::format("detect (detector \"{}\")", detector);
}

ChildEnd crashed(std::string_view cause, std::string text) {
  return {cause, {Reason::child_crashed, std::move(text)}};
}

ChildEnd timeout(Stage stage, std::string text) {
  if (stage == Stage::detect) {
    return {end_cause::kDetectTimeout, {Reason::detect_timeout, std::move(text)}};
  }
  return {end_cause::kDecodeTimeout, {Reason::decode_timeout, std::move(text)}};
}

}  // namespace

ChildEnd end_of(int status, Stage stage, const std::string& detector) {
  const std::string where = place(stage, detector);
  if (!WIFSIGNALED(status)) {
    return crashed(end_cause::kExited,
                   fmt::format("the child process left with exit code {} during {}",
                               WEXITSTATUS(status), where));
  }
  const int signal = WTERMSIG(status);
  if (signal == SIGXCPU) {
    return timeout(stage, fmt::format("{} used up the CPU time of its child process", where));
  }
  if (signal == SIGSYS) {
    return crashed(end_cause::kForbidden,
                   fmt::format("a forbidden system call ended the child process during {}", where));
  }
  if (signal == SIGKILL) {
    return crashed(end_cause::kKilled,
                   fmt::format("the child process was killed from outside during {}: the system "
                               "may be out of memory",
                               where));
  }
  return crashed(end_cause::kCrashed,
                 fmt::format("signal {} ({}) ended the child process during {}", signal,
                             ::strsignal(signal), where));
}

ChildEnd overdue_in(Stage stage, const std::string& detector, Duration budget) {
  return timeout(stage, fmt::format("{} took longer than {} s; its child process was killed",
                                    place(stage, detector), seconds(budget)));
}

ChildEnd late_to_start(Duration budget) {
  return crashed(
      end_cause::kStartTimeout,
      fmt::format("a child process was not ready after {} s and was killed", seconds(budget)));
}

ChildEnd broke_protocol(const std::string& how) {
  return crashed(end_cause::kBrokeProtocol,
                 fmt::format("the child process broke its protocol and was killed: {}", how));
}

}  // namespace framefleet::worker
