#include "shared/wire/journal_codec.hpp"

#include "shared/wire/document.hpp"
#include "shared/wire/fields_journal.hpp"

#include <string_view>

namespace framefleet::wire {
namespace {

template <class T>
constexpr std::string_view kName = "";
template <>
constexpr std::string_view kName<JournaledTask> = "journaled_task";
template <>
constexpr std::string_view kName<SourceBook> = "source_book";
template <>
constexpr std::string_view kName<JobBook> = "job_book";
template <>
constexpr std::string_view kName<FleetBook> = "fleet_book";

template <class T>
Result<std::string, CodecError> encode_as(const T& value) {
  return encode_document(value, kName<T>, kJournalVersionMax, kJournalLimits);
}

template <class T>
Result<T, CodecError> decode_as(std::span<const std::byte> bytes) {
  return decode_document<T>(bytes, kName<T>, {kJournalVersionMin, kJournalVersionMax},
                            kJournalLimits);
}

}  // namespace

Result<std::string, CodecError> encode_journaled(const JournaledTask& task) {
  return encode_as(task);
}
Result<std::string, CodecError> encode_journaled(const SourceBook& book) { return encode_as(book); }
Result<std::string, CodecError> encode_journaled(const JobBook& book) { return encode_as(book); }
Result<std::string, CodecError> encode_journaled(const FleetBook& book) { return encode_as(book); }

Result<JournaledTask, CodecError> decode_journaled_task(std::span<const std::byte> bytes) {
  return decode_as<JournaledTask>(bytes);
}
Result<SourceBook, CodecError> decode_source_book(std::span<const std::byte> bytes) {
  return decode_as<SourceBook>(bytes);
}
Result<JobBook, CodecError> decode_job_book(std::span<const std::byte> bytes) {
  return decode_as<JobBook>(bytes);
}
Result<FleetBook, CodecError> decode_fleet_book(std::span<const std::byte> bytes) {
  return decode_as<FleetBook>(bytes);
}

}  // namespace framefleet::wire
