#include "shared/config/layers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

namespace framefleet::config {
namespace {

/// Far over any configuration, far under what would hurt.
constexpr std::size_t kFileBytesMax = 1U << 20U;
/// toml++ calls itself once for each part of a dotted key: 20 000 of them fit the stack (8 MiB),
/// 32 000 end the process. Those in addresses and names of files are counted too; few have 1000.
constexpr std::ptrdiff_t kDotsMax = 10'000;

std::string position(const std::string& file, const toml::source_region& source) {
  return fmt::format("{}:{}:{}", file, source.begin.line, source.begin.column);
}

std::string_view type_text(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

/// The first element that is no text, else the node itself.
const toml::node& first_misfit(Kind kind, const toml::node& node) {
  if (kind == Kind::list && node.is_array()) {
    for (const toml::node& element : *node.as_array()) {
      if (!element.is_string()) return element;
    }
  }
  return node;
}

std::optional<RawValue> list_value(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr || !array->is_homogeneous<std::string>()) {
    return array != nullptr && array->empty() ? std::optional<RawValue>(std::vector<std::string>{})
                                              : std::nullopt;
  }
  std::vector<std::string> words;
  for (const toml::node& element : *array) words.push_back(element.as_string()->get());
  return words;
}

/// The node as the option's kind wants it; nothing where its type is another one.
std::optional<RawValue> raw_value(Kind kind, const toml::node& node) {
  switch (kind) {
    case Kind::flag:
      if (node.is_boolean()) return node.as_boolean()->get();
      break;
    case Kind::integer:
      if (node.is_integer()) return node.as_integer()->get();
      break;
    case Kind::real:
      if (node.is_number()) return *node.value<double>();
      break;
    case Kind::bytes:
    case Kind::duration:
      if (node.is_integer()) return fmt::format("{}", node.as_integer()->get());
      if (node.is_string()) return node.as_string()->get();
      break;
    case Kind::text:
    case Kind::path:
      if (node.is_string()) return node.as_string()->get();
      break;
    case Kind::list:
      return list_value(node);
  }
  return std::nullopt;
}

std::string with_suggestion(std::string_view what, std::string_view word,
                            const std::vector<std::string>& candidates) {
  const auto guess = nearest(word, candidates);
  return guess ? fmt::format("{}, did you mean {}?", what, *guess) : std::string(what);
}

struct Entry {
  const toml::key* key;
  const toml::node* node;
};

/// A table's entries as they stand in the file.
std::vector<Entry> in_file_order(const toml::table& table) {
  std::vector<Entry> entries;
  for (const auto& [key, node] : table) entries.push_back({&key, &node});
  const auto line = [](const Entry& entry) { return entry.key->source().begin.line; };
  std::ranges::stable_sort(entries, {}, line);
  return entries;
}

/// Walks the two levels of a file: sections, and keys in them.
class Reader {
 public:
  Reader(OptionSet& set, std::string file, Complaints& complaints)
      : set_(set), file_(std::move(file)), complaints_(complaints) {}

  void read(const toml::table& root) {
    for (const auto& [name, node] : in_file_order(root)) {
      if (find_tables(name->str()) != nullptr) continue;
      const toml::table* section = node->as_table();
      if (set_.find_section(name->str()) == nullptr) {
        unknown_section(*name, section != nullptr);
      } else if (section == nullptr) {
        complaints_.add(position(file_, node->source()), name->str(),
                        fmt::format("is {}, not a section", type_text(node->type())),
                        fmt::format("[{}]", name->str()));
      } else {
        read_section(std::string(name->str()), *section);
      }
    }
  }

  void read_tables(const toml::table& root) {
    for (const auto& [name, node] : in_file_order(root)) {
      auto* const tables = find_tables(name->str());
      if (tables == nullptr) continue;
      const toml::array* array = node->as_array();
      if (array == nullptr || !array->is_homogeneous<toml::table>()) {
        complaints_.add(position(file_, node->source()), tables->name,
                        fmt::format("is {}, not a list of tables", type_text(node->type())),
                        fmt::format("[[{}]]", tables->name));
        continue;
      }
      for (const toml::node& entry : *array) read_entry(*tables, *entry.as_table());
    }
  }

  /// Of a file that has no sections of ours: the set's own section under the name of the table.
  void read_named(const std::string& name, const toml::table& table) {
    for (Option& option : set_.options()) option.section = name;
    read_section(name, table);
    judge(position(file_, table.source()), name);
  }

  /// In the order the options were bound.
  std::vector<std::string> names_set() const {
    std::vector<std::string> names;
    for (const Option& option : set_.options()) {
      if (std::ranges::find(seen_, &option) != seen_.end()) names.push_back(option.name());
    }
    return names;
  }

 private:
  void read_section(const std::string& section, const toml::table& table) {
    for (const auto& [key, node] : in_file_order(table)) {
      Option* option = set_.find(section, key->str());
      if (option == nullptr) {
        unknown_key(section, *key);
        continue;
      }
      seen_.push_back(option);
      if (const auto value = raw_value(option->kind, *node)) {
        assign_value(*option, *value, position(file_, node->source()),
                     fmt::format("{}:{}", file_, node->source().begin.line), complaints_);
      } else {
        const toml::node& misfit = first_misfit(option->kind, *node);
        complaints_.add(position(file_, misfit.source()), option->name(),
                        fmt::format("wrong type, {}", type_text(misfit.type())), option->allowed);
      }
    }
  }

  OptionSet::Tables* find_tables(std::string_view name) {
    const auto found = std::ranges::find(set_.tables(), name, &OptionSet::Tables::name);
    return found == set_.tables().end() ? nullptr : &*found;
  }

  void read_entry(OptionSet::Tables& tables, const toml::table& table) {
    const std::string where = position(file_, table.source());
    if (tables.entries.size() == tables.count_max) {
      complaints_.add(where, tables.name, fmt::format("the file has over {}", tables.count_max));
      return;
    }
    tables.entries.push_back(tables.begin());
    OptionSet& entry = *tables.entries.back();
    Reader reader{entry, file_, complaints_};
    reader.read_section(tables.name, table);
    reader.judge(where, tables.name);
  }

  void judge(const std::string& where, const std::string& name) {
    for (const auto& check : set_.checks()) {
      if (const auto wrong = check()) complaints_.add(where, name, *wrong);
    }
  }

  void unknown_section(const toml::key& name, bool is_table) {
    std::vector<std::string> known;
    std::string allowed;
    for (const auto& section : set_.sections()) {
      known.push_back(section.name);
      allowed += fmt::format("{}[{}]", allowed.empty() ? "" : ", ", section.name);
    }
    for (const auto& tables : set_.tables()) {
      known.push_back(tables.name);
      allowed += fmt::format(", [[{}]]", tables.name);
    }
    complaints_.add(position(file_, name.source()), name.str(),
                    with_suggestion(is_table ? "unknown section" : "a key outside every section",
                                    name.str(), known),
                    allowed);
  }

  void unknown_key(const std::string& section, const toml::key& key) {
    std::vector<std::string> known;
    std::string elsewhere;
    for (const Option& option : set_.options()) {
      if (option.section == section) known.push_back(option.key);
      if (option.key == key.str()) elsewhere = option.section;
    }
    const std::string wrong = elsewhere.empty()
                                  ? with_suggestion("unknown key", key.str(), known)
                                  : fmt::format("unknown key, it belongs in [{}]", elsewhere);
    complaints_.add(position(file_, key.source()), fmt::format("{}.{}", section, key.str()), wrong,
                    fmt::format("{}", fmt::join(known, ", ")));
  }

  OptionSet& set_;
  std::string file_;
  Complaints& complaints_;
  std::vector<const Option*> seen_;
};

/// The file's content; nothing where a complaint says why.
std::shared_ptr<const toml::table> parse(const std::filesystem::path& file,
                                         Complaints& complaints) {
  const auto content = read_file(file, kFileBytesMax);
  if (!content) {
    complaints.add(file.string(), "configuration file", content.error());
    return nullptr;
  }
  if (std::ranges::count(*content, '.') > kDotsMax) {
    complaints.add(file.string(), "configuration file", fmt::format("has over {} dots", kDotsMax));
    return nullptr;
  }
  try {
    return std::make_shared<const toml::table>(toml::parse(*content, file.string()));
  } catch (const toml::parse_error& error) {
    complaints.add(position(file.string(), error.source()), "not TOML",
                   std::string(error.description()));
    return nullptr;
  }
}

}  // namespace

Result<std::string, std::string> read_file(const std::filesystem::path& file,
                                           std::size_t bytes_max) {
  const auto last_error = [] { return std::generic_category().message(errno); };
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail("cannot be opened: " + last_error());
  std::string content(bytes_max + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  while (size < content.size() &&
         (got = ::read(fd, content.data() + size, content.size() - size)) > 0) {
    size += static_cast<std::size_t>(got);
  }
  const std::string error = got < 0 ? last_error() : std::string();
  ::close(fd);
  if (got < 0) return fail("cannot be read: " + error);
  if (size > bytes_max) return fail(fmt::format("is larger than {} bytes", bytes_max));
  content.resize(size);
  return content;
}

FileLayer read_toml_file(OptionSet& set, const std::filesystem::path& file,
                         Complaints& complaints) {
  const auto root = parse(file, complaints);
  if (!root) return {};
  Reader reader{set, file.string(), complaints};
  reader.read(*root);
  return {.names = reader.names_set(),
          .read_tables = [&set, root, name = file.string()](Complaints& found) {
            Reader{set, name, found}.read_tables(*root);
          }};
}

void read_named_tables(const NamedTables& tables, const std::filesystem::path& file,
                       Complaints& complaints) {
  const auto root = parse(file, complaints);
  if (!root) return;
  std::size_t count = 0;
  for (const auto& [key, node] : in_file_order(*root)) {
    const std::string name(key->str());
    const auto where = position(file.string(), key->source());
    if (!node->is_table()) {
      complaints.add(where, name, fmt::format("is {}, not a table", type_text(node->type())),
                     "[NAME] and its keys");
    } else if (++count > tables.count_max) {
      complaints.add(where, name, fmt::format("the file has over {} tables", tables.count_max));
      return;
    } else if (auto entry = tables.begin(name); !entry) {
      complaints.add(where, name, entry.error());
    } else {
      Reader{**entry, file.string(), complaints}.read_named(name, *node->as_table());
    }
  }
}

}  // namespace framefleet::config
