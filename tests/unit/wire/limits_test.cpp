#include "tests/support/catch.hpp"
#include "tests/unit/wire/tree.hpp"

#include "shared/wire/codec.hpp"

#include <chrono>
#include <span>

using namespace framefleet;
using namespace framefleet::test;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Kind = wire::CodecError::Kind;

namespace {

/// "" if it may travel, else why not.
std::string refusal(const Message& message, std::vector<std::uint64_t> frame_bytes = {}) {
  const auto header = wire::encode(message, frame_bytes);
  return header ? "" : header.error().text;
}

/// "" if it is read, else why not.
std::string refusal(const Tree& tree, std::vector<std::uint64_t> frame_bytes = {}) {
  const auto header = pack(tree);
  const auto read = wire::decode(std::as_bytes(std::span(header)), frame_bytes);
  return read ? "" : read.error().text;
}

SubmittedTask task() {
  SubmittedTask task;
  task.source = "cam";
  task.detectors = {"faces"};
  task.task = "t";
  return task;
}

Tree task_tree() {
  return map({text("id"), text("0000000000000001-2-3"), text("source"), text("cam"),
              text("detectors"), list({text("faces")}), text("task"), bytes("t")});
}

Tree submit_tree(Tree task) {
  return map({text("type"), text("submit"), text("tasks"), list({std::move(task)})});
}

Tree with(Tree tree, const std::string& key, Tree value) {
  tree.items.push_back(text(key));
  tree.items.push_back(std::move(value));
  return tree;
}

Tree nested(std::size_t levels) { return levels == 0 ? whole(1) : list({nested(levels - 1)}); }

template <class Change>
std::string refused_task(Change change) {
  auto changed = task();
  change(changed);
  return refusal(Submit{{changed}});
}

}  // namespace

TEST_CASE("a header is at most 4 levels deep") {
  const auto goodbye = map({text("type"), text("goodbye")});
  CHECK(refusal(with(goodbye, "x", nested(3))) == "");
  CHECK(refusal(with(goodbye, "x", nested(4))) == "header: it is over 4 levels deep");
  CHECK(refusal(with(goodbye, "x", nested(100))) == "header: it is over 4 levels deep");
}

TEST_CASE("a header has at most 4096 elements") {
  const auto goodbye = map({text("type"), text("goodbye")});
  const auto with_items = [&](std::size_t count) {
    return with(goodbye, "x", list(std::vector<Tree>(count, nil())));
  };
  CHECK(refusal(with_items(4096 - 5)) == "");  // a map, its three other elements, the list
  CHECK(refusal(with_items(4096 - 4)) == "header: it claims over 4096 elements");
  const auto split = with(with_items(2040), "y", list(std::vector<Tree>(2060, nil())));
  CHECK(refusal(split) == "header: it claims over 4096 elements");
  CHECK(refusal(with(with_items(4091), "y", nil())) == "header: it has over 4096 elements");
}

TEST_CASE("a map has at most 64 keys") {
  auto goodbye = map({text("type"), text("goodbye")});
  for (int i = 0; i < 63; ++i) goodbye = with(goodbye, std::to_string(i), nil());
  CHECK(refusal(goodbye) == "");
  CHECK(refusal(with(goodbye, "one more", nil())) == "header: a map has 65 keys, over 64");
}

TEST_CASE("a header has at most 64 KiB") {
  const auto of_bytes = [](std::size_t count) {
    constexpr std::size_t kAround = 1 + 5 + 8 + 2 + 5;  // map, type, goodbye, x, head of bin
    return with(map({text("type"), text("goodbye")}), "x",
                bytes(std::string(count - kAround, 'b')));
  };
  REQUIRE(pack(of_bytes(65536)).size() == 65536);
  CHECK(refusal(of_bytes(65536)) == "");
  CHECK(refusal(of_bytes(65537)) == "header: 65537 bytes, over 65536");
}

TEST_CASE("a list that makes the header too large is told from a value that may not travel") {
  auto big = task();
  big.task.assign(8192, 't');
  CHECK(refusal(Submit{std::vector(7, big)}) == "");
  CHECK(wire::encode(Submit{std::vector(8, big)}, {}).error().kind == Kind::too_large);

  CHECK(refusal(Heartbeat{1, std::vector<LeaseId>(1363)}) == "");
  CHECK(wire::encode(Heartbeat{1, std::vector<LeaseId>(1364)}, {}).error() ==
        wire::CodecError{Kind::too_large, "heartbeat: over 4096 elements"});
  CHECK(wire::encode(Heartbeat{1, std::vector<LeaseId>(1'000'000)}, {}).error().kind ==
        Kind::too_large);

  big.task += 't';
  CHECK(wire::encode(Submit{{task(), big}}, {}).error() ==
        wire::CodecError{Kind::malformed, "submit.tasks[1].task: 8193 bytes, over 8192"});
}

TEST_CASE("every worker may list all its slots, and what waits ahead of them, in one heartbeat") {
  constexpr std::size_t kAhead = 64;
  CHECK(refusal(Heartbeat{
            ~0U, std::vector<LeaseId>(wire::kSlotsMax + kAhead, {~0U, wire::kCountMax})}) == "");
}

TEST_CASE("a dead letter of the most frames fits behind the document of its report") {
  Report report;
  report.payload = {PayloadId{}, wire::kTaskFramesMax + 1, wire::kTaskFramesMax + 1};
  CHECK(refusal(report, std::vector<std::uint64_t>(wire::kTaskFramesMax + 1, 1)) == "");
}

TEST_CASE("an operator's question is never too large to be asked in one piece") {
  constexpr TaskId kLongestId{~0ULL, ~0U, ~0ULL, 0xFFFF};
  Control control;
  control.asker = ~0ULL;
  control.verb = ControlVerb::drain_broker;
  control.name.assign(256, 'n');
  control.limit = wire::kCountMax;
  control.tasks.assign(1000, kLongestId);
  CHECK(refusal(control) == "");
  control.tasks.assign(5000, kLongestId);
  CHECK(wire::encode(control, {}).error() ==
        wire::CodecError{Kind::malformed, "control.tasks: 5000 items, over 1000"});
  control.tasks.clear();
  control.name += 'n';
  CHECK(refusal(control) == "control.name: 257 bytes, over 256");
  control.name.clear();
  control.limit = wire::kCountMax + 1;
  CHECK(refusal(control) == "control.limit: 9007199254740993 is over 9007199254740992");

  const auto ask = [](Tree verb) {
    return map({text("type"), text("control"), text("verb"), std::move(verb)});
  };
  CHECK(refusal(ask(text("status"))) == "");
  CHECK(refusal(ask(text("explode"))) == "control.verb: 'explode' is no word of this field");
  CHECK(refusal(ask(text(""))) == "control.verb: '' is no word of this field");
  CHECK(refusal(ask(whole(0))) == "control.verb: is not text");
  CHECK(refusal(map({text("type"), text("control")})) == "control.verb: is missing");
  const auto status = ask(text("status"));
  CHECK(
      refusal(with(status, "tasks", list(std::vector<Tree>(1001, text("00000000000000ff-1-0"))))) ==
      "control.tasks: 1001 items, over 1000");
  CHECK(refusal(with(status, "tasks", list(std::vector<Tree>(5000, nil())))) ==
        "header: it claims over 4096 elements");
  CHECK(refusal(with(status, "tasks", list({text("all")}))) ==
        "control.tasks[0]: 'all' is not a task id");
}

TEST_CASE("a warning names at most as many detectors as a task can have") {
  CHECK(refusal(Admitted{{}, std::vector<std::string>(64, std::string(64, 'd'))}) == "");
  CHECK(refusal(Admitted{{}, std::vector<std::string>(65, "d")}) ==
        "admitted.unknown_detectors: 65 items, over 64");
  CHECK(refusal(Admitted{{}, {""}}) == "admitted.unknown_detectors[0]: is empty");
  const auto names = [](std::size_t count) {
    return map({text("type"), text("admitted"), text("tasks"), list({}), text("unknown_detectors"),
                list(std::vector<Tree>(count, text("faces")))});
  };
  CHECK(refusal(names(64)) == "");
  CHECK(refusal(names(65)) == "admitted.unknown_detectors: 65 items, over 64");
}

TEST_CASE("a message has at most 64 payload frames, and all of them are somebody's") {
  const auto submit = [](std::uint8_t frames, std::uint64_t bytes) {
    auto one = task();
    one.payload = {PayloadId{}, frames, bytes};
    return Submit{{one}};
  };
  const auto ones = [](std::size_t count) { return std::vector<std::uint64_t>(count, 1); };
  Submit most{{submit(4, 4).tasks[0]}};
  for (int i = 0; i < 4; ++i) most.tasks.push_back(submit(15, 15).tasks[0]);
  CHECK(refusal(most, ones(64)) == "");
  most.tasks.push_back(submit(1, 1).tasks[0]);
  CHECK(wire::encode(most, ones(65)).error().kind == Kind::too_large);
  CHECK(refusal(Results{{{{}, {}, "t", {}, {PayloadId{}, 16, 16}}}}, ones(16)) == "");
  CHECK(refusal(Results{{{{}, {}, "t", {}, {PayloadId{}, 17, 17}}}}, ones(17)) ==
        "result.tasks[0].frames: 17 is over 16");
  CHECK(refusal(submit(2, 2), {1}) == "submit.tasks[0].frames: 2 promised, 1 left");
  CHECK(refusal(submit(1, 1), {1, 1}) == "submit: 1 payload frames belong to no entry");
  CHECK(refusal(submit(1, 2), {1}) == "submit.tasks[0].frames: have 1 bytes, the payload says 2");

  const auto header = wire::encode(submit(2, 7), std::vector<std::uint64_t>{3, 4});
  REQUIRE(header);
  const auto read = [&](std::vector<std::uint64_t> sizes) {
    const auto message = wire::decode(std::as_bytes(std::span(*header)), sizes);
    return message ? "" : message.error().text;
  };
  CHECK(read({3, 4}) == "");
  CHECK(read({4, 3}) == "submit.sizes: are not those of the frames");
  CHECK(read({3}) == "submit.sizes: are not those of the frames");
  CHECK(read({}) == "submit.sizes: are not those of the frames");
  CHECK(read({3, 4, 5}) == "submit.sizes: are not those of the frames");
  CHECK(read(std::vector<std::uint64_t>(65, 0)) == "header: 65 payload frames, over 64");
  const auto two =
      with(submit_tree(with(task_tree(), "frames", whole(2))), "sizes", list({whole(3)}));
  CHECK(refusal(two, {3}) == "submit.tasks[0].frames: 2 promised, 1 left");
  CHECK(refusal(with(submit_tree(task_tree()), "sizes", list({whole(3)})), {3}) ==
        "submit: 1 payload frames belong to no entry");
  CHECK(refusal(Results{{TaskResult{}}}) == "result.tasks[0].frames: 0 is under 1");
}

TEST_CASE("names, numbers and lists of a submitted task have their caps") {
  CHECK(refused_task([](auto&) {}) == "");
  CHECK(refused_task([](auto& t) { t.source.assign(256, 's'); }) == "");
  CHECK(refused_task([](auto& t) { t.source.assign(257, 's'); }) ==
        "submit.tasks[0].source: 257 bytes, over 256");
  CHECK(refused_task([](auto& t) { t.source.clear(); }) == "submit.tasks[0].source: is empty");
  CHECK(refused_task([](auto& t) { t.source = "\xFF"; }) == "submit.tasks[0].source: is not UTF-8");
  CHECK(refused_task([](auto& t) { t.job.assign(257, 'j'); }) ==
        "submit.tasks[0].job: 257 bytes, over 256");
  CHECK(refused_task([](auto& t) { t.priority = 9; }) == "");
  CHECK(refused_task([](auto& t) { t.priority = 10; }) == "submit.tasks[0].priority: 10 is over 9");
  CHECK(refused_task([](auto& t) { t.detectors.assign(64, "d"); }) == "");
  CHECK(refused_task([](auto& t) { t.detectors.assign(65, "d"); }) ==
        "submit.tasks[0].detectors: 65 items, over 64");
  CHECK(refused_task([](auto& t) { t.detectors.clear(); }) ==
        "submit.tasks[0].detectors: 0 items, under 1");
  CHECK(refused_task([](auto& t) {
          t.detectors = {"a", ""};
        }) == "submit.tasks[0].detectors[1]: is empty");
  CHECK(refused_task([](auto& t) { t.detectors = {std::string(65, 'd')}; }) ==
        "submit.tasks[0].detectors[0]: 65 bytes, over 64");
  CHECK(refused_task([](auto& t) { t.digest.assign(33, 'd'); }) ==
        "submit.tasks[0].digest: 33 bytes, over 32");
  CHECK(refused_task([](auto& t) { t.task.clear(); }) == "submit.tasks[0].task: is empty");
}

TEST_CASE("what a writer may not send, a reader does not take") {
  CHECK(refusal(submit_tree(task_tree())) == "");
  const auto read = [](const std::string& key, Tree value) {
    return refusal(submit_tree(with(task_tree(), key, std::move(value))));
  };
  CHECK(read("priority", whole(9)) == "");
  CHECK(read("priority", whole(10)) == "submit.tasks[0].priority: 10 is over 9");
  CHECK(read("priority", whole(256 + 1)) == "submit.tasks[0].priority: 257 is over 9");
  CHECK(read("priority", negative(-1)) == "submit.tasks[0].priority: is negative");
  CHECK(read("priority", negative(5)) == "");  // a signed format, a positive value
  CHECK(read("priority", real(1)) == "submit.tasks[0].priority: is not an integer");
  CHECK(read("ttl_ms", negative(-1)) == "submit.tasks[0].ttl_ms: is negative");
  CHECK(read("ttl_ms", whole(31'622'400'000)) == "");
  CHECK(read("ttl_ms", whole(31'622'400'001)) ==
        "submit.tasks[0].ttl_ms: 31622400001 is over 31622400000");
  CHECK(read("ttl_ms", whole(~0ULL)) ==
        "submit.tasks[0].ttl_ms: 18446744073709551615 is over 31622400000");
  CHECK(read("digest", bytes(std::string(33, 'd'))) == "submit.tasks[0].digest: 33 bytes, over 32");
  CHECK(read("digest", text("abc")) == "submit.tasks[0].digest: is not bin");
  CHECK(read("job", text(std::string(257, 'j'))) == "submit.tasks[0].job: 257 bytes, over 256");
  CHECK(read("job", text("\xC3")) == "submit.tasks[0].job: is not UTF-8");
  CHECK(read("class", text("lively")) ==
        "submit.tasks[0].class: 'lively' is no word of this field");
  CHECK(read("frames", whole(16)) == "submit.tasks[0].frames: 16 is over 15");
  CHECK(read("revived_from", text("00000000000000ff-1-0")) == "");
  CHECK(read("revived_from", text("")) == "submit.tasks[0].revived_from: '' is not a task id");
  CHECK(read("revived_from", text("ff-1-0")) ==
        "submit.tasks[0].revived_from: 'ff-1-0' is not a task id");
  CHECK(read("revived_from", whole(7)) == "submit.tasks[0].revived_from: is not text");
  CHECK(read("gone", flag(true)) == "");
  CHECK(refusal(with(submit_tree(with(with(task_tree(), "gone", flag(true)), "frames", whole(1))),
                     "sizes", list({whole(7)})),
                {7}) == "submit.tasks[0].gone: a picture that is gone has no frames");

  auto changed = task_tree();
  at(changed, "id") = text("0000000000000001-2-03");
  CHECK(refusal(submit_tree(changed)) ==
        "submit.tasks[0].id: '0000000000000001-2-03' is not a task id");
  changed = task_tree();
  at(changed, "detectors") = list({});
  CHECK(refusal(submit_tree(changed)) == "submit.tasks[0].detectors: 0 items, under 1");
}

TEST_CASE("a reader sorts the names of detectors and takes repeats out") {
  auto tree = task_tree();
  at(tree, "detectors") = list({text("faces"), text("edges"), text("faces")});
  const auto header = pack(submit_tree(tree));
  const auto read = wire::decode(std::as_bytes(std::span(header)), {});
  REQUIRE(read);
  CHECK(std::get<Submit>(*read).tasks[0].detectors == std::vector<std::string>{"edges", "faces"});
}

TEST_CASE("durations are from 0 to 366 days and rounded up to their unit") {
  const auto read_back = [](Duration retry) {
    const auto header = wire::encode(Refused{Reason::standby, "", retry}, {});
    REQUIRE(header);
    return std::get<Refused>(*wire::decode(std::as_bytes(std::span(*header)), {})).retry;
  };
  CHECK(read_back(Duration::zero()) == Duration::zero());
  CHECK(read_back(nanoseconds{1}) == milliseconds{1});
  CHECK(read_back(milliseconds{5}) == milliseconds{5});
  CHECK(read_back(milliseconds{5} + nanoseconds{1}) == milliseconds{6});
  CHECK(read_back(hours{24 * 366}) == hours{24 * 366});
  CHECK(refusal(Refused{Reason::standby, "", hours{24 * 366} + nanoseconds{1}}) ==
        "refused.retry_ms: is over 366 days");
  CHECK(refusal(Refused{Reason::standby, "", nanoseconds{-1}}) == "refused.retry_ms: is negative");
  CHECK(refusal(Refused{Reason::standby, "", Duration::max()}) ==
        "refused.retry_ms: is over 366 days");
  TaskResult result;
  result.elapsed = microseconds{-5};
  CHECK(refusal(Results{{result}}) == "result.tasks[0].elapsed_us: is negative");
}

TEST_CASE(
    "text for people is cut to 1024 bytes by the writer and refused when longer by the reader") {
  const auto header =
      wire::encode(Refused{Reason::malformed, std::string(5000, 'x') + "\xFF", {}}, {});
  REQUIRE(header);
  const auto read = wire::decode(std::as_bytes(std::span(*header)), {});
  REQUIRE(read);
  CHECK(std::get<Refused>(*read).text == std::string(1024, 'x'));
  CHECK(refusal(map({text("type"), text("refused"), text("reason"), text("malformed"), text("text"),
                     text(std::string(1025, 'x'))})) == "refused.text: 1025 bytes, over 1024");
}

TEST_CASE("hello has its caps") {
  const auto hello = [](auto change) {
    Hello made;
    made.name = "w";
    change(made);
    return refusal(made);
  };
  CHECK(hello([](auto&) {}) == "");
  CHECK(hello([](auto& h) { h.name.clear(); }) == "hello.name: is empty");
  CHECK(hello([](auto& h) { h.wire = {2, 1}; }) == "hello.wire: min is over max");
  CHECK(hello([](auto& h) { h.slots = 1024; }) == "");
  CHECK(hello([](auto& h) { h.slots = 1025; }) == "hello.slots: 1025 is over 1024");
  CHECK(hello([](auto& h) { h.sources.assign(256, {"s", 1}); }) == "");
  CHECK(hello([](auto& h) {
          h.sources.assign(257, {"s", 1});
        }) == "hello.sources: 257 items, over 256");
  CHECK(hello([](auto& h) { h.sources = {{"", 1}}; }) == "hello.sources[0].name: is empty");
  CHECK(hello([](auto& h) { h.sources = {{"s", 1, 100}}; }) == "");
  CHECK(hello([](auto& h) {
          h.sources = {{"s", 1, 101}};
        }) == "hello.sources[0].weight: 101 is over 100");
  CHECK(hello([](auto& h) {
          h.sources = {{"s", 1, 1, wire::kCountMax + 1}};
        }) == "hello.sources[0].expected: 9007199254740993 is over 9007199254740992");
  const auto tree = [](Tree wire) {
    return map({text("type"), text("hello"), text("role"), text("client"), text("name"), text("w"),
                text("wire"), std::move(wire), text("task"), list({whole(1), whole(1)})});
  };
  const auto claim = [&](const std::string& key, Tree value) {
    const auto source = map({text("name"), text("s"), text("epoch"), whole(1)});
    return refusal(with(tree(list({whole(1), whole(1)})), "sources",
                        list({with(source, key, std::move(value))})));
  };
  CHECK(claim("weight", whole(100)) == "");
  CHECK(claim("weight", whole(101)) == "hello.sources[0].weight: 101 is over 100");
  CHECK(claim("weight", negative(-1)) == "hello.sources[0].weight: is negative");
  CHECK(claim("expected", real(1)) == "hello.sources[0].expected: is not an integer");
  CHECK(refusal(tree(list({whole(1), whole(65535)}))) == "");
  CHECK(refusal(tree(list({whole(1), whole(65536)}))) == "hello.wire: 65536 is over 65535");
  CHECK(refusal(tree(list({whole(2), whole(1)}))) == "hello.wire: min is over max");
  CHECK(refusal(tree(list({whole(0), whole(1)}))) == "hello.wire: 0 is under 1");
  CHECK(refusal(tree(list({whole(1)}))) == "hello.wire: 1 items, under 2");
  CHECK(refusal(tree(list({whole(1), whole(1), whole(1)}))) == "hello.wire: 3 items, over 2");
}

TEST_CASE("an outcome with every key it can have is written, and so is the one behind it") {
  // 16 keys: more than the short form of a map's head holds.
  Outcome full{TaskId{1, 2, 3, 0},
               "cam",
               "job",
               TaskClass::live,
               Status::failed,
               Reason::detector_error,
               "text",
               1,
               {},
               "worker",
               "build",
               microseconds{1},
               microseconds{2},
               microseconds{3},
               "t",
               TaskId{4, 5, 6, 0},
               {PayloadId{}, 1, 7}};
  Outcome next = full;
  next.id.sequence = 4;
  next.text.clear();
  const std::vector<std::uint64_t> frames{7, 7};
  const auto header = wire::encode(Outcomes{{full, next}}, frames);
  REQUIRE(header);
  auto tree = parse(*header);
  CHECK(at(tree, "outcomes").items[0].items.size() == 2 * 16);
  const auto read = wire::decode(std::as_bytes(std::span(*header)), frames);
  REQUIRE(read);
  CHECK((*read == Message(Outcomes{{full, next}})));
}

TEST_CASE("an outcome remembers at most 16 hand-outs, and each is of an outcome that is there") {
  Outcome outcome;
  outcome.source = "cam";
  outcome.task = "t";
  outcome.history.resize(16);
  CHECK(refusal(Outcomes{{outcome, outcome}}) == "");
  outcome.history.resize(17);
  CHECK(refusal(Outcomes{{outcome}}) == "outcome.history: over 16 rows of one outcome");

  const auto row = [](std::uint64_t of) {
    return map({text("of"), whole(of), text("attempt"), whole(1), text("reason"), text("drained")});
  };
  const auto tree = [&](Tree history) {
    return map({text("type"), text("outcome"), text("outcomes"), list({}), text("history"),
                std::move(history)});
  };
  CHECK(refusal(tree(list({}))) == "");
  CHECK(refusal(tree(list({row(0)}))) == "outcome.history: a row is of no outcome");
}
