#include "tests/golden/wire_samples.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/wire/tree.hpp"
#include "tests/unit/wire/wire_cases.hpp"

#include "shared/wire/codec.hpp"

#include <algorithm>
#include <span>

using namespace framefleet;
using namespace framefleet::test;

TEST_CASE("keys that a reader does not know are ignored, wherever they stand") {
  for (const auto& wired : wire_cases()) {
    INFO(wired.name);
    auto tree = wired.tree;
    for_each_key(tree, [&](const std::string&, Tree& in, std::size_t key) {
      if (key == 0) {
        in.items.insert(in.items.begin(), {text("later"), list({})});
        in.items.push_back(text("zz"));
        in.items.push_back(real(0.5));
      }
    });
    CHECK(wired.read(pack(tree)) == "");
  }
}

TEST_CASE("the order of keys means nothing") {
  for (const auto& wired : wire_cases()) {
    INFO(wired.name);
    auto tree = wired.tree;
    for_each_key(tree, [&](const std::string&, Tree& in, std::size_t key) {
      if (key == 0) std::rotate(in.items.begin(), in.items.begin() + 2, in.items.end());
    });
    CHECK(wired.read(pack(tree)) == "");
  }
}

TEST_CASE("a key that is there twice is refused") {
  for (const auto& wired : wire_cases()) {
    for_each_change(
        wired.tree,
        [](Tree& in, std::size_t key) {
          in.items.push_back(in.items[key]);
          in.items.push_back(in.items[key + 1]);
        },
        [&](const std::string& path, const Tree& tree) {
          INFO(wired.name << " " << path);
          CHECK_THAT(wired.read(pack(tree)), Catch::Contains("a key is there twice"));
        });
  }
}

TEST_CASE("a key that is not text is refused") {
  for (const auto& wired : wire_cases()) {
    auto tree = wired.tree;
    tree.items.push_back(whole(1));
    tree.items.push_back(whole(2));
    CHECK_THAT(wired.read(pack(tree)), Catch::Contains("a key is not text"));
  }
}

TEST_CASE("a value of the wrong type is refused and the error names message and key") {
  for (const auto& wired : wire_cases()) {
    for_each_change(
        wired.tree, [](Tree& in, std::size_t key) { in.items[key + 1] = nil(); },
        [&](const std::string& path, const Tree& tree) {
          const auto error = without_indices(wired.read(pack(tree)));
          const auto place = path == "type" ? "header.type" : wired.name + "." + path;
          INFO(error);
          CHECK_THAT(error, Catch::StartsWith(place + ": ") || Catch::StartsWith(place + "[]: "));
        });
  }
}

TEST_CASE("an entry that is not a map is refused by its place") {
  for (const auto& wired : wire_cases()) {
    for_each_change(
        wired.tree,
        [](Tree& in, std::size_t key) {
          auto& value = in.items[key + 1];
          if (value.kind == Tree::Kind::list) {
            for (auto& item : value.items) item = nil();
          }
        },
        [&](const std::string& path, const Tree& tree) {
          if (pack(tree) == pack(wired.tree)) return;
          const auto error = without_indices(wired.read(pack(tree)));
          CHECK_THAT(error, Catch::StartsWith(wired.name + "." + path));
        });
  }
}

TEST_CASE("a message without a type, or with one that nobody knows, says so") {
  const auto decode = [](const Tree& tree) {
    const auto header = pack(tree);
    return wire::decode(std::as_bytes(std::span(header)), {});
  };
  CHECK(decode(map({})).error() ==
        wire::CodecError{wire::CodecError::Kind::malformed, "header.type: is missing"});
  CHECK(
      decode(map({text("type"), text("teleport")})).error() ==
      wire::CodecError{wire::CodecError::Kind::unknown_type, "header.type: no message 'teleport'"});
  CHECK(decode(list({text("type"), text("goodbye")})).error().text == "header: is not a map");
  CHECK(decode(map({text("type"), text("goodbye")})).has_value());
}

TEST_CASE("a description or record of a version from the future is refused as such") {
  for (const auto& wired : wire_cases()) {
    if (wired.name != "task" && wired.name != "record") continue;
    for (const std::uint64_t version : {0U, 2U, 65535U}) {
      auto tree = wired.tree;
      at(tree, "version") = whole(version);
      CHECK_THAT(wired.read(pack(tree)), Catch::Contains("this build reads 1 to 1"));
    }
  }
  CHECK(wire::decode_task(pack(map({text("version"), whole(2)}))).error().kind ==
        wire::CodecError::Kind::unknown_version);
}
