// RabbitMQ through librabbitmq: two classic queues, publishers that have each task confirmed,
// consumers that acknowledge a batch at once and only after its results were published. Durable:
// durable queues and persistent tasks and results, which it syncs before it confirms them.

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/time.h>

#include <array>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "bench/fleet/rival.hpp"

namespace framefleet::bench {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr std::uint16_t kPrefetch = 256;
constexpr std::uint64_t kBatch = 64;

amqp_bytes_t bytes_of(std::string_view text) {
  // The library takes it as mutable and leaves it alone.
  return {text.size(), const_cast<char*>(text.data())};
}

class Connection {
 public:
  explicit Connection(const Order& order) : durable_(order.durable) {
    const int port = std::stoi(order.endpoint);
    try_for_a_minute("rabbitmq does not answer on port " + order.endpoint, [&] {
      close();
      state_ = amqp_new_connection();
      amqp_socket_t* socket = amqp_tcp_socket_new(state_);
      return socket != nullptr && amqp_socket_open(socket, "127.0.0.1", port) == AMQP_STATUS_OK &&
             login();
    });
  }
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void declare(const std::string& queue) {
    amqp_queue_declare(state_, kChannel, bytes_of(queue), 0, durable_ ? 1 : 0, 0, 0,
                       amqp_empty_table);
    check("declare a queue");
  }
  void remove(const std::string& queue) {
    amqp_queue_delete(state_, kChannel, bytes_of(queue), 0, 0);
  }
  void want_confirms() {
    amqp_confirm_select(state_, kChannel);
    check("confirm");
  }
  void consume(const std::string& queue) {
    amqp_basic_qos(state_, kChannel, 0, kPrefetch, 0);
    check("prefetch");
    amqp_basic_consume(state_, kChannel, bytes_of(queue), amqp_empty_bytes, 0, 0, 0,
                       amqp_empty_table);
    check("consume");
  }
  void publish(const std::string& queue, std::string_view body) {
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.delivery_mode = durable_ ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT;
    need(amqp_basic_publish(state_, kChannel, amqp_empty_bytes, bytes_of(queue), 0, 0, &properties,
                            bytes_of(body)) == AMQP_STATUS_OK,
         "publish");
  }
  /// Of those consumed so far.
  void acknowledge_up_to(std::uint64_t tag) {
    need(amqp_basic_ack(state_, kChannel, tag, 1) == 0, "acknowledge");
    amqp_maybe_release_buffers(state_);
  }
  /// Something can be read, by us or by the library.
  bool wait(Duration wait, int wake_fd) {
    if (amqp_frames_enqueued(state_) != 0 || amqp_data_in_buffer(state_) != 0) return true;
    std::array<pollfd, 2> fds{pollfd{amqp_get_sockfd(state_), POLLIN, 0},
                              pollfd{wake_fd, POLLIN, 0}};
    ::poll(fds.data(), 2, static_cast<int>(ceil_ms(wait)));
    return (fds[0].revents & POLLIN) != 0;
  }
  /// The next confirmation that is here: up to which tag, and whether all before it as well.
  bool take_confirm(std::uint64_t& tag, bool& multiple) {
    timeval none{};
    amqp_frame_t frame{};
    const int status = amqp_simple_wait_frame_noblock(state_, &frame, &none);
    if (status == AMQP_STATUS_TIMEOUT) return false;
    need(status == AMQP_STATUS_OK && frame.frame_type == AMQP_FRAME_METHOD &&
             frame.payload.method.id == AMQP_BASIC_ACK_METHOD,
         "hear a confirmation");
    const auto* ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
    tag = ack->delivery_tag;
    multiple = ack->multiple != 0;
    return true;
  }
  /// The next delivery that is here; 0: none, else its tag.
  template <typename Each>
  std::uint64_t take_delivery(const Each& each) {
    timeval none{};
    amqp_envelope_t envelope{};
    const auto reply = amqp_consume_message(state_, &envelope, &none, 0);
    if (ran_out_of_time(&reply)) return 0;
    need(reply.reply_type == AMQP_RESPONSE_NORMAL, "consume");
    const auto& body = envelope.message.body;
    each(std::string_view(static_cast<const char*>(body.bytes), body.len));
    const auto tag = envelope.delivery_tag;
    amqp_destroy_envelope(&envelope);
    return tag;
  }
  void release() { amqp_maybe_release_buffers(state_); }

 private:
  static bool ran_out_of_time(const amqp_rpc_reply_t* reply) {
    return reply->reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
           reply->library_error == AMQP_STATUS_TIMEOUT;
  }
  bool login() {
    constexpr int kFrameBytesMax = 131'072;
    const auto reply =
        amqp_login(state_, "/", 0, kFrameBytesMax, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) return false;
    amqp_channel_open(state_, kChannel);
    return amqp_get_rpc_reply(state_).reply_type == AMQP_RESPONSE_NORMAL;
  }
  void close() {
    if (state_ != nullptr) amqp_destroy_connection(std::exchange(state_, nullptr));
  }
  void check(const char* what) {
    need(amqp_get_rpc_reply(state_).reply_type == AMQP_RESPONSE_NORMAL, what);
  }
  static void need(bool well, const char* what) {
    if (!well) throw std::runtime_error(fmt::format("rabbitmq: cannot {}", what));
  }

  bool durable_;
  amqp_connection_state_t state_{nullptr};
};

std::string tasks_of(const Order& order) { return fmt::format("tasks-{}", order.run); }
std::string results_of(const Order& order) { return fmt::format("results-{}", order.run); }

class PublishSender final : public Sender {
 public:
  explicit PublishSender(const Order& order) : connection_(order), queue_(tasks_of(order)) {
    connection_.declare(queue_);
    connection_.want_confirms();
  }
  void send(std::string_view payload) override {
    connection_.publish(queue_, payload);
    unconfirmed_.insert(++last_tag_);
  }
  std::uint64_t take_acks(Duration wait, int wake_fd) override {
    connection_.wait(wait, wake_fd);
    const auto before = unconfirmed_.size();
    std::uint64_t tag = 0;
    bool multiple = false;
    while (connection_.take_confirm(tag, multiple)) {
      const auto end = unconfirmed_.upper_bound(tag);
      unconfirmed_.erase(multiple ? unconfirmed_.begin() : unconfirmed_.lower_bound(tag), end);
    }
    connection_.release();
    return before - unconfirmed_.size();
  }

 private:
  Connection connection_;
  std::string queue_;
  std::uint64_t last_tag_{0};
  std::set<std::uint64_t> unconfirmed_;
};

/// Takes deliveries in batches.
template <typename Each>
std::uint64_t take_batch(Connection& connection, Duration wait, const Each& each) {
  std::uint64_t count = 0;
  std::uint64_t last = 0;
  for (bool waited = false; count < kBatch;) {
    if (const auto tag = connection.take_delivery(each)) {
      last = tag;
      ++count;
    } else if (count > 0 || waited || !connection.wait(wait, -1)) {
      break;
    } else {
      waited = true;
    }
  }
  if (last > 0) connection.acknowledge_up_to(last);
  return count;
}

class ConsumeStation final : public Station {
 public:
  explicit ConsumeStation(const Order& order) : connection_(order), results_(results_of(order)) {
    connection_.declare(results_);
    connection_.declare(tasks_of(order));
    connection_.consume(tasks_of(order));
  }
  std::uint64_t turn(Duration wait) override {
    return take_batch(connection_, wait, [this](std::string_view task) {
      connection_.publish(results_, result_of(task));
    });
  }

 private:
  Connection connection_;
  std::string results_;
};

class ConsumeCollector final : public Collector {
 public:
  explicit ConsumeCollector(const Order& order) : order_(order), connection_(order) {
    connection_.declare(tasks_of(order));
    connection_.declare(results_of(order));
    connection_.consume(results_of(order));
  }
  ~ConsumeCollector() override {
    connection_.remove(tasks_of(order_));
    connection_.remove(results_of(order_));
  }
  ConsumeCollector(const ConsumeCollector&) = delete;
  ConsumeCollector& operator=(const ConsumeCollector&) = delete;
  void turn(Duration wait, const Each& each) override { take_batch(connection_, wait, each); }

 private:
  Order order_;
  Connection connection_;
};

class RabbitMq final : public Rival {
 public:
  std::string name() const override { return "rabbitmq"; }
  std::string absence() const override {
    return program().empty() || names_program().empty()
               ? "its server is not here (Debian: rabbitmq-server)"
               : "";
  }
  bool durable() const override { return true; }
  /// A daemon of names of its own first: the server would start one that stays.
  std::vector<cli::Command> servers(const Place& place) const override {
    const auto folder = place.folder.string();
    const auto names_port = std::to_string(place.third_port);
    const std::vector<std::string> around{"HOME=" + folder, "ERL_EPMD_PORT=" + names_port,
                                          "ERL_EPMD_ADDRESS=127.0.0.1"};
    auto server = around;
    server.insert(
        server.end(),
        {"RUNNING_UNDER_SYSTEMD=1",  // Its script becomes the server, instead of having one.
         "RABBITMQ_NODENAME=bench@localhost", "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
         fmt::format("RABBITMQ_NODE_PORT={}", place.port),
         fmt::format("RABBITMQ_DIST_PORT={}", place.other_port),
         "RABBITMQ_MNESIA_BASE=" + folder + "/mnesia", "RABBITMQ_LOG_BASE=" + folder,
         "RABBITMQ_LOGS=-", "RABBITMQ_ENABLED_PLUGINS_FILE=" + folder + "/plugins",
         "RABBITMQ_CONF_ENV_FILE=" + folder + "/environment",
         "RABBITMQ_CONFIG_FILE=" + folder + "/rabbitmq", program()});
    auto names = around;
    names.insert(names.end(), {names_program(), "-port", names_port, "-address", "127.0.0.1"});
    return {{"/usr/bin/env", std::move(names)}, {"/usr/bin/env", std::move(server)}};
  }
  std::string endpoint(const Place& place) const override { return std::to_string(place.port); }
  std::unique_ptr<Sender> sender(const Order& order) const override {
    return std::make_unique<PublishSender>(order);
  }
  std::unique_ptr<Station> station(const Order& order) const override {
    return std::make_unique<ConsumeStation>(order);
  }
  std::unique_ptr<Collector> collector(const Order& order) const override {
    return std::make_unique<ConsumeCollector>(order);
  }

 private:
  /// Not the one in PATH, which changes the user.
  static std::string program() { return found_program({"/usr/lib/rabbitmq/bin/rabbitmq-server"}); }
  static std::string names_program() { return found_program({"/usr/bin/epmd"}); }
};

}  // namespace

std::unique_ptr<Rival> make_rabbitmq() { return std::make_unique<RabbitMq>(); }

}  // namespace framefleet::bench
