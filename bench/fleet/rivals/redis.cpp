// Redis Streams through hiredis: XADD in a pipeline, workers in a consumer group that answer and
// XACK together with asking for more, so that a batch costs one round trip. Durable: appendonly,
// appendfsync always.

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/fleet/rival.hpp"

namespace framefleet::bench {
namespace {

/// From here on an entry that is done is removed from its stream, which then has a node of its own;
/// smaller ones stay until the run is over: the cheapest that it can be.
constexpr std::uint64_t kLarge = 16'384;

struct Freed {
  void operator()(redisContext* context) const { redisFree(context); }
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, Freed>;

std::string_view text_of(const redisReply& reply) { return {reply.str, reply.len}; }

class Connection {
 public:
  explicit Connection(const Order& order) {
    try_for_a_minute("redis does not answer at " + order.endpoint, [&] {
      const auto colon = order.endpoint.find(':');
      context_.reset(colon == std::string::npos
                         ? redisConnectUnix(order.endpoint.c_str())
                         : redisConnect(order.endpoint.substr(0, colon).c_str(),
                                        std::stoi(order.endpoint.substr(colon + 1))));
      if (context_ == nullptr || context_->err != 0) return false;
      append("PING");
      const Reply pong = reply();
      return pong->type == REDIS_REPLY_STATUS;  // Not while it is loading.
    });
  }

  template <typename... Arguments>
  void append(const char* format, Arguments... arguments) {
    if (redisAppendCommand(get(), format, arguments...) != REDIS_OK) broken();
  }
  void append_words(std::vector<const char*>& words, const std::vector<std::size_t>& sizes) {
    if (redisAppendCommandArgv(get(), static_cast<int>(words.size()), words.data(), sizes.data()) !=
        REDIS_OK) {
      broken();
    }
  }
  /// Sends what was appended and waits for the next reply.
  Reply reply() {
    void* raw = nullptr;
    if (redisGetReply(get(), &raw) != REDIS_OK) broken();
    return checked(raw);
  }
  /// One that is here already, or null.
  Reply reply_here() {
    void* raw = nullptr;
    if (redisGetReplyFromReader(get(), &raw) != REDIS_OK) broken();
    return raw == nullptr ? Reply{} : checked(raw);
  }
  void flush() {
    for (int written = 0; written == 0;) {
      if (redisBufferWrite(get(), &written) != REDIS_OK) broken();
    }
  }
  /// Waits until there is something to read, `wake_fd` can be read, or so long; reads it.
  void read(Duration wait, int wake_fd) {
    std::array<pollfd, 2> fds{pollfd{context_->fd, POLLIN, 0}, pollfd{wake_fd, POLLIN, 0}};
    ::poll(fds.data(), 2, static_cast<int>(ceil_ms(wait)));
    if ((fds[0].revents & POLLIN) != 0 && redisBufferRead(get()) != REDIS_OK) broken();
  }
  /// A group that reads the stream from its begin; it may be there.
  void make_group(const std::string& stream) {
    append("XGROUP CREATE %s g 0 MKSTREAM", stream.c_str());
    void* raw = nullptr;
    if (redisGetReply(get(), &raw) != REDIS_OK) broken();
    const Reply ignored(static_cast<redisReply*>(raw));
  }

 private:
  redisContext* get() { return context_.get(); }
  [[noreturn]] void broken() {
    throw std::runtime_error(fmt::format("redis: {}", context_->errstr));
  }
  static Reply checked(void* raw) {
    Reply reply(static_cast<redisReply*>(raw));
    if (reply->type == REDIS_REPLY_ERROR) {
      throw std::runtime_error(fmt::format("redis: {}", text_of(*reply)));
    }
    return reply;
  }

  std::unique_ptr<redisContext, Freed> context_;
};

/// Of a consumer group on one stream; acknowledges what it has read together with asking for more.
class Reader {
 public:
  /// `forgets`: entries that are done are removed.
  Reader(Connection& redis, std::string stream, std::string name, bool forgets)
      : redis_(redis), stream_(std::move(stream)), name_(std::move(name)), forgets_(forgets) {
    redis_.make_group(stream_);
  }

  /// `answer` may append one command for an entry. How many there were.
  template <typename Answer>
  std::uint64_t turn(Duration wait, const Answer& answer) {
    constexpr int kBatch = 64;
    redis_.append("XREADGROUP GROUP g %s COUNT %d BLOCK %d STREAMS %s >", name_.c_str(), kBatch,
                  static_cast<int>(std::max<std::int64_t>(1, ceil_ms(wait))), stream_.c_str());
    for (; owed_ > 0; --owed_) redis_.reply();
    const Reply read = redis_.reply();
    if (read->type != REDIS_REPLY_ARRAY || read->elements == 0) return 0;
    const redisReply& entries = *read->element[0]->element[1];
    std::vector<const char*> words{"XACK", stream_.c_str(), "g"};
    std::vector<std::size_t> sizes{4, stream_.size(), 1};
    for (std::size_t i = 0; i < entries.elements; ++i) {
      const redisReply& entry = *entries.element[i];
      owed_ += answer(text_of(*entry.element[1]->element[1]));
      words.push_back(entry.element[0]->str);
      sizes.push_back(entry.element[0]->len);
    }
    redis_.append_words(words, sizes);
    ++owed_;
    if (forgets_) {
      words.erase(words.begin() + 2);
      sizes.erase(sizes.begin() + 2);
      words[0] = "XDEL";
      redis_.append_words(words, sizes);
      ++owed_;
    }
    return entries.elements;
  }

 private:
  Connection& redis_;
  std::string stream_;
  std::string name_;
  bool forgets_;
  std::uint64_t owed_{0};  ///< Replies to what was appended before.
};

std::string tasks_of(const Order& order) { return fmt::format("tasks-{}", order.run); }
std::string results_of(const Order& order) { return fmt::format("results-{}", order.run); }

class RedisSender final : public Sender {
 public:
  explicit RedisSender(const Order& order) : redis_(order), stream_(tasks_of(order)) {
    redis_.make_group(stream_);
  }
  void send(std::string_view payload) override {
    redis_.append("XADD %s * p %b", stream_.c_str(), payload.data(), payload.size());
    unsent_ = true;
  }
  std::uint64_t take_acks(Duration wait, int wake_fd) override {
    if (std::exchange(unsent_, false)) redis_.flush();
    redis_.read(wait, wake_fd);
    std::uint64_t count = 0;
    while (redis_.reply_here()) ++count;
    return count;
  }

 private:
  Connection redis_;
  std::string stream_;
  bool unsent_{false};
};

class RedisStation final : public Station {
 public:
  explicit RedisStation(const Order& order)
      : redis_(order),
        results_(results_of(order)),
        reader_(redis_, tasks_of(order), order.name, order.bytes >= kLarge) {}
  std::uint64_t turn(Duration wait) override {
    return reader_.turn(wait, [this](std::string_view task) {
      const auto result = result_of(task);
      redis_.append("XADD %s * r %b", results_.c_str(), result.data(), result.size());
      return std::uint64_t{1};
    });
  }

 private:
  Connection redis_;
  std::string results_;
  Reader reader_;
};

class RedisCollector final : public Collector {
 public:
  explicit RedisCollector(const Order& order)
      : redis_(order),
        tasks_(tasks_of(order)),
        results_(results_of(order)),
        reader_(redis_, results_, "c", false) {}
  ~RedisCollector() override {
    redis_.append("DEL %s %s", tasks_.c_str(), results_.c_str());
    redis_.flush();
  }
  RedisCollector(const RedisCollector&) = delete;
  RedisCollector& operator=(const RedisCollector&) = delete;
  void turn(Duration wait, const Each& each) override {
    reader_.turn(wait, [&](std::string_view result) {
      each(result);
      return std::uint64_t{0};
    });
  }

 private:
  Connection redis_;
  std::string tasks_;
  std::string results_;
  Reader reader_;
};

class Redis final : public Rival {
 public:
  std::string name() const override { return "redis"; }
  std::string absence() const override {
    return program().empty() ? "its server is not here (Debian: redis-server)" : "";
  }
  bool durable() const override { return true; }
  std::vector<cli::Command> servers(const Place& place) const override {
    const auto folder = place.folder.string();
    std::vector<std::string> words{"--port", place.tcp ? std::to_string(place.port) : "0",
                                   "--bind", "127.0.0.1",
                                   "--dir",  folder,
                                   "--save", ""};
    if (!place.tcp) words.insert(words.end(), {"--unixsocket", endpoint(place)});
    words.insert(words.end(), {"--appendonly", place.durable ? "yes" : "no"});
    if (place.durable) words.insert(words.end(), {"--appendfsync", "always"});
    return {{program(), std::move(words)}};
  }
  std::string endpoint(const Place& place) const override {
    return place.tcp ? fmt::format("127.0.0.1:{}", place.port) : (place.folder / "redis").string();
  }
  std::unique_ptr<Sender> sender(const Order& order) const override {
    return std::make_unique<RedisSender>(order);
  }
  std::unique_ptr<Station> station(const Order& order) const override {
    return std::make_unique<RedisStation>(order);
  }
  std::unique_ptr<Collector> collector(const Order& order) const override {
    return std::make_unique<RedisCollector>(order);
  }

 private:
  static std::string program() {
    return found_program({"/usr/bin/redis-server", "/usr/local/bin/redis-server"});
  }
};

}  // namespace

std::unique_ptr<Rival> make_redis() { return std::make_unique<Redis>(); }

}  // namespace framefleet::bench
