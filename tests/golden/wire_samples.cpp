#include "tests/golden/wire_samples.hpp"

#include <chrono>

namespace framefleet::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// The description of every sample is these bytes: messages carry it unread.
const std::string kTask = "\x81\xa7version\x01";
const std::string kToken = "0123456789abcdef";
constexpr TaskId kFirst{0x3d6b1c2f00a45e91, 2, 17, 0};
constexpr TaskId kSecond{0x00000000000000ff, 4294967295, 18446744073709551615U, 3};
constexpr LeaseId kLease{7, 1};
constexpr LeaseId kOtherLease{4294967295, std::uint64_t{1} << 53U};

Payload frames(std::uint8_t count, std::uint64_t bytes) {
  return Payload{PayloadId{}, count, bytes};
}

SettledTask settled_failed() {
  return {kSecond, Status::failed, Reason::undecodable, "no pixels in \xC3\xA9t\xC3\xA9.jpg"};
}

Hello hello() {
  Hello hello;
  hello.role = Role::producer;
  hello.name = "gate-3";
  hello.build = "0.1.0";
  hello.wire = {1, 2};
  hello.task = {1, 3};
  hello.detectors = {"edges", "faces"};
  hello.slots = 4;
  hello.sources = {{"cam-1", 2}, {"photos/\xC3\xA9t\xC3\xA9", 70000}};
  hello.store = "6f1c1c1e-8a58-4d4e-9a43-1f0b6f7d2c11";
  return hello;
}

Hello hello_of_a_share() {
  Hello made = hello();
  made.sources[0].weight = 100;
  made.sources[0].expected = std::uint64_t{1} << 53U;
  made.sources[1].weight = 3;
  made.new_store = true;
  return made;
}

Hello hello_of_one_not_ready() {
  Hello made = hello_of_a_share();
  made.not_ready = "self-test of faces: expected one face, found: nothing";
  return made;
}

Hello hello_of_one_paced() {
  Hello made = hello_of_one_not_ready();
  made.sources[1].interval = std::chrono::microseconds(16'667);
  return made;
}

Hello hello_of_a_camera() {
  Hello made = hello_of_one_paced();
  made.sources[1].state = "stalled";
  made.sources[1].state_for = milliseconds{12'500};
  made.sources[1].state_text = "no frame for 5 s";
  return made;
}

Heartbeat heartbeat() { return {7, {kLease, kOtherLease}}; }

Heartbeat heartbeat_of_one_not_ready() {
  Heartbeat made = heartbeat();
  made.not_ready = "the self-test is under way";
  return made;
}

Heartbeat heartbeat_to_a_producer() {
  Heartbeat made = heartbeat_of_one_not_ready();
  made.slots = 24;
  return made;
}

Submit submit() {
  SubmittedTask one;
  one.id = kFirst;
  one.source = "cam-1";
  one.job = "night";
  one.task_class = TaskClass::live;
  one.priority = 9;
  one.detectors = {"edges", "faces"};
  one.ttl = milliseconds{1500};
  one.digest = kToken;
  one.task = kTask;
  one.payload = frames(2, 300000 + 41);
  SubmittedTask two;
  two.id = kSecond;
  two.source = "cam-2";
  two.detectors = {"markers"};
  two.task = kTask;
  return Submit{{one, two}};
}

Submit revived_submit() {
  Submit made = submit();
  made.tasks[0].revived_from = kSecond;
  return made;
}

Submit submit_of_one_gone() {
  Submit made = revived_submit();
  made.tasks[1].gone = true;
  return made;
}

Assign assign() {
  AssignedTask task;
  task.id = kFirst;
  task.lease = kLease;
  task.attempt = 2;
  task.lease_duration = milliseconds{5000};
  task.ttl_left = milliseconds{1200};
  task.age = milliseconds{300};
  task.token = kToken;
  task.source = "cam-1";
  task.task_class = TaskClass::live;
  task.task = kTask;
  task.payload = frames(1, 300000);
  return Assign{{task}};
}

Outcomes outcomes() {
  Outcome ok;
  ok.id = kFirst;
  ok.source = "cam-1";
  ok.attempts = 1;
  ok.task = kTask;
  ok.payload = frames(2, 120 + 250000);
  Outcome failed;
  failed.id = kSecond;
  failed.source = "cam-2";
  failed.job = "night";
  failed.task_class = TaskClass::live;
  failed.status = Status::failed;
  failed.reason = Reason::child_crashed;
  failed.text = "signal 11";
  failed.attempts = 3;
  failed.history = {{1, "w-1", Reason::worker_lost, "silent for 2.5 s"},
                    {2, "w-2", Reason::detect_timeout, "faces"}};
  failed.worker = "w-2";
  failed.build = "0.1.0";
  failed.queued = microseconds{1500000};
  failed.leased = microseconds{60000001};
  failed.worked = microseconds{59999999};
  failed.task = kTask;
  failed.payload = frames(1, 300000);
  return Outcomes{{ok, failed}};
}

/// The second one has all the keys that an outcome can have: more than the short form of a map has.
Outcomes revived_outcomes() {
  Outcomes made = outcomes();
  made.outcomes[1].revived_from = kFirst;
  return made;
}

Control control() {
  return {18446744073709551615U,
          ControlVerb::dead_list,
          "photos/\xC3\xA9t\xC3\xA9",
          {kFirst, kSecond},
          1000};
}

Control control_of_workers() {
  Control made = control();
  made.verb = ControlVerb::drain_idlest;
  made.names = {"gate-3-1", "gate-3-\xC3\xA9"};
  return made;
}

Report report() {
  return {18446744073709551615U, Reason::not_found, "no dead letter has this id",
          frames(2, 700 + 300000)};
}

}  // namespace

std::vector<MessageSample> message_samples() {
  return {
      {hello_of_a_camera(), {}, "_5"},
      {Welcome{1, 7, milliseconds{500}, milliseconds{2500}, 256, 1U << 26U, 1U << 25U}, {}},
      {Refused{Reason::stale_epoch, "source 'cam-1' is owned with epoch 3", milliseconds{2500}},
       {}},
      {heartbeat_to_a_producer(), {}, "_3"},
      {Goodbye{}, {}},
      {Sources{3, hello_of_a_camera().sources}, {}},
      {Claimed{3}, {}},
      {submit_of_one_gone(), {300000, 41}, "_3"},
      {Admitted{{{kFirst, true}, {kSecond, false}}, {"edges", "faces"}}, {}, "_2"},
      {Busy{{kFirst, kSecond}, Reason::backlog_bytes, milliseconds{100}}, {}},
      {Rejected{{{kFirst, Reason::not_owner, "source 'cam-1' was not claimed"}}}, {}},
      {Settled{{{kFirst, Status::ok, Reason::none, ""}, settled_failed()}}, {}},
      {Ask{18446744073709551615U, {kFirst, kSecond}}, {}},
      {Known{5, {settled_failed()}, {kFirst}}, {}},
      {assign(), {300000}},
      {Results{{{kFirst, kLease, kToken, microseconds{13500}, frames(2, 120 + 250000)},
                {kSecond, kOtherLease, kToken, microseconds{0}, frames(1, 90)}}},
       {120, 250000, 90}},
      {Nack{kFirst, kLease, Reason::undecodable, "no pixels"}, {}},
      {Release{{{kFirst, kLease}, {kSecond, kOtherLease}}}, {}},
      {Stale{{{kFirst, kLease}}}, {}},
      {Recall{{{kFirst, kLease}, {kSecond, kOtherLease}}}, {}},
      {Drain{}, {}},
      {revived_outcomes(), {120, 250000, 300000}, "_2"},
      {Stored{{{kFirst, Status::ok, Reason::none, ""}, settled_failed()}}, {}},
      {control_of_workers(), {}, "_2"},
      {report(), {700, 300000}},
  };
}

std::vector<MessageSample> outgrown_message_samples() {
  return {
      {hello(), {}},
      {hello_of_a_share(), {}, "_2"},
      {hello_of_one_not_ready(), {}, "_3"},
      {hello_of_one_paced(), {}, "_4"},
      {heartbeat(), {}},
      {heartbeat_of_one_not_ready(), {}, "_2"},
      {submit(), {300000, 41}},
      {revived_submit(), {300000, 41}, "_2"},
      {Admitted{{{kFirst, true}, {kSecond, false}}}, {}},
      {outcomes(), {120, 250000, 300000}},
      {control(), {}},
  };
}

TaskDescription task_sample() {
  return {"photos/\xC3\xA9t\xC3\xA9.jpg",
          {"faces?min_size=40&scale=1.1", "edges"},
          true,
          1763679600123,
          "Permission denied",
          {}};
}

TaskDescription zoned_task_sample() {
  auto task = task_sample();
  task.zones = R"({"gate":[[0,0],[640,0],[640,360]]})";
  return task;
}

ResultRecord record_sample() {
  ResultRecord record;
  record.width = 1280;
  record.height = 720;
  record.damaged = true;
  record.decode = microseconds{3200};
  record.annotate = microseconds{2400};
  record.reports = {{"faces",
                     "2",
                     microseconds{14000},
                     {{"face", 0.9375F, {10.5F, 20, 40, 41.25F}, R"({"id":3})"},
                      {"face", 0.5F, {-3, -2.5F, 40, 40}, ""}}},
                    {"edges", "1", microseconds{5800}, {}}};
  record.artefacts = {{"annotated", "jpg"}};
  return record;
}

JournaledTask journaled_task_sample() {
  JournaledTask task;
  task.id = kFirst;
  task.source = "cam-1";
  task.job = "night";
  task.detectors = {"edges", "faces"};
  task.task = std::string("\x81\x00\xFF", 3);
  task.digest = std::string(16, '\xAB');
  task.priority = 7;
  task.age = microseconds{1'500'000};
  task.ttl_left = microseconds{60'000'000};
  task.revived_from = kSecond;
  task.attempts = 3;
  task.failed = 1;
  task.lost = 2;
  task.history = {{1, "worker-1", Reason::undecodable, "no pixels"},
                  {2, "", Reason::worker_lost, ""}};
  task.written_at_ms = 1'763'679'600'123;
  return task;
}

JournaledTask handed_out_task_sample() {
  auto task = journaled_task_sample();
  task.over = {7, 9007199254740992U};
  return task;
}

JournaledTask cancelled_task_sample() {
  auto task = handed_out_task_sample();
  task.cancelled = true;
  return task;
}

SourceBook source_book_sample() {
  SourceBook book;
  book.hash = 18446744073709551615U;
  book.name = "cam-1";
  book.epoch = 4;
  book.weight = 3;
  book.paused = true;
  book.expected = 1000;
  book.stored_before = 10;
  book.counted_through = 500;
  book.job = "night";
  book.account = {21, 1, 20, {5, 4, 3, 2, 1, 6}};
  return book;
}

SourceBook unkept_source_book_sample() {
  auto book = source_book_sample();
  book.live = {kFirst, kSecond};
  book.gone = {kSecond};
  return book;
}

SourceBook keyed_source_book_sample() {
  auto book = source_book_sample();
  book.identity = "front-door";
  return book;
}

JobBook job_book_sample() {
  JobBook book;
  book.name = "night";
  book.expected = 1000;
  book.stored_before = 10;
  book.total_unknown = true;
  book.cancelled = true;
  book.ended = true;
  book.joined = {7, 18446744073709551615U};
  book.account = {21, 1, 20, {5, 4, 3, 2, 1, 6}};
  return book;
}

FleetBook fleet_book_sample() {
  return {"3f0c1d5e-8a44-4d2b-9d11-0b1f6a3f2c55",
          true,
          {2, 1, 1, {1, 0, 0, 0, 0, 0}},
          {4, 0, 4, {0, 0, 0, 0, 4, 0}}};
}

}  // namespace framefleet::test
