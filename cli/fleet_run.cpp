#include "cli/fleet_run.hpp"

#include "cli/log_excerpt.hpp"
#include "sink/stores/report.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace framefleet::cli {
namespace fs = std::filesystem;
namespace {

using telemetry::monotonic_now;

constexpr std::size_t kEventBytesMax = std::size_t{64} * 1024;
constexpr std::size_t kExcerptLinesMax = 8;
constexpr Duration kCheckTimeout = std::chrono::seconds(60);  // Loading every model takes a while.
constexpr const char* kCheckName = "detectors";

/// Milliseconds for poll() until `deadline`: -1 waits for ever, and never longer than a minute at
/// once.
int poll_timeout(Time deadline, Time now) {
  constexpr Duration kLongest = std::chrono::minutes(1);
  if (deadline == kNever) return -1;
  if (deadline <= now) return 0;
  return static_cast<int>(ceil_ms(std::min(deadline - now, kLongest)));
}

/// What a sink has written there for people: database, lines, and folders of pictures.
std::vector<std::string> results_in(const fs::path& out) {
  std::error_code error;
  std::vector<std::string> results;
  for (fs::directory_iterator entry(out, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error) && !entry->path().filename().string().starts_with('.')) {
      results.push_back(entry->path().string());
    }
  }
  std::sort(results.begin(), results.end());
  for (const char* name : {"results.ndjson", "results.sqlite"}) {
    if (fs::exists(out / name, error)) results.insert(results.begin(), (out / name).string());
  }
  return results;
}

SupervisorOptions supervisor_options(const RunOptions& options) {
  SupervisorOptions out;
  out.workers = options.workers;
  if (!options.autoscale.empty()) {
    out.workers = parse_worker_range(options.autoscale)->min;
    out.scales = true;
  }
  out.drain_timeout = options.drain_timeout;
  return out;
}

}  // namespace

FleetRun::FleetRun(const RunOptions& options, fs::path programs, std::string command,
                   const telemetry::Signals& signals)
    : options_(options),
      programs_(std::move(programs)),
      signals_(signals),
      display_(choose_display_mode(options.quiet, options.json)),
      supervisor_(supervisor_options(options)),
      lines_(kEventBytesMax) {
  report_.continue_command = std::move(command);
  report_.has_journal = !options.journal.empty();
}

int FleetRun::run() {
  const auto ready = prepare();
  if (!ready) {
    report_.verdict.exit_code = ready.error().exit_code;
    report_.verdict.cause = ready.error().text;
    display_.error(ready.error().text);
    return ready.error().exit_code;
  }
  supervise();
  close_books();
  return conclude();
}

// --- before the fleet
// -----------------------------------------------------------------------------

Result<void, Error> FleetRun::prepare() {
  auto out = RunFolder::open(
      options_.out, options_.keep_logs ? RunFolder::OldLogs::keep : RunFolder::OldLogs::remove);
  if (!out) return fail(std::move(out.error()));
  out_.emplace(*std::move(out));
  report_.logs = out_->logs().string();
  auto endpoints = make_endpoints();
  if (!endpoints) return fail(std::move(endpoints.error()));
  out_->publish_endpoint(endpoints->operators);
  if (!options_.autoscale.empty()) {
    const AutoscalerOptions autoscaler{.range = *parse_worker_range(options_.autoscale)};
    scaler_.emplace(ScalerOptions{autoscaler, endpoints->operators, {}});
  }
  commands_.emplace(programs_, *std::move(endpoints), options_, out_->state());
  return check_detectors();
}

Result<FleetEndpoints, Error> FleetRun::make_endpoints() {
  auto folder = PrivateFolder::create();
  if (!folder) return fail(std::move(folder.error()));
  socket_folder_.emplace(*std::move(folder));
  out_->remember(socket_folder_->path());
  const std::string ipc = "ipc://" + (socket_folder_->path() / kSocketName).string();
  if (options_.transport == FleetTransport::ipc) return FleetEndpoints{ipc, ipc};
  auto port = LoopbackPort::reserve();
  if (!port) return fail(std::move(port.error()));
  port_.emplace(*std::move(port));
  return FleetEndpoints{fmt::format("tcp://127.0.0.1:{}", port_->number()), ipc};
}

Result<void, Error> FleetRun::check_detectors() {
  const fs::path log = out_->log_of(kCheckName);
  const std::uint64_t offset = size_of(log);
  auto check = ChildProcess::spawn(commands_->check_detectors(), {.log = log});
  if (!check) return fail(std::move(check.error()));
  const Time deadline = monotonic_now() + kCheckTimeout;
  while (true) {
    std::array waits{pollfd{.fd = check->end_fd(), .events = POLLIN, .revents = 0},
                     pollfd{.fd = signals_.fd(), .events = POLLIN, .revents = 0}};
    ::poll(waits.data(), waits.size(), poll_timeout(deadline, monotonic_now()));
    if (waits[1].revents != 0 && signals_.next()) {
      return fail(Error{.text = "interrupted before anything was begun",
                        .exit_code = exit_code::kSomeFailed});
    }
    if (const auto status = check->reap()) {
      if (*status == ExitStatus{}) return {};
      const std::string said = log_excerpt(tail(log, offset), kExcerptLinesMax);
      const int code = status->signal == 0 ? status->code : exit_code::kInternal;
      // What the caller can mend it says itself.
      if (code == exit_code::kUsage || code == exit_code::kNoInput || code == exit_code::kConfig) {
        return fail(Error{.text = said, .exit_code = code});
      }
      return fail(
          Error{.text = fmt::format("{}\nthe check of the detectors ended with {}; its log: {}",
                                    said, to_string(*status), log.string()),
                .exit_code = code});
    }
    if (monotonic_now() >= deadline) {
      return fail(
          Error{.text = "the check of the detectors took over a minute; its log: " + log.string()});
    }
  }
}

// --- the loop
// -------------------------------------------------------------------------------------

void FleetRun::supervise() {
  supervisor_.begin(monotonic_now(), effects_);
  while (!supervisor_.ended()) {
    const Time now = monotonic_now();
    supervisor_.tick(now, effects_);
    if (scaler_) {
      scaler_->turn(supervisor_, now, effects_);
      display_.workers(supervisor_.workers());
    }
    perform();
    display_.tick(now);
    if (supervisor_.ended()) break;
    wait();
  }
}

void FleetRun::perform() {
  // start() may append: a child that cannot be started ends the run.
  for (std::size_t at = 0; at < effects_.size(); ++at) {
    const SupervisorEffect effect = effects_[at];
    if (const auto* begin = std::get_if<Start>(&effect)) start(begin->child);
    if (const auto* ask = std::get_if<Terminate>(&effect)) children_.signal(ask->child, SIGTERM);
    if (const auto* end = std::get_if<Kill>(&effect)) children_.signal(end->child, SIGKILL);
    if (const auto* again = std::get_if<RestartPlanned>(&effect)) display_.restart(*again);
    if (const auto* scaled = std::get_if<Scaled>(&effect)) display_.scaled(*scaled);
    if (const auto* blind = std::get_if<NotScaling>(&effect)) display_.not_scaling(*blind);
  }
  effects_.clear();
}

void FleetRun::start(const ChildName& name) {
  const Time now = monotonic_now();
  Streams streams{.log = out_->log_of(to_string(name))};
  FileDescriptor progress_write_end;
  if (name.kind == ChildKind::producer) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      supervisor_.abort(exit_code::kInternal, "cannot make a pipe", now, effects_);
    } else {
      progress_ = FileDescriptor(ends[0]);
      progress_write_end = FileDescriptor(ends[1]);
      ::fcntl(progress_.get(), F_SETFL, O_NONBLOCK);
    }
    streams.keep_stdin = true;  // Sources may be a list on stdin.
    streams.progress_fd = progress_write_end.get();
  }
  log_offsets_[to_string(name)] = size_of(streams.log);
  const auto started = children_.start(name, commands_->of(name), streams);
  if (!started) supervisor_.not_started(name, started.error(), now, effects_);
}

void FleetRun::wait() {
  std::vector<int> fds{signals_.fd()};
  if (progress_) fds.push_back(progress_.get());
  children_.add_ends(fds);
  const Time deadline = std::min(supervisor_.next_deadline(), display_.next_deadline());
  if (scaler_) {
    scaler_->wait(fds, deadline);
  } else {
    wait_for(fds, deadline);
  }
  take_signals();
  take_progress();
  reap_children();
}

void FleetRun::take_signals() {
  using Wish = telemetry::StopRequest::Wish;
  while (const auto number = signals_.next()) {
    const Wish before = stop_.wish();
    const Wish wish = stop_.hear(*number == SIGHUP ? SIGTERM : *number);  // The terminal has gone.
    if (wish == before) continue;
    const bool was_draining = supervisor_.draining();
    supervisor_.interrupt(monotonic_now(), effects_);
    if (supervisor_.draining() && !was_draining) display_.draining(options_.drain_timeout);
    if (wish == Wish::now) display_.note("stopping now");
  }
}

void FleetRun::take_progress() {
  constexpr int kReadsMax = 16;
  std::array<char, kEventBytesMax> bytes;
  for (int reads = 0; reads < kReadsMax && progress_; ++reads) {
    const ssize_t got = ::read(progress_.get(), bytes.data(), bytes.size());
    if (got < 0) return;  // Nothing more for now.
    if (got == 0) {
      progress_.close();
      return;
    }
    const std::string_view text(bytes.data(), static_cast<std::size_t>(got));
    for (const std::string& line : lines_.feed(text)) take_line(line);
  }
}

void FleetRun::take_line(const std::string& line) {
  const Time now = monotonic_now();
  const auto event = parse_producer_event(line);
  if (!event) {
    if (bad_lines_++ == 0) {
      display_.error("the producer reported something this program does not understand (" +
                     event.error() + "); are both of one version?");
    }
    return;
  }
  display_.event(line, *event, now);
  if (const auto* plan = std::get_if<PlanEvent>(&*event)) take_plan(*plan);
  if (const auto* progress = std::get_if<ProgressEvent>(&*event)) {
    report_.last_counters = progress->counters;
    supervisor_.progressed(progress->counters.settled());
  }
  if (const auto* end = std::get_if<EndEvent>(&*event)) report_.end = *end;
}

void FleetRun::take_plan(const PlanEvent& plan) {
  if (planned_at_ != Time{}) return;
  planned_at_ = monotonic_now();
  report_.job = plan.job;
  report_.skipped = plan.skipped;
  report_.last_counters.pictures = plan.pictures;
  const fs::path database = out_->path() / "results.sqlite";
  std::error_code error;
  if (!fs::exists(database, error)) {
    report_.stored_at_start = 0;
  } else if (const auto stored = sink::stored_count(database, plan.job)) {
    report_.stored_at_start = *stored;
  }
  supervisor_.planned(planned_at_, effects_);
}

void FleetRun::reap_children() {
  const Time now = monotonic_now();
  for (const auto& [name, status] : children_.reap()) {
    if (name.kind == ChildKind::producer) take_progress();  // Its last words.
    supervisor_.exited(name, status, now, effects_);
  }
}

// --- the end
// --------------------------------------------------------------------------------------

std::string FleetRun::excerpt_of(const ChildName& name) const {
  const auto at = log_offsets_.find(to_string(name));
  const std::uint64_t offset = at == log_offsets_.end() ? 0 : at->second;
  return log_excerpt(tail(out_->log_of(to_string(name)), offset), kExcerptLinesMax);
}

void FleetRun::close_books() {
  report_.verdict = supervisor_.verdict();
  report_.restarts = supervisor_.restarts();
  if (report_.verdict.culprit) report_.message = excerpt_of(*report_.verdict.culprit);
  if (planned_at_ == Time{}) return;
  report_.wall = monotonic_now() - planned_at_;
  const fs::path database = out_->path() / "results.sqlite";
  auto store = sink::read_report(database, report_.job);
  if (store) {
    report_.store = *std::move(store);
  } else {
    report_.store_error = store.error().text;
  }
  report_.results = results_in(out_->path());
}

int FleetRun::conclude() {
  const Verdict& verdict = report_.verdict;
  const bool began = planned_at_ != Time{};
  if (!began && !report_.message.empty()) {
    display_.error(report_.message);  // A plan that failed needs no more words than its own.
  } else if (!verdict.cause.empty()) {
    std::string text = report_.message.empty() ? std::string{} : report_.message + "\n";
    text += "framefleet run: " + verdict.cause;
    if (verdict.culprit) text += "; its log: " + out_->log_of(to_string(*verdict.culprit)).string();
    display_.error(text);
  }
  return exit_code_of(report_);
}

void FleetRun::report() {
  const bool began = planned_at_ != Time{};
  display_.report(began ? render_text(report_) : std::string{}, render_json(report_));
}

}  // namespace framefleet::cli
