#include "tests/fuzz/made_messages.hpp"

#include "shared/security/digest.hpp"
#include "shared/wire/limits.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <utility>

namespace framefleet::test {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 5> kSources{"a", "b", "cam/1", "other", "\xC3\xA9t\xC3\xA9"};
constexpr std::array<std::string_view, 4> kNames{"x", "y", "z", "other"};
constexpr std::array<std::string_view, 4> kDetectors{"edges", "faces", "markers", "stub"};
constexpr std::array<Duration, 8> kDurations{0ms, 1ms, 100ms, 1s, 5s, 61s, 1h, wire::kDurationMax};
constexpr std::array<std::uint64_t, 8> kNumbers{0,   1,      2,         7,
                                                255, 65'536, 1'000'000, wire::kCountMax};
constexpr std::array<std::uint64_t, 6> kFrameBytes{1, 0, 100, 8192, 1'000'000, 70'000'000};

std::string source_name(Recipe& recipe) { return std::string(recipe.one_of(kSources)); }

/// 0 to 3 of what `make` makes.
template <class Make>
auto some(Recipe& recipe, Make make) {
  std::vector<decltype(make())> all(recipe.pick(4));
  for (auto& each : all) each = make();
  return all;
}

std::uint64_t hash_of(std::string_view source) {
  static const auto kHashes = [] {
    std::array<std::uint64_t, kSources.size()> hashes{};
    for (std::size_t i = 0; i < kSources.size(); ++i)
      hashes[i] = security::source_hash(kSources[i]);
    return hashes;
  }();
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    if (kSources[i] == source) return kHashes[i];
  }
  return 0;
}

LeaseId made_lease(Recipe& recipe) {
  const auto of = static_cast<std::uint32_t>(recipe.pick(8));
  const std::uint32_t incarnation = kMadeIncarnation + (of == 6 ? 1U : 0U) - (of == 7 ? 1U : 0U);
  return {incarnation, recipe.byte()};
}

Reason made_reason(Recipe& recipe) { return reason_table()[recipe.pick(kReasonCount)].reason; }

Status made_status(Recipe& recipe) { return static_cast<Status>(recipe.pick(kStatusCount)); }

std::vector<std::string> made_detectors(Recipe& recipe) {
  std::vector<std::string> names;
  const auto which = recipe.byte();
  for (std::size_t i = 0; i < kDetectors.size(); ++i) {
    if ((which >> i & 1U) != 0) names.emplace_back(kDetectors[i]);
  }
  return names;
}

VersionRange made_versions(Recipe& recipe) {
  if (!recipe.one_in(16)) return {1, 1};
  const auto min = static_cast<std::uint16_t>(1 + recipe.pick(3));
  return {min, static_cast<std::uint16_t>(min + recipe.pick(3))};
}

SourceClaim made_claim(Recipe& recipe) {
  SourceClaim claim;
  claim.name = source_name(recipe);
  claim.epoch = static_cast<std::uint32_t>(recipe.pick(4));
  claim.weight = static_cast<std::uint32_t>(recipe.pick(wire::kWeightMax + 1));
  claim.expected = recipe.one_of(kNumbers);
  claim.interval = recipe.one_of(kDurations);
  if (recipe.one_in(4)) claim.state = "stalled";
  return claim;
}

SettledTask made_settled(Recipe& recipe) {
  return {made_task_id(recipe), made_status(recipe), made_reason(recipe), {}};
}

LeasedTask made_leased(Recipe& recipe) { return {made_task_id(recipe), made_lease(recipe)}; }

Payload made_frames(Recipe& recipe, std::size_t most) {
  return {{}, static_cast<std::uint8_t>(recipe.pick(most + 1)), 0};
}

SubmittedTask made_submitted(Recipe& recipe) {
  SubmittedTask task;
  task.source = source_name(recipe);
  task.id = made_task_id(recipe);
  task.id.source = hash_of(task.source);
  if (recipe.one_in(3)) task.job = made_name(recipe);
  task.task_class = recipe.one_in(3) ? TaskClass::live : TaskClass::batch;
  task.priority = static_cast<std::uint8_t>(recipe.pick(wire::kPriorityMax + 1));
  task.detectors = made_detectors(recipe);
  if (task.detectors.empty()) task.detectors.emplace_back(kDetectors[0]);
  task.ttl = recipe.one_of(kDurations);
  task.digest = std::string(recipe.pick(3), 'd');
  task.task = "description";
  if (recipe.one_in(8)) task.revived_from = made_task_id(recipe);
  task.gone = recipe.one_in(8);
  if (!task.gone) task.payload = made_frames(recipe, 3);
  return task;
}

Hello made_hello(Recipe& recipe) {
  Hello hello;
  hello.role = static_cast<Role>(recipe.pick(4));
  hello.name = made_name(recipe);
  hello.build = "1";
  hello.wire = made_versions(recipe);
  hello.task = made_versions(recipe);
  hello.detectors = made_detectors(recipe);
  hello.slots = static_cast<std::uint32_t>(recipe.pick(5));
  if (recipe.one_in(8)) hello.not_ready = "self-test";
  hello.sources = some(recipe, [&] { return made_claim(recipe); });
  hello.store = recipe.one_in(8) ? "store-2" : "store-1";
  hello.new_store = recipe.one_in(8);
  return hello;
}

AssignedTask made_assigned(Recipe& recipe) {
  AssignedTask task;
  task.id = made_task_id(recipe);
  task.lease = made_lease(recipe);
  task.attempt = static_cast<std::uint16_t>(1 + recipe.pick(20));
  task.lease_duration = recipe.one_of(kDurations);
  task.ttl_left = recipe.one_of(kDurations);
  task.token = std::string(recipe.pick(wire::kTokenBytesMax + 1), 't');
  task.source = source_name(recipe);
  task.task = "description";
  task.payload = made_frames(recipe, 3);
  return task;
}

Outcome made_outcome(Recipe& recipe) {
  Outcome outcome;
  outcome.id = made_task_id(recipe);
  outcome.source = source_name(recipe);
  outcome.job = made_name(recipe);
  outcome.status = made_status(recipe);
  outcome.reason = made_reason(recipe);
  outcome.attempts = recipe.byte();
  outcome.history = some(recipe, [&] {
    return AttemptRecord{recipe.byte(), made_name(recipe), made_reason(recipe), "text"};
  });
  outcome.queued = recipe.one_of(kDurations);
  outcome.payload = made_frames(recipe, 3);
  return outcome;
}

Control made_control(Recipe& recipe) {
  Control control;
  control.asker = recipe.one_of(kNumbers);
  control.verb = static_cast<ControlVerb>(recipe.pick(kControlVerbCount));
  if (recipe.one_in(2)) control.name = recipe.one_in(2) ? source_name(recipe) : made_name(recipe);
  control.tasks = some(recipe, [&] { return made_task_id(recipe); });
  control.limit = recipe.one_of(kNumbers);
  control.names = some(recipe, [&] { return made_name(recipe); });
  return control;
}

// One for each alternative, by the type of the value that is to be filled.
void fill(Recipe& r, Hello& m) { m = made_hello(r); }
void fill(Recipe& r, Welcome& m) {
  m.incarnation = r.byte();
  m.heartbeat_interval = r.one_of(kDurations);
  m.peer_timeout = r.one_of(kDurations);
  m.grant_tasks = r.one_of(kNumbers);
  m.grant_bytes = r.one_of(kNumbers);
  m.payload_bytes_max = r.one_of(kNumbers);
}
void fill(Recipe& r, Refused& m) { m = {made_reason(r), "text", r.one_of(kDurations)}; }
void fill(Recipe& r, Heartbeat& m) {
  m.incarnation = kMadeIncarnation;
  m.leases = some(r, [&] { return made_lease(r); });
  if (r.one_in(8)) m.not_ready = "why";
}
void fill(Recipe& /*r*/, Goodbye& /*m*/) {}
void fill(Recipe& r, Submit& m) {
  m.tasks = some(r, [&] { return made_submitted(r); });
}
void fill(Recipe& r, Admitted& m) {
  m.tasks = some(r, [&] { return AdmittedTask{made_task_id(r), r.one_in(2)}; });
  m.unknown_detectors = made_detectors(r);
}
void fill(Recipe& r, Busy& m) {
  m.tasks = some(r, [&] { return made_task_id(r); });
  m.reason = made_reason(r);
  m.retry = r.one_of(kDurations);
}
void fill(Recipe& r, Rejected& m) {
  m.tasks = some(r, [&] { return RejectedTask{made_task_id(r), made_reason(r), "text"}; });
}
void fill(Recipe& r, Settled& m) {
  m.tasks = some(r, [&] { return made_settled(r); });
}
void fill(Recipe& r, Ask& m) {
  m.asker = r.pick(4);
  m.tasks = some(r, [&] { return made_task_id(r); });
}
void fill(Recipe& r, Known& m) {
  m.asker = r.pick(8);
  m.stored = some(r, [&] { return made_settled(r); });
  m.unknown = some(r, [&] { return made_task_id(r); });
}
void fill(Recipe& r, Assign& m) {
  m.tasks = some(r, [&] { return made_assigned(r); });
}
void fill(Recipe& r, Results& m) {
  m.tasks = some(r, [&] {
    TaskResult result;
    result.id = made_task_id(r);
    result.lease = made_lease(r);
    result.token = std::string(r.pick(wire::kTokenBytesMax + 1), 't');
    result.elapsed = r.one_of(kDurations);
    result.payload = made_frames(r, 3);
    if (result.payload.frames == 0) result.payload.frames = 1;  // the record
    return result;
  });
}
void fill(Recipe& r, Nack& m) { m = {made_task_id(r), made_lease(r), made_reason(r), "text"}; }
void fill(Recipe& r, Release& m) {
  m.tasks = some(r, [&] { return made_leased(r); });
}
void fill(Recipe& r, Stale& m) {
  m.tasks = some(r, [&] { return made_leased(r); });
}
void fill(Recipe& r, Recall& m) {
  m.tasks = some(r, [&] { return made_leased(r); });
}
void fill(Recipe& /*r*/, Drain& /*m*/) {}
void fill(Recipe& r, Outcomes& m) {
  m.outcomes = some(r, [&] { return made_outcome(r); });
}
void fill(Recipe& r, Stored& m) {
  m.tasks = some(r, [&] { return made_settled(r); });
}
void fill(Recipe& r, Control& m) { m = made_control(r); }
void fill(Recipe& r, Report& m) {
  m.asker = r.pick(8);
  m.reason = made_reason(r);
  m.text = "text";
  m.payload = made_frames(r, 3);
}
void fill(Recipe& r, Sources& m) {
  m.number = r.pick(8);
  m.sources = some(r, [&] { return made_claim(r); });
}
void fill(Recipe& r, Claimed& m) { m.number = r.pick(8); }

template <std::size_t... Index>
Message empty_message(std::size_t type, std::index_sequence<Index...> /*all*/) {
  Message message;
  static_cast<void>(((type == Index && (message.emplace<Index>(), true)) || ...));
  return message;
}

}  // namespace

Message made_message(Recipe& recipe, std::size_t type) {
  constexpr auto kTypes = std::variant_size_v<Message>;
  auto message = empty_message(type % kTypes, std::make_index_sequence<kTypes>());
  std::visit([&recipe](auto& value) { fill(recipe, value); }, message);
  return message;
}

TaskId made_task_id(Recipe& recipe) {
  const auto which = recipe.byte();
  TaskId id;
  const std::size_t source = which & 7U;
  id.source = source < kSources.size() ? hash_of(kSources[source]) : 0xFEED;
  id.epoch = which >> 3U & 3U;
  id.part = which >> 5U == 7 ? 1 : 0;
  const auto sequence = recipe.byte();
  id.sequence = sequence == 255 ? wire::kCountMax : sequence % 32;
  return id;
}

std::string made_name(Recipe& recipe) { return std::string(recipe.one_of(kNames)); }

std::vector<std::uint64_t> give_frames(Recipe& recipe, Message& message) {
  std::vector<std::uint64_t> sizes;
  for_each_payload(message, [&](Payload& payload) {
    for (std::size_t i = 0; i < payload.frames; ++i) {
      sizes.push_back(recipe.one_of(kFrameBytes));
      payload.bytes += sizes.back();
    }
  });
  return sizes;
}

Census::~Census() {
  std::fprintf(stderr, "%s:", title_.c_str());
  for (std::size_t type = 0; type < std::size(counts_); ++type) {
    const auto name =
        name_of(empty_message(type, std::make_index_sequence<std::variant_size_v<Message>>()));
    std::fprintf(stderr, " %.*s %llu", static_cast<int>(name.size()), name.data(),
                 static_cast<unsigned long long>(counts_[type]));
  }
  std::fprintf(stderr, "\n");
}

}  // namespace framefleet::test
