#pragma once
// The interface between the worker's loop, which holds sockets and leases, and whatever decodes and
// detects. The loop starts orders, waits on notify_fd(), takes what is done, and looks at the
// stages to decide whose lease it may still vouch for.
//
//   start ──▶ decode ──▶ detect (each detector) ──▶ annotate ──▶ take_done
//               └── abandon: dropped at the next arrow, still reported once by take_done ──┘
//
// A pool may have a line: orders beyond its slots, which wait in it and are begun in the order in
// which they were started, without a word to the loop. Bounded: never more orders than slots and
// line, from start() until take_done() or take_back() has returned them. All methods belong to one
// thread, the loop's; none of them waits for work to end, but the destructor does.

#include "worker/detectors/workbench.hpp"

#include "shared/base/task.hpp"
#include "shared/base/task_id.hpp"
#include "shared/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

struct PoolOptions {
  /// Tasks at once; each has its own decoder and detectors. 1 to 1024.
  std::size_t slots{1};
  /// Orders that threads may hold beyond their slots. Child processes have no line.
  std::size_t line_max{0};
  /// Longest decode (and annotation) before the picture is given up: a 50 MP progressive JPEG of
  /// 100 scans takes under a second.
  Duration decode_timeout{std::chrono::seconds{5}};
  /// Longest run of one detector. A Haar cascade over 50 MP takes about 20 s.
  Duration detect_timeout{std::chrono::seconds{60}};
  WorkbenchOptions workbench;
};

struct WorkOrder {
  std::uint64_t ticket{0};  ///< The caller's own number; unique among those in the pool.
  TaskId id;
  std::uint16_t attempt{1};
  TaskDescription task;
  std::vector<std::span<const std::byte>> frames;
  std::shared_ptr<const void> keep_alive;  ///< Owns what `frames` point to; let go when done.
};

struct WorkDone {
  std::uint64_t ticket{0};
  TaskId id;
  bool abandoned{false};  ///< abandon() was called: nobody waits for the result.
  Result<Worked, WorkError> result{Worked{}};
  Duration elapsed{};  ///< From the start of work to its end.
};

/// What one order is doing now.
struct StageReport {
  std::uint64_t ticket{0};
  Stage stage{Stage::decode};
  std::string detector;  ///< In Stage::detect.
  Duration elapsed{};    ///< In this stage.
  bool over_budget{false};
};

/// The child processes of a pool; all 0 where it has none.
struct PoolStats {
  std::uint64_t children{0};                              ///< Alive and able to work.
  std::map<std::string_view, std::uint64_t> ends;         ///< Children that ended, by cause, ever.
  std::map<std::string_view, std::uint64_t> zygote_ends;  ///< By cause (zygote_end), ever.
  std::uint64_t denied_syscalls{0};    ///< Refused to children, ever, as they say.
  std::uint64_t measured{0};           ///< Children whose memory was looked at.
  std::uint64_t child_memory{0};       ///< Bytes, mean of those; shared ones in parts.
  std::uint64_t child_memory_peak{0};  ///< Bytes of the largest that lives, as it says.
};

class Pool {
 public:
  virtual ~Pool() = default;

  virtual std::size_t slots() const = 0;
  /// Orders that may wait in it for a slot.
  virtual std::size_t line_max() const { return 0; }
  /// Orders started and not yet taken by take_done(), nor taken back.
  virtual std::size_t in_use() const = 0;
  /// False, and nothing happened, when all slots are in use and the line is full.
  [[nodiscard]] virtual bool start(WorkOrder order) = 0;
  /// What ended since the last call, in the order in which it ended.
  virtual std::vector<WorkDone> take_done() = 0;
  /// Readable while something waits for take_done(), which may turn out to be no end of an order
  /// but news that the pool itself needs to hear. Owned by the pool.
  virtual int notify_fd() const = 0;
  /// Orders being worked on, by ticket.
  virtual std::vector<StageReport> stages() const = 0;
  /// An order that waits for a slot leaves the pool, which forgets it. False, and nothing happened:
  /// work on it has begun, or it is not in the pool.
  [[nodiscard]] virtual bool take_back(std::uint64_t /*ticket*/) { return false; }
  /// The result is not wanted any more; no word for a ticket that is not in the pool.
  virtual void abandon(std::uint64_t ticket) = 0;
  virtual PoolStats stats() const { return {}; }
  /// Why no order will be worked on any more, for people; "" while there is hope. The orders that
  /// it has never end then.
  virtual std::string fault() const { return {}; }
};

}  // namespace framefleet::worker
