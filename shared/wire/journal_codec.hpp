#pragma once
// The records of a broker's journal as bytes and back. Each is one MessagePack map that begins with
// its version: a later build reads it or refuses it, and never guesses.
//
// Invariants, errors and threads: as codec.hpp.

#include "shared/base/journal_records.hpp"
#include "shared/wire/codec.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace framefleet::wire {

Result<std::string, CodecError> encode_journaled(const JournaledTask& task);
Result<std::string, CodecError> encode_journaled(const SourceBook& book);
Result<std::string, CodecError> encode_journaled(const JobBook& book);
Result<std::string, CodecError> encode_journaled(const FleetBook& book);

Result<JournaledTask, CodecError> decode_journaled_task(std::span<const std::byte> bytes);
Result<SourceBook, CodecError> decode_source_book(std::span<const std::byte> bytes);
Result<JobBook, CodecError> decode_job_book(std::span<const std::byte> bytes);
Result<FleetBook, CodecError> decode_fleet_book(std::span<const std::byte> bytes);

}  // namespace framefleet::wire
