#include "broker/journals/page_tables.hpp"

#include "broker/journals/record_seal.hpp"

namespace framefleet::broker {

TableRoots table_roots(PageWalk& walk, const MetaPage& meta) {
  TableRoots roots;
  walk.tree("the tree of names", meta.names, [&](const WalkedEntry& entry) {
    for (std::size_t i = 0; i < kTableCount; ++i) {
      if (entry.is_tree && entry.key == to_string(static_cast<Table>(i)) &&
          entry.value.size() == kTreeRootBytes) {
        roots[i] = parse_tree_root(entry.value);
      }
    }
  });
  return roots;
}

std::optional<std::uint64_t> commit_of_state(const PageFile& file, const MetaPage& meta) {
  PageWalk walk(file, meta);
  const auto root = table_roots(walk, meta)[static_cast<std::size_t>(Table::meta)];
  std::optional<std::uint64_t> commit;
  if (!root) return commit;
  walk.tree(to_string(Table::meta), *root, [&](const WalkedEntry& entry) {
    if (entry.key != kStateKey) return;
    if (const auto state = unseal(Table::meta, entry.key, entry.value)) commit = state->transaction;
  });
  return commit;
}

}  // namespace framefleet::broker
