#include "bench/fleet/fleet_tasks.hpp"

#include "shared/base/assert.hpp"
#include "shared/security/digest.hpp"
#include "shared/wire/codec.hpp"

#include <charconv>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace framefleet::bench {

namespace {

/// So many bytes that the image gate takes for a picture of 8 x 8 pixels: a JPEG's header, and a
/// scan that nobody will decode.
std::string picture_of(std::uint64_t bytes) {
  using namespace std::string_literals;
  std::string picture =
      "\xFF\xD8"                                              // start of image
      "\xFF\xC0\x00\x0B\x08\x00\x08\x00\x08\x01\x01\x11\x00"  // a frame: 8 x 8, grey
      "\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00"s;            // a scan
  FRAMEFLEET_ASSERT(bytes >= picture.size() + 2);
  picture.resize(bytes - 2, 'p');
  return picture + "\xFF\xD9";
}

std::string description_with(std::string origin) {
  TaskDescription description;
  description.origin = std::move(origin);
  description.detect = {"stub?decode=no"};
  auto encoded = wire::encode_task(description);
  FRAMEFLEET_ASSERT(encoded.has_value());
  return std::move(*encoded);
}

}  // namespace

FleetTasks::FleetTasks(std::uint64_t bytes)
    : payload_(picture_of(bytes)), description_(description_with("bench")) {}

std::string FleetTasks::description(Time intended) {
  return description_with(std::to_string(intended.time_since_epoch().count()));
}

Time FleetTasks::intended(const std::string& description) {
  const auto read = wire::decode_task(description);
  if (read) {
    const auto* end = read->origin.data() + read->origin.size();
    Duration::rep count = 0;
    const auto [stop, fault] = std::from_chars(read->origin.data(), end, count);
    if (fault == std::errc{} && stop == end) return Time{Duration{count}};
  }
  throw std::runtime_error("an outcome does not say when its task was to be sent");
}

SubmittedTask FleetTasks::make(const std::string& source, std::uint32_t epoch,
                               std::uint64_t sequence, transport::PayloadStore& payloads) const {
  SubmittedTask task;
  task.id = {security::source_hash(source), epoch, sequence, 0};
  task.source = source;
  task.job = "bench";
  task.detectors = {"stub"};
  task.task = description_;
  task.payload = payloads.put({transport::Frame::of(payload_)});
  return task;
}

}  // namespace framefleet::bench
