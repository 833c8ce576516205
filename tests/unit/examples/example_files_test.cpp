// config/*.example.toml are what the options of the four programs say: every key, at its default.
// And defaults of one program that rest on another's agree with them.

#include "broker/journals/journal_writer.hpp"
#include "broker/options.hpp"
#include "producer/options.hpp"
#include "sink/options.hpp"
#include "tests/unit/config/example_check.hpp"
#include "worker/options.hpp"

#include "shared/telemetry/program.hpp"

#include <string>

using namespace framefleet;

namespace {

template <class Options>
void check_example_of(const std::string& process, const std::string& summary) {
  Options options;
  telemetry::ProgramOptions common;
  config::OptionSet set{"framefleet-" + process, summary};
  describe(set, options);
  telemetry::describe(set, common);
  test::check_example(set, FRAMEFLEET_SOURCE_DIR "/config/" + process + ".example.toml");
}

}  // namespace

TEST_CASE("the broker's example file lists every option at its default") {
  check_example_of<broker::BrokerOptions>(
      "broker", "Takes tasks in, hands them to workers, and their outcomes to the sink.");
}

TEST_CASE("the worker's example file lists every option at its default") {
  check_example_of<worker::WorkerOptions>(
      "worker", "Takes pictures from the broker and runs detectors on them.");
}

TEST_CASE("the producer's example file lists every option at its default") {
  check_example_of<producer::ProducerOptions>("producer",
                                              "Reads pictures and submits them to the broker.");
}

TEST_CASE("the sink's example file lists every option at its default") {
  check_example_of<sink::SinkOptions>("sink", "Takes outcomes from the broker and keeps them.");
}

TEST_CASE("the broker has two of the sink's batches on their way") {
  CHECK(broker::CoreOptions{}.sink_window == 2 * sink::IntakeOptions{}.batch_tasks_max);
}

TEST_CASE("a producer has two of the journal's groups on their way, all of them admissions") {
  CHECK(broker::CoreOptions{}.grant_tasks == 2 * broker::JournalWriterOptions{}.gather_records);
}
