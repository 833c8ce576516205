#include "worker/pool/process_pool.hpp"

#include "worker/pool/child_end.hpp"
#include "worker/pool/child_wire.hpp"
#include "worker/pool/open_order.hpp"
#include "worker/pool/packet.hpp"
#include "worker/pool/parcel.hpp"
#include "worker/pool/sandbox.hpp"
#include "worker/pool/zygote_link.hpp"

#include "shared/base/assert.hpp"
#include "shared/wire/codec.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

namespace framefleet::worker {
namespace {

using Clock = OpenOrder::Clock;
using namespace std::chrono_literals;

constexpr std::size_t kSlotsMax = 1024;
/// An order that finds no child in this time ends: children cannot be started on this machine.
constexpr Duration kStartMax = 30s;
/// The first end without a good answer before it costs nothing, the next ones pauses that double.
constexpr Duration kPauseMin = 10ms;
constexpr Duration kPauseMax = 1s;
/// What epoll says of the two that are no children; serials lie between.
constexpr std::uint64_t kZygote = 0;
constexpr std::uint64_t kTimer = std::numeric_limits<std::uint64_t>::max();

Duration pause_after(std::uint32_t ends) {
  if (ends < 2) return Duration::zero();
  return std::min(kPauseMax, kPauseMin * (std::int64_t{1} << std::min(ends - 2, 10U)));
}

struct Child {
  enum class State : std::uint8_t { starting, idle, busy, ending };

  std::uint64_t serial{0};
  State state{State::starting};
  pid_t pid{0};
  FileDescriptor pidfd;  ///< None until the zygote has said Born.
  FileDescriptor link;   ///< Closed once it has nothing more to say.
  FileDescriptor answers;
  std::optional<OpenOrder> order;
  std::optional<ChildEnd> end;  ///< Why the pool killed it.
  Vitals vitals;
};

struct Slot {
  std::optional<Child> child;
  std::uint32_t ends{0};      ///< Since the last good answer.
  Clock::time_point bear_at;  ///< The next child; while there is none.
};

/// Of an order that a child has finished, from what it says and wrote.
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

}  // namespace

struct ProcessPool::Parts {
  Parts(PoolOptions pool, IsolationOptions chosen)
      : options(std::move(pool)), isolation(std::move(chosen)), children(options.slots) {}

  Result<void, Error> launch();
  void watch(int fd, std::uint64_t name);

  void turn();
  void hear_zygote(Clock::time_point now);
  void on_born(const Born& born, FileDescriptor pidfd, Clock::time_point now);
  void on_died(const Died& died, Clock::time_point now);
  void lose_zygote(Clock::time_point now);
  void hear_child(Slot& slot);
  /// What is wrong with it, or nothing.
  std::string on_word(Slot& slot, const FromChild& word);
  void bear_missing(Clock::time_point now);
  void hand_out(Clock::time_point now);
  bool hand_to(Child& child, Clock::time_point now);
  void end_overdue(Clock::time_point now);
  void arm(Clock::time_point now);

  Slot* slot_of(std::uint64_t serial);
  void kill(Child& child, std::optional<ChildEnd> why);
  void bury(Slot& slot, const ChildEnd& end, Clock::time_point now);
  void end_order(OpenOrder order, Result<Worked, WorkError> result);

  const PoolOptions options;
  const IsolationOptions isolation;
  FileDescriptor epoll;
  FileDescriptor timer;
  std::optional<ZygoteLink> zygote;
  Clock::time_point launch_at;  ///< While there is no zygote.
  std::uint32_t zygote_ends{0};
  std::uint64_t generation{0};  ///< A serial is generation × slots + slot: never used again.
  std::vector<Slot> children;
  std::deque<OpenOrder> waiting;  ///< For a child.
  std::vector<WorkDone> done;
  std::size_t used{0};  ///< Orders in waiting, children and done.
  PoolStats stats;
  Packet packet;
};

Result<void, Error> ProcessPool::Parts::launch() {
  auto launched = ZygoteLink::launch(
      isolation.program,
      Setup{options.workbench.limits, options.workbench.detectors.cascade_folder,
            options.workbench.detectors.models, isolation.detectors, isolation.memory_max});
  if (!launched) return fail(launched.error());
  zygote.emplace(std::move(*launched));
  watch(zygote->fd(), kZygote);
  return {};
}

void ProcessPool::Parts::watch(int fd, std::uint64_t name) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = name;
  FRAMEFLEET_ASSERT(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0);
}

/// Everything that is due now; bounded by what has happened since the last turn.
void ProcessPool::Parts::turn() {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), 0);
  const auto now = Clock::now();
  for (int i = 0; i < count; ++i) {
    const std::uint64_t name = events[static_cast<std::size_t>(i)].data.u64;
    if (name == kZygote) {
      hear_zygote(now);
    } else if (name == kTimer) {
      std::uint64_t expired = 0;
      FRAMEFLEET_ASSERT(::read(timer.get(), &expired, sizeof expired) != 0);
    } else if (Slot* const slot = slot_of(name); slot != nullptr) {
      hear_child(*slot);
    }
  }
  end_overdue(now);
  bear_missing(now);
  hand_out(now);
}

Slot* ProcessPool::Parts::slot_of(std::uint64_t serial) {
  Slot& slot = children[serial % children.size()];
  return slot.child && slot.child->serial == serial ? &slot : nullptr;
}

void ProcessPool::Parts::hear_zygote(Clock::time_point now) {
  while (zygote) {
    std::optional<ZygoteLink::Word> word;
    const Heard heard = zygote->hear(word);
    if (heard == Heard::nothing) return;
    if (heard == Heard::closed) return lose_zygote(now);
    if (const auto* born = std::get_if<Born>(&word->message)) {
      on_born(*born, std::move(word->pidfd), now);
    } else {
      on_died(std::get<Died>(word->message), now);
    }
  }
}

void ProcessPool::Parts::on_born(const Born& born, FileDescriptor pidfd, Clock::time_point now) {
  Slot* const slot = slot_of(born.serial);
  if (slot == nullptr) return;
  if (born.pid <= 0 || !pidfd) {
    return bury(*slot, {end_cause::kKilled, {Reason::child_crashed, "no process to be had"}}, now);
  }
  slot->child->pid = born.pid;
  slot->child->pidfd = std::move(pidfd);
  if (slot->child->state == Child::State::ending) kill(*slot->child, std::nullopt);
}

void ProcessPool::Parts::on_died(const Died& died, Clock::time_point now) {
  Slot* const slot = slot_of(died.serial);
  if (slot == nullptr) return;
  hear_child(*slot);  // its last words may be the answer
  const Child& child = *slot->child;
  if (child.end) return bury(*slot, ChildEnd(*child.end), now);
  const Stage stage = child.order ? child.order->stage : Stage::decode;
  bury(*slot, end_of(died.status, stage, child.order ? child.order->detector : ""), now);
}

void ProcessPool::Parts::lose_zygote(Clock::time_point now) {
  zygote.reset();
  ++zygote_ends;
  launch_at = now + pause_after(zygote_ends);
  const ChildEnd end{end_cause::kZygoteEnded,
                     {Reason::child_crashed, "all child processes ended with their zygote"}};
  for (Slot& slot : children) {
    if (slot.child) bury(slot, end, now);
  }
}

void ProcessPool::Parts::hear_child(Slot& slot) {
  Child& child = *slot.child;
  while (child.link) {
    const Heard heard = receive_packet(child.link.get(), 0, Wait::no, packet);
    if (heard == Heard::nothing) return;
    if (heard == Heard::closed) return kill(child, std::nullopt);
    const auto word = decode_from_child(packet.bytes);
    const std::string fault = word ? on_word(slot, *word) : "a packet that is none of ours";
    if (!fault.empty()) return kill(child, broke_protocol(fault));
  }
}

std::string ProcessPool::Parts::on_word(Slot& slot, const FromChild& word) {
  using State = Child::State;
  Child& child = *slot.child;
  if (std::holds_alternative<Ready>(word)) {
    if (child.state != State::starting) return "ready twice";
    child.state = State::idle;
    zygote_ends = 0;
    return {};
  }
  if (child.state != State::busy) return "an answer without an order";
  OpenOrder& order = *child.order;
  if (const auto* entered = std::get_if<Entered>(&word)) {
    if (order.stages_left == 0) return "more stages than its task has";
    --order.stages_left;
    order.stage = entered->stage;
    order.detector = entered->detector;
    order.since = Clock::now();
    return {};
  }
  Result<Worked, WorkError> result{Worked{}};
  Vitals vitals;
  if (const auto* finished = std::get_if<Finished>(&word)) {
    vitals = finished->vitals;
    result = read_result(child, *finished);
    if (!result && result.error().reason == Reason::child_crashed) return result.error().text;
  } else {
    const auto& failed = std::get<Failed>(word);
    vitals = failed.vitals;
    if (failed.reason == Reason::drained && !order.abandoned) return "gave up what was wanted";
    result = fail(WorkError{failed.reason, failed.text});
  }
  if (vitals.denied > child.vitals.denied) {
    stats.denied_syscalls += vitals.denied - child.vitals.denied;
  }
  child.vitals = vitals;
  child.state = State::idle;
  slot.ends = 0;
  end_order(*std::exchange(child.order, std::nullopt), std::move(result));
  return {};
}

void ProcessPool::Parts::kill(Child& child, std::optional<ChildEnd> why) {
  child.state = Child::State::ending;
  child.link.close();
  if (!child.end) child.end = std::move(why);
  if (child.pidfd) ::syscall(SYS_pidfd_send_signal, child.pidfd.get(), SIGKILL, nullptr, 0);
}

/// It is gone: its order ends with `end`, and its slot gets another child.
void ProcessPool::Parts::bury(Slot& slot, const ChildEnd& end, Clock::time_point now) {
  ++stats.ends[end.cause];
  if (slot.child->order) end_order(std::move(*slot.child->order), fail(end.error));
  slot.child.reset();
  ++slot.ends;
  slot.bear_at = now + pause_after(slot.ends);
}

void ProcessPool::Parts::end_order(OpenOrder order, Result<Worked, WorkError> result) {
  done.push_back(
      {order.ticket, order.id, order.abandoned, std::move(result), Clock::now() - order.begun});
}

void ProcessPool::Parts::bear_missing(Clock::time_point now) {
  if (!zygote) {
    if (now < launch_at) return;
    if (!launch()) {
      ++zygote_ends;
      launch_at = now + pause_after(zygote_ends);
      return;
    }
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    Slot& slot = children[i];
    if (slot.child || now < slot.bear_at) continue;
    auto [ours, theirs] = packet_sockets();
    auto answers = make_answer_sheet();
    const std::uint64_t serial = ++generation * children.size() + i;
    if (!ours || !answers || !zygote->bear(serial, theirs.get(), answers.get())) {
      ++slot.ends;
      slot.bear_at = now + pause_after(slot.ends);
      continue;
    }
    watch(ours.get(), serial);
    slot.child.emplace();
    slot.child->serial = serial;
    slot.child->link = std::move(ours);
    slot.child->answers = std::move(answers);
  }
}

void ProcessPool::Parts::hand_out(Clock::time_point now) {
  for (Slot& slot : children) {
    if (waiting.empty()) return;
    const bool idle = slot.child && slot.child->state == Child::State::idle && slot.child->pidfd;
    if (idle && !hand_to(*slot.child, now)) kill(*slot.child, std::nullopt);
  }
}

/// False: it does not take it.
bool ProcessPool::Parts::hand_to(Child& child, Clock::time_point now) {
  OpenOrder& order = waiting.front();
  raise_cpu_limit(child.pid, order.cpu_budget);
  const std::array files{order.parcel.get()};
  if (!send_packet(child.link.get(), order.packet, files, Wait::no)) return false;
  order.parcel.close();
  order.begun = order.since = now;
  child.order = std::move(order);
  child.state = Child::State::busy;
  waiting.pop_front();
  if (child.order->abandoned) {
    const auto word = encode(ToChild(Abandon{child.order->ticket}));
    return send_packet(child.link.get(), *word, {}, Wait::no);
  }
  return true;
}

void ProcessPool::Parts::end_overdue(Clock::time_point now) {
  for (Slot& slot : children) {
    if (!slot.child || slot.child->state != Child::State::busy) continue;
    const OpenOrder& order = *slot.child->order;
    const Duration budget = budget_of(order, options);
    if (now - order.since > budget) {
      kill(*slot.child, overdue_in(order.stage, order.detector, budget));
    }
  }
  while (!waiting.empty() && now - waiting.front().begun > kStartMax) {
    end_order(std::move(waiting.front()),
              fail(WorkError{Reason::child_crashed, "no child process could be started"}));
    waiting.pop_front();
  }
}

/// Rings when something will be due, and at once while something is done.
void ProcessPool::Parts::arm(Clock::time_point now) {
  auto next = Clock::time_point::max();
  if (!zygote) next = launch_at;
  for (const Slot& slot : children) {
    if (!slot.child) {
      if (zygote) next = std::min(next, slot.bear_at);
    } else if (slot.child->state == Child::State::busy) {
      const OpenOrder& order = *slot.child->order;
      next = std::min(next, order.since + budget_of(order, options));
    }
  }
  if (!waiting.empty()) next = std::min(next, waiting.front().begun + kStartMax);
  if (!done.empty()) next = now;
  itimerspec when{};  // all 0: not at all
  if (next != Clock::time_point::max()) {
    const Duration left = std::max<Duration>(next - now, 0ns) + 1us;  // 0 would mean never
    when.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
    when.it_value.tv_nsec = (left % 1s).count();
  }
  FRAMEFLEET_ASSERT(::timerfd_settime(timer.get(), 0, &when, nullptr) == 0);
}

Result<std::unique_ptr<ProcessPool>, Error> ProcessPool::open(PoolOptions options,
                                                              IsolationOptions isolation) {
  FRAMEFLEET_ASSERT(options.slots >= 1 && options.slots <= kSlotsMax);
  auto parts = std::make_unique<Parts>(std::move(options), std::move(isolation));
  parts->epoll = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
  parts->timer = FileDescriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!parts->epoll || !parts->timer) return fail(Error{"no descriptors for child processes"});
  parts->watch(parts->timer.get(), kTimer);
  if (auto launched = parts->launch(); !launched) return fail(launched.error());
  parts->turn();
  parts->arm(Clock::now());
  return std::unique_ptr<ProcessPool>(new ProcessPool(std::move(parts)));
}

ProcessPool::ProcessPool(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ProcessPool::~ProcessPool() = default;

std::size_t ProcessPool::slots() const { return parts_->children.size(); }
std::size_t ProcessPool::in_use() const { return parts_->used; }
int ProcessPool::notify_fd() const { return parts_->epoll.get(); }

bool ProcessPool::start(WorkOrder order) {
  if (parts_->used >= slots()) return false;
  ++parts_->used;
  auto open = open_order(order, parts_->options);
  order.keep_alive.reset();
  if (open) {
    parts_->waiting.push_back(std::move(*open));
    parts_->hand_out(Clock::now());
  } else {
    parts_->done.push_back({order.ticket, order.id, false, fail(open.error()), Duration::zero()});
  }
  parts_->arm(Clock::now());
  return true;
}

std::vector<WorkDone> ProcessPool::take_done() {
  parts_->turn();
  auto taken = std::exchange(parts_->done, {});
  parts_->used -= taken.size();
  parts_->arm(Clock::now());
  return taken;
}

std::vector<StageReport> ProcessPool::stages() const {
  std::vector<StageReport> reports;
  const auto now = Clock::now();
  const auto report = [&](const OpenOrder& order) {
    reports.push_back({order.ticket, order.stage, order.detector, now - order.since, false});
  };
  for (const OpenOrder& order : parts_->waiting) report(order);
  for (const Slot& slot : parts_->children) {
    if (slot.child && slot.child->order) report(*slot.child->order);
  }
  return reports;
}

void ProcessPool::abandon(std::uint64_t ticket) {
  for (OpenOrder& order : parts_->waiting) {
    if (order.ticket == ticket) order.abandoned = true;
  }
  for (Slot& slot : parts_->children) {
    if (!slot.child || !slot.child->order || slot.child->order->ticket != ticket) continue;
    Child& child = *slot.child;
    if (std::exchange(child.order->abandoned, true) || !child.link) continue;
    const auto word = encode(ToChild(Abandon{ticket}));
    if (!send_packet(child.link.get(), *word, {}, Wait::no)) parts_->kill(child, std::nullopt);
  }
}

PoolStats ProcessPool::stats() const {
  PoolStats stats = parts_->stats;
  for (const Slot& slot : parts_->children) {
    if (!slot.child) continue;
    using State = Child::State;
    const State state = slot.child->state;
    stats.children += state == State::idle || state == State::busy ? 1U : 0U;
    stats.child_memory_peak = std::max(stats.child_memory_peak, slot.child->vitals.memory_peak);
  }
  return stats;
}

}  // namespace framefleet::worker
