#include "shared/wire/tape.hpp"

#include <fmt/format.h>
#include <msgpack.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace framefleet::wire {
namespace {

constexpr std::size_t kDepthMax = 8;
static_assert(kHeaderLimits.depth <= kDepthMax && kTaskLimits.depth <= kDepthMax &&
              kRecordLimits.depth <= kDepthMax);

/// Called by msgpack::parse for each value it meets; a `false` stops the parser there and then.
class TapeVisitor : public msgpack::null_visitor {
 public:
  TapeVisitor(Tape& tape, const DocumentLimits& limits) : tape_(tape), limits_(limits) {}

  bool visit_nil() { return add(Node::Kind::nil) != nullptr; }
  bool visit_boolean(bool value) { return visit_whole(Node::Kind::flag, value ? 1 : 0); }
  bool visit_positive_integer(std::uint64_t value) {
    return visit_whole(Node::Kind::positive, value);
  }
  bool visit_negative_integer(std::int64_t value) {
    // The signed formats may carry positive values.
    if (value >= 0) return visit_positive_integer(static_cast<std::uint64_t>(value));
    auto* node = add(Node::Kind::negative);
    if (node != nullptr) node->negative = value;
    return node != nullptr;
  }
  bool visit_float32(float value) { return visit_float64(static_cast<double>(value)); }
  bool visit_float64(double value) {
    auto* node = add(Node::Kind::real);
    if (node != nullptr) node->real = value;
    return node != nullptr;
  }
  bool visit_str(const char* chars, std::uint32_t count) {
    return visit_chars(Node::Kind::text, chars, count);
  }
  bool visit_bin(const char* chars, std::uint32_t count) {
    return visit_chars(Node::Kind::bytes, chars, count);
  }
  bool visit_ext(const char* chars, std::uint32_t count) {
    return visit_chars(Node::Kind::other, chars, count);
  }
  bool start_array(std::uint32_t count) { return open(Node::Kind::list, count, count); }
  bool start_map(std::uint32_t count) {
    if (count > kKeysMax) return stop("a map has {} keys, over {}", count, kKeysMax);
    return open(Node::Kind::map, count, std::uint64_t{count} * 2);
  }
  bool end_array() {
    close();
    return true;
  }
  bool end_map() { return keys_are_sound(close()); }
  void insufficient_bytes(std::size_t, std::size_t) { stop("it ends in the middle"); }
  void parse_error(std::size_t, std::size_t at) { stop("no MessagePack at byte {}", at); }

  const std::string& fault() const { return fault_; }

 private:
  template <class... Values>
  bool stop(const char* format, const Values&... values) {
    if (fault_.empty()) fault_ = fmt::format(fmt::runtime(format), values...);
    return false;
  }

  Node* add(Node::Kind kind) {
    if (tape_.size() >= limits_.elements) {
      stop("it has over {} elements", limits_.elements);
      return nullptr;
    }
    auto& node = tape_.emplace_back();
    node.kind = kind;
    node.end = static_cast<std::uint32_t>(tape_.size());
    return &node;
  }

  bool visit_whole(Node::Kind kind, std::uint64_t value) {
    auto* node = add(kind);
    if (node != nullptr) node->positive = value;
    return node != nullptr;
  }

  bool visit_chars(Node::Kind kind, const char* chars, std::uint32_t count) {
    auto* node = add(kind);
    if (node == nullptr) return false;
    node->count = count;
    node->chars = chars;
    return true;
  }

  bool open(Node::Kind kind, std::uint32_t count, std::uint64_t elements) {
    if (depth_ >= limits_.depth) return stop("it is over {} levels deep", limits_.depth);
    auto* node = add(kind);
    if (node == nullptr) return false;
    node->count = count;
    if (elements > limits_.elements - tape_.size()) {
      return stop("it claims over {} elements", limits_.elements);
    }
    open_.at(depth_++) = static_cast<std::uint32_t>(tape_.size() - 1);
    return true;
  }

  std::uint32_t close() {
    const auto index = open_.at(--depth_);
    tape_[index].end = static_cast<std::uint32_t>(tape_.size());
    return index;
  }

  bool keys_are_sound(std::uint32_t map) {
    std::array<const Node*, kKeysMax> seen;  // filled as far as it is looked at
    std::size_t count = 0;
    for (auto at = map + 1; at < tape_[map].end; at = tape_[tape_[at].end].end) {
      const auto& key = tape_[at];
      if (key.kind != Node::Kind::text) return stop("a key is not text");
      auto* const end = seen.begin() + count;
      const auto is_it = [&key](const Node* other) { return other->view() == key.view(); };
      if (std::any_of(seen.begin(), end, is_it)) return stop("a key is there twice");
      seen.at(count++) = &key;
    }
    return true;
  }

  Tape& tape_;
  const DocumentLimits& limits_;
  std::array<std::uint32_t, kDepthMax> open_{};  ///< Nodes of the lists and maps not yet closed.
  std::size_t depth_{0};
  std::string fault_;
};

}  // namespace

Result<Tape, CodecError> read_tape(std::span<const std::byte> bytes, const DocumentLimits& limits,
                                   std::string_view what) {
  const auto malformed = [what](std::string_view why) {
    return fail(CodecError{CodecError::Kind::malformed, fmt::format("{}: {}", what, why)});
  };
  if (bytes.size() > limits.bytes) {
    return fail(CodecError{CodecError::Kind::too_large,
                           fmt::format("{}: {} bytes, over {}", what, bytes.size(), limits.bytes)});
  }
  if (bytes.empty()) return malformed("it is empty");

  Tape tape;
  // Those of most messages, and no more bytes than malloc keeps at hand for each thread.
  constexpr std::size_t kUsualElements = 1024 / sizeof(Node);
  tape.reserve(std::min(bytes.size(), kUsualElements));
  TapeVisitor visitor(tape, limits);
  std::size_t read = 0;
  try {
    const bool complete =
        msgpack::parse(reinterpret_cast<const char*>(bytes.data()), bytes.size(), read, visitor);
    if (!visitor.fault().empty()) return malformed(visitor.fault());
    if (!complete) return malformed("it is not MessagePack");
  } catch (const msgpack::unpack_error& error) {
    return malformed(error.what());
  }
  if (read != bytes.size()) return malformed("bytes follow its end");
  return tape;
}

}  // namespace framefleet::wire
