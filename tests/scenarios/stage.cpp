#include "tests/scenarios/stage.hpp"

#include <fmt/format.h>

#include <cmath>
#include <sstream>
#include <stdexcept>

namespace framefleet::scenarios {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

Status parse_status(const std::string& text) {
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    if (to_string(static_cast<Status>(i)) == text) return static_cast<Status>(i);
  }
  throw std::runtime_error("no status: " + text);
}

Reason parse_known_reason(const std::string& text) {
  const auto reason = parse_reason(text);
  if (!reason) throw std::runtime_error("no reason: " + text);
  return *reason;
}

VersionRange parse_versions(const std::string& text) {
  const auto parts = split(text, '-');
  const auto number = [](const std::string& part) {
    return static_cast<std::uint16_t>(std::stoul(part));
  };
  return {number(parts.at(0)), number(parts.back())};
}

}  // namespace

Duration parse_duration(const std::string& text) {
  std::size_t used = 0;
  const double value = std::stod(text, &used);
  const std::string unit = text.substr(used);
  const double nanoseconds = unit == "s" ? 1e9 : unit == "ms" ? 1e6 : unit == "us" ? 1e3 : 0;
  if (nanoseconds == 0) throw std::runtime_error("no duration: " + text);
  return Duration{std::llround(value * nanoseconds)};
}

const std::string& Command::word(std::size_t index) const {
  if (index >= words.size()) throw std::runtime_error("'" + name + "' needs more words");
  return words[index];
}

std::string Command::value(const std::string& key, const std::string& otherwise) const {
  const auto position = values.find(key);
  return position == values.end() ? otherwise : position->second;
}

std::uint64_t Command::number(const std::string& key, std::uint64_t otherwise) const {
  const auto position = values.find(key);
  return position == values.end() ? otherwise : std::stoull(position->second);
}

Command parse_command(const std::string& line) {
  Command command;
  for (const auto& part : split(line, ' ')) {
    const auto equals = part.find('=');
    if (equals == std::string::npos && command.name.empty()) {
      command.name = part;
    } else if (equals == std::string::npos) {
      command.words.push_back(part);
    } else if (part.substr(0, equals) == "t" && command.name.empty()) {
      command.at = parse_duration(part.substr(equals + 1));
    } else {
      command.values[part.substr(0, equals)] = part.substr(equals + 1);
    }
  }
  if (command.name.empty()) throw std::runtime_error("no command: " + line);
  return command;
}

std::string Stage::perform(const Command& command) {
  if (command.at >= Duration::zero()) now_ = std::max(now_, Time{} + command.at + late_);
  if (command.name == "show") return show(command.word(0));
  if (command.name == "deadline") {
    const Time next = broker_.next_deadline();
    if (next == kNever) return "never\n";
    return fmt::format("in {}s\n", seconds(next - now_));
  }
  const auto before = numbers();
  effects_.clear();
  act(command);
  check();
  return describe_all(before);
}

std::string Stage::disconnect(const std::string& name) {
  const auto before = numbers();
  effects_.clear();
  broker_.peer_gone(peer(name), now_, effects_);
  check();
  return describe_all(before);
}

std::string Stage::wait(Duration time) {
  const auto before = numbers();
  effects_.clear();
  late_ += time;
  now_ += time;
  broker_.tick(now_, effects_);
  check();
  return describe_all(before);
}

void Stage::act(const Command& command) {
  const auto& name = command.name;
  if (name == "options") {
    set_options(command);
  } else if (name == "identities") {
    set_identities(command);
  } else if (name == "tick") {
    broker_.tick(now_, effects_);
  } else if (name == "drain" && command.words.empty()) {
    broker_.drain(effects_);
  } else if (name == "written") {
    broker_.written(disk_.commit(disk_.waiting()), now_, effects_);
  } else if (name == "journal_full") {
    broker_.journal_full(command.word(0) == "yes");
  } else if (name == "restart") {
    restart(command);
  } else if (name == "gone") {
    broker_.peer_gone(peer(command.word(0)), now_, effects_);
  } else if (name == "malformed") {
    broker_.turn_away(peer(command.word(0)), Reason::malformed, "cannot be read", now_, effects_);
  } else if (name == "hello") {
    broker_.receive(peer(command.word(1)), hello(command), now_, effects_);
  } else if (name == "sources") {
    Sources sources{command.number("number", 1), {}};
    for (const auto& claim : split(command.value("sources", ""), ',')) {
      sources.sources.push_back(this->claim(claim));
    }
    receive(command, std::move(sources));
  } else if (name == "submit") {
    receive(command, submit(command));
  } else if (name == "drain") {
    receive(command, Drain{});
  } else if (name == "goodbye") {
    receive(command, Goodbye{});
  } else if (name == "heartbeat") {
    Heartbeat heartbeat{1, {}, command.value("not_ready", "")};
    for (const auto& id : split(command.value("leases", ""), ',')) {
      heartbeat.leases.push_back(lease(id));
    }
    receive(command, heartbeat);
  } else if (name == "result") {
    const auto id = task(command.word(1));
    receive(command,
            Results{{{id, lease(command.value("lease", "")), command.value("token", "ours"),
                      parse_duration(command.value("elapsed", "10ms")),
                      payload("result", text(id), command.number("bytes", 100))}}});
  } else if (name == "nack") {
    receive(command, Nack{task(command.word(1)), lease(command.value("lease", "")),
                          parse_known_reason(command.value("reason", "detector_error")),
                          command.value("text", "")});
  } else if (name == "release") {
    receive(command, release(command));
  } else if (name == "stored") {
    receive(command, stored(command));
  } else if (name == "ask") {
    receive(command, Ask{0, tasks(command.words, 1)});
  } else if (name == "known") {
    receive(command, known(command));
  } else if (name == "control") {
    receive(command, control(command));
  } else if (name == "report") {
    receive(command, report(command));
  } else {
    throw std::runtime_error("no command: " + name);
  }
}

void Stage::receive(const Command& command, Message message) {
  broker_.receive(peer(command.word(0)), std::move(message), now_, effects_);
}

void Stage::set_options(const Command& command) {
  broker::CoreOptions options;
  const std::map<std::string, std::uint64_t*> counts{
      {"backlog_tasks_max", &options.backlog_tasks_max},
      {"backlog_bytes_max", &options.backlog_bytes_max},
      {"source_tasks_max", &options.source_tasks_max},
      {"source_bytes_max", &options.source_bytes_max},
      {"producer_tasks_max", &options.producer_tasks_max},
      {"producer_bytes_max", &options.producer_bytes_max},
      {"unstored_bytes_max", &options.unstored_bytes_max},
      {"unstored_tasks_max", &options.unstored_tasks_max},
      {"payload_bytes_max", &options.payload_bytes_max},
      {"sink_window", &options.sink_window},
      {"accounts_max", &options.accounts_max},
      {"settled_memory", &options.settled_memory}};
  const std::map<std::string, std::uint16_t*> attempts{
      {"failed_attempts_max", &options.failed_attempts_max},
      {"lost_attempts_max", &options.lost_attempts_max},
      {"suspect_losses", &options.suspect_losses}};
  const std::map<std::string, Duration*> durations{
      {"peer_timeout", &options.peer_timeout}, {"lease_duration", &options.lease_duration},
      {"dying_window", &options.dying_window}, {"ahead_time", &options.ahead_time},
      {"recall_delay", &options.recall_delay}, {"unroutable_timeout", &options.unroutable_timeout},
      {"live_ttl", &options.live_ttl}};
  for (const auto& [key, value] : command.values) {
    if (const auto count = counts.find(key); count != counts.end()) {
      *count->second = std::stoull(value);
    } else if (const auto number = attempts.find(key); number != attempts.end()) {
      *number->second = static_cast<std::uint16_t>(std::stoul(value));
    } else if (key == "journal") {
      options.journal = value == "yes";
    } else if (key == "ahead_tasks_max") {
      options.ahead_tasks_max = static_cast<std::uint32_t>(std::stoul(value));
    } else if (key == "lower_priority_share") {
      options.lower_priority_share = std::stod(value);
    } else {
      *durations.at(key) = parse_duration(value);
    }
  }
  options_ = options;
  broker_ = broker::Dispatcher(options_);
}

/// The allow-list: these alone, all with the same limits.
void Stage::set_identities(const Command& command) {
  broker::QuotaLimits limits;
  limits.tasks_per_second = std::stod(command.value("tasks_per_second", "0"));
  limits.bytes_per_second = command.number("bytes_per_second", 0);
  limits.unsettled_max = command.number("unsettled_max", 0);
  limits.backlog_share = std::stod(command.value("backlog_share", "1"));
  identities_.clear();
  for (const auto& identity : command.words) identities_[identity] = limits;
  broker_.set_identities(identities_);
}

/// Another broker begins with what is on the disk; nobody is connected.
void Stage::restart(const Command& command) {
  ++options_.incarnation;
  broker_ = broker::Dispatcher(options_);
  broker_.set_identities(identities_);
  payloads_.clear();
  std::set<TaskId> damaged;
  for (const auto& text : split(command.value("damaged", ""), ',')) damaged.insert(task(text));
  const auto put = [this](const Shelved& shelved) {
    return payload(shelved.what, "an earlier life", shelved.bytes);
  };
  disk_.restore(broker_, now_, put, damaged, effects_);
}

void Stage::keep_books(const broker::Effect& effect) {
  const auto* release = std::get_if<ReleasePayload>(&effect);
  if (release != nullptr && payloads_.erase(release->payload) == 0) {
    complaint_ = "released twice: payload " + std::to_string(release->payload.value());
  }
}

/// What the broker counts is what is held, and the same for every task; texts come on top of that:
/// digests, and what is remembered of attempts, a kilobyte for a task of a scenario at most.
void Stage::check() {
  if (options_.journal) {
    disk_.take(effects_, broker_, now_, [this](const Payload& payload) {
      return payload.id ? payloads_.at(payload.id) : Shelved{};
    });
  }
  for (const auto& effect : effects_) keep_books(effect);
  broker_.check_invariants();
  std::uint64_t bytes = 0;
  for (const auto& [id, shelved] : payloads_) bytes += shelved.bytes;
  const auto fleet = broker_.fleet_status(now_);
  const auto counted = fleet.backlog_bytes + fleet.unstored_bytes;
  const auto& tasks = fleet.in_progress;
  const auto held = bytes + tasks.backlog() * broker::Task::kTables +
                    tasks.storing * broker::StoringTable::kTables;
  if (counted < held || counted > held + digest_bytes_ + tasks.in_all() * 1024) {
    complaint_ = fmt::format("{} bytes are held and {} are counted", held, counted);
  }
}

Stage::Numbers Stage::numbers() const {
  const auto s = broker_.stats(now_);
  const auto& f = s.fleet;
  Numbers numbers{{"ready", f.in_progress.ready},
                  {"delayed", f.in_progress.delayed},
                  {"leased", f.in_progress.leased},
                  {"storing", f.in_progress.storing},
                  {"unaccounted", f.unaccounted},
                  {"suspects", f.suspects},
                  {"backlog_bytes", f.backlog_bytes},
                  {"unstored_bytes", f.unstored_bytes},
                  {"workers", f.workers},
                  {"free_slots", f.free_slots},
                  {"producers", f.producers},
                  {"sink", f.sink_connected ? 1U : 0U},
                  {"paused", f.paused ? 1U : 0U},
                  {"draining", f.draining ? 1U : 0U},
                  {"recalled", s.recalled},
                  {"stale_results", s.stale_results},
                  {"results_from_before", s.results_from_before},
                  {"duplicate_submits", s.duplicate_submits},
                  {"busy_answers", s.busy_answers},
                  {"foreign_ids", s.foreign_ids},
                  {"submitted", f.total.submitted},
                  {"rejected", f.total.rejected},
                  {"admitted", f.total.admitted}};
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    numbers.emplace_back(to_string(static_cast<Status>(i)), f.total.settled.at(i));
  }
  return numbers;
}

PeerId Stage::peer(const std::string& name) {
  return peers_.try_emplace(name, PeerId{peers_.size() + 1}).first->second;
}

std::uint64_t Stage::hash_of(const std::string& source) {
  return sources_.try_emplace(source, sources_.size() + 1).first->second;
}

TaskId Stage::task(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) throw std::runtime_error("no task: " + text);
  const auto at = std::min(text.find('@'), slash);
  const std::string source = text.substr(0, at);
  const auto hash = hash_of(source);
  const auto epoch = at == slash ? 1UL : std::stoul(text.substr(at + 1, slash - at - 1));
  return {hash, static_cast<std::uint32_t>(epoch), std::stoull(text.substr(slash + 1)), 0};
}

LeaseId Stage::lease(const std::string& text) const {
  const auto parts = split(text, '.');
  if (parts.empty()) throw std::runtime_error("a lease is missing");
  if (parts.size() == 1) return {1, std::stoull(parts[0])};
  return {static_cast<std::uint32_t>(std::stoul(parts[0])), std::stoull(parts[1])};
}

std::vector<TaskId> Stage::tasks(const std::vector<std::string>& words, std::size_t from) {
  std::vector<TaskId> ids;
  for (std::size_t i = from; i < words.size(); ++i) ids.push_back(task(words[i]));
  return ids;
}

Payload Stage::payload(const std::string& what, const std::string& of, std::uint64_t bytes) {
  if (bytes == 0) return {};
  const PayloadId payload{payload_names_.size() + 1};
  payload_names_[payload] = what + " of " + of;
  payloads_[payload] = {what, bytes};
  return {payload, 1, bytes};
}

Hello Stage::hello(const Command& command) {
  Hello hello;
  const auto& role = command.word(0);
  hello.role = role == "worker"     ? Role::worker
               : role == "producer" ? Role::producer
               : role == "sink"     ? Role::sink
                                    : Role::client;
  hello.name = command.value("name", command.word(1));
  hello.wire = parse_versions(command.value("wire", "1"));
  hello.task = parse_versions(command.value("task", "1"));
  hello.detectors = split(command.value("detectors", "faces"), ',');
  hello.slots = static_cast<std::uint32_t>(command.number("slots", 1));
  hello.not_ready = command.value("not_ready", "");
  hello.store = command.value("store", "A");
  hello.identity = command.value("key", "");
  hello.new_store = command.value("new_store", "no") == "yes";
  for (const auto& claim : split(command.value("sources", ""), ',')) {
    hello.sources.push_back(this->claim(claim));
  }
  return hello;
}

/// "cam", "cam@2" (epoch), "cam@2*3" (and weight), "cam#10" (pictures in all), "cam!stalled" (a
/// camera, for one second).
SourceClaim Stage::claim(const std::string& text) {
  SourceClaim claim;
  const auto number_after = [&text](char sign, std::uint64_t otherwise) {
    const auto position = text.find(sign);
    return position == std::string::npos ? otherwise : std::stoull(text.substr(position + 1));
  };
  claim.name = text.substr(0, text.find_first_of("@*#!"));
  if (const auto mark = text.find('!'); mark != std::string::npos) {
    claim.state = text.substr(mark + 1);
    claim.state_for = std::chrono::seconds{1};
    claim.state_text = "so_it_is";
  }
  claim.epoch = static_cast<std::uint32_t>(number_after('@', 1));
  claim.weight = static_cast<std::uint32_t>(number_after('*', 0));
  claim.expected = number_after('#', 0);
  claim.hash = hash_of(claim.name);
  return claim;
}

Submit Stage::submit(const Command& command) {
  Submit submit;
  for (const auto& id : tasks(command.words, 1)) {
    SubmittedTask task;
    task.id = id;
    for (const auto& [name, hash] : sources_) {
      if (hash == id.source) task.source = name;
    }
    task.job = command.value("job", "");
    task.task_class =
        command.value("class", "batch") == "live" ? TaskClass::live : TaskClass::batch;
    task.ttl = parse_duration(command.value("ttl", "0s"));
    task.priority = static_cast<std::uint8_t>(command.number("priority", 0));
    task.detectors = split(command.value("detectors", "faces"), ',');
    task.digest = command.value("digest", "");
    digest_bytes_ += task.digest.size();
    if (const auto revived = command.value("revived_from", ""); !revived.empty()) {
      task.revived_from = this->task(revived);
    }
    task.gone = command.value("gone", "") == "yes";
    if (!task.gone) task.payload = payload("picture", text(id), command.number("bytes", 1000));
    submit.tasks.push_back(std::move(task));
  }
  return submit;
}

/// Words "cam/0:3": task and lease.
Release Stage::release(const Command& command) {
  Release release;
  for (std::size_t i = 1; i < command.words.size(); ++i) {
    const auto parts = split(command.words[i], ':');
    release.tasks.push_back({task(parts.at(0)), lease(parts.at(1))});
  }
  return release;
}

Stored Stage::stored(const Command& command) {
  Stored stored;
  for (const auto& id : tasks(command.words, 1)) {
    stored.tasks.push_back({id, parse_status(command.value("status", "ok")),
                            parse_known_reason(command.value("reason", "none")),
                            command.value("text", "")});
  }
  return stored;
}

Known Stage::known(const Command& command) {
  Known known;
  known.asker = command.number("asker", 1);
  for (const auto& word : split(command.value("stored", ""), ',')) {
    known.stored.push_back({task(word), Status::ok, Reason::none, ""});
  }
  known.unknown = tasks(split(command.value("unknown", ""), ','), 0);
  return known;
}

Control Stage::control(const Command& command) {
  Control control;
  control.asker = command.number("asker", 1);
  for (std::size_t i = 0; i < kControlVerbCount; ++i) {
    const auto verb = static_cast<ControlVerb>(i);
    if (to_string(verb) == command.word(1)) control.verb = verb;
  }
  if (to_string(control.verb) != command.word(1)) {
    throw std::runtime_error("no verb: " + command.word(1));
  }
  control.name = command.value("name", "");
  control.tasks = tasks(command.words, 2);
  control.limit = command.number("limit", 0);
  control.names = split(command.value("names", ""), ',');
  return control;
}

Report Stage::report(const Command& command) {
  Report report;
  report.asker = command.number("asker", 1);
  report.reason = parse_known_reason(command.value("reason", "none"));
  report.text = command.value("text", "");
  const auto bytes = command.number("bytes", 0);
  if (bytes > 0) report.payload = payload("document", "report", bytes);
  return report;
}

}  // namespace framefleet::scenarios
