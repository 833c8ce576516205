#include "producer/sources/image_source.hpp"

namespace framefleet::producer {

ImageSource::~ImageSource() = default;

std::string ImageSource::remark() const { return {}; }

}  // namespace framefleet::producer
