#include "producer/capture/wait_watch.hpp"

#include "producer/capture/av.hpp"

#include <sys/resource.h>

namespace framefleet::producer {
namespace {

long waits() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

}  // namespace

WaitWatch::WaitWatch() : began_(now()), waits_(waits()) {}

bool WaitWatch::waited() const { return waits() != waits_ && now() - began_ >= kWaitMin; }

}  // namespace framefleet::producer
