#include "tests/unit/worker/tiny_onnx.hpp"

#include <cstdint>
#include <vector>

namespace framefleet::test {
namespace {

// Protocol buffers: a field is its number and kind, then a number, or a length and that many bytes.
std::string varint(std::uint64_t number) {
  std::string out;
  for (; number >= 0x80; number >>= 7U) out += static_cast<char>((number & 0x7FU) | 0x80U);
  return out + static_cast<char>(number);
}
std::string number(std::uint64_t field, std::uint64_t value) {
  return varint(field << 3U) + varint(value);
}
std::string bytes(std::uint64_t field, const std::string& value) {
  return varint(field << 3U | 2U) + varint(value.size()) + value;
}

constexpr std::uint64_t kFloat = 1;
constexpr std::uint64_t kInt64 = 7;
constexpr std::uint64_t kHalf = 10;

/// A side of 0 is unknown.
std::string value_of(const std::string& name, const std::vector<std::uint64_t>& sides) {
  std::string shape;
  for (const auto side : sides) {
    shape += bytes(1, side == 0 ? bytes(2, "side") : number(1, side));
  }
  return bytes(1, name) + bytes(2, bytes(1, number(1, kFloat) + bytes(2, shape)));
}

std::string node(const std::string& type, const std::vector<std::string>& inputs,
                 const std::string& output) {
  std::string out;
  for (const auto& input : inputs) out += bytes(1, input);
  return out + bytes(2, output) + bytes(3, output) + bytes(4, type);
}

std::string constant(const std::string& name, std::uint64_t type, std::uint64_t count,
                     const std::string& raw) {
  return number(1, count) + number(2, type) + bytes(8, name) + bytes(9, raw);
}

std::string model(const std::string& graph) {
  constexpr std::uint64_t kVersion = 7;
  constexpr std::uint64_t kOperators = 11;
  return number(1, kVersion) + bytes(7, graph) + bytes(8, number(2, kOperators));
}

}  // namespace

std::string half_precision_onnx() {
  return model(bytes(1, node("Add", {"in", "some"}, "out")) + bytes(2, "half") +
               bytes(5, constant("some", kHalf, 1, std::string(2, '\0'))) +
               bytes(11, value_of("in", {1, 3, 32, 32})) +
               bytes(12, value_of("out", {1, 3, 32, 32})));
}

std::string dynamic_onnx() {
  return model(bytes(1, node("Shape", {"in"}, "shape")) +
               bytes(1, node("Reshape", {"in", "shape"}, "out")) + bytes(2, "dynamic") +
               bytes(5, constant("unused", kInt64, 1, std::string(8, '\0'))) +
               bytes(11, value_of("in", {1, 3, 0, 0})) + bytes(12, value_of("out", {1, 3, 0, 0})));
}

std::string relu_onnx() {
  return model(bytes(1, node("Relu", {"in"}, "out")) + bytes(2, "relu") +
               bytes(11, value_of("in", {1, 3, 32, 32})) +
               bytes(12, value_of("out", {1, 3, 32, 32})));
}

}  // namespace framefleet::test
