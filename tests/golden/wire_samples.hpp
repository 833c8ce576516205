#pragma once
// One value of every message, with every key of it away from its default, and of the two documents.
// The golden bytes are theirs; the unit tests of the codec take them apart.
//
// A message that gains keys is given a new sample with a golden name of its own; the one before and
// its bytes stay, because what was written once is read for ever.

#include "shared/base/detection.hpp"
#include "shared/base/journal_records.hpp"
#include "shared/base/messages.hpp"
#include "shared/base/task.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::test {

struct MessageSample {
  Message message;
  std::vector<std::uint64_t> frame_bytes;  ///< Of the payload frames that travel with it.
  std::string suffix;                      ///< Of its golden file's name; "" for the first.
};

/// Of every message the newest.
std::vector<MessageSample> message_samples();
/// Those without the keys that their messages gained since.
std::vector<MessageSample> outgrown_message_samples();
TaskDescription task_sample();
TaskDescription zoned_task_sample();
ResultRecord record_sample();

// What a broker's journal keeps.
JournaledTask journaled_task_sample();
/// With the keys that came later.
JournaledTask handed_out_task_sample();
JournaledTask cancelled_task_sample();
SourceBook source_book_sample();
SourceBook unkept_source_book_sample();
SourceBook keyed_source_book_sample();
JobBook job_book_sample();
FleetBook fleet_book_sample();

}  // namespace framefleet::test
