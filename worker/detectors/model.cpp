#include "worker/detectors/model.hpp"

#include <filesystem>
#include <fstream>

namespace framefleet::worker {

FileBytes read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (!file || error) return nullptr;
  std::string bytes(size, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  return file ? std::make_shared<const std::string>(std::move(bytes)) : nullptr;
}

FileBytes bytes_of(const Model& model) {
  return model.bytes != nullptr ? model.bytes : read_bytes(model.path);
}

FileBytes structure_bytes_of(const Model& model) {
  if (!model.network || model.network->structure_path.empty()) {
    return std::make_shared<const std::string>();
  }
  return model.structure_bytes != nullptr ? model.structure_bytes
                                          : read_bytes(model.network->structure_path);
}

}  // namespace framefleet::worker
