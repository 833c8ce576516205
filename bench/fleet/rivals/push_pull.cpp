// The floor: ZeroMQ PUSH/PULL. Nobody acknowledges anything, a worker that dies takes with it what
// it has, and what waits in sockets has no bound but theirs.

#include "shared/telemetry/monotonic.hpp"

#include "bench/fleet/rival.hpp"
#include "bench/fleet/rivals/zmq_socket.hpp"

namespace framefleet::bench {
namespace {

/// The limit on what one connection holds; libzmq's own default, said here because it is the only
/// one there is.
constexpr int kHighWaterMark = 1000;

class PushSender final : public Sender {
 public:
  explicit PushSender(const Order& order) : socket_(context_, zmq::socket_type::push) {
    socket_.set(zmq::sockopt::sndhwm, kHighWaterMark);
    socket_.bind(order.endpoint);
  }
  void send(std::string_view payload) override {
    socket_.send(zmq::buffer(payload), zmq::send_flags::none);
    ++sent_;
  }
  std::uint64_t take_acks(Duration wait, int wake_fd) override {
    if (sent_ == 0) wait_readable(socket_, wait, wake_fd);  // Only for the time: it cannot be read.
    return std::exchange(sent_, 0);
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::uint64_t sent_{0};
};

class PullStation final : public Station {
 public:
  explicit PullStation(const Order& order)
      : tasks_(context_, zmq::socket_type::pull), results_(context_, zmq::socket_type::push) {
    tasks_.set(zmq::sockopt::rcvhwm, kHighWaterMark);
    tasks_.connect(order.endpoint);
    results_.connect(order.results);
  }
  std::uint64_t turn(Duration wait) override {
    return for_each_waiting(tasks_, wait, [this](zmq::message_t& task) {
      results_.send(zmq::buffer(result_of(task.to_string_view())), zmq::send_flags::none);
    });
  }

 private:
  zmq::context_t context_;
  zmq::socket_t tasks_;
  zmq::socket_t results_;
};

class PullCollector final : public Collector {
 public:
  explicit PullCollector(const Order& order) : socket_(context_, zmq::socket_type::pull) {
    socket_.bind(order.results);
  }
  void turn(Duration wait, const Each& each) override {
    for_each_waiting(socket_, wait, [&](zmq::message_t& result) { each(result.to_string_view()); });
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

class PushPull final : public Rival {
 public:
  std::string name() const override { return "push_pull"; }
  std::string endpoint(const Place& place) const override {
    return zmq_endpoint(place, place.port, "tasks");
  }
  std::string results_endpoint(const Place& place) const override {
    return zmq_endpoint(place, place.other_port, "results");
  }
  std::unique_ptr<Sender> sender(const Order& order) const override {
    return std::make_unique<PushSender>(order);
  }
  std::unique_ptr<Station> station(const Order& order) const override {
    return std::make_unique<PullStation>(order);
  }
  std::unique_ptr<Collector> collector(const Order& order) const override {
    return std::make_unique<PullCollector>(order);
  }
};

}  // namespace

std::unique_ptr<Rival> make_push_pull() { return std::make_unique<PushPull>(); }

}  // namespace framefleet::bench
