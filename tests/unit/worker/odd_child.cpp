// A program whose children are odd: what each does with an order, the order's origin says. It
// stands in for a decoder that a picture has taken over.

#include "worker/pool/child_wire.hpp"
#include "worker/pool/sandbox.hpp"
#include "worker/pool/zygote.hpp"

#include "shared/processes/packet.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

namespace {

using namespace framefleet;
using namespace framefleet::worker;

void say(int link, const FromChild& word) {
  static_cast<void>(send_packet(link, encode(word), {}, Wait::yes));
}

void act(const Birthright& own, const Order& order) {
  const int link = own.link.get();
  const std::string& deed = order.task.origin;
  if (deed == "exit") ::_exit(7);
  if (deed == "socket") ::socket(AF_INET, SOCK_STREAM, 0);
  if (deed == "exec") ::execl("/bin/true", "true", nullptr);
  if (deed == "garbage") static_cast<void>(send_packet(link, "garbage", {}, Wait::yes));
  if (deed == "hang up") ::close(link);
  if (deed == "no result") say(link, Finished{{64}, {}});
  if (deed == "huge result") say(link, Finished{{std::uint64_t{1} << 60U}, {}});
  if (deed == "false reason") say(link, Failed{Reason::cancelled_by_operator, "", {}});
  if (deed == "gives up") say(link, Failed{Reason::drained, "", {}});
  if (deed == "stages") {
    for (int i = 0; i < 100; ++i) say(link, Entered{Stage::decode, ""});
  }
  if (deed == "sends a file") {
    static_cast<void>(
        send_packet(link, encode(FromChild(Ready{})), std::array{own.answers.get()}, Wait::yes));
  }
  if (deed == "trace") ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  if (deed == "burn") {
    for (volatile bool burns = true; burns;) {
    }
  }
  const auto tell = [&](bool refused) {
    say(link, Failed{Reason::detector_error, refused ? "refused" : "done", {denied_syscalls(), 0}});
  };
  if (deed == "open") tell(::open("/etc/passwd", O_RDONLY) < 0);
  // fork() of newer C libraries blocks the signal that a trap needs, and dies of it.
  if (deed == "fork") tell(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0) < 0);
  if (deed == "outlive") tell(::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0);
  if (deed == "execute memory") {
    constexpr int kAny = MAP_PRIVATE | MAP_ANONYMOUS;
    tell(::mmap(nullptr, 1, PROT_READ | PROT_EXEC, kAny, -1, 0) == MAP_FAILED);
  }
}

int be_odd(Birthright& own) {
  if (!enter_sandbox(own.memory_max)) return exit_code::kInternal;
  say(own.link.get(), Ready{});
  Packet packet;
  while (receive_packet(own.link.get(), 1, Wait::yes, packet) == Heard::packet) {
    const auto word = decode_to_child(packet.bytes);
    if (const auto* order = word ? std::get_if<Order>(&*word) : nullptr) act(own, *order);
  }
  return exit_code::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  return run_as_zygote(argc, argv, be_odd).value_or(exit_code::kUsage);
}
