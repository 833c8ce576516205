#pragma once
// The ways of working on pictures that are compared. Each runs for a while when asked and says how
// fast it was; between two runs it keeps what it has warm.

#include "worker/detectors/model.hpp"

#include "shared/base/result.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::bench {

struct Load {
  std::vector<std::string> pictures;  ///< JPEGs, taken in turn.
  std::vector<std::string> detectors;
  std::vector<worker::Model> models{};  ///< Of our own detectors, in loops.

  std::string detect_list() const;  ///< "edges,faces"
};

struct Pace {
  double pictures_per_s{0};
  std::size_t pictures{0};    ///< In all.
  double start_cpu_s{0};      ///< Processor time of starting something for this run alone.
  std::size_t detections{0};  ///< In one pass over the pictures of the load.
};

class Runner {
 public:
  virtual ~Runner() = default;
  /// For at least `seconds`. What is timed are whole passes over the pictures, which differ in
  /// cost: in one thread after the other or in several at once, every runner times the same work.
  virtual Pace run(double seconds) = 0;
};

/// `load` outlives its runners. All of them die where a picture cannot be worked on.
std::unique_ptr<Runner> make_naive_loop(const Load& load);
/// A network's files, and the size of picture that it is given.
struct PlainNetwork {
  std::string weights;
  std::string structure;
  int width;
  int height;
};
/// imdecode, blobFromImage, forward; its detections are none, because nothing looks at what came
/// out. Errors: why OpenCV cannot read or run it.
Result<std::unique_ptr<Runner>, std::string> make_network_loop(const Load& load,
                                                               const PlainNetwork& network);
/// Our decode plan and detectors: a worker::Workbench in each thread, and nothing around it.
std::unique_ptr<Runner> make_plan_loops(const Load& load, std::size_t threads);

}  // namespace framefleet::bench
