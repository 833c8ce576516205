#include "worker/cascades/opencv_cascade.hpp"

#include "worker/decoding/mat.hpp"

#include <opencv2/objdetect.hpp>

namespace framefleet::worker {
namespace {

/// False where the text is no cascade: OpenCV says so in two ways.
bool load(cv::CascadeClassifier& classifier, const std::string& text) {
  try {
    const cv::FileStorage storage(text, cv::FileStorage::READ | cv::FileStorage::MEMORY);
    return storage.isOpened() && classifier.read(storage.getFirstTopLevelNode());
  } catch (const cv::Exception&) {
    return false;
  }
}

class OpencvCascade final : public Cascade {
 public:
  explicit OpencvCascade(cv::CascadeClassifier classifier) : classifier_(std::move(classifier)) {}

  std::vector<CascadeObject> look(const Plane& grey, const CascadeSearch& search) override {
    std::vector<cv::Rect> boxes;
    std::vector<int> neighbours;
    classifier_.detectMultiScale(as_mat(grey), boxes, neighbours, search.scale, search.neighbours,
                                 0, {search.width_min, search.height_min},
                                 {search.width_max, search.height_max});
    std::vector<CascadeObject> objects;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const auto& box = boxes[i];
      objects.push_back({box.x, box.y, box.width, box.height, neighbours[i]});
    }
    return objects;
  }

 private:
  cv::CascadeClassifier classifier_;
};

}  // namespace

std::unique_ptr<Cascade> open_opencv_cascade(const std::string& text) {
  cv::CascadeClassifier classifier;
  if (!load(classifier, text)) return nullptr;
  return std::make_unique<OpencvCascade>(std::move(classifier));
}

}  // namespace framefleet::worker
