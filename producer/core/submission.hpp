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
// A source whose pictures are answered `busy` sends them again one at a time, after the pause that
// the broker asked for; each that is admitted lets two more go, so that a fleet that stands still
// is not sent a window of payloads ten times a second.
//
// A live source is read at its own pace, whatever the fleet does. It has one frame held and one
// submitted and not yet answered; a newer frame takes the place of the held one, which is then
// skipped: counted, never submitted. No frame is read again: one that the fleet does not know is
// gone, like a picture that is not what it was. The broker is told so, and ends its task as lost.
//
// A source that may grow (a watched folder) is not over when all it has is done: it is listed again
// when more() says so, until it is told that it grows no longer, or a drain.
//
// A camera is a source that comes and goes while the core runs, and has a frame when it has one:
// the shell asks wants_frame(), takes the newest there is, and calls picture(). So a frame is as
// new as can be when it is submitted; what it replaced was never here. The broker is told of every
// change (`sources`), and a camera submits once that is answered. What is in flight of one that was
// removed is waited for; then the broker is told that it is gone, and its index is free.
//
// Takes (event, now), appends effects; owns no socket, thread, file or pixel. Not thread-safe.

#include "producer/core/submission_effects.hpp"
#include "producer/core/submission_parts.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace framefleet::producer {

class Submission {
 public:
  Submission(Hello hello, std::vector<SourceOutline> sources, SubmissionOptions options, Time now);

  void receive(Message message, Time now, Effects& out);
  /// Answer to ListSequences. Fewer than asked for means: there are no more (yet).
  void listed(std::size_t source, const std::vector<std::uint64_t>& sequences, Time now,
              Effects& out);
  /// The source has sequences above all that were listed; or will have none any more.
  void more(std::size_t source, bool may_grow, Time now, Effects& out);
  /// Answer to ReadPicture: the task as it will be submitted.
  void picture(PictureRef ref, SubmittedTask task, Time now, Effects& out);
  /// Answer to ReadPicture: there is none here (a hole), or the source ends before it.
  void no_picture(PictureRef ref, bool end_of_source, Time now, Effects& out);

  // Cameras (submission_sources.cpp).

  /// A camera that is there from now on. Answers the index that it is called by. Its epoch is
  /// higher than any before under this name.
  std::size_t add_camera(SourceClaim claim, TaskClass task_class);
  /// Submits nothing more of it. Its index stays its own while anything of it is in flight. Without
  /// any other source the core leaves with the next tick(): what takes its place is added before.
  void remove_camera(std::size_t source, Effects& out);
  void set_condition(std::size_t source, CameraCondition condition);
  /// Whether a frame would be submitted at once: then picture() may be called.
  bool wants_frame(std::size_t source, Time now) const;

  /// Read and submit nothing more, wait for what is admitted, leave.
  void drain(Time now, Effects& out);
  /// In a drain: what is being read and was never submitted takes long, and is not waited for.
  void leave_unread(Time now, Effects& out);
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
    Time read_at{kNever};  // the picture, for the first time
  };
  using Position = std::map<TaskId, Entry>::iterator;
  /// What a live source has in tasks_.
  struct Live {
    std::optional<TaskId> newest;      // held
    std::optional<TaskId> unanswered;  // submitted on this connection
    std::size_t in_flight{0};          // all but the newest
    Time busy_until{kNever};           // kNever: the broker is not busy
  };
  /// What a batch source has in tasks_ that the broker was too busy for.
  struct Patience {
    std::set<TaskId> waiting;   // held; first those that were read first
    Time until{};               // the broker asked for a pause
    std::size_t unanswered{0};  // submitted on this connection
  };
  enum class Kind : std::uint8_t { read, camera, leaving, free };
  struct Source {
    SourceOutline outline;
    SourceClaim claim{};
    Kind kind{Kind::read};
    CameraCondition condition{};
    std::uint64_t named_in{0};  // the Sources that named this camera first
    std::size_t tasks{0};       // of it in tasks_
    std::uint64_t cursor{0};    // next sequence to list
    bool exhausted{false};      // everything that it is known to have is listed
    bool grew{false};           // since the list that is open was asked for
    std::uint64_t listing{0};   // how many were asked for; 0: no list is open
    std::size_t asking{0};      // listed and asked about, not yet answered
    std::deque<std::uint64_t> to_read;
    Time due_at{};
    Live live;
    Patience patience;
    bool is_live() const { return outline.task_class == TaskClass::live; }
  };

  TaskId id_of(PictureRef ref) const;
  Source& source_of(const Entry& entry) { return sources_.at(entry.ref.source); }
  void on_admitted(const AdmittedTask& admitted, Time now, Effects& out);
  void on_rejected(const RejectedTask& rejected, Effects& out);
  void on_settled(const SettledTask& settled, Time now, Effects& out);
  void forget_question(std::map<TaskId, PictureRef>::iterator listed);
  void answered(Entry& entry);
  void let_go(Entry& entry, Effects& out);
  void drop(Position position, Effects& out);
  void note_admission(Entry& entry, Time now, Effects& out);
  void count_admission(Entry& entry);
  void finish(Position position, TaskEnded ended, Effects& out);
  void forget(Position position);

  // What was submitted and has no end yet (submission_asks.cpp).
  void on_up(Time now, Effects& out);
  void on_unknown(const TaskId& id, Effects& out);
  void say_gone(Position position, Effects& out);
  void ask_about_the_overdue(Time now, Effects& out);
  void send_asks(Effects& out);

  // A busy broker (submission_busy.cpp).
  void on_busy(const Busy& busy, Time now, Effects& out);
  void on_batch_admitted(Source& source, Time now);
  void line_up(const TaskId& id, Source& source);
  void forget_busy();
  void send_one_again(Time now);
  void send_again(Patience& patience, std::size_t count);
  Time next_try(const Source& source) const;

  // Live sources (submission_live.cpp).
  void hold_newest(PictureRef ref, SubmittedTask task, Time now, Effects& out);
  void skip(Position position, Effects& out);
  void on_live_admitted(const TaskId& id, Live& live);
  void on_live_busy(Position position, Time retry_at, Effects& out);
  void stop_waiting_for_answers(Effects& out);
  bool send_newest(Time now, Effects& out);
  static bool may_send_live(const Live& live, Time now);
  bool may_read_live(std::size_t index) const;
  static Time next_live_frame(const Source& source, Time now);

  // Cameras (submission_sources.cpp).
  std::vector<SourceClaim> claims(Time now) const;
  void free_the_left();
  void tell_sources(Time now, Effects& out);

  void advance(Time now, Effects& out);
  void send_held(Time now, Effects& out);
  bool submit(Position position, Time now, Effects& out);
  void list_more(Effects& out);
  void read_more(Time now, Effects& out);
  bool may_read(std::size_t index) const;
  bool has_room() const;
  bool nothing_left_to_read() const;
  bool nothing_may_come() const;

  Link link_;
  std::vector<Source> sources_;
  SubmissionOptions options_;
  std::map<TaskId, Entry> tasks_;        // in flight
  std::map<TaskId, PictureRef> asking_;  // listed, never submitted by us: is it stored?
  std::set<TaskId> to_ask_;              // of tasks_ and asking_
  std::set<TaskId> asked_;               // sent in the Ask that is open
  Time check_at_{kNever};                // when to look for answers that never came
  std::deque<TaskId> to_send_;           // held, in order
  std::set<PictureRef> reading_;
  std::size_t turn_{0};              // source to read from next
  std::size_t live_turn_{0};         // live source to submit from next
  std::size_t live_tasks_{0};        // of tasks_
  std::uint64_t sources_number_{0};  // grows with every change of the cameras
  std::uint64_t sources_told_{0};    // sent on this connection, or taken
  std::uint64_t sources_taken_{0};   // the broker has answered
  Time tell_again_at_{kNever};
  std::uint64_t unanswered_tasks_{0};
  std::uint64_t unanswered_bytes_{0};
  std::uint64_t slots_{0};  // of the fleet, as the broker said last
  std::uint64_t held_bytes_{0};
  bool draining_{false};
  bool left_undone_{false};  // because of the drain
  SubmissionStats counts_;
};

}  // namespace framefleet::producer
