#pragma once
// The pages of an LMDB file (data format 1), read as bytes and believed in nothing: what verifies
// and salvages a journal must not be ended by what it finds, and LMDB trusts its pages.
//
// Threads: one. Errors: texts, for a list of what is wrong.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::broker {

inline constexpr std::uint64_t kNoPage = ~std::uint64_t{0};
/// The first two pages say where everything is.
inline constexpr std::uint64_t kMetaPages = 2;

/// A tree, as the page above it describes it (MDB_db).
struct TreeRoot {
  std::uint16_t flags{0};
  std::uint16_t depth{0};
  std::uint64_t branch_pages{0};
  std::uint64_t leaf_pages{0};
  std::uint64_t overflow_pages{0};
  std::uint64_t entries{0};
  std::uint64_t page{kNoPage};
};
inline constexpr std::size_t kTreeRootBytes = 48;
/// Requires: kTreeRootBytes of bytes.
TreeRoot parse_tree_root(std::string_view bytes);
/// Of the tree of free pages: keys are whole numbers.
inline constexpr std::uint16_t kIntegerKeys = 0x08;

/// One of the first two pages (MDB_meta): a state of the whole file.
struct MetaPage {
  std::uint64_t page_bytes{0};
  TreeRoot free;   ///< Pages that are free, by the transaction that freed them.
  TreeRoot names;  ///< The roots of the tables, by name.
  std::uint64_t last_page{0};
  std::uint64_t transaction{0};
};

/// An entry of a page.
struct PageNode {
  std::string_view key;
  std::string_view value;        ///< Of a leaf, unless it lies on pages of its own.
  std::uint64_t page{kNoPage};   ///< Of a branch: the child. Of a leaf: where the value lies.
  std::uint64_t value_bytes{0};  ///< Of a leaf.
  bool is_tree{false};           ///< The value is a TreeRoot.
};

struct Page {
  bool is_leaf{false};
  std::vector<PageNode> nodes;  ///< Views into the bytes that were parsed.
};
/// The page with that number; an error says what it is instead.
Result<Page, std::string> parse_page(std::string_view bytes, std::uint64_t number);

class PageFile {
 public:
  /// Error: it cannot be opened, or is no LMDB file at all.
  static Result<PageFile, std::string> open(const std::filesystem::path& file);

  std::uint64_t page_bytes() const { return page_bytes_; }
  /// How many the file has room for.
  std::uint64_t pages() const { return bytes_ / page_bytes_; }
  /// As they are in the file, 0 and 1; nothing where a page is none.
  const std::array<std::optional<MetaPage>, kMetaPages>& metas() const { return metas_; }

  /// `count` pages from `first` on; false where the file does not have them or the disk fails.
  bool read(std::uint64_t first, std::uint64_t count, std::string& to) const;
  /// A value that lies on pages of its own, and how many they are.
  Result<std::uint64_t, std::string> read_value(std::uint64_t first, std::uint64_t value_bytes,
                                                std::string& to) const;

 private:
  PageFile(FileDescriptor descriptor, std::uint64_t bytes)
      : descriptor_(std::move(descriptor)), bytes_(bytes) {}

  FileDescriptor descriptor_;
  std::uint64_t bytes_;
  std::uint64_t page_bytes_{0};
  std::array<std::optional<MetaPage>, kMetaPages> metas_;
};

}  // namespace framefleet::broker
