#include "producer/sources/image_source.hpp"

namespace framefleet::producer {

Growing::~Growing() = default;

ImageSource::~ImageSource() = default;

bool ImageSource::ready(std::uint64_t /*sequence*/) { return true; }

std::string ImageSource::remark() const { return {}; }

bool ImageSource::broke_off() const { return false; }

Growing* ImageSource::growing() { return nullptr; }

}  // namespace framefleet::producer
