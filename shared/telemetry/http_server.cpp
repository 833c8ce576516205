#include "shared/telemetry/http_server.hpp"

#include "shared/telemetry/host_port.hpp"
#include "shared/telemetry/metrics.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace framefleet::telemetry {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kConnectionsWaitingMax = 64;
constexpr std::size_t kBodyBytesMax = 8192;
constexpr std::chrono::seconds kPatience{2};

/// httplib's own pool queues without a limit. This one lets the accepting thread wait instead, so
/// that the kernel's backlog is the only other queue.
class BoundedPool : public httplib::TaskQueue {
 public:
  /// Newer versions of httplib want to hear that a connection was taken; older ones, nothing.
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));

  BoundedPool() {
    for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { work(); });
  }

  Enqueued enqueue(std::function<void()> connection) override {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return waiting_.size() < kConnectionsWaitingMax; });
    waiting_.push_back(std::move(connection));
    changed_.notify_all();
    return static_cast<Enqueued>(true);
  }

  void shutdown() override {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work() {
    while (true) {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto connection = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      changed_.notify_all();
      connection();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_{false};
  std::vector<std::thread> threads_;
};

/// httplib's default is SO_REUSEPORT, with which two processes share a taken port without a word.
void allow_quick_restart(int socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

void describe(config::OptionSet& set, MetricsOptions& options) {
  set.section("metrics", "Where /metrics, /healthz and /readyz are served.",
              config::FlagStyle::section_and_key)
      .add("listen", options.listen,
           {.help = "HOST:PORT, such as 127.0.0.1:9100; port 0: any free one; empty: not served."})
      .add("loop_age_max", options.loop_age_max,
           {.help = "/healthz answers 503 when the loop has not turned for this long.",
            .min = std::chrono::milliseconds{100},
            .max = std::chrono::hours{1}});
}

class HttpServer::Running {
 public:
  Running(const Health& health, Duration loop_age_max)
      : health_(health), loop_age_max_(loop_age_max) {
    server_.new_task_queue = [] { return new BoundedPool; };
    server_.set_socket_options(allow_quick_restart);
    server_.set_read_timeout(kPatience);
    server_.set_write_timeout(kPatience);
    server_.set_payload_max_length(kBodyBytesMax);
    server_.set_keep_alive_max_count(1);
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(metrics_text(sources()), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
      const Duration age = health_.loop_age(monotonic_now());
      answer(response, age < loop_age_max_,
             fmt::format("last turn of the loop {:.3f} s ago", seconds(age)));
    });
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      const auto readiness = health_.readiness();
      answer(response, readiness.ready, readiness.text);
    });
  }

  ~Running() {
    if (!thread_.joinable()) return;
    // stop() before the thread listens would be lost.
    while (!server_.is_running() && !ended_) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  /// False where the address cannot be bound.
  bool bind(const HostPort& address) {
    if (address.port != 0) {
      port_ = address.port;
      return server_.bind_to_port(address.host, address.port);
    }
    port_ = server_.bind_to_any_port(address.host);
    return port_ > 0;
  }

  void serve() {
    thread_ = std::thread([this] {
      server_.listen_after_bind();
      ended_ = true;
    });
  }

  void add(std::shared_ptr<prometheus::Collectable> source) {
    const std::lock_guard lock{mutex_};
    sources_.push_back(std::move(source));
  }

  int port() const { return port_; }

 private:
  static void answer(httplib::Response& response, bool good, const std::string& text) {
    response.status = good ? 200 : 503;
    response.set_content(text + "\n", "text/plain; charset=utf-8");
  }

  std::vector<std::shared_ptr<prometheus::Collectable>> sources() const {
    const std::lock_guard lock{mutex_};
    return sources_;
  }

  const Health& health_;
  Duration loop_age_max_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<prometheus::Collectable>> sources_;
  httplib::Server server_;
  int port_{0};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

HttpServer::HttpServer() = default;
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>, Error> HttpServer::start(const MetricsOptions& options,
                                                             const Health& health) {
  std::unique_ptr<HttpServer> server{new HttpServer};
  if (options.listen.empty()) return server;
  const auto address = parse_host_port(options.listen);
  if (!address) {
    return fail(Error{fmt::format("metrics.listen: \"{}\" is not HOST:PORT, such as 127.0.0.1:9100",
                                  options.listen),
                      exit_code::kConfig});
  }
  auto running = std::make_unique<Running>(health, options.loop_age_max);
  if (!running->bind(*address)) {
    return fail(Error{fmt::format("metrics.listen: cannot listen on {}: the port is taken or the "
                                  "address is not of this machine; choose another with "
                                  "--metrics-listen, or port 0 for any free one",
                                  options.listen),
                      exit_code::kUnavailable});
  }
  running->serve();
  server->running_ = std::move(running);
  return server;
}

void HttpServer::add(std::shared_ptr<prometheus::Collectable> source) {
  if (running_) running_->add(std::move(source));
}

int HttpServer::port() const { return running_ ? running_->port() : 0; }

}  // namespace framefleet::telemetry
