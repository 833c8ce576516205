#pragma once
// ONNX files of a few hundred bytes, written by hand: what exporters do wrong, without an exporter.

#include <string>

namespace framefleet::test {

/// One Add of a picture of 3 x 32 x 32 and a constant whose numbers have 16 bits.
std::string half_precision_onnx();
/// A Reshape to a shape that is read from an input with unknown sides.
std::string dynamic_onnx();
/// One Relu: a network that is read and runs, and whose output is of no layout.
std::string relu_onnx();

}  // namespace framefleet::test
