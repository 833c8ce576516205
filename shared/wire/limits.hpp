#pragma once
// Every cap of the wire, with its reason. docs/PROTOCOL.md section 3 repeats them for clients; the
// codec enforces them in both directions, before memory is taken.

#include "shared/base/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace framefleet::wire {

/// Versions of the result record that this build reads; it writes the highest. (Those of the wire
/// and of the task description are negotiated and stand beside `hello`: kWireVersions,
/// kTaskVersions.)
inline constexpr std::uint16_t kRecordVersionMin = 1;
inline constexpr std::uint16_t kRecordVersionMax = 1;

/// Versions of the records of a broker's journal; it writes the highest.
inline constexpr std::uint16_t kJournalVersionMin = 1;
inline constexpr std::uint16_t kJournalVersionMax = 1;

/// What one MessagePack document may ask of its reader.
struct DocumentLimits {
  std::size_t bytes;
  std::size_t depth;     ///< Maps and lists inside each other, the outermost counts as 1.
  std::size_t elements;  ///< Keys, values, lists and maps, all of them, wherever they stand.
};

/// A header: routing and batches of some hundred entries, never pictures. A total budget of
/// elements, because a cap per list is multiplied by nesting.
inline constexpr DocumentLimits kHeaderLimits{64 * 1024, 4, 4096};
/// A task description is kept by the broker for every queued task.
inline constexpr DocumentLimits kTaskLimits{8 * 1024, 3, 256};
/// A result record: about 20 000 detections of 13 elements, more than any picture shows.
inline constexpr DocumentLimits kRecordLimits{4 * 1024 * 1024, 6, 256 * 1024};
/// A record of a journal: a task with its history takes 27 KiB at most, the book of a job 9 bytes
/// for each of its sources.
inline constexpr DocumentLimits kJournalLimits{4 * 1024 * 1024, 4, 256 * 1024};

/// Keys of one map: we use 16; this bounds the search for a key that is there twice.
inline constexpr std::size_t kKeysMax = 64;
/// Payload frames of one message: a list of small pictures, as many as its sender joins.
inline constexpr std::size_t kMessageFramesMax = 64;
/// Of one entry: a picture and its companions, or a result and its artefacts.
inline constexpr std::size_t kPayloadFramesMax = 16;

/// Of one task: the report that hands out a dead letter has a document in front of them.
inline constexpr std::size_t kTaskFramesMax = kPayloadFramesMax - 1;

/// Names (source, job, worker, build, label): what fits a line of a table.
inline constexpr std::size_t kNameBytesMax = 256;
/// A detector's name is a metric label.
inline constexpr std::size_t kDetectorBytesMax = 64;
/// A detector with its options ("faces?min_size=40&scale=1.1").
inline constexpr std::size_t kDetectBytesMax = 1024;
/// Sentences for people; writers cut longer ones.
inline constexpr std::size_t kTextBytesMax = 1024;
/// A path: PATH_MAX of Linux and the number of a frame behind it; writers cut longer ones.
inline constexpr std::size_t kOriginBytesMax = 4096 + 32;
/// JSON beside one detection: five landmarks take 200 bytes.
inline constexpr std::size_t kExtraBytesMax = 4096;
/// BLAKE2b-256 would fit.
inline constexpr std::size_t kDigestBytesMax = 32;
/// BLAKE2b-256 would fit.
inline constexpr std::size_t kTokenBytesMax = 32;
/// Becomes the name of a folder or the ending of a file.
inline constexpr std::size_t kSlugBytesMax = 32;

/// Detectors of one worker or one task: the broker keeps at most 64 routes.
inline constexpr std::size_t kDetectorsMax = 64;
/// Sources that one producer claims; a machine with more cameras runs a second producer.
inline constexpr std::size_t kSourcesMax = 256;
/// The word for how a camera is, and why: so short that a hundred cameras fit one header.
inline constexpr std::size_t kStateBytesMax = 32;
inline constexpr std::size_t kStateTextBytesMax = 128;
/// JSON that travels with every picture of a source: forty polygons.
inline constexpr std::size_t kZonesBytesMax = 3072;
/// Sources whose pictures one job has.
inline constexpr std::size_t kJoinedMax = 250'000;
/// Tasks of one source that its book names because no journal keeps them.
inline constexpr std::size_t kUnkeptMax = 4096;
/// Tasks that one worker runs at once; its heartbeat (3 elements a lease) must list them all.
inline constexpr std::uint64_t kSlotsMax = 1024;
/// Tasks that one question of an operator names: with the longest ids they fit one header, so that
/// a question is never split and has one report.
inline constexpr std::size_t kControlTasksMax = 1000;
/// Hand-outs of a task that an outcome remembers.
inline constexpr std::size_t kHistoryMax = 16;
/// Artefacts of one result: its record is a frame too.
inline constexpr std::size_t kArtefactsMax = kPayloadFramesMax - 1;
inline constexpr std::uint64_t kPriorityMax = 9;
/// A hundred times the share of another source.
inline constexpr std::uint64_t kWeightMax = 100;
/// Longer than any run, short enough that adding it to a point in time never overflows.
inline constexpr Duration kDurationMax = std::chrono::hours{24 * 366};
/// 9999-12-31T23:59:59.999Z in Unix milliseconds.
inline constexpr std::uint64_t kWallClockMsMax = 253'402'300'799'999;
/// Integers that every language's numbers hold exactly (2^53).
inline constexpr std::uint64_t kCountMax = std::uint64_t{1} << 53U;

}  // namespace framefleet::wire
