#include "producer/capture/stop.hpp"

#include <signal.h>

#include <atomic>

namespace framefleet::producer {
namespace {

std::atomic<bool> asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace

void listen_for_stop() {
  struct sigaction action {};
  action.sa_handler = [](int) { asked.store(true); };
  ::sigaction(SIGTERM, &action, nullptr);
  // Ctrl-C and a terminal that closes are for the producer to answer; a line that breaks is no end.
  for (const int number : {SIGINT, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
}

bool stop_asked() { return asked.load(); }

}  // namespace framefleet::producer
