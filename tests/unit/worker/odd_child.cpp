// A program whose children are odd: what each does with an order, the order's origin says. It
// stands in for a decoder that a picture has taken over.

#include "worker/pool/child_wire.hpp"
#include "worker/pool/packet.hpp"
#include "worker/pool/sandbox.hpp"
#include "worker/pool/zygote.hpp"

#include <fcntl.h>
#include <sys/socket.h>
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
  if (deed == "open") {
    const bool refused = ::open("/etc/passwd", O_RDONLY) < 0;
    say(link,
        Failed{Reason::detector_error, refused ? "refused" : "opened", {denied_syscalls(), 0}});
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
