#pragma once
// The producer's core: which picture is read next, what is submitted, what is sent again, and when
// all is done. Memory is bounded by a window of tasks that are neither settled (confirm = stored)
// nor admitted (confirm = admitted); payloads are let go as soon as the broker has them and read
// again if the broker turns out to have forgotten.
//
//   list ──▶ (ask ──▶) to read ──read──▶ held ──Submit──▶ submitted ──Admitted──▶ admitted
//   ──Settled──▶
//                        ▲                ▲  Busy: later ─┘    │                      │
//                        └── payload gone ┴──── unknown ◀── asked ◀── new connection ─┘
//
// Takes (event, now), appends effects; owns no socket, thread, file or pixel. Not thread-safe.

#include "shared/base/link.hpp"
#include "shared/base/messages.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::producer {

/// Where a picture stands: index of the source in the order given to the core, and its sequence
/// there.
struct PictureRef {
  std::size_t source{0};
  std::uint64_t sequence{0};
  friend auto operator<=>(const PictureRef&, const PictureRef&) = default;
};

/// Call listed() with the next sequences of the source, from `from` on, at most `count`.
struct ListSequences {
  std::size_t source{0};
  std::uint64_t from{0};
  std::uint64_t count{0};
  friend bool operator==(const ListSequences&, const ListSequences&) = default;
};
/// Read this picture, then call picture() or no_picture().
struct ReadPicture {
  PictureRef ref;
  friend bool operator==(const ReadPicture&, const ReadPicture&) = default;
};
/// The end of a task, for reports. `description`: what was submitted as `task`; empty if it was
/// stored before this producer began.
struct TaskEnded {
  PictureRef ref;
  SettledTask settled;
  bool rejected{false};
  std::string description;
  friend bool operator==(const TaskEnded&, const TaskEnded&) = default;
};

using Effect =
    std::variant<Dial, HangUp, Send, ListSequences, ReadPicture, ReleasePayload, TaskEnded>;
using Effects = std::vector<Effect>;

enum class Confirm : std::uint8_t { admitted, stored };

struct SubmissionOptions {
  Confirm confirm{Confirm::stored};
  /// Ask what is stored before anything is read: for runs that may have been interrupted.
  bool ask_first{false};
  /// Tasks read and not yet confirmed, at most.
  std::uint64_t window_tasks{64};
  /// When this many of their payload bytes are held here nothing more is read; up to four pictures
  /// that are being read by then come on top, because a size is known only afterwards.
  std::uint64_t window_bytes{std::uint64_t{64} << 20U};
  LinkOptions link;
};

/// What the core knows of a source.
struct SourceOutline {
  std::string name;
  std::uint64_t hash{0};
  std::uint32_t epoch{0};
  Duration interval{};  ///< Between two pictures; 0: as fast as accepted.
};

struct SubmissionStats {
  std::uint64_t submitted{0};  ///< Answered submits: admitted + rejected. An id counts once.
  std::uint64_t admitted{0};
  std::uint64_t rejected{0};
  std::array<std::uint64_t, kStatusCount> settled{};
  std::uint64_t stored_before{0};  ///< Done by an earlier run.
  std::uint64_t in_flight{0};      ///< Read and not yet confirmed.
  std::uint64_t held_bytes{0};
  std::uint64_t busy_answers{0};
  std::uint64_t link_losses{0};
  bool link_up{false};
  bool draining{false};
};

class Submission {
 public:
  Submission(Hello hello, std::vector<SourceOutline> sources, SubmissionOptions options, Time now);

  void receive(Message message, Time now, Effects& out);
  /// Answer to ListSequences. Fewer than asked for means: there are no more.
  void listed(std::size_t source, const std::vector<std::uint64_t>& sequences, Time now,
              Effects& out);
  /// Answer to ReadPicture: the task as it will be submitted.
  void picture(PictureRef ref, SubmittedTask task, Time now, Effects& out);
  /// Answer to ReadPicture: there is none here (a hole), or the source ends before it.
  void no_picture(PictureRef ref, bool end_of_source, Time now, Effects& out);
  /// Read and submit nothing more, wait for what is admitted, leave.
  void drain(Time now, Effects& out);
  void tick(Time now, Effects& out);

  Time next_deadline() const;
  bool over() const { return link_.finished(); }
  const Link& link() const { return link_; }
  SubmissionStats stats() const;
  /// Everything that was to be done is done (and not only left because of a drain).
  bool complete() const {
    return !left_undone_ && nothing_left_to_read() && tasks_.empty() && asking_.empty();
  }

 private:
  enum class State : std::uint8_t { held, submitted, admitted, asked, reading_again };
  struct Entry {
    PictureRef ref;
    SubmittedTask task;  // with its payload while held or submitted
    State state{State::held};
    bool counted{false};  // in `submitted`
    Time asked_or_sent_at{};
  };
  struct Source {
    SourceOutline outline;
    std::uint64_t cursor{0};  // next sequence to list
    bool exhausted{false};
    bool listing{false};
    std::size_t asking{0};  // listed and asked about, not yet answered
    std::deque<std::uint64_t> to_read;
    Time due_at{};
  };

  TaskId id_of(PictureRef ref) const;
  void on_up(Time now);
  void on_admitted(const AdmittedTask& admitted, Effects& out);
  void on_busy(const Busy& busy, Time now, Effects& out);
  void on_rejected(const RejectedTask& rejected, Effects& out);
  void on_settled(const SettledTask& settled, Effects& out);
  void on_unknown(const TaskId& id, Effects& out);
  void forget_question(std::map<TaskId, PictureRef>::iterator listed);
  void let_go(Entry& entry, Effects& out);
  void drop(std::map<TaskId, Entry>::iterator position, Effects& out);
  void count_admission(Entry& entry);
  void finish(std::map<TaskId, Entry>::iterator position, TaskEnded ended, Effects& out);

  void advance(Time now, Effects& out);
  void ask_about_the_overdue(Time now);
  void send_held(Time now, Effects& out);
  void send_asks(Effects& out);
  void list_more(Effects& out);
  void read_more(Time now, Effects& out);
  bool nothing_left_to_read() const;

  Link link_;
  std::vector<Source> sources_;
  SubmissionOptions options_;
  std::map<TaskId, Entry> tasks_;            // in flight
  std::map<TaskId, PictureRef> asking_;      // listed, never submitted by us: is it stored?
  std::set<TaskId> to_ask_;                  // of tasks_ and asking_
  std::set<TaskId> asked_;                   // sent in the Ask that is open
  Time check_at_{kNever};                    // when to look for answers that never came
  std::deque<TaskId> to_send_;               // held, in order
  std::set<std::pair<Time, TaskId>> later_;  // held, after a `busy`
  std::set<PictureRef> reading_;
  std::size_t turn_{0};  // source to read from next
  std::uint64_t unanswered_tasks_{0};
  std::uint64_t unanswered_bytes_{0};
  std::uint64_t held_bytes_{0};
  bool draining_{false};
  bool left_undone_{false};  // because of the drain
  SubmissionStats counts_;
};

}  // namespace framefleet::producer
