#pragma once
// A MessagePack document as a tree that tests can take apart, change and put together again.
// Written against the MessagePack specification and not against our codec or its library.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::test {

struct Tree {
  enum class Kind { scalar, text, bytes, list, map };
  Kind kind{Kind::scalar};
  std::string raw;          ///< scalar: its bytes as they stand. text, bytes: the content.
  std::vector<Tree> items;  ///< list: items. map: key, value, key, value …
};

Tree text(std::string content);
Tree bytes(std::string content);
Tree whole(std::uint64_t value);
Tree negative(std::int8_t value);  ///< -1 to -128
Tree real(double value);
Tree flag(bool value);
Tree nil();
Tree list(std::vector<Tree> items);
Tree map(std::vector<Tree> keys_and_values);

/// All of `document`, which must be sound.
Tree parse(std::string_view document);
std::string pack(const Tree& tree);

/// The value under a key of a map; must be there.
Tree& at(Tree& map, std::string_view key);

/// Calls visit(path, map, index of the key in map.items) for every key of every map of `tree`.
/// Paths are those of docs/PROTOCOL.md: "tasks[].id".
using VisitKey = std::function<void(const std::string& path, Tree& map, std::size_t key)>;
void for_each_key(Tree& tree, const VisitKey& visit, const std::string& prefix = "");

}  // namespace framefleet::test
