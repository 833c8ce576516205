#include "worker/cascades/cascade.hpp"

#include "worker/cascades/haar_search.hpp"
#include "worker/cascades/opencv_cascade.hpp"

namespace framefleet::worker {

std::unique_ptr<Cascade> open_cascade(const std::string& text) {
  if (auto haar = read_haar_cascade(text)) return std::make_unique<HaarSearch>(std::move(*haar));
  return open_opencv_cascade(text);
}

}  // namespace framefleet::worker
