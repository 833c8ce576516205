#include "cli/line_buffer.hpp"

#include <utility>

namespace framefleet::cli {

void LineBuffer::extend(std::string_view piece) {
  if (too_long_) return;
  if (piece.size() > line_bytes_max_ - partial_.size()) {
    too_long_ = true;
    partial_.clear();
    return;
  }
  partial_.append(piece);
}

std::vector<std::string> LineBuffer::feed(std::string_view bytes) {
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    extend(bytes.substr(0, newline));
    if (newline == std::string_view::npos) break;
    if (!too_long_) lines.push_back(std::exchange(partial_, {}));
    too_long_ = false;
    bytes.remove_prefix(newline + 1);
  }
  return lines;
}

}  // namespace framefleet::cli
