#include "worker/pool/process_pool.hpp"

#include "worker/pool/child_end.hpp"
#include "worker/pool/child_slot.hpp"
#include "worker/pool/child_wire.hpp"
#include "worker/pool/open_order.hpp"
#include "worker/pool/parcel.hpp"
#include "worker/pool/process_memory.hpp"
#include "worker/pool/sandbox.hpp"
#include "worker/pool/zygote_link.hpp"

#include "shared/base/assert.hpp"
#include "shared/processes/packet.hpp"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
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
/// How often the memory of one child is looked at: the system walks its pages for it.
constexpr Duration kLookInterval = 1s;
/// A zygote that lived this long after its first word had come up and worked.
constexpr Duration kZygoteSettled = 1min;
/// What epoll says of the two that are no children; serials lie between.
constexpr std::uint64_t kZygote = 0;
constexpr std::uint64_t kTimer = std::numeric_limits<std::uint64_t>::max();

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
  void lose_zygote(std::string_view cause, Clock::time_point now);
  void hear_child(ChildSlot& slot);
  /// What is wrong with it, or nothing.
  std::string on_word(ChildSlot& slot, const FromChild& word);
  void bear_missing(Clock::time_point now);
  void hand_out(Clock::time_point now);
  bool hand_to(Child& child, Clock::time_point now);
  void end_overdue(Clock::time_point now);
  void end_late_starts(Clock::time_point now);
  Clock::time_point late_at(const Child& child) const;
  void reap_orphans();
  void look_at_memory(Clock::time_point now);
  void arm(Clock::time_point now);

  ChildSlot* slot_of(std::uint64_t serial);
  void bury(ChildSlot& slot, const ChildEnd& end, Clock::time_point now);
  void end_order(OpenOrder order, Result<Worked, WorkError> result);

  const PoolOptions options;
  const IsolationOptions isolation;
  FileDescriptor epoll;
  FileDescriptor timer;
  std::optional<ZygoteLink> zygote;
  Clock::time_point launch_at;        ///< While there is no zygote.
  Clock::time_point zygote_began_at;  ///< Its launch, until its first word; then that.
  std::uint32_t zygote_ends{0};       ///< In a row.
  std::uint64_t generation{0};        ///< A serial is generation × slots + slot: never used again.
  std::vector<ChildSlot> children;
  std::vector<pid_t> orphans;  ///< Of a zygote that ended before them: ours to reap.
  Clock::time_point look_at;   ///< At the memory of a child.
  std::size_t look_next{0};
  std::deque<OpenOrder> waiting;  ///< For a child.
  std::vector<WorkDone> done;
  std::size_t used{0};  ///< Orders in waiting, children and done.
  PoolStats stats;
  Packet packet;
};

Result<void, Error> ProcessPool::Parts::launch() {
  auto launched = ZygoteLink::launch(isolation.program,
                                     Setup{options.workbench.limits,
                                           options.workbench.detectors.cascade_folder,
                                           {},
                                           isolation.detectors,
                                           isolation.memory_max},
                                     options.workbench.detectors.models);
  if (!launched) return fail(launched.error());
  zygote.emplace(std::move(*launched));
  zygote_began_at = Clock::now();
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
    } else if (ChildSlot* const slot = slot_of(name); slot != nullptr) {
      hear_child(*slot);
    }
  }
  end_overdue(now);
  end_late_starts(now);
  bear_missing(now);
  hand_out(now);
  reap_orphans();
  look_at_memory(now);
}

ChildSlot* ProcessPool::Parts::slot_of(std::uint64_t serial) {
  ChildSlot& slot = children[serial % children.size()];
  return slot.child && slot.child->serial == serial ? &slot : nullptr;
}

void ProcessPool::Parts::hear_zygote(Clock::time_point now) {
  while (zygote) {
    std::optional<ZygoteLink::Word> word;
    const bool was_warm = zygote->heard_of();
    const Heard heard = zygote->hear(word);
    if (heard == Heard::nothing) return;
    if (heard == Heard::closed) return lose_zygote(zygote_end::kEnded, now);
    if (!was_warm) zygote_began_at = now;
    if (const auto* born = std::get_if<Born>(&word->message)) {
      on_born(*born, std::move(word->pidfd), now);
    } else {
      on_died(std::get<Died>(word->message), now);
    }
  }
}

void ProcessPool::Parts::on_born(const Born& born, FileDescriptor pidfd, Clock::time_point now) {
  ChildSlot* const slot = slot_of(born.serial);
  if (slot == nullptr) return;
  if (born.pid <= 0 || !pidfd) {
    return bury(*slot, {end_cause::kKilled, {Reason::child_crashed, "no process to be had"}}, now);
  }
  slot->child->starts_at = now;
  slot->child->pid = born.pid;
  slot->child->pidfd = std::move(pidfd);
  if (slot->child->state == Child::State::ending) slot->child->kill(std::nullopt);
}

void ProcessPool::Parts::on_died(const Died& died, Clock::time_point now) {
  ChildSlot* const slot = slot_of(died.serial);
  if (slot == nullptr) return;
  hear_child(*slot);  // its last words may be the answer
  const Child& child = *slot->child;
  if (child.end) return bury(*slot, ChildEnd(*child.end), now);
  const Stage stage = child.order ? child.order->stage : Stage::decode;
  bury(*slot, end_of(died.status, stage, child.order ? child.order->detector : ""), now);
}

void ProcessPool::Parts::lose_zygote(std::string_view cause, Clock::time_point now) {
  if (zygote->heard_of() && now - zygote_began_at >= kZygoteSettled) zygote_ends = 0;
  if (cause == zygote_end::kLate) zygote->kill();
  zygote.reset();
  ++stats.zygote_ends[cause];
  ++zygote_ends;
  launch_at = now + pause_after(zygote_ends);
  const ChildEnd end{end_cause::kZygoteEnded,
                     {Reason::child_crashed, "all child processes ended with their zygote"}};
  for (ChildSlot& slot : children) {
    if (!slot.child) continue;
    if (slot.child->pid > 0) orphans.push_back(slot.child->pid);
    bury(slot, end, now);
  }
}

void ProcessPool::Parts::hear_child(ChildSlot& slot) {
  Child& child = *slot.child;
  while (child.link) {
    const Heard heard = receive_packet(child.link.get(), 0, Wait::no, packet);
    if (heard == Heard::nothing) return;
    if (heard == Heard::closed) return child.kill(std::nullopt);
    const auto word = decode_from_child(packet.bytes);
    const std::string fault = word ? on_word(slot, *word) : "a packet that is none of ours";
    if (!fault.empty()) return child.kill(broke_protocol(fault));
  }
}

std::string ProcessPool::Parts::on_word(ChildSlot& slot, const FromChild& word) {
  using State = Child::State;
  Child& child = *slot.child;
  if (std::holds_alternative<Ready>(word)) {
    if (child.state != State::starting) return "ready twice";
    child.state = State::idle;
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
  zygote_ends = 0;
  end_order(*std::exchange(child.order, std::nullopt), std::move(result));
  return {};
}

/// It is gone: its order ends with `end`, and its slot gets another child.
void ProcessPool::Parts::bury(ChildSlot& slot, const ChildEnd& end, Clock::time_point now) {
  ++stats.ends[end.cause];
  if (slot.child->order) end_order(std::move(*slot.child->order), fail(end.error));
  slot.lost(now);
}

void ProcessPool::Parts::end_order(OpenOrder order, Result<Worked, WorkError> result) {
  done.push_back(
      {order.ticket, order.id, order.abandoned, std::move(result), Clock::now() - order.begun});
}

void ProcessPool::Parts::bear_missing(Clock::time_point now) {
  if (!zygote) {
    if (now < launch_at || zygote_ends >= isolation.zygote_ends_max) return;
    if (!launch()) {
      ++stats.zygote_ends[zygote_end::kNotStarted];
      ++zygote_ends;
      launch_at = now + pause_after(zygote_ends);
      return;
    }
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    ChildSlot& slot = children[i];
    if (slot.child || now < slot.bear_at) continue;
    auto [ours, theirs] = packet_sockets();
    auto answers = make_answer_sheet();
    const std::uint64_t serial = ++generation * children.size() + i;
    if (!ours || !answers || !zygote->bear(serial, theirs.get(), answers.get())) {
      slot.lost(now);
      continue;
    }
    watch(ours.get(), serial);
    slot.child.emplace();
    slot.child->serial = serial;
    slot.child->starts_at = now;
    slot.child->link = std::move(ours);
    slot.child->answers = std::move(answers);
  }
}

void ProcessPool::Parts::hand_out(Clock::time_point now) {
  for (ChildSlot& slot : children) {
    if (waiting.empty()) return;
    const bool idle = slot.child && slot.child->state == Child::State::idle && slot.child->pidfd;
    if (idle && !hand_to(*slot.child, now)) slot.child->kill(std::nullopt);
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
  for (ChildSlot& slot : children) {
    if (!slot.child || slot.child->state != Child::State::busy) continue;
    const OpenOrder& order = *slot.child->order;
    const Duration budget = budget_of(order, options);
    if (now - order.since > budget) {
      slot.child->kill(overdue_in(order.stage, order.detector, budget));
    }
  }
  while (!waiting.empty() && now - waiting.front().begun > isolation.start_max) {
    end_order(std::move(waiting.front()),
              fail(WorkError{Reason::child_crashed, "no child process could be started"}));
    waiting.pop_front();
  }
}

/// When a child that starts is late, or the zygote that is to bear or to reap it; never for others.
Clock::time_point ProcessPool::Parts::late_at(const Child& child) const {
  if (child.able()) return Clock::time_point::max();
  if (!zygote->heard_of()) return zygote_began_at + isolation.warm_up_max;
  if (child.ends_at) return *child.ends_at + isolation.zygote_answer_max;
  if (child.pidfd) return child.starts_at + isolation.child_start_max;
  return std::max(child.starts_at, zygote_began_at) + isolation.zygote_answer_max;
}

void ProcessPool::Parts::end_late_starts(Clock::time_point now) {
  for (ChildSlot& slot : children) {
    if (!slot.child) continue;
    Child& child = *slot.child;
    if (child.state == Child::State::ending && !child.ends_at) child.ends_at = now;
    if (now <= late_at(child)) continue;
    if (child.state == Child::State::ending || !child.pidfd) {
      return lose_zygote(zygote_end::kLate, now);
    }
    child.kill(late_to_start(isolation.child_start_max));
    child.ends_at = now;
  }
}

/// They died with their zygote and came to this process, where nothing waits for them.
void ProcessPool::Parts::reap_orphans() {
  const auto gone = [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; };
  orphans.erase(std::remove_if(orphans.begin(), orphans.end(), gone), orphans.end());
}

/// One child at a time, in turn.
void ProcessPool::Parts::look_at_memory(Clock::time_point now) {
  if (now < look_at) return;
  ChildSlot& slot = children[look_next++ % children.size()];
  // It may have said that it is ready before its zygote has said who it is.
  if (!slot.child || !slot.child->able() || !slot.child->pidfd) return;
  slot.child->memory = memory_share(slot.child->pid);
  look_at = now + kLookInterval;
}

/// Rings when something will be due, and at once while something is done.
void ProcessPool::Parts::arm(Clock::time_point now) {
  auto next = Clock::time_point::max();
  if (!zygote && zygote_ends < isolation.zygote_ends_max) next = launch_at;
  for (const ChildSlot& slot : children) {
    if (!slot.child) {
      if (zygote) next = std::min(next, slot.bear_at);
    } else if (slot.child->state == Child::State::busy) {
      const OpenOrder& order = *slot.child->order;
      next = std::min(next, order.since + budget_of(order, options));
    } else {
      next = std::min(next, late_at(*slot.child));
    }
  }
  if (!waiting.empty()) next = std::min(next, waiting.front().begun + isolation.start_max);
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
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    return fail(Error{"cannot take in the child processes of a zygote that ended"});
  }
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
ProcessPool::~ProcessPool() {
  const auto is_able = [](const ChildSlot& slot) { return slot.child && slot.child->able(); };
  if (parts_->zygote && std::ranges::any_of(parts_->children, is_able)) parts_->zygote->note_warm();
}

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
  for (const ChildSlot& slot : parts_->children) {
    if (slot.child && slot.child->order) report(*slot.child->order);
  }
  return reports;
}

void ProcessPool::abandon(std::uint64_t ticket) {
  for (OpenOrder& order : parts_->waiting) {
    if (order.ticket == ticket) order.abandoned = true;
  }
  for (ChildSlot& slot : parts_->children) {
    if (!slot.child || !slot.child->order || slot.child->order->ticket != ticket) continue;
    Child& child = *slot.child;
    if (std::exchange(child.order->abandoned, true) || !child.link) continue;
    const auto word = encode(ToChild(Abandon{ticket}));
    if (!send_packet(child.link.get(), *word, {}, Wait::no)) child.kill(std::nullopt);
  }
}

PoolStats ProcessPool::stats() const {
  PoolStats stats = parts_->stats;
  std::uint64_t memory = 0;
  std::uint64_t looked_at = 0;
  for (const ChildSlot& slot : parts_->children) {
    if (!slot.child) continue;
    stats.children += slot.child->able() ? 1U : 0U;
    if (slot.child->memory > 0) {
      ++looked_at;
      memory += slot.child->memory;
    }
    stats.child_memory_peak = std::max(stats.child_memory_peak, slot.child->vitals.memory_peak);
  }
  stats.measured = looked_at;
  if (looked_at > 0) stats.child_memory = memory / looked_at;
  return stats;
}

std::string ProcessPool::fault() const {
  if (parts_->zygote_ends < parts_->isolation.zygote_ends_max) return {};
  return "the process that child processes are born from ended " +
         std::to_string(parts_->zygote_ends) + " times in a row; there is no child to work";
}

}  // namespace framefleet::worker
