#pragma once
// The messages by which a peer comes, stays and goes (docs/PROTOCOL.md, "Connection"). Plain
// values.
//
// Durations are relative to the moment of sending or receiving; no point in time ever travels.

#include "shared/base/reason.hpp"
#include "shared/base/task_id.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet {

enum class Role : std::uint8_t { producer, worker, sink, client };
std::string_view to_string(Role role);

struct VersionRange {
  std::uint16_t min{1};
  std::uint16_t max{1};
  friend bool operator==(const VersionRange&, const VersionRange&) = default;
};

/// What this build speaks (docs/PROTOCOL.md, "Versions").
inline constexpr VersionRange kWireVersions{1, 1};
inline constexpr VersionRange kTaskVersions{1, 1};
/// The highest version that both ranges hold; 0 when there is none.
constexpr std::uint16_t common_version(VersionRange ours, VersionRange theirs) {
  const std::uint16_t highest = ours.max < theirs.max ? ours.max : theirs.max;
  return highest >= ours.min && highest >= theirs.min ? highest : std::uint16_t{0};
}

/// "I own this source": made by a producer in its hello, and anew when its sources change.
struct SourceClaim {
  std::string name;  ///< 1 to 256 bytes of UTF-8.
  std::uint32_t epoch{0};
  std::uint32_t weight{0};    ///< Share of the workers' time against other sources; 0 counts as 1.
  std::uint64_t expected{0};  ///< Pictures of this run in all, for progress; 0: unknown.
  Duration interval{};        ///< Between two pictures; 0: as fast as they are accepted.
  std::uint64_t hash{0};      ///< TaskId::source of its tasks. Never travels: receivers compute it.
  // Of a camera, for people and tables:
  std::string state;       ///< "connecting", "streaming", "stalled", "failed"; "": it has none.
  Duration state_for{};    ///< Since when.
  std::string state_text;  ///< Why.
  friend bool operator==(const SourceClaim&, const SourceClaim&) = default;
};

/// First message of every connection, peer → broker.
struct Hello {
  Role role{Role::client};
  std::string name;   ///< For people and logs; need not be unique (docs/PROTOCOL.md, "Ids").
  std::string build;  ///< Version of the program.
  VersionRange wire;
  VersionRange task;                   ///< Versions of the task description it writes or reads.
  std::vector<std::string> detectors;  ///< worker: what it can run.
  std::uint32_t slots{0};              ///< worker: how many tasks it can run at once.
  std::string not_ready;               ///< worker: why it takes no task yet; "": it does.
  std::vector<SourceClaim> sources;    ///< producer.
  std::string store;                   ///< sink: UUID of its store.
  bool new_store{false};  ///< sink: take this store although the broker knows another one.
  std::string identity;   ///< Of its key; "": it has none. Never travels: the broker sets it.
  friend bool operator==(const Hello&, const Hello&) = default;
};

/// The hello of a peer that speaks what this build speaks. `build`: its version.
Hello hello_as(Role role, std::string name, std::string_view build);

/// producer → broker: what it said of its sources before holds no more, but this.
struct Sources {
  std::uint64_t number{0};  ///< Returned in the answer.
  std::vector<SourceClaim> sources;
  friend bool operator==(const Sources&, const Sources&) = default;
};

/// The answer: they are the producer's.
struct Claimed {
  std::uint64_t number{0};
  friend bool operator==(const Claimed&, const Claimed&) = default;
};

/// The broker takes the peer in.
struct Welcome {
  std::uint16_t wire{1};  ///< The version both will speak.
  std::uint32_t incarnation{0};
  Duration heartbeat_interval{};
  Duration peer_timeout{};
  std::uint64_t grant_tasks{0};  ///< producer: submitted and not yet answered, at most.
  std::uint64_t grant_bytes{0};
  std::uint64_t payload_bytes_max{0};  ///< Of one task, all its frames together.
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

/// The broker does not take the peer in; it closes after this.
struct Refused {
  Reason reason{Reason::none};
  std::string text;
  Duration retry{};  ///< 0: do not come back.
  friend bool operator==(const Refused&, const Refused&) = default;
};

/// Both ways, every heartbeat_interval. A lease lives on only while its worker lists it here.
struct Heartbeat {
  std::uint32_t incarnation{0};
  std::vector<LeaseId> leases;
  std::string not_ready{};  ///< worker: as in its hello, now.
  std::uint64_t slots{0};   ///< broker, to a producer: of all workers in service.
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

/// "I leave" and the answer to it; after the answer neither side sends anything more.
struct Goodbye {
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

}  // namespace framefleet
