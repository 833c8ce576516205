#pragma once
// The four shells of a fleet with options that suit a test: any free port or a socket in a folder,
// patience for machines that are busy, short back-off.

#include "broker/shell.hpp"
#include "producer/shell.hpp"
#include "sink/shell.hpp"
#include "tests/integration/member.hpp"
#include "worker/shell.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::test {

inline broker::BrokerOptions broker_options(const std::string& bind = "tcp://127.0.0.1:0") {
  broker::BrokerOptions options;
  options.hub.bind = {bind};
  options.core.peer_timeout = std::chrono::seconds{15};
  options.core.lease_duration = std::chrono::seconds{15};
  options.core.retry_delay_base = std::chrono::milliseconds{1};
  return options;
}

/// A broker and where it listens.
class BrokerMember {
 public:
  explicit BrokerMember(broker::BrokerOptions options = broker_options())
      : member_("framefleet-broker", [this, options](telemetry::Program& program) mutable {
          return run(std::move(options), program);
        }) {
    endpoint_ = bound_.get_future().get();
  }
  /// "" when it could not be opened.
  const std::string& endpoint() const { return endpoint_; }
  Member* operator->() { return &member_; }
  Member& operator*() { return member_; }

 private:
  Result<int, Error> run(broker::BrokerOptions options, telemetry::Program& program) {
    options.core.incarnation = static_cast<std::uint32_t>(telemetry::wall_clock_ms());
    auto shell = broker::Shell::open(options, program);
    bound_.set_value(shell ? (*shell)->endpoints().front() : "");
    if (!shell) return fail(shell.error());
    return (*shell)->run();
  }

  std::promise<std::string> bound_;
  std::string endpoint_;
  Member member_;
};

/// A member whose shell is opened from options, and what else it takes.
template <class Shell, class Options, class... More>
std::unique_ptr<Member> member_of(const std::string& process, Options options, More... more) {
  return std::make_unique<Member>(process, [=](telemetry::Program& program) -> Result<int, Error> {
    auto shell = Shell::open(options, program, more...);
    if (!shell) return fail(shell.error());
    return (*shell)->run();
  });
}

inline std::unique_ptr<Member> start_sink(const std::string& endpoint,
                                          const std::filesystem::path& store) {
  sink::SinkOptions options;
  options.connect = endpoint;
  options.store = store;
  return member_of<sink::Shell>("framefleet-sink", options);
}

inline std::unique_ptr<Member> start_worker(const std::string& endpoint) {
  worker::WorkerOptions options;
  options.connect = endpoint;
  options.name = "worker-1";
  options.slots = 2;
  options.detectors = {"markers", "stub"};
  options.isolation = worker::Isolation::none;  // this program is no worker to be started again
  return member_of<worker::Shell>("framefleet-worker", options);
}

/// One that has no cameras, and reads none.
inline std::unique_ptr<Member> producer_of(const producer::ProducerOptions& options) {
  const producer::ReadCameras no_cameras = [] { return std::vector<producer::CameraOptions>{}; };
  return member_of<producer::Shell>("framefleet-producer", options, no_cameras);
}

inline std::unique_ptr<Member> start_producer(const std::string& endpoint,
                                              const std::string& source,
                                              const std::string& detect) {
  producer::ProducerOptions options;
  options.connect = endpoint;
  options.name = "producer-1";
  options.sources = {source};
  options.detect = detect;
  options.job = "test";
  return producer_of(options);
}

}  // namespace framefleet::test
