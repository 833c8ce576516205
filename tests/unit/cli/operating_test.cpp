// What operators are shown: the broker's documents, spelled by the broker, read by the tables.

#include "broker/status_document.hpp"
#include "cli/dead_letters.hpp"
#include "cli/fleet_tables.hpp"
#include "cli/humane.hpp"
#include "cli/table.hpp"
#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>

namespace framefleet::cli {
namespace {

using namespace std::chrono_literals;
using Catch::Contains;

broker::FleetStatus sample_status() {
  broker::FleetStatus status;
  status.in_progress = {60, 2, 20, 10};
  status.total.submitted = 1000;
  status.total.rejected = 3;
  status.total.admitted = 997;
  status.total.settled = {900, 5, 0, 0, 0, 0};
  status.backlog_bytes = std::uint64_t{5} << 28U;
  status.unstored_bytes = 3 << 20U;
  status.oldest = 12'300ms;
  status.workers = 4;
  status.slots = 16;
  status.free_slots = 3;
  status.demand = {5, 12.5, 90, 4};
  status.producers = 2;
  status.sources = 20;
  status.jobs = 2;
  status.sink_connected = true;
  return status;
}

broker::JobRow sample_job() {
  broker::JobRow job;
  job.name = "night";
  job.account.submitted = 110;
  job.account.rejected = 10;
  job.account.admitted = 100;
  job.account.settled = {90, 2, 0, 0, 0, 0};
  job.in_progress = {5, 0, 2, 1};
  job.expected = 1200;
  job.elapsed = 65s;
  job.rate = 1.52;
  job.eta = 750s;
  return job;
}

std::string shown(const Rendered& rendered) {
  INFO((rendered ? std::string{} : rendered.error()));
  REQUIRE(rendered);
  return *rendered;
}

std::size_t widest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t widest = 0;
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, width_of(line));
  return widest;
}

const char* const kDeadLetters = R"({"dead_letters":[
  {"task":"00112233445566aa-1700000000-12","origin":"/photos/a b/odd.jpg","source":"photos",
   "job":"night","reason":"undecodable","text":"no\u001b[2J scan",
   "stored_at":"2026-05-01T12:00:00Z","worker":"worker-1","build":"0.1.0","attempts":3,
   "bytes":2048,"bytes_dropped":0,
   "detect":["faces?min_size=40","edges"],"annotate":true,"captured_at_ms":1700000000123,
   "revived_as":null,"revived_from":null,
   "history":[{"attempt":1,"worker":"worker-2","reason":"child_crashed","text":"signal 11"}]},
  {"task":"00112233445566aa-1700000000-13","reason":"child_crashed","bytes":0,"bytes_dropped":77},
  {"task":"00112233445566aa-1700000000-14","reason":"child_crashed","bytes":9,
   "revived_as":"ff112233445566aa-1700000001-0"}]})";

}  // namespace

TEST_CASE("the broker's documents say every term of the ledger and every gauge") {
  CHECK(broker::status_document(sample_status()) ==
        R"({"account":{"submitted":1000,"rejected":3,"admitted":997,"ok":900,"failed":5,)"
        R"("expired":0,"superseded":0,"cancelled":0,"lost":0},)"
        R"("in_progress":{"ready":60,"delayed":2,"leased":20,"storing":10},)"
        R"("unaccounted":0,"unstored":10,"unstored_bytes":3145728,"backlog_bytes":1342177280,)"
        R"("oldest_seconds":12.3,"workers":4,"workers_draining":0,"workers_not_ready":0,)"
        R"("slots":16,"free_slots":3,"desired_workers":5,)"
        R"("demand":{"offered_slots":12.5,"waiting_seconds":90.0,"slots_per_worker":4.0},)"
        R"("producers":2,)"
        R"("sources":20,"jobs":2,"suspects":0,"workers_dying":false,"sink_connected":true,)"
        R"("paused":false,"draining":false})");
  broker::WorkerRow worker;
  worker.name = "w\"1";
  worker.build = "0.1.0";
  worker.detectors = {"edges", "faces"};
  worker.slots = 4;
  worker.leased = 5;
  worker.mean_service = 12'500us;
  worker.finished = 77;
  worker.silent = 250ms;
  CHECK(broker::workers_document({worker}) ==
        R"({"workers":[{"name":"w\"1","build":"0.1.0","detectors":["edges","faces"],"slots":4,)"
        R"("leased":5,"draining":false,"not_ready":null,"with_suspect":false,)"
        R"("mean_service_seconds":0.0125,)"
        R"("finished":77,"silent_seconds":0.25}]})");
  broker::SourceRow source;
  source.name = "photos\xff";
  source.epoch = 7;
  source.bytes = 99;
  CHECK(broker::sources_document({source}) ==
        "{\"sources\":[{\"name\":\"photos\xEF\xBF\xBD\",\"owner\":null,\"epoch\":7,"
        R"("weight":1,"paused":false,)"
        R"("account":{"submitted":0,"rejected":0,"admitted":0,"ok":0,"failed":0,"expired":0,)"
        R"("superseded":0,"cancelled":0,"lost":0},)"
        R"("in_progress":{"ready":0,"delayed":0,"leased":0,"storing":0},)"
        R"("unaccounted":0,"backlog_bytes":99,"mean_service_seconds":null,)"
        R"("state":null,"state_seconds":null,"state_text":null}]})");
  CHECK(broker::jobs_document({sample_job()}) ==
        R"({"jobs":[{"name":"night",)"
        R"("account":{"submitted":110,"rejected":10,"admitted":100,"ok":90,"failed":2,)"
        R"("expired":0,"superseded":0,"cancelled":0,"lost":0},)"
        R"("in_progress":{"ready":5,"delayed":0,"leased":2,"storing":1},)"
        R"("expected":1200,"cancelled":false,"finished":false,"elapsed_seconds":65.0,)"
        R"("tasks_per_second":1.52,"eta_seconds":750.0}]})");
  CHECK(broker::jobs_document({}) == R"({"jobs":[]})");
}

TEST_CASE("the status of a fleet fits a terminal") {
  const auto text = shown(render_status(broker::status_document(sample_status())));
  CHECK(text ==
        "state     serving\n"
        "ledger    1 000 submitted = 3 rejected + 997 admitted\n"
        "          900 ok, 5 failed, 0 expired, 0 superseded, 0 cancelled, 0 lost\n"
        "          92 in progress: 60 ready, 2 delayed, 20 leased, 10 unstored\n"
        "backlog   1.2 GiB of pictures; the oldest ready task waits 12s\n"
        "unstored  10 outcomes, 3.0 MiB\n"
        "workers   4 with 16 slots, 3 of them free; 5 needed\n"
        "sources   20 of 2 producers, in 2 jobs\n"
        "sink      connected\n");
  CHECK(widest_line(text) <= 80);
}

TEST_CASE("the state names everything that keeps a fleet from its work") {
  broker::FleetStatus status;
  status.draining = true;
  status.paused = true;
  status.workers_dying = true;
  status.suspects = 2;
  status.unaccounted = 3;
  const auto text = shown(render_status(broker::status_document(status)));
  CHECK_THAT(text, Contains("draining"));
  CHECK_THAT(text, Contains("paused"));
  CHECK_THAT(text, Contains("WORKERS DIE"));
  CHECK_THAT(text, Contains("no sink"));
  CHECK_THAT(text, Contains("no worker"));
  CHECK_THAT(text, Contains("suspects  2 "));
  CHECK_THAT(text, Contains("unknown   3 "));
  CHECK_THAT(text, Contains("sink      away"));
}

TEST_CASE("tables fit 80 columns, whatever names the peers have") {
  broker::WorkerRow worker;
  worker.name = std::string(60, 'w');
  worker.detectors = {"corners", "edges", "faces", "markers", "people"};
  worker.slots = 16;
  worker.leased = 64;
  worker.finished = 1'234'567;
  worker.mean_service = 119s;
  worker.draining = true;
  const auto workers = shown(render_workers(broker::workers_document({worker})));
  CHECK_THAT(workers, Contains("wwwwwwwwwwwwwww...  draining     16     64  1 234 567"));
  CHECK(widest_line(workers) <= 80);
  CHECK_THAT(workers, !Contains("not ready"));

  broker::SourceRow source;
  source.name = "grün\x1b[31m" + std::string(40, 's');
  source.paused = true;
  source.account.admitted = 1'234'567;
  source.account.settled = {1'234'000, 3, 4, 0, 0, 0};
  source.in_progress = {500, 10, 40, 10};
  const auto sources = shown(render_sources(broker::sources_document({source})));
  CHECK_THAT(sources, Contains("grün?[31m") && Contains("paused") && Contains(" 7  "));
  CHECK(widest_line(sources) <= 80);
  CHECK_THAT(sources, !Contains(" for "));

  source.name = "gate";
  source.paused = false;
  source.owner = "cams";
  source.state = "connecting";
  source.state_for = 750s;
  source.state_text = "no route\x1b[31m";
  const auto cameras = shown(render_sources(broker::sources_document({source})));
  CHECK_THAT(cameras, Contains("gate    connecting  ") &&
                          Contains("\ngate: connecting for 12min 30s: no route?[31m\n"));

  auto job = sample_job();
  job.name = std::string(60, 'j');
  job.expected = 1'234'567;
  const auto jobs = shown(render_jobs(broker::jobs_document({job})));
  CHECK_THAT(jobs, Contains("...  running   102  1 234 567       2  1.5/s  12min 30s"));
  CHECK(widest_line(jobs) <= 80);
}

TEST_CASE("a worker that is not ready says why, and the fleet that some are not") {
  broker::WorkerRow worker;
  worker.name = "w1";
  worker.not_ready = "self-test of faces: expected one face, found:\x1b[31m nothing";
  const auto document = broker::workers_document({worker});
  CHECK_THAT(document, Contains(R"("not_ready":"self-test of faces)"));
  const auto text = shown(render_workers(document));
  CHECK_THAT(text, Contains("w1      not ready"));
  CHECK_THAT(text, Contains("\nw1 is not ready: self-test of faces: expected one face, found:"));
  CHECK_THAT(text, !Contains("\x1b"));

  auto status = sample_status();
  status.workers_not_ready = 1;
  CHECK_THAT(shown(render_status(broker::status_document(status))),
             Contains("state     serving\n") &&
                 Contains("free; 1 not ready: see framefleet workers; 5 needed"));
  status.workers_not_ready = status.workers;
  CHECK_THAT(shown(render_status(broker::status_document(status))),
             Contains("state     NO WORKER IS READY\n"));
}

TEST_CASE("one job is shown with its ledger, and one that is not there is missed") {
  broker::JobRow other;
  other.name = "day";
  other.finished = true;
  const auto document = broker::jobs_document({other, sample_job()});
  const auto night = only_job(document, "night");
  REQUIRE(night);
  CHECK(*night == broker::jobs_document({sample_job()}));
  CHECK(shown(render_job(*night)) ==
        "job       night, running\n"
        "ledger    110 submitted = 10 rejected + 100 admitted\n"
        "          90 ok, 2 failed, 0 expired, 0 superseded, 0 cancelled, 0 lost\n"
        "          8 in progress: 5 ready, 0 delayed, 2 leased, 1 unstored\n"
        "done      102 of 1 200\n"
        "time      1min 05s elapsed, 12min 30s left at 1.5/s\n");
  CHECK(only_job(document, "dusk") == std::string{});
  CHECK_THAT(shown(render_jobs(document)), Contains("day    finished     0      -"));
}

TEST_CASE("documents of another version are shown as far as they go") {
  CHECK_THAT(shown(render_status(R"({"account":{"submitted":"many"},"workers":-1})")),
             Contains("- submitted = - rejected + - admitted"));
  CHECK(shown(render_workers("{}")) == "no workers\n");
  CHECK(shown(render_workers(R"({"workers":[]})")) == "no workers\n");
  CHECK_THAT(shown(render_workers(R"({"workers":[7,{"name":[]}]})")), Contains("-"));
  for (const char* document : {"", "nonsense", "[]", "7", "{\"a\":"}) {
    CAPTURE(document);
    CHECK_FALSE(render_status(document));
    CHECK_FALSE(render_jobs(document));
    CHECK_FALSE(only_job(document, "x"));
    CHECK_FALSE(parse_dead_letters(document));
  }
}

TEST_CASE("dead letters are listed with what is left of their pictures") {
  const auto letters = parse_dead_letters(kDeadLetters);
  REQUIRE(letters);
  const auto text = render_dead_letters(*letters);
  CHECK(text ==
        "TASK                            REASON         PICTURE  ORIGIN\n"
        "00112233445566aa-1700000000-12  undecodable    2.0 KiB  odd.jpg\n"
        "00112233445566aa-1700000000-13  child_crashed  dropped  -\n"
        "00112233445566aa-1700000000-14  child_crashed  revived  -\n");
  CHECK(widest_line(text) <= 80);
  CHECK(render_dead_letters({}) == "no dead letters\n");
}

TEST_CASE("a dead letter is shown in full, without its control characters") {
  const auto letters = parse_dead_letters(kDeadLetters);
  REQUIRE(letters);
  CHECK(render_dead_letter(letters->front()) ==
        "task      00112233445566aa-1700000000-12\n"
        "origin    /photos/a b/odd.jpg\n"
        "source    photos\n"
        "job       night\n"
        "reason    undecodable\n"
        "text      no?[2J scan\n"
        "detect    faces?min_size=40,edges\n"
        "worker    worker-1\n"
        "build     0.1.0\n"
        "stored    2026-05-01T12:00:00Z\n"
        "picture   2.0 KiB\n"
        "attempts  3\n"
        "          1. on worker-2: child_crashed: signal 11\n");
  CHECK(letters->front().annotate);
  CHECK(letters->front().captured_at_ms == 1'700'000'000'123);
}

TEST_CASE("an exported picture is named after its file, or its id and its first bytes") {
  using namespace std::string_view_literals;
  DeadLetter letter;
  letter.task = "00112233445566aa-1-2";
  const auto named = [&](std::string origin, std::string_view picture) {
    letter.origin = std::move(origin);
    return file_name_for(letter, picture);
  };
  CHECK(named("/photos/a b/odd.jpg", "not a picture") == "odd.jpg");
  CHECK(named("odd.jpg", "") == "odd.jpg");
  CHECK(named("walk.avi#12", "\xFF\xD8\xFF\xE0") == "00112233445566aa-1-2.jpg");
  CHECK(named("", "\x89PNG\r\n\x1A\nrest") == "00112233445566aa-1-2.png");
  CHECK(named("", "RIFF\0\0\0\0WEBPVP8 "sv) == "00112233445566aa-1-2.webp");
  CHECK(named("", "RIFF\0\0\0\0AVI "sv) == "00112233445566aa-1-2");
  CHECK(named("", "") == "00112233445566aa-1-2");
  for (const char* origin : {"/photos/..", "a/.bashrc", "a/-rf.jpg", "a/x\n.jpg", "a/none", "a/"}) {
    CAPTURE(origin);
    CHECK(named(origin, "BM") == "00112233445566aa-1-2.bmp");
  }
}

TEST_CASE("durations and sizes read as people say them") {
  CHECK(humane_duration(0) == "0s");
  CHECK(humane_duration(-3) == "0s");
  CHECK(humane_duration(0.0034) == "3.4ms");
  CHECK(humane_duration(0.25) == "250ms");
  CHECK(humane_duration(0.9996) == "1.0s");
  CHECK(humane_duration(9.94) == "9.9s");
  CHECK(humane_duration(9.96) == "10s");
  CHECK(humane_duration(59.6) == "1min 00s");
  CHECK(humane_duration(3599) == "59min 59s");
  CHECK(humane_duration(3600) == "1h 00min");
  CHECK(humane_duration(100'000) == "1d 3h");
  CHECK(humane_duration(1e300) == "11574d 1h");
  CHECK(humane_bytes(0) == "0 B");
  CHECK(humane_bytes(1023) == "1023 B");
  CHECK(humane_bytes(1536) == "1.5 KiB");
  CHECK(humane_bytes(1e18) == "909494.7 TiB");
}

TEST_CASE(
    "a table cuts what is too long at a character and leaves no blanks at the ends of lines") {
  CHECK(cut("grün", 4) == "grün");
  CHECK(cut("grünes", 4) == "g...");
  CHECK(cut("üüüüü", 4) == "ü...");
  CHECK(cut("abcd", 2) == "..");
  Table table({{"A", Align::left}, {"N"}});
  table.add({"", "1"});
  table.add({"long", ""});
  CHECK(table.render() == "A     N\n-     1\nlong  -\n");
}

}  // namespace framefleet::cli
