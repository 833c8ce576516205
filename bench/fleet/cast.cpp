#include "bench/fleet/cast.hpp"

#include "cli/folders.hpp"
#include "cli/log_excerpt.hpp"

#include "shared/processes/packet.hpp"

#include <poll.h>

#include <chrono>
#include <tuple>
#include <utility>

namespace framefleet::bench {
namespace {

using namespace std::chrono_literals;

/// A server of RabbitMQ takes its time on a busy machine.
constexpr Duration kReadyWithin = 90s;
constexpr Duration kReportWithin = 30s;
constexpr std::size_t kExcerptLines = 8;

}  // namespace

Error with_log(std::string text, const std::filesystem::path& log) {
  const auto excerpt = cli::log_excerpt(cli::tail(log, 0), kExcerptLines);
  if (!excerpt.empty()) text += ":\n" + excerpt;
  return Error{std::move(text)};
}

Result<void, Error> until_left(cli::ChildProcess& process, const std::string& who,
                               const std::filesystem::path& log, Duration patience) {
  pollfd end{process.end_fd(), POLLIN, 0};
  if (::poll(&end, 1, static_cast<int>(ceil_ms(patience))) != 1) {
    return fail(with_log(who + " does not leave", log));
  }
  const auto status = process.reap();
  if (status == cli::ExitStatus{}) return {};
  return fail(with_log(who + " ended with " + (status ? cli::to_string(*status) : "nothing"), log));
}

Result<CastMember, Error> CastMember::start(const Order& order, const std::filesystem::path& log) {
  return start({"/proc/self/exe", order.words()}, order.contestant + "'s " + order.part, log);
}

Result<CastMember, Error> CastMember::start(const cli::Command& command, const std::string& part,
                                            const std::filesystem::path& log) {
  auto [ours, theirs] = packet_sockets();
  if (!ours) return fail(Error{"no descriptor is left for another process"});
  auto process = cli::ChildProcess::spawn(command, {.log = log, .progress_fd = theirs.get()});
  if (!process) return fail(process.error());
  return CastMember(part, log, std::move(ours), std::move(*process));
}

Result<std::string, Error> CastMember::heard(Duration patience) {
  pollfd cue{cue_.get(), POLLIN, 0};
  Packet packet;
  if (::poll(&cue, 1, static_cast<int>(ceil_ms(patience))) != 1) {
    return fail(with_log(part_ + " has said nothing for too long", log_));
  }
  if (receive_packet(cue_.get(), 0, Wait::yes, packet) != Heard::packet) {
    return fail(with_log(part_ + " has ended", log_));
  }
  return std::move(packet.bytes);
}

Result<void, Error> CastMember::until_ready() {
  const auto said = heard(kReadyWithin);
  if (!said) return fail(said.error());
  return {};
}

void CastMember::go() { std::ignore = send_packet(cue_.get(), "go", {}, Wait::yes); }

Result<void, Error> CastMember::until_done(Duration patience) {
  const auto said = heard(patience);
  if (!said) return fail(said.error());
  return {};
}

Result<Report, Error> CastMember::end() {
  std::ignore = send_packet(cue_.get(), "end", {}, Wait::yes);
  for (;;) {
    const auto said = heard(kReportWithin);
    if (!said) return fail(said.error());
    if (*said != "done") return Report::from(*said);
  }
}

}  // namespace framefleet::bench
