// The frames of a synthetic camera, for test servers that show them as a real camera would: each as
// its length (4 bytes, most significant first) and its JPEG, from frame 0 on, as fast as stdout
// takes them.
//
//   synthetic_frames synthetic:?count=0&size=320x240&camera=7

#include "producer/sources/synthetic_source.hpp"

#include <cstdint>
#include <cstdio>
#include <string>

namespace framefleet::producer {
namespace {

bool write(const std::string& bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string length;
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    length += static_cast<char>(size >> (shift - 8) & 0xffU);
  }
  return std::fwrite(length.data(), 1, length.size(), stdout) == length.size() &&
         std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
}

int failed(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.text.c_str());
  return error.exit_code;
}

int run(const char* argument) {
  auto options = parse_synthetic(argument);
  if (!options) return failed(options.error());
  SyntheticSource source("frames", 1, *options);
  for (auto at = source.next_sequence(0); at; at = source.next_sequence(*at + 1)) {
    auto picture = source.read(*at);
    if (!picture) return failed(picture.error());
    if (!*picture || !write((*picture)->bytes)) break;
  }
  return exit_code::kOk;
}

}  // namespace
}  // namespace framefleet::producer

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: synthetic_frames synthetic:?OPTIONS\n", stderr);
    return framefleet::exit_code::kUsage;
  }
  return framefleet::producer::run(argv[1]);
}
