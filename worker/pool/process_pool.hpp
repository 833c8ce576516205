#pragma once
// A Pool of child processes, one per slot: a picture that crashes, hangs or eats memory costs its
// child and its own attempt, and nothing else. The pool ends what is over its stage's budget by
// itself, so stages() never reports one that is; a child that ended is replaced, after a pause that
// grows while children end without a good answer in between.
//
//   zygote ──bear──▶ starting ──ready──▶ idle ──order──▶ busy ──answer──▶ idle
//                        │                 │              │ budget spent, protocol broken: killed
//                        └─────────────────┴──────────────┴──▶ ended, reaped by the zygote
//
// A child that is not ready in its time is killed, and so is a zygote that bears none in its time.
//
// No thread: everything happens inside start(), take_done() and abandon(), which do not wait. No
// process is left over, whoever is killed: children end with their zygote and the zygote with the
// worker, each reaped by its parent; children of a zygote that was killed come to the worker, which
// is their subreaper (for as long as it lives).

#include "worker/pool/pool.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::worker {

struct IsolationOptions {
  /// Bytes a child may take on top of what it is born with. 50 MP in grey and BGR are 200 MB, and
  /// detectors of today take three times that.
  std::uint64_t memory_max{std::uint64_t{1536} << 20U};
  /// Detectors that are to be warm in every child.
  std::vector<std::string> detectors;
  /// An order that finds no child in this time ends: children cannot be started on this machine.
  Duration start_max{std::chrono::seconds{30}};
  /// From its start until it has borne the first child. It reads libraries and models and uses each
  /// once, which takes a second on an idle machine; one that needs longer than this hangs.
  Duration warm_up_max{std::chrono::minutes{2}};
  /// From its birth until it is ready: it enters its sandbox, which takes milliseconds.
  Duration child_start_max{std::chrono::seconds{30}};
  /// What a warm zygote gets to bear a child, or to reap one that was killed: milliseconds.
  Duration zygote_answer_max{std::chrono::seconds{30}};
  /// So many zygotes in a row that ended or were killed, with no good answer of a child and no
  /// lasting life in between, are one too many: fault().
  std::uint32_t zygote_ends_max{8};
  /// Started as the zygote: this program, which calls run_as_zygote() first in its main.
  std::string program{"/proc/self/exe"};
};

class ProcessPool final : public Pool {
 public:
  /// Starts the zygote and asks it for children, without waiting for them: orders may be started at
  /// once. Errors: the system cannot start processes.
  static Result<std::unique_ptr<ProcessPool>, Error> open(PoolOptions options,
                                                          IsolationOptions isolation);
  /// Ends the children, whatever they do.
  ~ProcessPool() override;
  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;

  std::size_t slots() const override;
  std::size_t in_use() const override;
  [[nodiscard]] bool start(WorkOrder order) override;
  std::vector<WorkDone> take_done() override;
  int notify_fd() const override;
  std::vector<StageReport> stages() const override;
  void abandon(std::uint64_t ticket) override;
  PoolStats stats() const override;
  std::string fault() const override;

 private:
  struct Parts;
  explicit ProcessPool(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace framefleet::worker
