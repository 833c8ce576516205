#pragma once
// The window of a process: /metrics, /healthz and /readyz over HTTP.
//
//   /metrics  Prometheus text of every source that was added
//   /healthz  200 while the loop's last turn is younger than loop_age_max, else 503; the body says
//   its age /readyz   200 or 503, and the loop's own words why
//
// Never blocks the loop: it reads snapshots. Bounded: four threads, 64 waiting connections, one
// request per connection, 8 KiB of body, seconds of patience. Threads: its own; start, add and
// destruction belong to the thread that made it.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/config/option_set.hpp"
#include "shared/telemetry/health.hpp"

#include <memory>
#include <string>

namespace prometheus {
class Collectable;
}

namespace framefleet::telemetry {

struct MetricsOptions {
  /// "HOST:PORT" or "[IPV6]:PORT"; port 0: any free one; "": no server. Off by default, because two
  /// workers on one machine cannot share a port.
  std::string listen;
  /// Age of the loop's last turn from which /healthz answers 503. Loops turn at least every
  /// heartbeat.
  Duration loop_age_max{std::chrono::seconds{10}};
};

/// Binds the section [metrics].
void describe(config::OptionSet& set, MetricsOptions& options);

class HttpServer {
 public:
  /// Binds at once and serves until destroyed; with an empty `listen` it does nothing. `health`
  /// outlives it. Errors: 69 where the address cannot be bound, 78 where it is none.
  static Result<std::unique_ptr<HttpServer>, Error> start(const MetricsOptions& options,
                                                          const Health& health);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// From now on /metrics shows these too.
  void add(std::shared_ptr<prometheus::Collectable> source);

  /// The bound port; 0 where there is no server.
  int port() const;

 private:
  class Running;
  HttpServer();

  std::unique_ptr<Running> running_;  ///< Nothing where `listen` is empty.
};

}  // namespace framefleet::telemetry
