#pragma once
// A producer's core between pictures that the test provides and a broker that the test plays.

#include "producer/core/submission.hpp"
#include "tests/support/effect_log.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace framefleet::producer {

struct SubmissionFixture : test::EffectLog<Effects> {
  struct Source {
    std::uint64_t pictures{0};
    std::uint64_t bytes{1000};
    bool known_length{true};  // listed in full; otherwise its end is found by reading
    std::vector<std::uint64_t> holes{};
    TaskClass task_class{TaskClass::batch};
    std::string digest{};
    bool may_grow{false};
  };

  SubmissionFixture(std::vector<Source> given, SubmissionOptions options,
                    Duration interval = Duration::zero())
      : sources(std::move(given)),
        submission(Hello{.role = Role::producer, .name = "p"}, outlines(interval), options, now) {}

  std::vector<SourceOutline> outlines(Duration interval) const {
    std::vector<SourceOutline> found;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const auto& source = sources[i];
      found.push_back(
          {"source-" + std::to_string(i), i + 1, 1, interval, source.task_class, source.may_grow});
    }
    return found;
  }

  void tick() { submission.tick(now, effects); }
  void receive(Message message) { submission.receive(std::move(message), now, effects); }
  void come_up(std::uint32_t incarnation = 7) {
    tick();
    welcome(incarnation);
  }
  void welcome(std::uint32_t incarnation = 7) {
    receive(Welcome{.incarnation = incarnation,
                    .heartbeat_interval = std::chrono::milliseconds{500},
                    .peer_timeout = std::chrono::milliseconds{2500},
                    .grant_tasks = grant_tasks,
                    .grant_bytes = grant_bytes});
  }
  void reconnect(std::uint32_t incarnation) {
    receive(Goodbye{});
    now += std::chrono::milliseconds{300};
    tick();
    serve();
    effects.clear();
    welcome(incarnation);
  }
  /// Lists and reads what is asked for, until nothing more is asked.
  void serve() {
    for (std::size_t i = 0; i < effects.size(); ++i) {
      if (const auto* request = std::get_if<ListSequences>(&effects[i])) {
        const auto asked = *request;
        effects[i] = HangUp{};  // done
        list(asked);
      } else if (const auto* picture = std::get_if<ReadPicture>(&effects[i])) {
        const auto ref = picture->ref;
        effects[i] = HangUp{};
        read(ref);
      }
    }
    std::erase_if(effects, [](const auto& e) { return std::holds_alternative<HangUp>(e); });
  }
  void list(const ListSequences& request) {
    const auto& source = sources.at(request.source);
    std::vector<std::uint64_t> sequences;
    for (auto s = request.from; sequences.size() < request.count; ++s) {
      if (source.known_length && s >= source.pictures) break;
      sequences.push_back(s);
    }
    submission.listed(request.source, sequences, now, effects);
  }
  void read(PictureRef ref) {
    reads.push_back(ref);
    const auto& source = sources.at(ref.source);
    const bool hole = std::count(source.holes.begin(), source.holes.end(), ref.sequence) > 0;
    if (hole || ref.sequence >= source.pictures) {
      submission.no_picture(ref, ref.sequence >= source.pictures, now, effects);
      return;
    }
    SubmittedTask task;
    task.id = id(ref.sequence, ref.source);
    task.task = "description";
    task.digest = source.digest;
    task.payload = {PayloadId{++payloads}, 1, source.bytes};
    held[task.payload.id] = true;
    submission.picture(ref, std::move(task), now, effects);
  }
  /// That many pictures come into the source.
  void grow(std::size_t source, std::uint64_t pictures, bool may_grow = true) {
    sources.at(source).pictures += pictures;
    submission.more(source, may_grow, now, effects);
  }
  static TaskId id(std::uint64_t sequence, std::size_t source = 0) {
    return {source + 1, 1, sequence, 0};
  }
  void admit(std::uint64_t sequence, std::size_t source = 0) {
    receive(Admitted{{{id(sequence, source), false}}});
  }
  void settle(std::uint64_t sequence, std::size_t source = 0) {
    receive(Settled{{{id(sequence, source), Status::ok, Reason::none, ""}}});
  }
  /// The broker has ended it as lost.
  void lose(std::uint64_t sequence) {
    receive(Settled{{{id(sequence), Status::lost, Reason::broker_restarted, ""}}});
  }

  /// Sequences submitted since effects were cleared, of which the pictures are gone.
  std::vector<std::uint64_t> said_gone() const {
    std::vector<std::uint64_t> sequences;
    for (const auto& submit : sent<Submit>()) {
      for (const auto& task : submit.tasks) {
        if (task.gone && task.payload == Payload{}) sequences.push_back(task.id.sequence);
      }
    }
    return sequences;
  }
  /// Sequences submitted since effects were cleared.
  std::vector<std::uint64_t> submitted() const {
    std::vector<std::uint64_t> sequences;
    for (const auto& submit : sent<Submit>()) {
      for (const auto& task : submit.tasks) sequences.push_back(task.id.sequence);
    }
    return sequences;
  }

  std::vector<Source> sources;
  Time now{std::chrono::seconds{1}};
  std::uint64_t grant_tasks{256};
  std::uint64_t grant_bytes{1'000'000};
  std::vector<PictureRef> reads;
  std::uint64_t payloads{0};
  std::map<PayloadId, bool> held;
  Submission submission;
};

using Sequences = std::vector<std::uint64_t>;

}  // namespace framefleet::producer
