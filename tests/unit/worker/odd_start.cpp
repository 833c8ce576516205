// A program whose children or which itself starts oddly: how, its name says. It stands in for a
// machine on which no child can be started, and for a library that hangs.

#include "worker/pool/child_wire.hpp"
#include "worker/pool/zygote.hpp"

#include "shared/processes/packet.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string_view>

namespace {

using namespace framefleet;
using namespace framefleet::worker;

[[noreturn]] void hang() {
  while (true) ::pause();
}

int be_stillborn(Birthright&) { return exit_code::kInternal; }
int never_be_ready(Birthright&) { hang(); }

/// Ready, and then it takes its zygote along.
int be_short_lived(Birthright& own) {
  static_cast<void>(send_packet(own.link.get(), encode(FromChild(Ready{})), {}, Wait::yes));
  ::kill(::getppid(), SIGKILL);
  hang();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argv[0];
  if (name == "never-warm") {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    hang();
  }
  const auto program = name == "never-ready"   ? never_be_ready
                       : name == "short-lived" ? be_short_lived
                                               : be_stillborn;
  return run_as_zygote(argc, argv, program).value_or(exit_code::kUsage);
}
