#include "worker/pool/zygote_link.hpp"

#include "worker/pool/limited_process.hpp"
#include "worker/pool/model_wire.hpp"
#include "worker/pool/zygote.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace framefleet::worker {
namespace {

bool ends_within(pid_t pid, Duration limit) {
  const FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd end{pidfd.get(), POLLIN, 0};
  return pidfd && ::poll(&end, 1, static_cast<int>(ceil_ms(limit))) == 1;
}

}  // namespace

Result<ZygoteLink, Error> ZygoteLink::launch(const std::string& program, Setup setup,
                                             const std::vector<Model>& models) {
  auto parcel = pack(models);
  if (!parcel) return fail(parcel.error());
  setup.model_bytes = std::move(parcel->frame_bytes);
  auto started = start_limited(program, kZygoteWord, setup.limits);
  if (!started) return fail(started.error());
  ZygoteLink link(started->pid, std::move(started->link));
  const std::array files{parcel->file.get()};
  if (!send_packet(link.fd(), encode(ToZygote(std::move(setup))), files, Wait::no)) {
    return fail(Error{"the process that children are born from ended at once"});
  }
  return link;
}

ZygoteLink::ZygoteLink(ZygoteLink&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      heard_of_(other.heard_of_),
      control_(std::move(other.control_)) {}

ZygoteLink::~ZygoteLink() {
  if (pid_ == 0) return;
  control_.close();
  ::kill(pid_, SIGCONT);  // one that was stopped would not hear it
  // Before its first word it may hang in a library or a model, and has no children to lose.
  if (!heard_of_ || !ends_within(pid_, kEndMax)) kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ZygoteLink::kill() const { ::kill(pid_, SIGKILL); }

bool ZygoteLink::bear(std::uint64_t serial, int link, int answers) {
  const std::array files{link, answers};
  return send_packet(control_.get(), encode(ToZygote(Bear{serial})), files, Wait::no);
}

Heard ZygoteLink::hear(std::optional<Word>& out) {
  const Heard heard = receive_packet(control_.get(), 1, Wait::no, packet_);
  if (heard != Heard::packet) return heard;
  const auto message = decode_from_zygote(packet_.bytes);
  if (!message) return Heard::closed;
  heard_of_ = true;
  out.emplace(Word{*message, {}});
  if (!packet_.files.empty()) out->pidfd = std::move(packet_.files[0]);
  return Heard::packet;
}

}  // namespace framefleet::worker
