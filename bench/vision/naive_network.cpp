#include "bench/vision/naive_network.hpp"

#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>

#include <vector>

namespace framefleet::bench {

struct NaiveNetwork::Parts {
  cv::dnn::Net net;
  cv::Size size;
};

NaiveNetwork::NaiveNetwork(const PlainNetwork& network) : parts_(std::make_unique<Parts>()) {
  parts_->net = cv::dnn::readNet(network.weights, network.structure);
  parts_->size = {network.width, network.height};
  cv::setNumThreads(1);
}

NaiveNetwork::~NaiveNetwork() = default;

Result<std::unique_ptr<NaiveNetwork>, std::string> NaiveNetwork::open(const PlainNetwork& network,
                                                                      const std::string& jpeg) {
  try {
    std::unique_ptr<NaiveNetwork> opened(new NaiveNetwork(network));
    opened->work(jpeg);
    return opened;
  } catch (const cv::Exception& error) {
    return fail(error.err);
  }
}

void NaiveNetwork::work(const std::string& jpeg) {
  const std::vector<unsigned char> bytes(jpeg.begin(), jpeg.end());
  const cv::Mat picture = cv::imdecode(bytes, cv::IMREAD_COLOR);
  parts_->net.setInput(cv::dnn::blobFromImage(picture, 1.0, parts_->size));
  std::vector<cv::Mat> outputs;
  parts_->net.forward(outputs, parts_->net.getUnconnectedOutLayersNames());
}

}  // namespace framefleet::bench
