#pragma once
// The real cores of a whole fleet in one thread, in virtual time, over wires that lose nothing and
// take the same time for every message: the place to measure what the scheduler promises.
//
// Every producer has one source, the pool of a worker takes exactly the time it is told, the store
// commits in a fixed time unless it is stopped. What became of each picture, and when, stands in
// `tasks()`. Deterministic; an error in the use of payloads or an event that never ends is an
// assertion.

#include "broker/core/dispatcher.hpp"
#include "producer/core/submission.hpp"
#include "sink/core/intake.hpp"
#include "tests/simulation/agenda.hpp"
#include "worker/core/session.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace framefleet::virtual_time {

struct LabOptions {
  broker::CoreOptions broker;
  /// One way, of every message.
  Duration wire_delay{std::chrono::microseconds{200}};
  /// Of one batch of outcomes.
  Duration commit_time{std::chrono::milliseconds{1}};
};

/// How long a worker needs for a task of a source.
using Service = std::function<Duration(const std::string& source)>;
inline Service always(Duration needed) {
  return [needed](const std::string&) { return needed; };
}

struct WorkerPlan {
  Service service;
  std::uint32_t slots{1};
  std::vector<std::string> detectors{"edges"};
  Duration starts_after{};
  std::uint64_t result_bytes{100};
};

struct SourcePlan {
  std::string name;
  std::uint64_t pictures{0};
  Duration interval{};  ///< 0: greedy, as fast as the broker takes them.
  TaskClass task_class{TaskClass::batch};
  std::uint8_t priority{0};
  std::uint32_t weight{1};
  Duration ttl{};
  std::vector<std::string> detectors{"edges"};
  std::string job;
  Duration starts_after{};
  std::uint64_t window_tasks{64};
  producer::Confirm confirm{producer::Confirm::stored};
  std::uint64_t picture_bytes{1000};
};

/// What became of a picture, and when; kNever: not yet, or never.
struct TaskFacts {
  std::uint64_t sequence{0};
  Time read_at{kNever};      ///< Taken by the camera, or read from the folder.
  Time admitted_at{kNever};  ///< By the broker's clock.
  Time started_at{kNever};   ///< Its (first) work.
  Time finished_at{kNever};
  Time stored_at{kNever};
  std::size_t worker{0};    ///< That started it last.
  std::uint64_t starts{0};  ///< How often work on it began.
  std::uint64_t stored{0};  ///< How often the store was given it; the first time counts.
  std::uint16_t attempts{0};
  Status status{Status::ok};

  bool is_ok() const { return stored > 0 && status == Status::ok; }
  /// From the picture's taking to the start of work.
  Duration age_at_start() const { return started_at - read_at; }
};

class Lab {
 public:
  explicit Lab(LabOptions options = {});
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  /// The numbers of workers and of sources count from 0. Sources before the first run.
  std::size_t add_worker(WorkerPlan plan);
  std::size_t add_source(SourcePlan plan);

  void run_until(Duration since_start);
  /// Until every producer has left in order and nothing is in progress. False: not before that
  /// time.
  bool run_to_end(Duration at_most);
  /// The store commits nothing more, then goes on where it stopped.
  void stop_store() { store_stopped_ = true; }
  void resume_store();
  /// SIGSTOP and SIGCONT for the whole sink.
  void freeze_sink();
  void thaw_sink();

  /// An operator asks for it; the names of those that will leave.
  std::vector<std::string> drain_idlest(std::uint64_t count);
  /// In order, or not yet started.
  bool worker_left(std::size_t worker) const;

  Time now() const { return agenda_.now(); }
  Duration wire_delay() const { return options_.wire_delay; }
  const broker::Dispatcher& broker() const { return broker_; }
  broker::SourceRow source_row(std::size_t source) const;
  broker::JobRow job_row(const std::string& job) const;
  producer::SubmissionStats producer_stats(std::size_t source) const;
  worker::SessionStats worker_stats(std::size_t worker) const;
  /// Of one source by sequence, as far as they were read.
  const std::vector<TaskFacts>& tasks(std::size_t source) const { return tasks_[source]; }
  std::uint64_t count(std::size_t source, Status status) const;
  /// Time that workers spent on tasks of the source and finished in [from, to).
  Duration worked(std::size_t source, Duration from, Duration to) const;
  /// Payload bytes that the broker holds, now and at most.
  std::uint64_t broker_bytes() const { return broker_shelf_.bytes; }
  std::uint64_t broker_bytes_peak() const { return broker_shelf_.bytes_peak; }
  /// The same for the worker.
  std::uint64_t worker_bytes_peak(std::size_t worker) const;
  /// Tasks that waited in some worker for a slot, at most.
  std::uint64_t ahead_peak() const { return ahead_peak_; }

  /// Hand-outs that ended without a result.
  std::uint64_t hand_outs_in_vain() const { return hand_outs_in_vain_; }

  /// What everybody's books and the store disagree about; empty: they agree, to the unit.
  std::string ledger_errors() const;

 private:
  /// The payloads one process holds.
  struct Shelf {
    std::unordered_map<PayloadId, std::uint64_t> held;
    std::uint64_t bytes{0};
    std::uint64_t bytes_peak{0};

    void put(PayloadId id, std::uint64_t size);
    void release(PayloadId id);
  };
  using Core = std::variant<worker::Session, producer::Submission, sink::Intake>;
  struct Node {
    Core core;
    std::size_t index{0};  // among its kind
    Shelf shelf;
    PeerId peer;  // its present connection
    bool frozen{false};
    std::vector<std::function<void()>> missed;  // while frozen
  };

  void start_sink();
  void start_worker(std::size_t worker);
  void start_source(std::size_t source);
  Node& start(Core core, std::size_t index);
  bool is_done() const;

  void step();
  void tick(Node& node);
  void to_broker(Node& node, Message message);
  void to_node(PeerId peer, Message message);
  void arrive(Node& node, Message message);
  void unpack(Message& message, Shelf& shelf);
  template <class Act>
  void with_broker(Act act);
  template <class C, class Act>
  void with(Node& node, Act act);
  /// Now or, if the node is frozen, when it is thawed.
  static void meet(Node& node, std::function<void()> event);

  template <class Effect>
  bool perform_common(Node& node, Effect& effect);
  void perform(Node& node, worker::Effects& effects);
  void perform(Node& node, producer::Effects& effects);
  void perform(Node& node, sink::Effects& effects);
  void work(Node& node, const AssignedTask& task);
  void finish(Node& node, const AssignedTask& task, Duration needed);
  void list(Node& node, const producer::ListSequences& request);
  void read(Node& node, producer::PictureRef ref);
  void commit(Node& node, std::vector<Outcome> outcomes);
  void note_broker_says(const Message& message);
  TaskFacts& facts_of(const TaskId& id);

  LabOptions options_;
  simulation::Agenda agenda_{0};
  broker::Dispatcher broker_;
  Shelf broker_shelf_;
  std::deque<Node> nodes_;    // their addresses stay the same
  std::vector<Node*> peers_;  // by PeerId - 1
  std::vector<WorkerPlan> workers_;
  std::vector<Node*> worker_nodes_;  // null: not started
  std::vector<SourcePlan> sources_;
  std::vector<Node*> source_nodes_;
  std::vector<std::vector<TaskFacts>> tasks_;
  Node* sink_{nullptr};
  bool store_stopped_{false};
  std::function<void()> stopped_commit_;
  std::uint64_t payloads_{0};
  std::uint64_t ahead_peak_{0};
  std::uint64_t hand_outs_in_vain_{0};
  std::vector<std::string> leaving_;  // by the latest order of an operator
  std::uint64_t steps_at_this_time_{0};
};

}  // namespace framefleet::virtual_time
