#include "shared/access/allow_list.hpp"

#include "shared/base/assert.hpp"
#include "shared/config/load.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace framefleet::access {
namespace {

/// An entry as it is being read.
struct Draft {
  std::string identity;
  std::string key_text;
  std::vector<std::string> roles;
  Limits limits;
};

std::optional<std::string> judge(const Draft& draft, const std::deque<Draft>& all) {
  if (!security::PublicKey::parse(draft.key_text)) {
    return fmt::format("it needs a public key: public = \"…\", {} characters of Z85",
                       security::kKeyTextBytes);
  }
  if (draft.roles.empty())
    return fmt::format("it has no role; allowed: {}", fmt::join(role_words(), ", "));
  for (const auto& other : all) {
    if (&other != &draft && other.key_text == draft.key_text) {
      return fmt::format("its key is that of [{}] too; a key has one identity", other.identity);
    }
  }
  return std::nullopt;
}

std::unique_ptr<config::OptionSet> options_of(Draft& draft, const std::deque<Draft>& all) {
  auto set = std::make_unique<config::OptionSet>("allow-list", "");
  auto section = set->section("identity");
  section.add("public", draft.key_text, {.help = "Its public key, as its .pub file has it."});
  add_right_options(section, draft.roles, draft.limits);
  set->check([&draft, &all] { return judge(draft, all); });
  return set;
}

/// Every role, by its word in files, options and messages for people.
constexpr std::array<std::pair<std::string_view, bool Roles::*>, 4> kRoles{
    {{"producer", &Roles::producer},
     {"worker", &Roles::worker},
     {"sink", &Roles::sink},
     {"operator", &Roles::operating}}};

}  // namespace

const std::vector<std::string>& role_words() {
  static const std::vector<std::string> words = words_of({true, true, true, true});
  return words;
}

std::vector<std::string> words_of(const Roles& roles) {
  std::vector<std::string> words;
  for (const auto& [word, role] : kRoles) {
    if (roles.*role) words.emplace_back(word);
  }
  return words;
}

Roles roles_of(const std::vector<std::string>& words) {
  Roles roles;
  for (const auto& [word, role] : kRoles) {
    roles.*role = std::ranges::find(words, word) != words.end();
  }
  return roles;
}

void add_right_options(config::Section section, std::vector<std::string>& roles, Limits& limits) {
  section
      .add("roles", roles,
           {.help = "What it may be: several with commas.", .choices = role_words()})
      .add("tasks_per_second", limits.tasks_per_second,
           {.help = "Tasks that it may submit; 0: any number.", .min = 0, .max = 1e6})
      .add("bytes_per_second", config::SizeOf{limits.bytes_per_second},
           {.help = "Bytes of their payloads; 0: any number."})
      .add("unsettled_max", limits.unsettled_max,
           {.help = "Its tasks that are admitted and not settled; 0: any number.",
            .max = 100'000'000})
      .add("backlog_share", limits.backlog_share,
           {.help = "Of the backlog and the journal, at most.", .min = 0.001, .max = 1});
}

AllowList::AllowList(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::ranges::sort(entries_, {}, &Entry::key);
}

const Entry* AllowList::find(const security::PublicKey& key) const {
  const auto found = std::ranges::lower_bound(entries_, key, {}, &Entry::key);
  return found != entries_.end() && found->key == key ? &*found : nullptr;
}

const Entry* AllowList::find(std::string_view identity) const {
  const auto found = std::ranges::find(entries_, identity, &Entry::identity);
  return found != entries_.end() ? &*found : nullptr;
}

bool is_identity(std::string_view name) {
  const bool sound = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return sound && !name.empty() && name.size() <= kIdentityBytesMax;
}

Result<AllowList, Error> read_allow_list(const std::filesystem::path& file) {
  std::deque<Draft> drafts;  // whose elements stay where they are
  config::NamedTables tables;
  tables.count_max = kEntriesMax;
  tables.begin =
      [&drafts](
          const std::string& name) -> Result<std::unique_ptr<config::OptionSet>, std::string> {
    if (!is_identity(name)) {
      return fail(fmt::format("cannot be an identity; allowed: letters, digits and ._-, 1 to {}",
                              kIdentityBytesMax));
    }
    drafts.emplace_back().identity = name;
    return options_of(drafts.back(), drafts);
  };
  if (auto parsed = config::parse_named_tables(tables, file); !parsed) {
    return fail(std::move(parsed.error()));
  }
  std::vector<Entry> entries;
  for (auto& draft : drafts) {
    const auto key = security::PublicKey::parse(draft.key_text);
    FRAMEFLEET_ASSERT(key.has_value());
    entries.push_back({std::move(draft.identity), *key, roles_of(draft.roles), draft.limits});
  }
  return AllowList(std::move(entries));
}

}  // namespace framefleet::access
