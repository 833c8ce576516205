// beanstalkd, by its own text protocol: a tube for tasks and one for results. It knows no batches;
// what can be asked for without waiting for an answer is written together. Durable: a binlog that
// is synced before each answer (-f0).

#include "shared/base/file_descriptor.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "bench/fleet/rival.hpp"

namespace framefleet::bench {
namespace {

FileDescriptor connected(const std::string& endpoint) {
  const auto colon = endpoint.find(':');
  if (colon == std::string::npos) {
    FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, endpoint.data(),
                std::min(endpoint.size(), sizeof address.sun_path - 1));
    const auto* any = reinterpret_cast<sockaddr*>(&address);
    return ::connect(socket.get(), any, sizeof address) == 0 ? std::move(socket) : FileDescriptor();
  }
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(colon + 1))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* any = reinterpret_cast<sockaddr*>(&address);
  return ::connect(socket.get(), any, sizeof address) == 0 ? std::move(socket) : FileDescriptor();
}

class Connection {
 public:
  Connection(const Order& order, const std::string& use, const std::string& watch) {
    try_for_a_minute("beanstalkd does not answer at " + order.endpoint, [&] {
      socket_ = connected(order.endpoint);
      return static_cast<bool>(socket_);
    });
    if (!use.empty()) {
      write("use " + use + "\r\n");
      expect_line("USING ");
    }
    if (watch.empty()) return;
    write("watch " + watch + "\r\nignore default\r\n");
    expect_line("WATCHING ");
    expect_line("WATCHING ");
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("beanstalkd has closed the connection");
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Reads what comes within this time; false: nothing did.
  bool read(Duration wait, int wake_fd) {
    std::array<pollfd, 2> fds{pollfd{socket_.get(), POLLIN, 0}, pollfd{wake_fd, POLLIN, 0}};
    ::poll(fds.data(), 2, static_cast<int>(ceil_ms(wait)));
    if ((fds[0].revents & (POLLIN | POLLHUP)) == 0) return false;
    input_.erase(0, std::exchange(taken_, 0));
    const auto before = input_.size();
    constexpr std::size_t kRoom = std::size_t{256} * 1024;
    input_.resize(before + kRoom);
    const auto got = ::recv(socket_.get(), input_.data() + before, kRoom, 0);
    if (got <= 0) throw std::runtime_error("beanstalkd has closed the connection");
    input_.resize(before + static_cast<std::size_t>(got));
    return true;
  }
  /// The next line that is here, without its end; with `body`: only if so many bytes and two more
  /// are here behind it, as its last word says.
  std::optional<std::string> line(std::string* body = nullptr) {
    const auto end = input_.find("\r\n", taken_);
    if (end == std::string::npos) return std::nullopt;
    auto text = input_.substr(taken_, end - taken_);
    if (body != nullptr && text.starts_with("RESERVED ")) {
      const auto size = std::stoull(text.substr(text.rfind(' ') + 1));
      if (input_.size() < end + 2 + size + 2) return std::nullopt;
      body->assign(input_, end + 2, size);
      taken_ = end + 2 + size + 2;
    } else {
      taken_ = end + 2;
    }
    return text;
  }
  void expect_line(std::string_view begin) {
    using namespace std::chrono_literals;
    auto said = line();
    while (!said) {
      if (!read(10s, -1)) throw std::runtime_error("beanstalkd does not answer");
      said = line();
    }
    check(*said, begin);
  }
  static void check(const std::string& said, std::string_view begin) {
    if (said.starts_with(begin)) return;
    throw std::runtime_error(fmt::format("beanstalkd says {} instead of {}", said, begin));
  }

 private:
  FileDescriptor socket_;
  std::string input_;
  std::size_t taken_{0};  ///< Of the input.
};

std::string put(std::string_view body) {
  constexpr int kRunTimeS = 600;
  return fmt::format("put 0 0 {} {}\r\n{}\r\n", kRunTimeS, body.size(), body);
}

/// One reserve is always open. Each answer to it is followed by those to what was written with the
/// reserve before.
class Taker {
 public:
  Taker(const Order& order, const std::string& use, const std::string& watch)
      : connection_(order, use, watch) {
    connection_.write("reserve\r\n");
  }
  /// `answer` gives what is to be written before the task is deleted, and how many lines will
  /// answer that.
  template <typename Answer>
  std::uint64_t turn(Duration wait, const Answer& answer) {
    std::uint64_t count = 0;
    for (bool waited = false;; waited = true) {
      std::string body;
      while (const auto said = connection_.line(&body)) {
        if (said->starts_with("INSERTED ") || *said == "DELETED") continue;
        Connection::check(*said, "RESERVED ");
        const auto id = said->substr(9, said->rfind(' ') - 9);
        connection_.write(answer(body) + "delete " + id + "\r\nreserve\r\n");
        ++count;
      }
      if (count > 0 || waited || !connection_.read(wait, -1)) return count;
    }
  }

 private:
  Connection connection_;
};

std::string tasks_of(const Order& order) { return fmt::format("tasks-{}", order.run); }
std::string results_of(const Order& order) { return fmt::format("results-{}", order.run); }

class PutSender final : public Sender {
 public:
  explicit PutSender(const Order& order) : connection_(order, tasks_of(order), "") {}
  void send(std::string_view payload) override { unsent_ += put(payload); }
  std::uint64_t take_acks(Duration wait, int wake_fd) override {
    if (!unsent_.empty()) connection_.write(std::exchange(unsent_, {}));
    connection_.read(wait, wake_fd);
    std::uint64_t count = 0;
    while (const auto said = connection_.line()) {
      Connection::check(*said, "INSERTED ");
      ++count;
    }
    return count;
  }

 private:
  Connection connection_;
  std::string unsent_;
};

class ReserveStation final : public Station {
 public:
  explicit ReserveStation(const Order& order) : taker_(order, results_of(order), tasks_of(order)) {}
  std::uint64_t turn(Duration wait) override {
    return taker_.turn(wait, [](const std::string& task) { return put(result_of(task)); });
  }

 private:
  Taker taker_;
};

class ReserveCollector final : public Collector {
 public:
  explicit ReserveCollector(const Order& order) : taker_(order, "", results_of(order)) {}
  void turn(Duration wait, const Each& each) override {
    taker_.turn(wait, [&](const std::string& result) {
      each(result);
      return std::string();
    });
  }

 private:
  Taker taker_;
};

class Beanstalkd final : public Rival {
 public:
  std::string name() const override { return "beanstalkd"; }
  std::string absence() const override {
    return program().empty() ? "it is not here (Debian: beanstalkd)" : "";
  }
  bool durable() const override { return true; }
  std::vector<cli::Command> servers(const Place& place) const override {
    constexpr const char* kTaskBytesMax = "4194304";
    std::vector<std::string> words{"-z", kTaskBytesMax};
    if (place.tcp) {
      words.insert(words.end(), {"-l", "127.0.0.1", "-p", std::to_string(place.port)});
    } else {
      words.insert(words.end(), {"-l", "unix:" + endpoint(place)});
    }
    if (place.durable) words.insert(words.end(), {"-b", place.folder.string(), "-f", "0"});
    return {{program(), std::move(words)}};
  }
  std::string endpoint(const Place& place) const override {
    return place.tcp ? fmt::format("127.0.0.1:{}", place.port)
                     : (place.folder / "beanstalkd").string();
  }
  std::unique_ptr<Sender> sender(const Order& order) const override {
    return std::make_unique<PutSender>(order);
  }
  std::unique_ptr<Station> station(const Order& order) const override {
    return std::make_unique<ReserveStation>(order);
  }
  std::unique_ptr<Collector> collector(const Order& order) const override {
    return std::make_unique<ReserveCollector>(order);
  }

 private:
  static std::string program() {
    return found_program({"/usr/bin/beanstalkd", "/usr/local/bin/beanstalkd"});
  }
};

}  // namespace

std::unique_ptr<Rival> make_beanstalkd() { return std::make_unique<Beanstalkd>(); }

}  // namespace framefleet::bench
