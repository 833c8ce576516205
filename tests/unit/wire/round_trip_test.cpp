#include "tests/support/catch.hpp"

#include "shared/wire/codec.hpp"
#include "shared/wire/words.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <random>
#include <span>

using namespace framefleet;

namespace {

/// Values of everything that travels, within the limits of the wire. The same seed gives the same.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t up_to(std::uint64_t max) {
    return std::uniform_int_distribution<std::uint64_t>(0, max)(engine_);
  }
  bool flag() { return up_to(1) == 1; }
  template <class T>
  T number(std::uint64_t max = std::numeric_limits<T>::max()) {
    // All widths of MessagePack's integers, not only the widest.
    const auto width = up_to(63);
    return static_cast<T>(std::min(max, up_to(max) >> width));
  }
  std::string text(std::size_t min, std::size_t max) {
    std::string text;
    const auto length = min + up_to(std::min<std::size_t>(max - min, 40));
    while (text.size() < length) {
      text += text.size() + 1 < length && flag() ? "\xC3\xA9" : std::string(1, letter());
    }
    return text;
  }
  std::string bytes(std::size_t min, std::size_t max) {
    std::string bytes(min + up_to(max - min), '\0');
    for (auto& byte : bytes) byte = static_cast<char>(up_to(255));
    return bytes;
  }
  Duration ms() { return std::chrono::milliseconds(up_to(100'000'000)); }
  Duration us() { return std::chrono::microseconds(up_to(100'000'000)); }
  TaskId id() {
    return {up_to(~0ULL), number<std::uint32_t>(), number<std::uint64_t>(),
            number<std::uint16_t>()};
  }
  LeaseId lease() { return {number<std::uint32_t>(), number<std::uint64_t>(wire::kCountMax)}; }
  template <class Enum>
  Enum word(std::size_t count) {
    return static_cast<Enum>(up_to(count - 1));
  }
  Reason reason() { return word<Reason>(kReasonCount); }
  std::optional<TaskId> perhaps_id() { return flag() ? std::optional(id()) : std::nullopt; }
  TaskClass task_class() { return word<TaskClass>(2); }
  /// Names without repeats, sorted.
  std::vector<std::string> names(std::size_t min) {
    std::vector<std::string> names;
    const auto count = min + up_to(5);
    for (std::size_t i = 0; i < count; ++i)
      names.push_back(static_cast<char>('a' + i) + text(0, 20));
    return names;
  }
  template <class Make>
  auto list(Make make, std::size_t max = 6) {
    std::vector<decltype(make())> items;
    for (auto count = up_to(max); count > 0; --count) items.push_back(make());
    return items;
  }
  /// A payload of some of the frames that are left; their sizes are added to frame_bytes().
  Payload payload(std::uint8_t min = 0) {
    Payload payload;
    const auto left = wire::kMessageFramesMax - frame_bytes_.size();
    payload.frames = static_cast<std::uint8_t>(min + up_to(std::min<std::size_t>(2, left - min)));
    for (int i = 0; i < payload.frames; ++i) {
      frame_bytes_.push_back(number<std::uint64_t>(1U << 27U));
      payload.bytes += frame_bytes_.back();
    }
    return payload;
  }
  const std::vector<std::uint64_t>& frame_bytes() const { return frame_bytes_; }

  SettledTask settled() { return {id(), word<Status>(kStatusCount), reason(), text(0, 1024)}; }
  LeasedTask leased() { return {id(), lease()}; }

 private:
  char letter() { return static_cast<char>('a' + up_to(25)); }

  std::mt19937_64 engine_;
  std::vector<std::uint64_t> frame_bytes_;
};

SubmittedTask submitted(Random& r) {
  SubmittedTask task;
  task.id = r.id();
  task.source = r.text(1, 256);
  task.job = r.text(0, 256);
  task.task_class = r.task_class();
  task.priority = r.number<std::uint8_t>(9);
  task.detectors = r.names(1);
  task.ttl = r.ms();
  task.digest = r.bytes(0, 32);
  task.task = r.bytes(1, 2000);
  task.revived_from = r.perhaps_id();
  task.payload = r.payload();
  task.gone = task.payload.frames == 0;
  return task;
}

AssignedTask assigned(Random& r) {
  AssignedTask task;
  task.id = r.id();
  task.lease = r.lease();
  task.attempt = static_cast<std::uint16_t>(1 + r.up_to(65534));
  task.lease_duration = r.ms();
  task.ttl_left = r.ms();
  task.age = r.ms();
  task.token = r.bytes(0, 32);
  task.source = r.text(1, 256);
  task.task_class = r.task_class();
  task.task = r.bytes(1, 2000);
  task.payload = r.payload();
  return task;
}

Outcome outcome(Random& r) {
  Outcome outcome;
  outcome.id = r.id();
  outcome.source = r.text(1, 256);
  outcome.job = r.text(0, 256);
  outcome.task_class = r.task_class();
  outcome.status = r.word<Status>(kStatusCount);
  outcome.reason = r.reason();
  outcome.text = r.text(0, 1024);
  outcome.attempts = r.number<std::uint16_t>();
  outcome.history = r.list(
      [&] {
        return AttemptRecord{r.number<std::uint16_t>(), r.text(0, 256), r.reason(),
                             r.text(0, 1024)};
      },
      wire::kHistoryMax);
  outcome.worker = r.text(0, 256);
  outcome.build = r.text(0, 256);
  outcome.queued = r.us();
  outcome.leased = r.us();
  outcome.worked = r.us();
  outcome.task = r.bytes(1, 2000);
  outcome.revived_from = r.perhaps_id();
  outcome.payload = r.payload();
  return outcome;
}

SourceClaim claim(Random& r) {
  return SourceClaim{.name = r.text(1, 256),
                     .epoch = r.number<std::uint32_t>(),
                     .weight = r.number<std::uint32_t>(wire::kWeightMax),
                     .expected = r.number<std::uint64_t>(wire::kCountMax),
                     .interval = std::chrono::microseconds(r.up_to(100'000'000)),
                     .state = r.text(0, wire::kStateBytesMax),
                     .state_for = r.ms(),
                     .state_text = r.text(0, wire::kStateTextBytesMax)};
}

Message connection_message(Random& r) {
  switch (r.up_to(6)) {
    case 0: {
      Hello hello;
      hello.role = r.word<Role>(4);
      hello.name = r.text(1, 256);
      hello.build = r.text(0, 256);
      hello.wire.min = static_cast<std::uint16_t>(1 + r.up_to(100));
      hello.wire.max = static_cast<std::uint16_t>(hello.wire.min + r.up_to(60'000));
      hello.task.max = static_cast<std::uint16_t>(1 + r.up_to(65'534));
      hello.detectors = r.names(0);
      hello.slots = r.number<std::uint32_t>(wire::kSlotsMax);
      hello.not_ready = r.text(0, 1024);
      hello.sources = r.list([&] { return claim(r); });
      hello.store = r.text(0, 36);
      hello.new_store = r.flag();
      return hello;
    }
    case 1: {
      const auto count = [&] { return r.number<std::uint64_t>(wire::kCountMax); };
      return Welcome{static_cast<std::uint16_t>(1 + r.up_to(65534)),
                     r.number<std::uint32_t>(),
                     r.ms(),
                     r.ms(),
                     count(),
                     count(),
                     count()};
    }
    case 2:
      return Refused{r.reason(), r.text(0, 1024), r.ms()};
    case 3:
      return Heartbeat{r.number<std::uint32_t>(), r.list([&] { return r.lease(); }, 1000),
                       r.text(0, 1024), r.number<std::uint64_t>(wire::kCountMax)};
    case 4:
      return Sources{r.number<std::uint64_t>(wire::kCountMax), r.list([&] { return claim(r); })};
    case 5:
      return Claimed{r.number<std::uint64_t>(wire::kCountMax)};
    default:
      return Goodbye{};
  }
}

Message submitting_message(Random& r) {
  const auto ids = [&] { return r.list([&] { return r.id(); }); };
  const auto settled = [&] { return r.list([&] { return r.settled(); }); };
  switch (r.up_to(6)) {
    case 0:
      return Submit{r.list([&] { return submitted(r); })};
    case 1:
      return Admitted{r.list([&] { return AdmittedTask{r.id(), r.flag()}; }), r.names(0)};
    case 2:
      return Busy{ids(), r.reason(), r.ms()};
    case 3:
      return Rejected{r.list([&] { return RejectedTask{r.id(), r.reason(), r.text(0, 1024)}; })};
    case 4:
      return Settled{settled()};
    case 5:
      return Ask{r.number<std::uint64_t>(), ids()};
    default:
      return Known{r.number<std::uint64_t>(), settled(), ids()};
  }
}

Message working_message(Random& r) {
  const auto leased = [&] { return r.list([&] { return r.leased(); }); };
  switch (r.up_to(6)) {
    case 0:
      return Assign{r.list([&] { return assigned(r); })};
    case 1:
      return Results{r.list([&] {
        return TaskResult{r.id(), r.lease(), r.bytes(0, 32), r.us(), r.payload(1)};
      })};
    case 2:
      return Nack{r.id(), r.lease(), r.reason(), r.text(0, 1024)};
    case 3:
      return Release{leased()};
    case 4:
      return Stale{leased()};
    case 5:
      return Recall{leased()};
    default:
      return Drain{};
  }
}

Message storing_or_operating_message(Random& r) {
  switch (r.up_to(3)) {
    case 0:
      return Outcomes{r.list([&] { return outcome(r); })};
    case 1:
      return Stored{r.list([&] { return r.settled(); })};
    case 2:
      return Control{r.number<std::uint64_t>(), r.word<ControlVerb>(kControlVerbCount),
                     r.text(0, 256), r.list([&] { return r.id(); }, wire::kControlTasksMax),
                     r.number<std::uint64_t>(wire::kCountMax)};
    default:
      return Report{r.number<std::uint64_t>(), r.reason(), r.text(0, 1024), r.payload()};
  }
}

ResultRecord record(Random& r) {
  const auto real = [&] { return static_cast<float>(r.up_to(1'000'000)) / 64.0F - 1000.0F; };
  const auto detection = [&] {
    return Detection{r.text(0, 256), real(), {real(), real(), real(), real()}, r.text(0, 4096)};
  };
  ResultRecord record;
  record.width = r.number<std::uint32_t>();
  record.height = r.number<std::uint32_t>();
  record.damaged = r.flag();
  record.decode = r.us();
  record.annotate = r.us();
  record.reports = r.list([&] {
    return DetectorReport{r.text(1, 64), r.text(0, 256), r.us(), r.list(detection, 200)};
  });
  record.artefacts = r.list([] { return Artefact{"annotated", "jpg"}; });
  return record;
}

template <class Enum>
void check_words() {
  for (std::size_t i = 0; i < wire::kWordCount<Enum>; ++i) {
    const auto value = static_cast<Enum>(i);
    INFO(to_string(value));
    CHECK(wire::parse_word<Enum>(to_string(value)) == value);
  }
}

constexpr int kRounds = 3000;

}  // namespace

TEST_CASE("every word stands for one value") {
  check_words<Role>();
  check_words<TaskClass>();
  check_words<Status>();
  check_words<ControlVerb>();
  check_words<Reason>();
}

TEST_CASE("every message that is within the limits is read as it was written") {
  const std::uint64_t first_seed = std::random_device{}();
  for (auto seed = first_seed; seed < first_seed + kRounds; ++seed) {
    Random random(seed);
    const auto group = random.up_to(3);
    const auto message = group == 0   ? connection_message(random)
                         : group == 1 ? submitting_message(random)
                         : group == 2 ? working_message(random)
                                      : storing_or_operating_message(random);
    INFO("seed " << seed << ", " << name_of(message));
    const auto header = wire::encode(message, random.frame_bytes());
    if (!header) {
      INFO(header.error().text);
      REQUIRE(header.error().kind == wire::CodecError::Kind::too_large);
      continue;
    }
    const auto read = wire::decode(std::as_bytes(std::span(*header)), random.frame_bytes());
    if (!read) FAIL(read.error().text);
    REQUIRE((*read == message));
  }
}

TEST_CASE("every description and record that is within the limits is read as it was written") {
  const std::uint64_t first_seed = std::random_device{}();
  for (auto seed = first_seed; seed < first_seed + kRounds / 10; ++seed) {
    Random random(seed);
    INFO("seed " << seed);
    const TaskDescription task{
        random.text(0, 4096), random.names(0),
        random.flag(),        random.number<std::int64_t>(wire::kWallClockMsMax),
        random.text(0, 1024), random.text(0, wire::kZonesBytesMax)};
    const auto task_bytes = wire::encode_task(task);
    REQUIRE(task_bytes);
    REQUIRE((wire::decode_task(*task_bytes) == task));

    const auto made = record(random);
    const auto record_bytes = wire::encode_record(made);
    REQUIRE(record_bytes);
    REQUIRE((wire::decode_record(std::as_bytes(std::span(*record_bytes))) == made));
  }
}
