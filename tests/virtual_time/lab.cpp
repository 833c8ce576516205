#include "tests/virtual_time/lab.hpp"

#include "tests/simulation/effects_of.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace framefleet::virtual_time {
namespace {

/// Hash of the first source; the others follow.
constexpr std::uint64_t kFirstHash = 1000;
/// So much cannot happen in one instant unless the cores go round in circles.
constexpr std::uint64_t kStepsPerInstantMax = 1'000'000;
/// Sits beside the broker; what is said to it goes nowhere.
constexpr PeerId kOperator{std::uint64_t{1} << 40U};

}  // namespace

void Lab::Shelf::put(PayloadId id, std::uint64_t size) {
  held.emplace(id, size);
  bytes += size;
  bytes_peak = std::max(bytes_peak, bytes);
}

void Lab::Shelf::release(PayloadId id) {
  const auto position = held.find(id);
  FRAMEFLEET_ASSERT(position != held.end());
  bytes -= position->second;
  held.erase(position);
}

Lab::Lab(LabOptions options) : options_(options), broker_(options.broker) {
  agenda_.at(Time{}, [this] { start_sink(); });
}

std::size_t Lab::add_worker(WorkerPlan plan) {
  const std::size_t index = workers_.size();
  agenda_.after(plan.starts_after, [this, index] { start_worker(index); });
  workers_.push_back(std::move(plan));
  worker_nodes_.push_back(nullptr);
  return index;
}

std::size_t Lab::add_source(SourcePlan plan) {
  const std::size_t index = sources_.size();
  agenda_.after(plan.starts_after, [this, index] { start_source(index); });
  sources_.push_back(std::move(plan));
  source_nodes_.push_back(nullptr);
  tasks_.emplace_back();
  return index;
}

Lab::Node& Lab::start(Core core, std::size_t index) {
  return nodes_.emplace_back(Node{std::move(core), index, {}, {}, false, {}});
}

void Lab::start_sink() {
  const Hello hello{.role = Role::sink, .name = "sink", .store = "store"};
  sink_ = &start(sink::Intake(hello, {}), 0);
}

void Lab::start_worker(std::size_t worker) {
  const auto& plan = workers_[worker];
  const Hello hello{.role = Role::worker,
                    .name = fmt::format("worker-{}", worker),
                    .detectors = plan.detectors,
                    .slots = plan.slots};
  worker_nodes_[worker] = &start(worker::Session(hello, {}), worker);
}

void Lab::start_source(std::size_t source) {
  const auto& plan = sources_[source];
  const SourceClaim claim{plan.name,          1, plan.weight, plan.pictures, plan.interval,
                          kFirstHash + source};
  const Hello hello{.role = Role::producer, .name = plan.name + "-producer", .sources = {claim}};
  producer::SubmissionOptions options;
  options.window_tasks = plan.window_tasks;
  options.confirm = plan.confirm;
  const producer::SourceOutline outline{plan.name, claim.hash, 1, plan.interval, plan.task_class};
  source_nodes_[source] =
      &start(producer::Submission(hello, {outline}, options, agenda_.now()), source);
}

// --- time
// -----------------------------------------------------------------------------------------

void Lab::run_until(Duration since_start) {
  const Time end = Time{} + since_start;
  agenda_.at(end, [] {});  // so that time does not stop short of it
  while (agenda_.now() < end) step();
}

bool Lab::run_to_end(Duration at_most) {
  while (agenda_.now() < Time{} + at_most) {
    if (is_done()) return true;
    step();
  }
  return is_done();
}

bool Lab::is_done() const {
  const bool all_left =
      std::all_of(source_nodes_.begin(), source_nodes_.end(), [](const Node* node) {
        return node != nullptr && std::get<producer::Submission>(node->core).over();
      });
  return all_left && broker_.fleet_status(agenda_.now()).in_progress.in_all() == 0;
}

/// The next thing that happens: an event of the agenda or a core's deadline, whichever is first.
void Lab::step() {
  Time next = agenda_.next();
  const bool broker_due = broker_.next_deadline() < next;
  if (broker_due) next = broker_.next_deadline();
  Node* due = nullptr;
  for (auto& node : nodes_) {
    if (node.frozen) continue;
    const Time deadline =
        std::visit([](const auto& core) { return core.next_deadline(); }, node.core);
    if (deadline >= next) continue;
    next = deadline;
    due = &node;
  }
  FRAMEFLEET_ASSERT(next != kNever);
  steps_at_this_time_ = next > agenda_.now() ? 0 : steps_at_this_time_ + 1;
  FRAMEFLEET_ASSERT(steps_at_this_time_ < kStepsPerInstantMax);
  agenda_.move_to(next);
  if (due != nullptr) {
    tick(*due);
  } else if (broker_due) {
    with_broker([this](auto& out) { broker_.tick(agenda_.now(), out); });
  } else {
    agenda_.run_next();
  }
}

void Lab::tick(Node& node) {
  std::visit(
      [&](auto& core) {
        with<std::decay_t<decltype(core)>>(
            node, [this](auto& self, auto& out) { self.tick(agenda_.now(), out); });
      },
      node.core);
}

std::vector<std::string> Lab::drain_idlest(std::uint64_t count) {
  leaving_.clear();
  Control control;
  control.verb = ControlVerb::drain_idlest;
  control.limit = count;
  with_broker([&](auto& out) {
    broker_.receive(kOperator, Hello{.role = Role::client, .name = "operator"}, agenda_.now(), out);
    broker_.receive(kOperator, control, agenda_.now(), out);
  });
  return leaving_;
}

bool Lab::worker_left(std::size_t worker) const {
  const auto* const node = worker_nodes_[worker];
  return node == nullptr || std::get<worker::Session>(node->core).over();
}

void Lab::resume_store() {
  store_stopped_ = false;
  if (auto waiting = std::exchange(stopped_commit_, nullptr)) waiting();
}

void Lab::freeze_sink() { sink_->frozen = true; }

void Lab::thaw_sink() {
  sink_->frozen = false;
  for (auto& event : std::exchange(sink_->missed, {})) event();
}

void Lab::meet(Node& node, std::function<void()> event) {
  if (node.frozen) {
    node.missed.push_back(std::move(event));
  } else {
    event();
  }
}

// --- messages
// -------------------------------------------------------------------------------------

/// The receiver holds the payloads under ids of its own.
void Lab::unpack(Message& message, Shelf& shelf) {
  for_each_payload(message, [&](Payload& payload) {
    if (!payload.id) return;
    payload.id = PayloadId{++payloads_};
    shelf.put(payload.id, payload.bytes);
  });
}

void Lab::to_broker(Node& node, Message message) {
  agenda_.after(options_.wire_delay, [this, peer = node.peer, message = std::move(message)] {
    with_broker([&](auto& out) {
      auto received = message;
      unpack(received, broker_shelf_);
      broker_.receive(peer, std::move(received), agenda_.now(), out);
    });
  });
}

void Lab::to_node(PeerId peer, Message message) {
  agenda_.after(options_.wire_delay, [this, peer, message = std::move(message)] {
    auto& node = *peers_.at(peer.value() - 1);
    if (node.peer != peer) return;  // that connection is closed
    meet(node, [this, &node, message] { arrive(node, message); });
  });
}

void Lab::arrive(Node& node, Message message) {
  unpack(message, node.shelf);
  std::visit(
      [&](auto& core) {
        with<std::decay_t<decltype(core)>>(node, [&](auto& self, auto& out) {
          self.receive(std::move(message), agenda_.now(), out);
        });
      },
      node.core);
}

template <class Act>
void Lab::with_broker(Act act) {
  broker::Effects effects;
  act(effects);
  for (auto& effect : effects) {
    if (auto* show = std::get_if<broker::Show>(&effect)) {
      leaving_ = std::move(show->names);
    } else if (const auto* closed = std::get_if<broker::LeaseClosed>(&effect)) {
      hand_outs_in_vain_ += closed->reason == Reason::none ? 0U : 1U;
    } else if (auto* send_to = std::get_if<broker::SendTo>(&effect)) {
      if (send_to->peer == kOperator) continue;
      note_broker_says(send_to->message);
      to_node(send_to->peer, std::move(send_to->message));
    } else if (const auto* release = std::get_if<ReleasePayload>(&effect)) {
      broker_shelf_.release(release->payload);
    }
  }
}

template <class C, class Act>
void Lab::with(Node& node, Act act) {
  typename simulation::EffectsOf<C>::Type effects;
  act(std::get<C>(node.core), effects);
  perform(node, effects);
}

void Lab::note_broker_says(const Message& message) {
  const auto* admitted = std::get_if<Admitted>(&message);
  if (admitted == nullptr) return;
  for (const auto& task : admitted->tasks) {
    auto& facts = facts_of(task.id);
    if (facts.admitted_at == kNever) facts.admitted_at = agenda_.now();
  }
}

TaskFacts& Lab::facts_of(const TaskId& id) {
  return tasks_.at(id.source - kFirstHash).at(id.sequence);
}

// --- what the cores ask for
// -----------------------------------------------------------------------

/// The effects that all peers have in common; true if it was one of them.
template <class Effect>
bool Lab::perform_common(Node& node, Effect& effect) {
  if (std::holds_alternative<Dial>(effect)) {
    peers_.push_back(&node);
    node.peer = PeerId{peers_.size()};
  } else if (std::holds_alternative<HangUp>(effect)) {
    node.peer = PeerId{};
  } else if (auto* send = std::get_if<Send>(&effect)) {
    to_broker(node, std::move(send->message));
  } else if (const auto* release = std::get_if<ReleasePayload>(&effect)) {
    node.shelf.release(release->payload);
  } else {
    return false;
  }
  return true;
}

void Lab::perform(Node& node, worker::Effects& effects) {
  for (auto& effect : effects) {
    if (perform_common(node, effect)) continue;
    if (const auto* start_task = std::get_if<worker::StartTask>(&effect)) {
      work(node, start_task->task);
    }
  }
  const auto& session = std::get<worker::Session>(node.core);
  ahead_peak_ = std::max(ahead_peak_, session.stats().queued);
}

void Lab::work(Node& node, const AssignedTask& task) {
  auto& facts = facts_of(task.id);
  if (facts.starts++ == 0) facts.started_at = agenda_.now();
  facts.worker = node.index;
  const Duration needed = workers_[node.index].service(task.source);
  agenda_.after(needed, [this, &node, task, needed] { finish(node, task, needed); });
}

void Lab::finish(Node& node, const AssignedTask& task, Duration needed) {
  facts_of(task.id).finished_at = agenda_.now();
  const PayloadId result{++payloads_};
  const auto bytes = workers_[node.index].result_bytes;
  node.shelf.put(result, bytes);
  with<worker::Session>(node, [&](auto& session, auto& out) {
    session.finished(task.lease, {result, 1, bytes}, needed, agenda_.now(), out);
  });
}

void Lab::perform(Node& node, producer::Effects& effects) {
  for (auto& effect : effects) {
    if (perform_common(node, effect)) continue;
    // Answers come as events of their own: a producer that reads on and on must not recurse.
    if (const auto* request = std::get_if<producer::ListSequences>(&effect)) {
      agenda_.after({}, [this, &node, request = *request] { list(node, request); });
    } else if (const auto* picture = std::get_if<producer::ReadPicture>(&effect)) {
      agenda_.after({}, [this, &node, ref = picture->ref] { read(node, ref); });
    }
  }
}

void Lab::list(Node& node, const producer::ListSequences& request) {
  const auto end = std::min(request.from + request.count, sources_[node.index].pictures);
  std::vector<std::uint64_t> sequences;
  for (auto sequence = request.from; sequence < end; ++sequence) sequences.push_back(sequence);
  with<producer::Submission>(node, [&](auto& submission, auto& out) {
    submission.listed(request.source, sequences, agenda_.now(), out);
  });
}

void Lab::read(Node& node, producer::PictureRef ref) {
  const auto& plan = sources_[node.index];
  auto& facts = tasks_[node.index];
  FRAMEFLEET_ASSERT(ref.sequence == facts.size());  // in order, and each once
  facts.emplace_back();
  facts.back().sequence = ref.sequence;
  facts.back().read_at = agenda_.now();
  SubmittedTask task;
  task.id = {kFirstHash + node.index, 1, ref.sequence, 0};
  task.source = plan.name;
  task.job = plan.job;
  task.task_class = plan.task_class;
  task.priority = plan.priority;
  task.detectors = plan.detectors;
  task.ttl = plan.ttl;
  task.payload = {PayloadId{++payloads_}, 1, plan.picture_bytes};
  node.shelf.put(task.payload.id, task.payload.bytes);
  with<producer::Submission>(node, [&](auto& submission, auto& out) {
    submission.picture(ref, std::move(task), agenda_.now(), out);
  });
}

void Lab::perform(Node& node, sink::Effects& effects) {
  for (auto& effect : effects) {
    if (perform_common(node, effect)) continue;
    if (auto* batch = std::get_if<sink::CommitBatch>(&effect)) {
      agenda_.after(options_.commit_time, [this, &node, outcomes = std::move(batch->outcomes)] {
        meet(node, [this, &node, outcomes] { commit(node, outcomes); });
      });
    } else {
      FRAMEFLEET_ASSERT(!std::holds_alternative<sink::FindStored>(effect));  // nobody asks
    }
  }
}

void Lab::commit(Node& node, std::vector<Outcome> outcomes) {
  if (store_stopped_) {
    stopped_commit_ = [this, &node, outcomes = std::move(outcomes)] { commit(node, outcomes); };
    return;
  }
  std::vector<SettledTask> settled;
  for (const auto& outcome : outcomes) {
    auto& facts = facts_of(outcome.id);
    if (facts.stored++ == 0) {  // the unique key: the first one stays
      facts.stored_at = agenda_.now();
      facts.status = outcome.status;
      facts.attempts = outcome.attempts;
    }
    settled.push_back({outcome.id, facts.status, outcome.reason, outcome.text});
  }
  with<sink::Intake>(node, [&](auto& intake, auto& out) {
    intake.committed(std::move(settled), agenda_.now(), out);
  });
}

// --- looking
// --------------------------------------------------------------------------------------

broker::SourceRow Lab::source_row(std::size_t source) const {
  for (auto& row : broker_.source_rows(agenda_.now())) {
    if (row.name == sources_[source].name) return row;
  }
  return {};
}

broker::JobRow Lab::job_row(const std::string& job) const {
  return broker_.job_row(job, agenda_.now()).value_or(broker::JobRow{});
}

producer::SubmissionStats Lab::producer_stats(std::size_t source) const {
  return std::get<producer::Submission>(source_nodes_[source]->core).stats();
}

worker::SessionStats Lab::worker_stats(std::size_t worker) const {
  return std::get<worker::Session>(worker_nodes_[worker]->core).stats();
}

std::uint64_t Lab::worker_bytes_peak(std::size_t worker) const {
  return worker_nodes_[worker]->shelf.bytes_peak;
}

std::uint64_t Lab::count(std::size_t source, Status status) const {
  const auto& tasks = tasks_[source];
  return static_cast<std::uint64_t>(std::count_if(
      tasks.begin(), tasks.end(),
      [status](const TaskFacts& facts) { return facts.stored > 0 && facts.status == status; }));
}

Duration Lab::worked(std::size_t source, Duration from, Duration to) const {
  Duration sum{};
  for (const auto& facts : tasks_[source]) {
    const bool inside = facts.finished_at != kNever && facts.finished_at >= Time{} + from &&
                        facts.finished_at < Time{} + to;
    if (inside) sum += facts.finished_at - facts.started_at;
  }
  return sum;
}

std::string Lab::ledger_errors() const {
  broker_.check_invariants();
  std::string errors;
  const auto expect_equal = [&errors](const std::string& what, std::uint64_t left,
                                      std::uint64_t right) {
    if (left != right) errors += fmt::format("{}: {} and {}\n", what, left, right);
  };
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto& name = sources_[i].name;
    const auto row = source_row(i);
    const auto& account = row.account;
    const auto stats = producer_stats(i);
    expect_equal(name + " submitted = rejected + admitted", account.submitted,
                 account.rejected + account.admitted);
    expect_equal(name + " admitted = settled + in progress", account.admitted,
                 account.settled_in_all() + row.in_progress.in_all());
    for (const auto status : {Status::ok, Status::failed, Status::expired, Status::superseded,
                              Status::cancelled, Status::lost}) {
      const auto settled = account.settled_as(status);
      const auto what = name + " " + std::string(to_string(status));
      // What is on its way to the sink or back is in progress.
      if (row.in_progress.storing == 0) {
        expect_equal(what + ", broker and store", settled, count(i, status));
        const bool was_told = sources_[i].confirm == producer::Confirm::stored;
        if (was_told && std::get<producer::Submission>(source_nodes_[i]->core).over()) {
          expect_equal(what + ", broker and producer", settled,
                       stats.settled.at(static_cast<std::size_t>(status)));
        }
      }
    }
  }
  return errors;
}

}  // namespace framefleet::virtual_time
