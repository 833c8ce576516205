#pragma once
// What the journal's file is made of: the names of its tables (sub-databases of LMDB), the spelling
// of their keys, and the bodies that are no MessagePack.
//
//   meta        "format": what this file is · "state": incarnation and count of tasks, rewritten by
//               every commit · "fleet": the FleetBook · "token_key": 32 random bytes
//   tasks       by id: a JournaledTask
//   payloads    by id: its frames; every task has one, if only of no frames
//   sources     by hash: a SourceBook
//   jobs        by name: a JobBook
//   quarantine  by id and part: the bytes of damaged tasks, and what is wrong with them
//
// Every value but those bytes is sealed (record_seal.hpp). Threads: any.

#include "shared/base/task_id.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::broker {

/// The numbers are part of the checksums.
enum class Table : std::uint8_t { meta, tasks, payloads, sources, jobs, quarantine };
inline constexpr std::size_t kTableCount = 6;
/// As the file spells them.
const char* to_string(Table table);

inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kStateKey = "state";
inline constexpr std::string_view kFleetKey = "fleet";
inline constexpr std::string_view kTokenKeyKey = "token_key";

/// Of the tables and of all that is no MessagePack. A later build reads its own and this one.
inline constexpr std::uint32_t kFormatVersion = 1;
std::string format_body(std::uint32_t version = kFormatVersion);
/// The version in the body of "format"; nothing if the file is none of ours.
std::optional<std::uint32_t> parse_format(std::string_view body);

struct JournalState {
  std::uint32_t incarnation{0};
  std::uint64_t tasks{0};
  friend bool operator==(const JournalState&, const JournalState&) = default;
};
std::string state_body(const JournalState& state);
std::optional<JournalState> parse_state(std::string_view body);

inline constexpr std::size_t kIdBytes = 22;
/// Big-endian, so that the file's order is that of the ids.
std::string id_key(const TaskId& id);
std::optional<TaskId> parse_id_key(std::string_view key);
std::string hash_key(std::uint64_t hash);

/// A part of a damaged task: its bytes as they were found, or the reason.
enum class QuarantinePart : char { task = 't', payload = 'p', reason = 'w' };
std::string quarantine_key(std::string_view id_key, QuarantinePart part);

/// Frames behind a seal: their number, their sizes, their bytes.
std::size_t payload_bytes(std::span<const std::span<const std::byte>> frames);
void put_payload(std::span<const std::span<const std::byte>> frames, char* to);
std::optional<std::vector<std::string>> parse_payload(std::string_view body);

}  // namespace framefleet::broker
