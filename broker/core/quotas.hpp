#pragma once
// How much each identity may send and hold, however many connections it has.
//
// An identity is the name of an entry of the allow-list; whoever came without a key has none, and
// no quota. Rates are kept by the time that it takes to earn what was taken: at most a second's
// worth at once. What an identity holds counts from its admission: its tasks until they are
// settled, their bytes while memory or a journal has them. Threads: one. Errors: none. Units: tasks
// and bytes; the clock is the caller's and may stand still.

#include "shared/base/reason.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace framefleet::broker {

struct QuotaLimits {
  double tasks_per_second{0};         ///< 0: any number.
  std::uint64_t bytes_per_second{0};  ///< Of payloads, likewise.
  std::uint64_t unsettled_max{0};     ///< Tasks admitted and not settled; 0: its share alone.
  double backlog_share{1};            ///< Of what the broker may hold, in tasks and in bytes.
  friend bool operator==(const QuotaLimits&, const QuotaLimits&) = default;
};

/// So many units a second, and of what was not taken a second's worth at once.
class Rate {
 public:
  /// How long until `amount` may be taken; 0: now. More than a second's worth may be taken when
  /// nothing is owed. Requires: `per_second` is the one that take() was called with.
  Duration wait(std::uint64_t amount, double per_second, Time now) const;
  void take(std::uint64_t amount, double per_second, Time now);

 private:
  Time earned_at_{Time::min()};  // everything taken so far
};

/// What one identity may, and has.
struct Quota {
  std::string identity;
  bool listed{false};  ///< It is in the allow-list.
  QuotaLimits limits;
  Rate tasks;
  Rate bytes;
  std::uint64_t unsettled{0};
  std::uint64_t held_bytes{0};
};

/// The part of a quota that one task has.
class QuotaPart {
 public:
  /// Requires: it has none yet. Null: the task counts in no quota.
  void take(Quota* quota, std::uint64_t bytes);
  /// Nobody holds its bytes any more.
  void free_bytes();
  /// It is settled. The last call.
  void free();
  Quota* quota() const { return quota_; }
  /// What it holds of that one's bytes.
  std::uint64_t bytes_of(const Quota* quota) const { return quota == quota_ ? bytes_ : 0; }

 private:
  Quota* quota_{nullptr};
  std::uint64_t bytes_{0};
};

class Quotas {
 public:
  /// `tasks_max`, `bytes_max`: what the broker may hold of all together.
  Quotas(std::uint64_t tasks_max, std::uint64_t bytes_max)
      : tasks_max_(tasks_max), bytes_max_(bytes_max) {}

  /// The allow-list, by identity. A rate that changes begins anew; what is held stays held.
  void set_listed(const std::map<std::string, QuotaLimits>& limits);
  /// Null for no identity; else its record, whose address stays.
  Quota* find_or_add(const std::string& identity);

  struct Wait {
    Reason reason{Reason::none};
    Duration retry{};  ///< 0: nobody knows.
  };
  struct Need {
    std::uint64_t payload_bytes{0};
    std::uint64_t held_bytes{0};   ///< Of memory, or of the journal.
    std::uint64_t freed_bytes{0};  ///< Held by what it takes the place of.
  };
  /// Why one more task must wait, if it must.
  std::optional<Wait> wait_for(const Quota& quota, const Need& need, Time now) const;
  /// A task with this payload is let in.
  static void charge(Quota& quota, std::uint64_t payload_bytes, Time now);

  const std::map<std::string, Quota>& all() const { return quotas_; }

 private:
  std::uint64_t tasks_max_;
  std::uint64_t bytes_max_;
  std::map<std::string, Quota> quotas_;  // those ever listed, or named by a journal
};

}  // namespace framefleet::broker
