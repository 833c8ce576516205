#include "tests/unit/wire/tree.hpp"

#include <cstdlib>
#include <cstring>
#include <utility>

namespace framefleet::test {
namespace {

void big_endian(std::string& out, std::uint64_t value, unsigned count) {
  for (unsigned i = count; i > 0; --i) out += static_cast<char>((value >> (8 * (i - 1))) & 0xFFU);
}

/// The head of something that has a length: short form where there is one, else that of 32 bits.
std::string head(std::size_t count, std::size_t short_max, unsigned short_head,
                 unsigned long_head) {
  if (count <= short_max) return {static_cast<char>(short_head | count)};
  std::string out{static_cast<char>(long_head)};
  big_endian(out, count, 4);
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view rest) : rest_(rest) {}

  Tree value() {
    const auto* const start = rest_.data();
    const auto lead = static_cast<unsigned char>(take(1)[0]);
    if (lead >= 0xA0 && lead <= 0xBF) return text(take(lead & 0x1FU));
    if (lead >= 0xD9 && lead <= 0xDB) return text(take(number(1U << (lead - 0xD9U))));
    if (lead >= 0xC4 && lead <= 0xC6) return bytes(take(number(1U << (lead - 0xC4U))));
    if (lead >= 0x90 && lead <= 0x9F) return list(values(lead & 0x0FU));
    if (lead == 0xDC || lead == 0xDD) return list(values(number(lead == 0xDC ? 2 : 4)));
    if (lead >= 0x80 && lead <= 0x8F) return map(values(2 * (lead & 0x0FU)));
    if (lead == 0xDE || lead == 0xDF) return map(values(2 * number(lead == 0xDE ? 2 : 4)));
    if (lead >= 0xCA && lead <= 0xD3) {
      constexpr unsigned kSizes[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8};
      take(kSizes[lead - 0xCAU]);
    }
    return {Tree::Kind::scalar, std::string(start, rest_.data()), {}};
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string take(std::size_t count) {
    if (count > rest_.size()) std::abort();
    std::string taken(rest_.substr(0, count));
    rest_.remove_prefix(count);
    return taken;
  }
  std::size_t number(std::size_t count) {
    std::size_t value = 0;
    for (const char c : take(count)) value = (value << 8U) | static_cast<unsigned char>(c);
    return value;
  }
  std::vector<Tree> values(std::size_t count) {
    std::vector<Tree> items;
    for (std::size_t i = 0; i < count; ++i) items.push_back(value());
    return items;
  }

  std::string_view rest_;
};

}  // namespace

Tree text(std::string content) { return {Tree::Kind::text, std::move(content), {}}; }
Tree bytes(std::string content) { return {Tree::Kind::bytes, std::move(content), {}}; }
Tree list(std::vector<Tree> items) { return {Tree::Kind::list, {}, std::move(items)}; }
Tree map(std::vector<Tree> items) { return {Tree::Kind::map, {}, std::move(items)}; }
Tree flag(bool value) { return {Tree::Kind::scalar, value ? "\xC3" : "\xC2", {}}; }
Tree nil() { return {Tree::Kind::scalar, "\xC0", {}}; }
Tree negative(std::int8_t value) {
  return {Tree::Kind::scalar, {'\xD0', static_cast<char>(value)}, {}};
}
Tree whole(std::uint64_t value) {
  Tree tree{Tree::Kind::scalar, "\xCF", {}};
  big_endian(tree.raw, value, 8);
  return tree;
}
Tree real(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  Tree tree{Tree::Kind::scalar, "\xCB", {}};
  big_endian(tree.raw, bits, 8);
  return tree;
}

Tree parse(std::string_view document) {
  Parser parser(document);
  auto tree = parser.value();
  if (!parser.done()) std::abort();
  return tree;
}

std::string pack(const Tree& tree) {
  std::string out;
  switch (tree.kind) {
    case Tree::Kind::scalar:
      return tree.raw;
    case Tree::Kind::text:
      return head(tree.raw.size(), 31, 0xA0, 0xDB) + tree.raw;
    case Tree::Kind::bytes:
      out += '\xC6';
      big_endian(out, tree.raw.size(), 4);
      return out + tree.raw;
    case Tree::Kind::list:
      out = head(tree.items.size(), 15, 0x90, 0xDD);
      break;
    case Tree::Kind::map:
      out = head(tree.items.size() / 2, 15, 0x80, 0xDF);
      break;
  }
  for (const auto& item : tree.items) out += pack(item);
  return out;
}

Tree& at(Tree& map, std::string_view key) {
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    if (map.items[i].raw == key) return map.items[i + 1];
  }
  std::abort();
}

void for_each_key(Tree& tree, const VisitKey& visit, const std::string& prefix) {
  if (tree.kind == Tree::Kind::list) {
    for (auto& item : tree.items) for_each_key(item, visit, prefix + "[]");
  }
  if (tree.kind != Tree::Kind::map) return;
  // By index and from the end: a visit may take its key out.
  for (std::size_t i = tree.items.size(); i >= 2; i -= 2) {
    const auto path = (prefix.empty() ? "" : prefix + ".") + tree.items[i - 2].raw;
    for_each_key(tree.items[i - 1], visit, path);
    visit(path, tree, i - 2);
  }
}

}  // namespace framefleet::test
