// `framefleet status`, `drain`, `dead …` as processes, against a broker that the test plays: what
// they ask, what they print, what they end with.

#include "cli/folders.hpp"
#include "tests/unit/cli/played_broker.hpp"

#include "shared/base/result.hpp"
#include "shared/security/digest.hpp"
#include "shared/wire/codec.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace framefleet::cli {
namespace {

using Catch::Contains;
using test::PlayedBroker;
using test::Ran;

const std::string kId = "00112233445566aa-1700000000-12";
const std::string kOtherId = "00112233445566aa-1700000000-13";

/// The document of one dead letter.
std::string letter(const std::string& id, const std::string& origin) {
  return R"({"dead_letters":[{"task":")" + id + R"(","origin":")" + origin +
         R"(","detect":["faces?min_size=40","edges"],"annotate":true,)"
         R"("captured_at_ms":1700000000123,"bytes":7,"revived_as":null}]})";
}

Report refusal(Reason reason, const std::string& text) {
  Report report;
  report.reason = reason;
  report.text = text;
  return report;
}

}  // namespace

TEST_CASE("what the broker shows is printed as a table, or as the document itself") {
  PlayedBroker broker;
  const std::string document = R"({"workers":[{"name":"w1","slots":4,"leased":2,"finished":9}]})";
  broker.answer([&](const Control&) { return Message{broker.report_with({document})}; });
  const auto table = broker.operate("workers");
  CHECK(table.exit_code == exit_code::kOk);
  CHECK(table.err.empty());
  CHECK_THAT(table.out, Contains("WORKER  STATE") && Contains("w1      serving"));
  const auto json = broker.operate("workers --json");
  CHECK(json.exit_code == exit_code::kOk);
  CHECK(json.out == document + "\n");
  REQUIRE(broker.asked.size() == 2);
  CHECK(broker.asked.front().verb == ControlVerb::workers);
}

TEST_CASE("a job is shown by its name, and one that nobody knows is 66") {
  PlayedBroker broker;
  broker.answer([&](const Control& control) {
    CHECK(control.verb == ControlVerb::jobs);
    return Message{broker.report_with({R"({"jobs":[{"name":"night"},{"name":"day"}]})"})};
  });
  CHECK(broker.operate("jobs --json night").out == R"({"jobs":[{"name":"night"}]})"
                                                   "\n");
  CHECK_THAT(broker.operate("jobs day").out, Contains("job       day"));
  const auto missing = broker.operate("jobs dusk");
  CHECK(missing.exit_code == exit_code::kNoInput);
  CHECK_THAT(missing.err, Contains("no job 'dusk'"));
}

TEST_CASE("a refusal ends with the code of its reason, and says why") {
  struct Expected {
    Reason reason;
    int exit_code;
  };
  for (const auto& [reason, code] : {Expected{Reason::not_found, exit_code::kNoInput},
                                     Expected{Reason::no_sink, exit_code::kUnavailable},
                                     Expected{Reason::draining, exit_code::kUnavailable},
                                     Expected{Reason::malformed, exit_code::kInternal}}) {
    PlayedBroker broker;
    broker.answer_with(refusal(reason, "in the broker's words"));
    const auto ran = broker.operate("pause camera-7");
    CAPTURE(std::string(to_string(reason)), ran.err);
    CHECK(ran.exit_code == code);
    CHECK_THAT(ran.err,
               Contains("in the broker's words") && Contains(std::string(entry(reason).text)));
  }
}

TEST_CASE("an operator whom the broker does not permit is told so") {
  PlayedBroker broker;
  broker.answer([](const Control&) {
    Refused refused;
    refused.reason = Reason::not_permitted;
    return Message{refused};
  });
  const auto ran = broker.operate("status");
  CHECK(ran.exit_code == exit_code::kUnavailable);
  CHECK_THAT(ran.err, Contains("the sender's key, or user, has no right to this"));
}

TEST_CASE("a broker that is not there, or says nothing, is 69") {
  PlayedBroker broker;
  const auto absent = broker.run("status --connect ipc:///nowhere/broker.sock");
  CHECK(absent.exit_code == exit_code::kUnavailable);
  CHECK_THAT(absent.err, Contains("no broker at /nowhere/broker.sock"));
  broker.answer([](const Control&) { return Message{Heartbeat{}}; });
  const auto silent = broker.operate("status --timeout 100ms");
  CHECK(silent.exit_code == exit_code::kUnavailable);
  CHECK_THAT(silent.err, Contains("within 0.1 s"));
}

TEST_CASE("a question is asked again when the connection was lost over it") {
  PlayedBroker broker;
  broker.answer([&](const Control&) {
    if (broker.asked.size() == 1) return Message{Goodbye{}};
    return Message{broker.report_with({R"({"sources":[]})"})};
  });
  const auto ran = broker.operate("sources");
  CHECK(ran.exit_code == exit_code::kOk);
  CHECK(ran.out == "no sources\n");
  CHECK(broker.asked.size() == 2);
}

TEST_CASE("a deed whose answer was lost is not asked for again: it may have been done") {
  PlayedBroker broker;
  broker.answer([](const Control&) { return Message{Goodbye{}}; });
  const auto lost = broker.operate("cancel --yes --task " + kId);
  CHECK(lost.exit_code == exit_code::kUnavailable);
  CHECK_THAT(lost.err, Contains("its answer is lost") && Contains("framefleet status"));
  CHECK(broker.asked.size() == 1);
  broker.answer([](const Control&) { return Message{Heartbeat{}}; });
  const auto late = broker.operate("pause --timeout 2s");
  CHECK(late.exit_code == exit_code::kUnavailable);
  CHECK_THAT(late.err, Contains("its answer has not come within 2 s"));
}

TEST_CASE("each verb asks for its deed and prints what the broker says of it") {
  struct Expected {
    std::string arguments;
    ControlVerb verb;
    std::string name;
    std::vector<std::string> tasks;
  };
  const std::vector<Expected> all{
      {"drain worker-3", ControlVerb::drain_worker, "worker-3", {}},
      {"drain --idlest", ControlVerb::drain_idlest, "", {}},
      {"drain --broker --yes", ControlVerb::drain_broker, "", {}},
      {"pause", ControlVerb::pause, "", {}},
      {"pause camera-7", ControlVerb::pause, "camera-7", {}},
      {"resume", ControlVerb::resume, "", {}},
      {"resume camera-7", ControlVerb::resume, "camera-7", {}},
      {"cancel --yes night", ControlVerb::cancel_job, "night", {}},
      {"cancel --yes --task " + kId + " " + kOtherId,
       ControlVerb::cancel_task,
       "",
       {kId, kOtherId}},
      {"dead purge --yes " + kId, ControlVerb::dead_purge, "", {kId}},
      {"sources reload", ControlVerb::reload_sources, "", {}},
      {"sources reload cams", ControlVerb::reload_sources, "cams", {}},
      {"dead purge --yes --all", ControlVerb::dead_purge, "", {}},
  };
  PlayedBroker broker;
  broker.answer_with(refusal(Reason::none, "as you wish"));
  for (const auto& expected : all) {
    const auto ran = broker.operate(expected.arguments);
    CAPTURE(expected.arguments, ran.err);
    CHECK(ran.exit_code == exit_code::kOk);
    CHECK(ran.out == "as you wish\n");
    REQUIRE(broker.asked.size() == 1);
    CHECK(broker.asked.front().verb == expected.verb);
    CHECK(broker.asked.front().name == expected.name);
    std::vector<std::string> tasks;
    for (const auto& task : broker.asked.front().tasks) tasks.push_back(to_string(task));
    CHECK(tasks == expected.tasks);
    broker.asked.clear();
  }
}

TEST_CASE("workers that the broker is to choose are counted, and named by whoever asks") {
  PlayedBroker broker;
  broker.answer_with(refusal(Reason::none, "'w2' will finish and leave"));
  REQUIRE(broker.operate("drain --idlest --count 3 --among w1 --among w2").exit_code == 0);
  REQUIRE(broker.asked.size() == 1);
  CHECK(broker.asked.front().limit == 3);
  CHECK(broker.asked.front().names == std::vector<std::string>{"w1", "w2"});

  for (const auto* const wrong :
       {"drain", "drain w1 --broker", "drain w1 --idlest", "drain --idlest --broker",
        "drain w1 --count 2", "drain w1 --among w2", "drain --idlest --count 0"}) {
    const auto refused = broker.operate(wrong);
    CAPTURE(wrong, refused.err);
    CHECK(refused.exit_code == exit_code::kUsage);
    CHECK(broker.asked.size() == 1);
  }
}

TEST_CASE("autoscale says what is wrong with its words before it starts anything") {
  struct Wrong {
    std::string arguments;
    int exit_code;
    std::string says;
  };
  const std::vector<Wrong> all{
      {"autoscale", exit_code::kUsage, "MIN:MAX"},
      {"autoscale 8:1", exit_code::kConfig, "'8:1' is no MIN:MAX"},
      {"autoscale 8", exit_code::kConfig, "'8' is no MIN:MAX"},
      {"autoscale 1:2 --connect tcp://127.0.0.1:5555", exit_code::kConfig, "is no ipc:///PATH"},
      {"autoscale 1:2 -- --name mine", exit_code::kConfig, "--name belongs before the --"},
      {"autoscale 1:2 -- --connect=ipc:///x", exit_code::kConfig, "--connect belongs before"},
      {"autoscale 1:2 --slots 4", exit_code::kUsage, "slots"},
      {"run --autoscale 4 x.jpg", exit_code::kConfig, "run.autoscale: '4' is no MIN:MAX"},
  };
  PlayedBroker broker;
  for (const auto& wrong : all) {
    const auto ran = broker.run(wrong.arguments);
    CAPTURE(wrong.arguments, ran.err);
    CHECK(ran.exit_code == wrong.exit_code);
    CHECK_THAT(ran.err, Contains(wrong.says));
  }
}

TEST_CASE("workers that cannot be started end autoscale with their exit code") {
  PlayedBroker broker;
  const auto ran = broker.run("autoscale 1:2 --connect " + broker.endpoint() +
                              " -- --detectors none-of-this-name");
  CAPTURE(ran.err);
  CHECK(ran.exit_code == exit_code::kUsage);
  CHECK_THAT(ran.err, Contains("worker_ended") && Contains("none-of-this-name"));
}

TEST_CASE("many tasks are cancelled in several questions, each of them once") {
  PlayedBroker broker;
  std::string arguments = "cancel --yes --task";
  for (int i = 0; i < 600; ++i) arguments += " 00112233445566aa-1-" + std::to_string(i);
  CHECK(broker.operate(arguments).exit_code == exit_code::kOk);
  std::set<TaskId> tasks;
  std::size_t count = 0;
  for (const auto& control : broker.asked) {
    count += control.tasks.size();
    tasks.insert(control.tasks.begin(), control.tasks.end());
  }
  CHECK(broker.asked.size() == 3);
  CHECK(count == 600);
  CHECK(tasks.size() == 600);
}

TEST_CASE("a command line that is wrong is 64 and asks nobody anything") {
  PlayedBroker broker;
  for (const std::string arguments :
       {"drain", "drain worker-1 --broker", "drain a b", "cancel", "cancel a b", "cancel --task x",
        "pause a b", "status now", "workers --nonsense", "dead", "dead bury", "dead show",
        "dead show x", "dead export", "dead revive", "dead revive --all 00112233445566aa-1-2",
        "dead purge --yes", "status --timeout 5"}) {
    const auto ran = broker.operate(arguments);
    CAPTURE(arguments, ran.err);
    CHECK(ran.exit_code == exit_code::kUsage);
    CHECK_FALSE(ran.err.empty());
  }
  CHECK(broker.asked.empty());
}

TEST_CASE("what cannot be undone is not done unless somebody says yes") {
  PlayedBroker broker;
  for (const std::string arguments : {"drain --broker", "cancel night", "dead purge --all"}) {
    const auto ran = broker.operate(arguments);
    CAPTURE(arguments);
    CHECK(ran.exit_code == exit_code::kUsage);
    CHECK_THAT(ran.err, Contains("--yes"));
  }
  CHECK(broker.asked.empty());
}

TEST_CASE("every verb explains itself") {
  PlayedBroker broker;
  for (const std::string verb :
       {"status", "workers", "sources", "jobs", "drain", "pause", "resume", "cancel", "dead list",
        "dead show", "dead export", "dead revive", "dead purge"}) {
    const auto ran = broker.run(verb + " --help");
    CAPTURE(verb);
    CHECK(ran.exit_code == exit_code::kOk);
    CHECK_THAT(ran.out, Catch::StartsWith("framefleet " + verb + ": "));
    CHECK_THAT(ran.out, Contains("--connect") && Contains("Exit codes:"));
  }
  CHECK_THAT(broker.run("dead --help").out, Contains("revive"));
  const auto usage = broker.run("--help").out;
  CHECK_THAT(usage, Contains("status") && Contains("dead") && Contains("cancel"));
}

TEST_CASE("dead letters are listed, and shown in full") {
  PlayedBroker broker;
  broker.answer([&](const Control&) {
    auto report = broker.report_with({letter(kId, "a.jpg")});
    report.text = "the newest 1 of 30";
    return Message{report};
  });
  const auto list = broker.operate("dead list --limit 7");
  CHECK_THAT(list.out,
             Contains(kId) && Contains("a.jpg") && Catch::EndsWith("the newest 1 of 30\n"));
  const auto shown = broker.operate("dead show " + kId);
  CHECK_THAT(shown.out, Contains("detect    faces?min_size=40,edges"));
  CHECK(broker.operate("dead list --json").out == letter(kId, "a.jpg") + "\n");
  REQUIRE(broker.asked.size() == 3);
  CHECK(broker.asked[0].verb == ControlVerb::dead_list);
  CHECK(broker.asked[0].limit == 7);
  CHECK(broker.asked[1].verb == ControlVerb::dead_show);
  CHECK(broker.asked[1].tasks == std::vector{*parse_task_id(kId)});
}

TEST_CASE("an exported picture is the picture that was sent, and overwrites nothing") {
  PlayedBroker broker;
  const std::string picture("\xFF\xD8\xFF picture \0 of a face", 24);
  broker.answer([&](const Control& control) {
    CHECK(control.verb == ControlVerb::dead_export);
    return Message{broker.report_with({letter(kId, "/photos/a.jpg"), picture, "second"})};
  });
  const auto first = broker.operate("dead export " + kId);
  CHECK(first.exit_code == exit_code::kOk);
  CHECK(first.out == "a.jpg\na.jpg.2\n");
  CHECK(test::contents_of(broker.folder() / "a.jpg") == picture);
  CHECK(test::contents_of(broker.folder() / "a.jpg.2") == "second");
  const auto again = broker.operate("dead export " + kId);
  CHECK(again.exit_code == exit_code::kCannotCreate);
  CHECK_THAT(again.err, Contains("a.jpg") && Contains("--to"));
  CHECK(broker.operate("dead export --to b.jpg " + kId).out == "b.jpg\nb.jpg.2\n");
  CHECK(test::contents_of(broker.folder() / "b.jpg") == picture);
  CHECK(broker.operate("dead export --to no/such/folder " + kId).exit_code ==
        exit_code::kCannotCreate);
  CHECK(broker.operate("dead export --to /dev/full " + kId).exit_code == exit_code::kCannotCreate);
}

TEST_CASE("a dead letter whose picture is gone is exported to nowhere") {
  PlayedBroker broker;
  broker.answer(
      [&](const Control&) { return Message{broker.report_with({letter(kId, "a.jpg")})}; });
  const auto ran = broker.operate("dead export " + kId);
  CHECK(ran.exit_code == exit_code::kNoInput);
  CHECK_THAT(ran.err, Contains("no picture of " + kId));
  CHECK_FALSE(std::filesystem::exists(broker.folder() / "a.jpg"));
}

TEST_CASE("a revived letter is a new task with the same picture that names the old one") {
  PlayedBroker broker;
  broker.answer([&](const Control& control) {
    const auto id = to_string(control.tasks.at(0));
    return Message{broker.report_with({letter(id, "a.jpg"), "picture of " + id})};
  });
  broker.settle([](const SubmittedTask& task) {
    const bool first = task.id.sequence == 0;
    return SettledTask{task.id, first ? Status::ok : Status::failed,
                       first ? Reason::none : Reason::undecodable, first ? "" : "no scan"};
  });
  const auto ran = broker.operate("dead revive " + kId + " " + kOtherId);
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit_code == exit_code::kSomeFailed);
  REQUIRE(broker.submitted.size() == 2);
  const auto& task = broker.submitted.front();
  CHECK(task.revived_from == parse_task_id(kId));
  CHECK_THAT(task.source, Catch::StartsWith("revived/"));
  CHECK(task.id.source == security::source_hash(task.source));
  CHECK(task.detectors == std::vector<std::string>{"edges", "faces"});
  CHECK(broker.pictures == std::vector<std::string>{"picture of " + kId, "picture of " + kOtherId});
  const auto description = wire::decode_task(task.task);
  REQUIRE(description);
  CHECK(*description == TaskDescription{.origin = "a.jpg",
                                        .detect = {"faces?min_size=40", "edges"},
                                        .annotate = true,
                                        .captured_at_ms = 1'700'000'000'123,
                                        .unreadable = {}});
  CHECK_THAT(ran.out, Contains(kId + " -> " + to_string(task.id) + ": ok\n") &&
                          Contains(kOtherId + " -> " + to_string(broker.submitted.back().id) +
                                   ": failed (undecodable: no scan)\n"));
}

TEST_CASE("all that have a picture and were not revived yet are revived") {
  PlayedBroker broker;
  broker.answer([&](const Control& control) {
    if (control.verb == ControlVerb::dead_list) {
      return Message{broker.report_with(
          {R"({"dead_letters":[{"task":")" + kId + R"(","bytes":7},{"task":")" + kOtherId +
           R"(","bytes":7,"revived_as":"00112233445566aa-1-1"},)"
           R"({"task":"00112233445566aa-1-2","bytes":0,"bytes_dropped":7}]})"})};
    }
    return Message{broker.report_with({letter(kId, "a.jpg"), "picture"})};
  });
  const auto ran = broker.operate("dead revive --all --json");
  CHECK(ran.exit_code == exit_code::kOk);
  REQUIRE(broker.submitted.size() == 1);
  const auto line = nlohmann::json::parse(ran.out);
  CHECK(line["from"] == kId);
  CHECK(line["to"] == to_string(broker.submitted.front().id));
  CHECK(line["status"] == "ok");
}

TEST_CASE("a letter that cannot be fetched does not keep the others from being revived") {
  PlayedBroker broker;
  broker.answer([&](const Control& control) {
    const auto id = to_string(control.tasks.at(0));
    if (id == kId) return Message{refusal(Reason::not_found, "no dead letter " + id)};
    return Message{broker.report_with({letter(id, "a.jpg"), "picture"})};
  });
  const auto ran = broker.operate("dead revive " + kId + " " + kOtherId);
  CHECK(ran.exit_code == exit_code::kSomeFailed);
  CHECK_THAT(ran.out, Contains(kId + " -> ") && Contains("no dead letter " + kId));
  CHECK(broker.submitted.size() == 1);
  CHECK(broker.operate("dead revive " + kId).exit_code == exit_code::kNoInput);
  broker.answer_with(refusal(Reason::no_sink, ""));
  CHECK(broker.operate("dead revive " + kId).exit_code == exit_code::kUnavailable);
}

TEST_CASE(
    "a letter that is slow to come does not silence the connection that it is submitted over") {
  PlayedBroker broker;
  broker.answer([&](const Control&) {
    return Message{broker.report_with({letter(kId, "a.jpg"), "picture"})};
  });
  broker.answer_once([&] { return broker.producer_beats > 0; });
  const auto ran = broker.operate("dead revive " + kId);
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit_code == exit_code::kOk);
  CHECK(broker.submitted.size() == 1);
}

TEST_CASE("the broker of a run is found by the run's folder while the run lasts") {
  PlayedBroker broker;
  broker.answer([&](const Control&) { return Message{broker.report_with({R"({"jobs":[]})"})}; });
  {
    auto run = RunFolder::open(broker.folder() / "results", RunFolder::OldLogs::remove);
    REQUIRE(run);
    run->publish_endpoint(broker.endpoint());
    const auto ran = broker.run("jobs --run results");
    CHECK(ran.exit_code == exit_code::kOk);
    CHECK(ran.out == "no jobs\n");
  }
  const auto ended = broker.run("jobs --run results");
  CHECK(ended.exit_code == exit_code::kNoInput);
  CHECK_THAT(ended.err, Contains("no framefleet run is under way in results"));
}

}  // namespace framefleet::cli
