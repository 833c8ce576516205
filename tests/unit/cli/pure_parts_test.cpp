#include "cli/fleet_commands.hpp"
#include "cli/line_buffer.hpp"
#include "cli/log_excerpt.hpp"
#include "cli/producer_events.hpp"
#include "cli/rate_estimator.hpp"
#include "cli/restart_policy.hpp"
#include "cli/shell_quote.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <iterator>

namespace framefleet::cli {

using namespace std::chrono_literals;

TEST_CASE("the producer's events are read with their counters") {
  CHECK(parse_producer_event(R"({"event":"plan","job":"1a2b3c4d","pictures":123,"skipped":4})") ==
        ProducerEvent{PlanEvent{.job = "1a2b3c4d", .pictures = 123, .skipped = 4}});
  CHECK(parse_producer_event(R"({"event":"plan","job":"x","pictures":null})") ==
        ProducerEvent{PlanEvent{.job = "x", .pictures = {}, .skipped = 0}});
  const auto end = parse_producer_event(
      R"({"event":"end","pictures":10,"stored_before":2,"ok":5,"failed":1,"rejected":1,)"
      R"("in_flight":0,"submitted":7,"admitted":6,"interrupted":true,"elapsed_s":1.5,"new":[]})");
  REQUIRE(end);
  const auto& event = std::get<EndEvent>(*end);
  CHECK(event.counters.settled() == 6);
  CHECK(event.counters.done() == 9);
  CHECK(event.counters.not_ok() == 2);
  CHECK(event.counters.left() == 1);
  CHECK(event.elapsed == 1500ms);
  CHECK(event.interrupted);
  CHECK(parse_producer_event(
            R"({"event":"task_failed","task":"t","origin":"a.jpg","status":"failed",)"
            R"("reason":"undecodable","text":"no"})") ==
        ProducerEvent{TaskFailedEvent{.task = "t",
                                      .origin = "a.jpg",
                                      .status = "failed",
                                      .reason = "undecodable",
                                      .text = "no"}});
}

TEST_CASE("a line that is no event is an error that says why") {
  CHECK(parse_producer_event("").error() == "not a JSON object");
  CHECK(parse_producer_event("{").error() == "not a JSON object");
  CHECK(parse_producer_event("[1]").error() == "not a JSON object");
  CHECK(parse_producer_event(R"({"event":"party"})").error() == "unknown event 'party'");
  CHECK(parse_producer_event(R"({"event":"progress","ok":-1})").error() ==
        "event 'progress': field 'ok' is not a count");
  CHECK(parse_producer_event(R"({"event":"progress","elapsed_s":1e300})").error() ==
        "event 'progress': field 'elapsed_s' is not a number of seconds");
}

TEST_CASE("lines are cut wherever the reads fall, and an endless one is dropped") {
  LineBuffer lines(5);
  CHECK(lines.feed("ab").empty());
  CHECK(lines.feed("c\n\nde\nf") == std::vector<std::string>{"abc", "", "de"});
  CHECK(lines.feed("ghijk").empty());
  CHECK(lines.feed("lmnop").empty());
  CHECK(lines.feed("q\nok\n") == std::vector<std::string>{"ok"});
}

TEST_CASE("the rate is that of the latest seconds and the ETA follows from it") {
  RateEstimator rate;
  Time now{};
  rate.observe(0, now);
  CHECK_FALSE(rate.per_second());
  CHECK_FALSE(rate.remaining(10));
  for (int second = 1; second <= 60; ++second) rate.observe(0, now += 1s);
  CHECK(rate.per_second() == 0.0);
  CHECK_FALSE(rate.remaining(10));
  std::uint64_t done = 0;
  for (int second = 1; second <= 30; ++second) rate.observe(done += 4, now += 1s);
  CHECK(*rate.per_second() == Approx(4));
  CHECK(*rate.remaining(40) == 10s);
  CHECK(*rate.remaining(1) == 1s);
  rate.observe(3, now += 1s);  // A producer that counts backwards is taken as standing still.
  CHECK(*rate.per_second() < 4);
}

TEST_CASE("the back-off doubles to its cap and a settled life resets it") {
  RestartPolicy policy(RestartOptions{.early_deaths_max = 100});
  std::vector<std::int64_t> delays_ms;
  for (int death = 0; death < 8; ++death) delays_ms.push_back(ceil_ms(*policy.died(0s, 0)));
  CHECK(delays_ms == std::vector<std::int64_t>{100, 200, 400, 800, 1600, 3200, 5000, 5000});
  CHECK(policy.died(2s, 0) == 100ms);
}

TEST_CASE("five early deaths in a row are the end, unless one life was long or the run got on") {
  RestartPolicy hopeless{RestartOptions{}};
  for (int death = 1; death < 5; ++death) REQUIRE(hopeless.died(9s, 7));
  CHECK_FALSE(hopeless.died(9s, 7));

  RestartPolicy long_lived{RestartOptions{}};
  for (int death = 1; death < 5; ++death) REQUIRE(long_lived.died(9s, 0));
  REQUIRE(long_lived.died(10s, 0));
  CHECK(long_lived.died(9s, 0));

  RestartPolicy useful{RestartOptions{}};
  for (int death = 1; death < 5; ++death) REQUIRE(useful.died(9s, 0));
  CHECK(useful.died(9s, 1));
}

TEST_CASE("a command is quoted so that the shell gives the same words back") {
  const std::vector<std::string> words{
      "framefleet", "run",  "--detect", "faces?min_size=40&scale=1.1",
      "my photos",  "it's", "",         "a/b.jpg"};
  CHECK(shell_command(words) ==
        "framefleet run --detect 'faces?min_size=40&scale=1.1' 'my photos' 'it'\\''s' '' a/b.jpg");
  CHECK(shell_quote("~") == "'~'");
  CHECK(shell_quote("-") == "-");
}

TEST_CASE("of a log a person sees sentences and errors, else its last lines") {
  const std::string info = "2026-05-01T12:00:00.123Z info framefleet-sink starting version=0.1.0\n";
  const std::string error =
      "2026-05-01T12:00:00.123Z error framefleet-sink failed text=\"cannot create \\\"x\\\"\"\n";
  CHECK(log_excerpt("", 5).empty());
  CHECK(log_excerpt(info + error, 5) == "framefleet-sink: cannot create \"x\"");
  CHECK(log_excerpt(info + "no such detector: cats\n" + info, 5) == "no such detector: cats");
  CHECK(log_excerpt(info + info, 1) + "\n" == info);
  CHECK(log_excerpt("a\nb\n\nc", 2) == "b\nc");
}

TEST_CASE("the children's command lines carry what the run was asked for") {
  RunOptions options;
  options.sources = {"photos", "-"};
  options.detect = {"faces?min_size=40", "edges"};
  options.annotate = true;
  options.watch = true;
  options.order = "shuffled:7";
  options.job = "holiday";
  options.second = "b.jpg";
  options.out = "out";
  const FleetCommands commands("/nowhere", {"ipc:///tmp/x", "ipc:///tmp/x"}, options,
                               "out/.framefleet");
  CHECK(commands.check_detectors().program == "framefleet-worker");
  CHECK(commands.check_detectors().arguments == std::vector<std::string>{"--check-detectors",
                                                                         "faces?min_size=40,edges",
                                                                         "--metrics-listen", ""});
  CHECK(commands.of({ChildKind::producer, 0}).arguments ==
        std::vector<std::string>{"--connect",
                                 "ipc:///tmp/x",
                                 "--detect",
                                 "faces?min_size=40,edges",
                                 "--confirm",
                                 "stored",
                                 "--manifest",
                                 "out/.framefleet",
                                 "--progress-fd",
                                 "3",
                                 "--metrics-listen",
                                 "",
                                 "--job",
                                 "holiday",
                                 "--annotate",
                                 "--watch",
                                 "--order",
                                 "shuffled:7",
                                 "--second",
                                 "b.jpg",
                                 "--",
                                 "photos",
                                 "-"});
  CHECK(commands.of({ChildKind::worker, 2}).arguments ==
        std::vector<std::string>{"--connect", "ipc:///tmp/x", "--name", "worker-2", "--slots", "1",
                                 "--metrics-listen", ""});
  CHECK(commands.of({ChildKind::broker, 0}).arguments ==
        std::vector<std::string>{"--bind", "ipc:///tmp/x", "--metrics-listen", ""});
}

TEST_CASE("a run's models and formats reach its workers, its journal the broker") {
  RunOptions options;
  options.detect = {"cats"};
  options.models = "models";
  options.formats = {"jpeg", "png", "webp", "tiff"};
  options.journal = "kept";
  const FleetCommands commands("/nowhere", {"ipc:///tmp/x", "ipc:///tmp/x"}, options,
                               "out/.framefleet");
  CHECK(commands.check_detectors().arguments ==
        std::vector<std::string>{"--check-detectors", "cats", "--metrics-listen", "", "--models",
                                 "models", "--formats", "jpeg,png,webp,tiff"});
  CHECK(commands.of({ChildKind::worker, 1}).arguments ==
        std::vector<std::string>{"--connect", "ipc:///tmp/x", "--name", "worker-1", "--slots", "1",
                                 "--metrics-listen", "", "--models", "models", "--formats",
                                 "jpeg,png,webp,tiff"});
  CHECK(commands.of({ChildKind::broker, 0}).arguments ==
        std::vector<std::string>{"--bind", "ipc:///tmp/x", "--metrics-listen", "", "--journal",
                                 "kept"});
}

}  // namespace framefleet::cli
