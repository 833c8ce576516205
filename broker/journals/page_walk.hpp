#pragma once
// Walks the trees of an LMDB file and checks what LMDB relies on without looking: that every page
// is what the one above says, that keys are in order and within the bounds of their branches, that
// counts agree, that no page has two uses.
//
// Invariants: no page is read twice, so every walk ends. What is wrong is noted, and the walk goes
// on behind it. Threads: one.

#include "broker/journals/page_file.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::broker {

/// Where a value can be read again.
struct ValuePlace {
  std::uint64_t page{kNoPage};  ///< The leaf, or the first page of a value with pages of its own.
  std::size_t node{0};          ///< Its number in the leaf.
  std::uint64_t bytes{0};
  bool own_pages{false};
};

struct WalkedEntry {
  std::string_view key;
  std::string_view value;
  bool is_tree{false};
  ValuePlace place;
};

class PageWalk {
 public:
  using Visit = std::function<void(const WalkedEntry& entry)>;

  /// `alive` is called now and then while it takes long. Requires: `file` outlives this object.
  PageWalk(const PageFile& file, const MetaPage& meta, std::function<void()> alive = {});

  /// Visits every entry in the order of its key, or at least those that can be reached. `name`: for
  /// what is noted.
  void tree(std::string_view name, const TreeRoot& root, const Visit& visit);
  /// The list of free pages.
  void free_pages();

  /// Entries of the leaf `number`, if it is one that no tree reached and that is not free.
  void lost_leaf(std::uint64_t number, const Visit& visit);
  /// Pages that are in use by nothing, though the list of free ones does not have them.
  std::uint64_t lost_pages() const;

  const std::vector<std::string>& problems() const { return problems_; }
  bool free_list_is_whole() const { return free_list_is_whole_; }

 private:
  struct Progress {
    std::string_view name;
    const TreeRoot& root;
    const Visit& visit;
    TreeRoot seen;
    std::string last_key;
    bool has_last_key{false};
  };
  void subtree(Progress& progress, std::uint64_t page, unsigned depth, const std::string& floor,
               const std::optional<std::string>& ceiling);
  void leaf(Progress& progress, std::uint64_t number, const Page& page, const std::string& floor,
            const std::optional<std::string>& ceiling);
  bool read_entry(const PageNode& node, std::uint64_t leaf, std::size_t index, bool marks,
                  std::string& bytes, WalkedEntry& entry, std::uint64_t& own_pages);
  /// False, with a note, where they have another use already or are not of this file.
  bool use(std::uint64_t first, std::uint64_t count, std::string_view by);
  void note(std::string_view name, std::string_view what);

  const PageFile& file_;
  const MetaPage meta_;
  const std::function<void()> alive_;
  std::vector<bool> used_;  ///< By page: reached, or free.
  std::vector<std::string> problems_;
  bool free_list_is_whole_{false};
  std::uint64_t pages_read_{0};
};

}  // namespace framefleet::broker
