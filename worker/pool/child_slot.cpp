#include "worker/pool/child_slot.hpp"

#include "worker/pool/parcel.hpp"

#include "shared/wire/codec.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace framefleet::worker {
namespace {

constexpr Duration kPauseMin = std::chrono::milliseconds{10};
constexpr Duration kPauseMax = std::chrono::seconds{1};

}  // namespace

Duration pause_after(std::uint32_t ends) {
  if (ends < 2) return Duration::zero();
  return std::min(kPauseMax, kPauseMin * (std::int64_t{1} << std::min(ends - 2, 10U)));
}

void Child::kill(std::optional<ChildEnd> why) {
  state = State::ending;
  if (!end) end = std::move(why);
  if (pidfd) ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  link.close();  // last: hung up on, it could leave by itself, and its status would tell of that
}

void ChildSlot::lost(Clock::time_point now) {
  child.reset();
  ++ends;
  bear_at = now + pause_after(ends);
}

Result<Worked, WorkError> read_result(const Child& child, const Finished& finished) {
  auto parts = read_answer(child.answers.get(), finished.part_bytes);
  if (!parts) return fail(broke_protocol("its result is larger than its sheet").error);
  auto record = wire::decode_record(std::as_bytes(std::span((*parts)[0])));
  if (!record) return fail(broke_protocol("its record: " + record.error().text).error);
  if (record->artefacts.size() != parts->size() - 1) {
    return fail(broke_protocol("its artefacts are not those of its record").error);
  }
  Worked worked;
  worked.record = std::move(*record);
  worked.artefacts.assign(std::make_move_iterator(parts->begin() + 1),
                          std::make_move_iterator(parts->end()));
  return worked;
}

}  // namespace framefleet::worker
