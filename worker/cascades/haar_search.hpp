#pragma once
// Looks for objects of every size with a Haar cascade: the plane is made smaller step by step, and
// each time the cascade's window goes over all of it.

#include "worker/cascades/cascade.hpp"
#include "worker/cascades/haar_cascade.hpp"
#include "worker/cascades/integral.hpp"
#include "worker/cascades/window_scan.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace framefleet::worker {

class HaarSearch final : public Cascade {
 public:
  explicit HaarSearch(HaarCascade cascade, Registers registers = widest_registers())
      : cascade_(std::move(cascade)), registers_(registers) {}

  std::vector<CascadeObject> look(const Plane& grey, const CascadeSearch& search) override;

 private:
  /// The plane made smaller by `scale`.
  struct Level {
    float scale{1};
    int width{0};
    int height{0};
    int step{1};  ///< From window to window, both ways.
  };
  std::vector<Level> levels(const Plane& grey, const CascadeSearch& search) const;
  void look_at(const Level& level, WindowScan& scan, std::vector<CascadeObject>& found);
  WindowScan& scan_for(const Level& level, const std::vector<Level>& levels);

  HaarCascade cascade_;
  Registers registers_;
  std::optional<WindowScan> every_;   // of windows at every pixel
  std::optional<WindowScan> second_;  // at every second one
  IntegralImages images_;
  std::vector<std::uint8_t> pixels_;  // of a level
  std::vector<int> windows_;          // of a row
};

}  // namespace framefleet::worker
