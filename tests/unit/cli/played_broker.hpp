#pragma once
// A broker that a test plays: welcomes whoever comes, answers questions as the test says, and keeps
// what it heard, while `framefleet` runs beside it as a process.

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include "shared/transport/hub.hpp"

#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::test {

/// How a process ended and what it wrote.
struct Ran {
  int exit_code{-1};
  std::string out;
  std::string err;
};

inline std::string contents_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class PlayedBroker {
 public:
  PlayedBroker() {
    auto hub = transport::Hub::open({.bind = {endpoint()}});
    REQUIRE(hub);
    hub_ = std::move(*hub);
    answer_ = [](const Control&) { return Message{Report{}}; };
    settle_ = [](const SubmittedTask& task) { return SettledTask{task.id, {}, {}, {}}; };
  }

  std::string endpoint() const { return "ipc://" + (folder_.path() / "broker").string(); }
  const std::filesystem::path& folder() const { return folder_.path(); }

  /// The answer to every question from now on; `asker` of a report is set here.
  void answer(std::function<Message(const Control&)> answer) { answer_ = std::move(answer); }
  void answer_with(Report report) {
    answer_ = [report = std::move(report)](const Control&) { return Message{report}; };
  }
  /// No question is answered before this holds.
  void answer_once(std::function<bool()> holds) { may_answer_ = std::move(holds); }
  /// What becomes of every submitted task from now on.
  void settle(std::function<SettledTask(const SubmittedTask&)> settle) {
    settle_ = std::move(settle);
  }
  /// A report with these payload frames. Each may be sent once.
  Report report_with(std::vector<std::string> frames) {
    std::vector<transport::Frame> payload;
    for (auto& frame : frames) payload.push_back(transport::Frame::of(std::move(frame)));
    Report report;
    report.payload = hub_->payloads().put(std::move(payload));
    return report;
  }

  /// Runs `framefleet ARGUMENTS` in the broker's folder, without a terminal, and plays the broker
  /// until it ends.
  Ran run(const std::string& arguments) {
    const std::string command = "cd '" + folder_.path().string() +
                                "' && '" FRAMEFLEET_BINARY_DIR "/framefleet' " + arguments +
                                " </dev/null >out 2>err";
    auto ended = std::async(std::launch::async, [&] { return std::system(command.c_str()); });
    constexpr std::chrono::milliseconds kPoll{5};
    while (ended.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
      hub_->flush();
      while (auto incoming = hub_->receive()) {
        if (incoming->message) play(incoming->from, std::move(*incoming->message));
      }
      if (may_answer_()) answer_all();
      hub_->wait({}, kPoll);
    }
    const int status = ended.get();
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents_of(folder_.path() / "out"),
            contents_of(folder_.path() / "err")};
  }
  /// The same with --connect to this broker.
  Ran operate(const std::string& arguments) { return run(arguments + " --connect " + endpoint()); }

  std::vector<Control> asked;
  std::vector<SubmittedTask> submitted;
  std::vector<std::string> pictures;  ///< Frame 0 of each submitted task.
  int producer_beats{0};              ///< Heartbeats of producers.

 private:
  void play(PeerId from, Message message) {
    if (const auto* hello = std::get_if<Hello>(&message)) {
      if (hello->role == Role::producer) producers_.insert(from);
      Welcome welcome;
      welcome.incarnation = 1;
      welcome.heartbeat_interval = std::chrono::milliseconds{500};
      welcome.peer_timeout = std::chrono::seconds{15};
      welcome.grant_tasks = 16;
      welcome.grant_bytes = std::uint64_t{1} << 20U;
      welcome.payload_bytes_max = std::uint64_t{1} << 20U;
      hub_->send(from, welcome);
    } else if (const auto* control = std::get_if<Control>(&message)) {
      asked.push_back(*control);
      questions_.emplace_back(from, *control);
    } else if (std::holds_alternative<Heartbeat>(message)) {
      if (producers_.contains(from)) ++producer_beats;
    } else if (const auto* submit = std::get_if<Submit>(&message)) {
      for (const auto& task : submit->tasks) take(from, task);
    } else if (std::holds_alternative<Goodbye>(message)) {
      hub_->send(from, Goodbye{});
      hub_->forget(from);
    }
    release(message);
  }

  void answer_all() {
    for (const auto& [from, control] : std::exchange(questions_, {})) {
      auto answer = answer_(control);
      if (auto* report = std::get_if<Report>(&answer)) report->asker = control.asker;
      hub_->send(from, answer);
      release(answer);
    }
  }

  void take(PeerId from, const SubmittedTask& task) {
    submitted.push_back(task);
    const auto frames = hub_->payloads().frames(task.payload.id);
    pictures.emplace_back(frames.empty() ? std::string_view{} : frames.front().text());
    hub_->send(from, Admitted{{{task.id, false}}, {}});
    hub_->send(from, Settled{{settle_(task)}});
  }

  void release(const Message& message) {
    for_each_payload(message, [this](const Payload& payload) {
      if (payload.id) hub_->payloads().release(payload.id);
    });
  }

  TemporaryFolder folder_;
  std::unique_ptr<transport::Hub> hub_;
  std::set<PeerId> producers_;
  std::vector<std::pair<PeerId, Control>> questions_;  // not answered yet
  std::function<bool()> may_answer_{[] { return true; }};
  std::function<Message(const Control&)> answer_;
  std::function<SettledTask(const SubmittedTask&)> settle_;
};

}  // namespace framefleet::test
