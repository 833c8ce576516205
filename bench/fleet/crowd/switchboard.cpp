#include "bench/fleet/crowd/switchboard.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/transport/courier.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <zmq.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace framefleet::bench {
namespace {

/// Looked at in one turn.
constexpr int kEventsMax = 256;

}  // namespace

class Switchboard::Sockets {
 public:
  Sockets(std::string endpoint, std::size_t count, int wake_fd)
      : endpoint_(std::move(endpoint)),
        courier_(payloads_),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        lines_(count) {
    constexpr int kOthers = 16;  // of a context's own
    zmq_ctx_set(context_.handle(), ZMQ_MAX_SOCKETS, static_cast<int>(count) + kOthers);
    watch(wake_fd, count);
  }

  void dial(std::size_t number) {
    hang_up(number);
    auto& line = lines_.at(number);
    auto& dealer = line.dealer.emplace(context_, zmq::socket_type::dealer);
    dealer.set(zmq::sockopt::linger, 0);
    // What is sent is bounded by what the broker grants and assigns.
    dealer.set(zmq::sockopt::sndhwm, 0);
    dealer.set(zmq::sockopt::rcvhwm, transport::Courier::kHighWaterMark);
    dealer.set(zmq::sockopt::tcp_keepalive, 1);
    dealer.connect(endpoint_);
    watch(dealer.get(zmq::sockopt::fd), number);
    heat(number);
  }

  void hang_up(std::size_t number) {
    auto& dealer = lines_.at(number).dealer;
    if (!dealer) return;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, dealer->get(zmq::sockopt::fd), nullptr);
    dealer.reset();
  }

  void send(std::size_t number, const Message& message) {
    auto& dealer = lines_.at(number).dealer;
    if (!dealer) return;
    parcels_.clear();
    if (auto packed = courier_.pack(message, parcels_); !packed) {
      throw std::runtime_error("a message cannot travel: " + packed.error());
    }
    for (const auto& parcel : parcels_) {
      if (transport::Courier::send(*dealer, nullptr, parcel) != transport::Courier::Sent::yes) {
        throw std::runtime_error("a socket without a limit takes no more");
      }
    }
    heat(number);
  }

  std::vector<std::size_t> wait(Duration timeout) {
    auto ready = std::exchange(hot_, {});
    for (const auto number : ready) lines_[number].hot = false;
    std::array<epoll_event, kEventsMax> events{};
    const int ms =
        ready.empty() ? static_cast<int>(std::max<std::int64_t>(0, ceil_ms(timeout))) : 0;
    const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsMax, ms);
    for (int i = 0; i < count; ++i) {
      const auto number = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64);
      if (number < lines_.size()) ready.push_back(number);
    }
    std::sort(ready.begin(), ready.end());
    ready.erase(std::unique(ready.begin(), ready.end()), ready.end());
    return ready;
  }

  std::optional<Message> receive(std::size_t number) {
    auto& dealer = lines_.at(number).dealer;
    if (!dealer) return std::nullopt;
    if (!transport::Courier::receive(*dealer, transport::Courier::kPartsMax, parts_)) {
      return std::nullopt;
    }
    auto message = courier_.unpack(parts_);
    if (!message) throw std::runtime_error("the broker says: " + message.error().text);
    return std::move(*message);
  }

  transport::PayloadStore& payloads() { return payloads_; }

 private:
  struct Line {
    std::optional<zmq::socket_t> dealer;
    bool hot{false};
  };

  void watch(int fd, std::size_t number) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = number;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return;
    throw std::runtime_error(
        fmt::format("a connection cannot be watched: {}", std::strerror(errno)));
  }

  /// Using a socket may take away the sign that something has come: it is looked at once more.
  void heat(std::size_t number) {
    if (!std::exchange(lines_[number].hot, true)) hot_.push_back(number);
  }

  std::string endpoint_;
  transport::PayloadStore payloads_;
  transport::Courier courier_;
  zmq::context_t context_{1};
  FileDescriptor epoll_;
  std::vector<Line> lines_;
  std::vector<std::size_t> hot_;
  transport::Parts parts_;                  // the message that is being received
  std::vector<transport::Parcel> parcels_;  // the message that is being sent
};

void Switchboard::Line::dial() { board_.sockets_->dial(number_); }
void Switchboard::Line::hang_up() { board_.sockets_->hang_up(number_); }
void Switchboard::Line::send(const Message& message) { board_.sockets_->send(number_, message); }
transport::PayloadStore& Switchboard::Line::payloads() { return board_.payloads(); }

Switchboard::Switchboard(std::string endpoint, std::size_t count, int wake_fd)
    : sockets_(std::make_unique<Sockets>(std::move(endpoint), count, wake_fd)) {}
Switchboard::~Switchboard() = default;
std::vector<std::size_t> Switchboard::wait(Duration timeout) { return sockets_->wait(timeout); }
std::optional<Message> Switchboard::receive(std::size_t number) {
  return sockets_->receive(number);
}
transport::PayloadStore& Switchboard::payloads() { return sockets_->payloads(); }

}  // namespace framefleet::bench
