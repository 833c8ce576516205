// A broker as a careful person writes it first: one ROUTER socket, workers that have credit,
// results that go through it to the collector, and a word to the producer for each task that is
// done. No leases, no accounts, nothing is sent again: who dies takes with it what it has.
//
// Messages, each a kind and what it carries: H producer|worker|collector, T task, R result, A done.

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/fleet/rival.hpp"
#include "bench/fleet/rivals/zmq_socket.hpp"

namespace framefleet::bench {
namespace {

/// Tasks that a worker has at once: the next ones are there when it has done one.
constexpr int kCredit = 16;

class Peer {
 public:
  Peer(const Order& order, const std::string& role) : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::sndhwm, 0);
    socket_.set(zmq::sockopt::rcvhwm, 0);
    socket_.connect(order.endpoint);
    send('H', role);
  }
  void send(char kind, std::string_view body) {
    socket_.send(zmq::buffer(&kind, 1), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(body), zmq::send_flags::none);
  }
  template <typename Each>
  std::uint64_t take(Duration wait, int wake_fd, const Each& each) {
    constexpr std::uint64_t kBatch = 256;
    std::uint64_t count = 0;
    for (bool waited = false;; waited = true) {
      zmq::message_t kind;
      zmq::message_t body;
      while (count < kBatch && socket_.recv(kind, zmq::recv_flags::dontwait)) {
        if (!socket_.recv(body, zmq::recv_flags::none)) break;
        each(body.to_string_view());
        ++count;
      }
      if (count > 0 || waited || !wait_readable(socket_, wait, wake_fd)) return count;
    }
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

class DealerSender final : public Sender {
 public:
  explicit DealerSender(const Order& order) : peer_(order, "producer") {}
  void send(std::string_view payload) override { peer_.send('T', payload); }
  std::uint64_t take_acks(Duration wait, int wake_fd) override {
    return peer_.take(wait, wake_fd, [](std::string_view) {});
  }

 private:
  Peer peer_;
};

class DealerStation final : public Station {
 public:
  explicit DealerStation(const Order& order) : peer_(order, "worker") {}
  std::uint64_t turn(Duration wait) override {
    return peer_.take(wait, -1,
                      [this](std::string_view task) { peer_.send('R', result_of(task)); });
  }

 private:
  Peer peer_;
};

class DealerCollector final : public Collector {
 public:
  explicit DealerCollector(const Order& order) : peer_(order, "collector") {}
  void turn(Duration wait, const Each& each) override { peer_.take(wait, -1, each); }

 private:
  Peer peer_;
};

class Broker {
 public:
  explicit Broker(const Order& order) : socket_(context_, zmq::socket_type::router) {
    socket_.set(zmq::sockopt::sndhwm, 0);
    socket_.set(zmq::sockopt::rcvhwm, 0);
    socket_.bind(order.endpoint);
  }

  bool turn(Duration wait) {
    constexpr int kBatch = 256;
    int count = 0;
    zmq::message_t from;
    while (count < kBatch && socket_.recv(from, zmq::recv_flags::dontwait)) {
      zmq::message_t kind;
      zmq::message_t body;
      if (!socket_.recv(kind) || !socket_.recv(body)) return false;
      take(from, *kind.data<char>(), std::move(body));
      ++count;
    }
    return count > 0 || wait_readable(socket_, wait);
  }

 private:
  struct Worker {
    std::string route;
    int credit{kCredit};
  };

  void take(const zmq::message_t& from, char kind, zmq::message_t body) {
    if (kind == 'H') return greet(from.to_string(), body.to_string_view());
    if (kind == 'T') {
      waiting_.push_back(std::move(body));
      return hand_out();
    }
    send(collector_, 'R', std::move(body));
    send(producer_, 'A', zmq::message_t{});
    for (auto& worker : workers_) {
      if (worker.route == from.to_string_view()) ++worker.credit;
    }
    hand_out();
  }

  void greet(std::string route, std::string_view role) {
    if (role == "producer")
      producer_ = std::move(route);
    else if (role == "collector")
      collector_ = std::move(route);
    else
      workers_.push_back({std::move(route)});
    hand_out();
  }

  void hand_out() {
    while (!waiting_.empty() && !collector_.empty()) {
      const auto most = std::max_element(
          workers_.begin(), workers_.end(),
          [](const Worker& one, const Worker& other) { return one.credit < other.credit; });
      if (most == workers_.end() || most->credit == 0) return;
      --most->credit;
      send(most->route, 'T', std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }

  void send(const std::string& route, char kind, zmq::message_t body) {
    socket_.send(zmq::buffer(route), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(&kind, 1), zmq::send_flags::sndmore);
    socket_.send(body, zmq::send_flags::none);
  }

  zmq::context_t context_;
  zmq::socket_t socket_;
  std::vector<Worker> workers_;
  std::string producer_;
  std::string collector_;
  std::deque<zmq::message_t> waiting_;
};

class Router final : public Rival {
 public:
  std::string name() const override { return "router"; }
  bool has_broker_part() const override { return true; }
  std::string endpoint(const Place& place) const override {
    return zmq_endpoint(place, place.port, "broker");
  }
  std::unique_ptr<Sender> sender(const Order& order) const override {
    return std::make_unique<DealerSender>(order);
  }
  std::unique_ptr<Station> station(const Order& order) const override {
    return std::make_unique<DealerStation>(order);
  }
  std::unique_ptr<Collector> collector(const Order& order) const override {
    return std::make_unique<DealerCollector>(order);
  }
  void serve(const Order& order, const std::function<bool()>& told_to_end) const override {
    using namespace std::chrono_literals;
    Broker broker(order);
    while (!told_to_end()) {
      while (broker.turn(50ms)) {
      }
    }
  }
};

}  // namespace

std::unique_ptr<Rival> make_router() { return std::make_unique<Router>(); }

}  // namespace framefleet::bench
