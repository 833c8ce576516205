#pragma once
// Cuts a stream of bytes into lines. Holds at most one unfinished line of `line_bytes_max`; a
// longer line is dropped whole, so a peer that never ends its line cannot make us grow.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::cli {

class LineBuffer {
 public:
  explicit LineBuffer(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  /// The lines that `bytes` completes, in order, without their newlines.
  std::vector<std::string> feed(std::string_view bytes);

 private:
  void extend(std::string_view piece);

  std::size_t line_bytes_max_;
  std::string partial_;
  bool too_long_{false};  ///< The line being read is dropped up to its newline.
};

}  // namespace framefleet::cli
