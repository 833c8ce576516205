#pragma once
// The ways of working on pictures that are compared. Each runs for a while when asked and says how
// fast it was; between two runs it keeps what it has warm.

#include "worker/pool/pool.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::bench {

struct Load {
  std::vector<std::string> pictures;  ///< JPEGs, taken in turn.
  std::vector<std::string> detectors;
};

struct Pace {
  double pictures_per_s{0};
  std::size_t pictures{0};    ///< In all.
  std::size_t detections{0};  ///< In one pass over the pictures of the load; 0 where not counted.
};

class Runner {
 public:
  virtual ~Runner() = default;
  /// For at least `seconds`, and at least two pictures for each thread.
  virtual Pace run(double seconds) = 0;
};

using PoolFactory = std::function<std::unique_ptr<worker::Pool>(const worker::PoolOptions&)>;

/// `load` outlives its runners. All of them die where a picture cannot be worked on.
std::unique_ptr<Runner> make_naive_loop(const Load& load);
/// Our decode plan and detectors: a worker::Workbench in each thread, and nothing around it.
std::unique_ptr<Runner> make_plan_loops(const Load& load, std::size_t threads);
/// A pool that is kept full as the worker's loop does it.
std::unique_ptr<Runner> make_pool_runner(const Load& load, std::unique_ptr<worker::Pool> pool);

}  // namespace framefleet::bench
