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
// lost.
//
// Takes (event, now), appends effects; owns no socket, thread, file or pixel. Not thread-safe.

#include "shared/base/link.hpp"
#include "shared/base/messages.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
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
  Duration total{};  ///< Since its picture was read; 0: that was not by this producer.
  friend bool operator==(const TaskEnded&, const TaskEnded&) = default;
};

/// For the histograms: the broker admitted a picture, so long after it was read.
struct TaskAdmitted {
  Duration after{};
  friend bool operator==(const TaskAdmitted&, const TaskAdmitted&) = default;
};

using Effect = std::variant<Dial, HangUp, Send, ListSequences, ReadPicture, ReleasePayload,
                            TaskAdmitted, TaskEnded>;
using Effects = std::vector<Effect>;

enum class Confirm : std::uint8_t { admitted, stored };

struct SubmissionOptions {
  Confirm confirm{Confirm::stored};
  /// Ask what is stored before anything is read: for runs that may have been interrupted. Live
  /// sources are not asked about.
  bool ask_first{false};
  /// Batch tasks read and not yet confirmed, at most. A live source has its own, far smaller one.
  std::uint64_t window_tasks{64};
  /// When this many payload bytes are held here no more batch pictures are read; up to four that
  /// are being read by then come on top, because a size is known only afterwards.
  std::uint64_t window_bytes{std::uint64_t{64} << 20U};
  LinkOptions link;
};

/// What the core knows of a source.
struct SourceOutline {
  std::string name;
  std::uint64_t hash{0};
  std::uint32_t epoch{0};
  Duration interval{};  ///< Between two pictures; 0: as fast as accepted.
  TaskClass task_class{TaskClass::batch};
};

struct SubmissionStats {
  std::uint64_t submitted{0};  ///< Answered submits: admitted + rejected. An id counts once.
  std::uint64_t admitted{0};
  std::uint64_t rejected{0};
  std::array<std::uint64_t, kStatusCount> settled{};
  std::uint64_t stored_before{0};  ///< Done by an earlier run.
  std::uint64_t skipped{0};        ///< Live, read, and never submitted: a newer one took its place.
  std::uint64_t in_flight{0};      ///< Read and not yet confirmed.
  std::uint64_t held_bytes{0};
  std::uint64_t busy_answers{0};
  std::uint64_t sources_reading{0};  ///< That may have more pictures.
  std::uint64_t sources_ended{0};
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
  struct Source {
    SourceOutline outline;
    std::uint64_t cursor{0};  // next sequence to list
    bool exhausted{false};
    std::uint64_t listing{0};  // how many were asked for; 0: no list is open
    std::size_t asking{0};     // listed and asked about, not yet answered
    std::deque<std::uint64_t> to_read;
    Time due_at{};
    Live live;
    Patience patience;

    bool is_live() const { return outline.task_class == TaskClass::live; }
  };

  TaskId id_of(PictureRef ref) const;
  Source& source_of(const Entry& entry) { return sources_.at(entry.ref.source); }
  void on_up(Time now, Effects& out);
  void on_admitted(const AdmittedTask& admitted, Time now, Effects& out);
  void on_rejected(const RejectedTask& rejected, Effects& out);
  void on_settled(const SettledTask& settled, Time now, Effects& out);
  void on_unknown(const TaskId& id, Effects& out);
  void forget_question(std::map<TaskId, PictureRef>::iterator listed);
  void answered(Entry& entry);
  void let_go(Entry& entry, Effects& out);
  void drop(Position position, Effects& out);
  void count_admission(Entry& entry);
  void finish(Position position, TaskEnded ended, Effects& out);
  void finish_lost(Position position, const char* text, Effects& out);
  void forget(Position position);

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
  bool may_read_live(std::size_t index) const;
  static Time next_live_frame(const Source& source, Time now);

  void advance(Time now, Effects& out);
  void ask_about_the_overdue(Time now, Effects& out);
  void send_held(Time now, Effects& out);
  bool submit(Position position, Time now, Effects& out);
  void send_asks(Effects& out);
  void list_more(Effects& out);
  void read_more(Time now, Effects& out);
  bool may_read(std::size_t index) const;
  bool nothing_left_to_read() const;

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
  std::size_t turn_{0};        // source to read from next
  std::size_t live_turn_{0};   // live source to submit from next
  std::size_t live_tasks_{0};  // of tasks_
  std::uint64_t unanswered_tasks_{0};
  std::uint64_t unanswered_bytes_{0};
  std::uint64_t held_bytes_{0};
  bool draining_{false};
  bool left_undone_{false};  // because of the drain
  SubmissionStats counts_;
};

}  // namespace framefleet::producer
