#pragma once
// What a user would pick instead, as three kinds of processes that do the same work as ours:
// a producer sends tasks and hears of each that it was taken; two workers answer each task with a
// result and let go of the task only then; a collector takes the results. Each implementation is
// the quickest honest one: what can be sent together is sent together.
//
// Threads: one for each object. Errors: throws std::runtime_error in words; a part ends with it.

#include "broker/core/options.hpp"
#include "cli/child_process.hpp"

#include "shared/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/order.hpp"

namespace framefleet::bench {

class Sender {
 public:
  virtual ~Sender() = default;
  /// May keep it until take_acks().
  virtual void send(std::string_view payload) = 0;
  /// How many more were taken; waits for the first until `wake_fd` can be read, at most so long.
  virtual std::uint64_t take_acks(Duration wait, int wake_fd) = 0;
};

class Station {
 public:
  virtual ~Station() = default;
  /// Answers what is there, waiting so long for the first; how many that were.
  virtual std::uint64_t turn(Duration wait) = 0;
};

class Collector {
 public:
  virtual ~Collector() = default;
  using Each = std::function<void(std::string_view result)>;
  /// Takes what is there, waiting so long for the first.
  virtual void turn(Duration wait, const Each& each) = 0;
};

/// What a result is made of: the stamp of its task, and 48 bytes more.
std::string result_of(std::string_view payload);
/// Of the text's begin: number of the task and when it was to be sent (monotonic, ns).
struct Stamp {
  std::uint64_t number{0};
  std::int64_t intended_ns{0};
};
inline constexpr std::size_t kStampBytes = 16;
void write_stamp(const Stamp& stamp, std::string& payload);
/// Throws where there are too few bytes.
Stamp read_stamp(std::string_view text);

/// Where its server lives during a workload.
struct Place {
  std::filesystem::path folder;  ///< Its own, empty, short.
  std::uint16_t port{0};         ///< Three of 127.0.0.1, kept free for it.
  std::uint16_t other_port{0};
  std::uint16_t third_port{0};
  bool tcp{true};  ///< Else sockets in the folder.
  bool durable{false};
};

class Rival {
 public:
  virtual ~Rival() = default;
  virtual std::string name() const = 0;
  /// Why it cannot run here, with the package that would bring it; "": it can.
  virtual std::string absence() const { return {}; }
  /// Can keep tasks on a disk, synced before it confirms them.
  virtual bool durable() const { return false; }
  /// Of its own: a broker that is a part of this program.
  virtual bool has_broker_part() const { return false; }
  /// Its servers, the first to be started first.
  virtual std::vector<cli::Command> servers(const Place&) const { return {}; }
  virtual std::string endpoint(const Place& place) const = 0;
  virtual std::string results_endpoint(const Place&) const { return {}; }

  virtual std::unique_ptr<Sender> sender(const Order& order) const = 0;
  virtual std::unique_ptr<Station> station(const Order& order) const = 0;
  virtual std::unique_ptr<Collector> collector(const Order& order) const = 0;
  /// Where has_broker_part(): until told to end.
  virtual void serve(const Order&, const std::function<bool()>& /*told_to_end*/) const {}
};

/// Submitted and not yet taken, at most: as our own broker grants by default.
inline constexpr std::uint64_t kWindow = broker::CoreOptions{}.grant_tasks;

std::unique_ptr<Rival> make_push_pull();
std::unique_ptr<Rival> make_router();
std::unique_ptr<Rival> make_redis();
std::unique_ptr<Rival> make_beanstalkd();
std::unique_ptr<Rival> make_rabbitmq();

/// All of them, from the floor up.
const std::vector<std::unique_ptr<Rival>>& rivals();

/// Tries until `attempt` says that it worked, for a minute; throws `what` then.
void try_for_a_minute(const std::string& what, const std::function<bool()>& attempt);
/// "" where there is none.
std::string found_program(const std::vector<std::string>& paths);

}  // namespace framefleet::bench
