#pragma once
// Bytes of pictures for the worker's tests: read, drawn, or bent.

#include "tests/support/test_data.hpp"
#include "worker/decoding/picture.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::test {

using Bytes = std::vector<std::byte>;

inline Bytes read_bytes(const std::filesystem::path& path) {
  Bytes bytes(std::filesystem::file_size(path));
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

inline Bytes as_bytes(std::string_view text) {
  Bytes bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

/// `picture` in the format of the extension (".png", ".jpg", ".webp").
inline Bytes encode(const cv::Mat& picture, const std::string& extension,
                    const std::vector<int>& parameters = {}) {
  std::vector<uchar> encoded;
  cv::imencode(extension, picture, encoded, parameters);
  Bytes bytes(encoded.size());
  std::transform(encoded.begin(), encoded.end(), bytes.begin(),
                 [](uchar c) { return static_cast<std::byte>(c); });
  return bytes;
}

inline cv::Mat reference(const Bytes& bytes, int flags) {
  const cv::Mat view(1, static_cast<int>(bytes.size()), CV_8UC1,
                     const_cast<std::byte*>(bytes.data()));
  return cv::imdecode(view, flags);
}

inline cv::Mat view(const worker::Plane& plane) {
  return cv::Mat(plane.height, plane.width, CV_8UC(plane.channels),
                 const_cast<std::uint8_t*>(plane.pixels), plane.stride);
}

/// Same size, same channels, same values, every one of them.
inline bool equal(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

/// What a camera that is held in this way (EXIF orientation 1 to 8) stores of a scene.
inline cv::Mat stored_as(const cv::Mat& upright, int orientation) {
  constexpr int kNone = 2;
  constexpr int kFlips[9]{kNone, kNone, 1, -1, 0, kNone, 1, -1, 0};
  cv::Mat stored = upright.clone();
  const int flip = kFlips[orientation];
  if (flip != kNone) cv::flip(stored, stored, flip);
  if (orientation >= 5) cv::transpose(stored, stored);
  return stored;
}

inline std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace framefleet::test
