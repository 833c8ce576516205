#pragma once
// Messages, task descriptions and result records as bytes and back (docs/PROTOCOL.md).
//
// A message is one header (a MessagePack map) and up to 64 payload frames, which the codec never
// sees: it is told their sizes, writes them into the header, and refuses a header that says others.
//
// Invariants: what encode gives, decode of the same build takes and returns as an equal value
// (texts for people may be cut, durations are rounded up to the unit of their key). No allocation
// is larger than the input justifies. Nothing is thrown.
// Threads: any; there is no state. Errors: CodecError, whose text names message and key.

#include "shared/base/detection.hpp"
#include "shared/base/messages.hpp"
#include "shared/base/result.hpp"
#include "shared/base/task.hpp"
#include "shared/wire/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace framefleet::wire {

struct CodecError {
  enum class Kind : std::uint8_t {
    malformed,        ///< Breaks the protocol; in encode: a value that may not travel.
    too_large,        ///< Over a limit of the whole (bytes, elements, frames): split the list.
    unknown_type,     ///< A message this build does not know: count it and drop it.
    unknown_version,  ///< A description or record of a version this build does not read.
  };
  Kind kind{Kind::malformed};
  std::string text;  ///< "submit.tasks[3].priority: 12 is over 9".

  friend bool operator==(const CodecError&, const CodecError&) = default;
};

/// The header of `message`. `frame_bytes`: sizes of the payload frames that will follow it, in the
/// order of the entries; they must add up to each entry's Payload (frames and bytes).
Result<std::string, CodecError> encode(const Message& message,
                                       std::span<const std::uint64_t> frame_bytes);

/// The message of `header`, which came with payload frames of the sizes `frame_bytes`. Payloads get
/// their `frames` and `bytes`; their `id` is 0. Detector names are sorted and made unique.
Result<Message, CodecError> decode(std::span<const std::byte> header,
                                   std::span<const std::uint64_t> frame_bytes);

/// SubmittedTask::task: at most kTaskLimits.bytes.
Result<std::string, CodecError> encode_task(const TaskDescription& task);
Result<TaskDescription, CodecError> decode_task(std::string_view bytes);

/// Payload frame 0 of a result: at most kRecordLimits.bytes.
Result<std::string, CodecError> encode_record(const ResultRecord& record);
Result<ResultRecord, CodecError> decode_record(std::span<const std::byte> bytes);

}  // namespace framefleet::wire
