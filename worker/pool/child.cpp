#include "worker/pool/child.hpp"

#include "worker/pool/child_wire.hpp"
#include "worker/pool/parcel.hpp"
#include "worker/pool/sandbox.hpp"

#include "shared/base/failpoint.hpp"
#include "shared/processes/heap.hpp"
#include "shared/processes/packet.hpp"
#include "shared/wire/codec.hpp"

#include <sys/resource.h>

#include <cstddef>
#include <cstdio>
#include <limits>
#include <new>

namespace framefleet::worker {
namespace {

/// Of freed memory, so that a child has that of one picture for the next: faulted in again, a large
/// one costs as much as a detector. What was larger goes back at once.
constexpr std::size_t kKeptForTheNextPicture = 48 << 20;

bool say(int link, const FromChild& message) {
  return send_packet(link, encode(message), {}, Wait::yes);
}

Vitals vitals() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  constexpr std::uint64_t kKibibyte = 1024;
  return {denied_syscalls(), static_cast<std::uint64_t>(usage.ru_maxrss) * kKibibyte};
}

/// Tells the worker of the stages, and hears from it whether to go on.
class LinkedObserver final : public StageObserver {
 public:
  LinkedObserver(int link, std::uint64_t ticket) : link_(link), ticket_(ticket) {}

  void entered(Stage stage, std::string_view detector) override {
    gone_ = !say(link_, Entered{stage, std::string(detector)}) || gone_;
  }
  bool abandoned() const override {
    while (!gone_ && !abandoned_) {
      const Heard heard = receive_packet(link_, 0, Wait::no, packet_);
      if (heard == Heard::nothing) break;
      gone_ = heard == Heard::closed;
      if (gone_) break;
      const auto word = decode_to_child(packet_.bytes);
      const auto* abandon = word ? std::get_if<Abandon>(&*word) : nullptr;
      // One of an order that had just ended is no news.
      abandoned_ = abandon != nullptr && abandon->ticket == ticket_;
    }
    return gone_ || abandoned_;
  }

 private:
  int link_;
  std::uint64_t ticket_;
  mutable Packet packet_;
  mutable bool abandoned_{false};
  mutable bool gone_{false};
};

FromChild failed(Reason reason, std::string text) {
  return Failed{reason, std::move(text), vitals()};
}

FromChild answer(int sheet, const Worked& worked) {
  const auto record = wire::encode_record(worked.record);
  if (!record) return failed(Reason::detector_error, record.error().text);
  std::vector<std::string_view> parts{*record};
  parts.insert(parts.end(), worked.artefacts.begin(), worked.artefacts.end());
  if (parts.size() > wire::kArtefactsMax + 1) {
    return failed(Reason::detector_error,
                  "the result has " + std::to_string(worked.artefacts.size()) +
                      " artefacts; the limit is " + std::to_string(wire::kArtefactsMax));
  }
  if (!write_answer(sheet, parts)) {
    return failed(Reason::detector_error, "the result is larger than " +
                                              std::to_string(kAnswerBytesMax) +
                                              " bytes, or memory is short");
  }
  Finished finished;
  for (const auto part : parts) finished.part_bytes.push_back(part.size());
  finished.vitals = vitals();
  return finished;
}

FromChild work_on(Birthright& own, const Order& order, const FileDescriptor& parcel) {
  LinkedObserver observer(own.link.get(), order.ticket);
  try {
    const OpenParcel opened(parcel, order.frame_bytes);
    if (opened.frames().size() != order.frame_bytes.size()) {
      return failed(Reason::detector_error, "out of memory while opening the picture");
    }
    const auto worked =
        own.bench->work(order.id, order.attempt, order.task, opened.frames(), observer);
    if (!worked) return failed(worked.error().reason, worked.error().text);
    return answer(own.answers.get(), *worked);
  } catch (const std::bad_alloc&) {
    return failed(Reason::detector_error, "out of memory while writing the result");
  }
}

}  // namespace

int work_orders(Birthright& own) {
  if (const auto entered = enter_sandbox(own.memory_max); !entered) {
    std::fprintf(stderr, "framefleet child: %s\n", entered.error().text.c_str());
    return entered.error().exit_code;
  }
  if (!say(own.link.get(), Ready{})) return exit_code::kOk;
  failpoint("child.ready");
  Packet packet;
  while (receive_packet(own.link.get(), 1, Wait::yes, packet) == Heard::packet) {
    const auto word = decode_to_child(packet.bytes);
    if (!word) return exit_code::kInternal;
    const auto* order = std::get_if<Order>(&*word);
    if (order == nullptr) continue;  // an order that is done was abandoned on its way
    if (packet.files.size() != 1) return exit_code::kInternal;
    failpoint("child.order.taken");
    const auto answered = work_on(own, *order, packet.files[0]);
    failpoint("child.answer.written");
    give_back_freed_memory(kKeptForTheNextPicture, std::numeric_limits<std::size_t>::max());
    if (!say(own.link.get(), answered)) break;
    failpoint("child.answer.said");
  }
  return exit_code::kOk;
}

}  // namespace framefleet::worker
