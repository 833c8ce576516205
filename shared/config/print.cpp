#include "shared/config/layers.hpp"
#include "shared/config/load.hpp"
#include "shared/config/version.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace framefleet::config {
namespace {

constexpr std::size_t kWidth = 92;

/// Breaks at spaces; every line starts with `indent`.
std::string wrapped(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    const std::size_t room = kWidth - indent.size();
    std::size_t end = std::min(text.find('\n'), text.size());
    if (end > room) {
      const std::size_t space = text.rfind(' ', room);
      end = space == std::string_view::npos || space == 0 ? std::min(text.find(' '), end) : space;
    }
    out += fmt::format("{}{}\n", indent, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string placeholder(const Option& option) {
  switch (option.kind) {
    case Kind::flag:
      return "";
    case Kind::integer:
      return " N";
    case Kind::real:
      return " X";
    case Kind::text:
      return " TEXT";
    case Kind::list:
      return " TEXT,TEXT…";
    case Kind::duration:
      return " DURATION";
    case Kind::bytes:
      return " SIZE";
    case Kind::path:
      return " PATH";
  }
  return "";
}

/// "Silence after which a peer is gone. From 1s to 5min. Default: "2500ms"."
std::string help_with_default(const Option& option) {
  std::string text = option.help;
  if (option.secret) text += " A secret: ${file:/path/of/a/file}.";
  if (!option.range.empty()) text += fmt::format(" Allowed: {}.", option.range);
  if (option.default_toml != "\"\"") text += fmt::format(" Default: {}.", option.default_toml);
  return text;
}

/// The sections in order, each with its options in order; sections without options are left out.
template <class BeginSection, class Each>
void for_each_option(const OptionSet& set, BeginSection begin_section, Each each) {
  for (const auto& section : set.sections()) {
    bool begun = false;
    for (const Option& option : set.options()) {
      if (option.section != section.name) continue;
      if (!std::exchange(begun, true)) begin_section(section);
      each(option);
    }
  }
}

std::string help_with_allowed(const Option& option) {
  return fmt::format("{} Allowed: {}.", option.help, option.allowed);
}

std::vector<std::string> keys_of(const OptionSet::Tables& tables) {
  std::vector<std::string> keys;
  const auto entry = tables.begin();
  for (const Option& option : entry->options()) keys.push_back(option.key);
  return keys;
}

void append_effective(std::string& out, const OptionSet& set, std::string_view opening,
                      std::string_view closing) {
  for_each_option(
      set,
      [&](const OptionSet::SectionText& section) {
        out += fmt::format("\n{}{}{}\n", opening, section.name, closing);
      },
      [&](const Option& option) {
        const bool hidden = option.secret && !option.secret_reference.empty();
        out += fmt::format("{} = {}  # {}{}\n", option.key,
                           hidden ? toml_string(option.secret_reference) : option.as_toml(),
                           hidden ? "***, " : "", option.origin);
      });
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string help_text(const OptionSet& set) {
  std::string out =
      fmt::format("{}: {}\n\nUsage: {} [options]", set.program(), set.summary(), set.program());
  if (const auto& positional = set.positional()) {
    const bool optional = positional->about.count_min == 0;
    out += fmt::format(" {}{}…{}\n\n", optional ? "[" : "", positional->name, optional ? "]" : "");
    out += fmt::format("  {}\n{}", positional->name, wrapped(positional->about.help, "      "));
  } else {
    out += "\n";
  }
  out +=
      "\n  --config FILE\n      Read options from this TOML file (or FRAMEFLEET_CONFIG).\n"
      "  --print-config\n      Print the options as they are now, each with its origin, and end.\n"
      "  --help, --version\n\n";
  out += wrapped(
      "An option is a key of the file, a variable FRAMEFLEET_<SECTION>_<KEY> or a flag; the "
      "later ones win. A switch is turned off by --no-NAME.",
      "");
  out += wrapped(
      fmt::format("DURATION is a number with its unit: {}. SIZE is a number of bytes, or one "
                  "with its unit: {}.",
                  kDurationUnits, kByteUnits),
      "");
  for_each_option(
      set,
      [&](const OptionSet::SectionText& section) {
        out += fmt::format("\n[{}]{}{}\n", section.name, section.help.empty() ? "" : " ",
                           section.help);
      },
      [&](const Option& option) {
        out += fmt::format("  {}{}\n", set.flag_of(option), placeholder(option));
        out += wrapped(help_with_default(option), "      ");
      });
  for (const auto& tables : set.tables()) {
    out += fmt::format("\n[[{}]] {}\n", tables.name, tables.help);
    out += wrapped(fmt::format("In the file alone: {}.", fmt::join(keys_of(tables), ", ")), "  ");
  }
  if (!set.epilog().empty()) out += "\n" + wrapped(set.epilog(), "");
  return out;
}

std::string effective_toml(const OptionSet& set) {
  std::string out = fmt::format("# {} {}: the options as they are, with their origins.\n",
                                set.program(), version());
  if (set.positional()) {
    for (const auto& word : *set.positional()->field) {
      out += fmt::format("# {}: {}\n", set.positional()->name, toml_string(word));
    }
  }
  append_effective(out, set, "[", "]");
  for (const auto& tables : set.tables()) {
    for (const auto& entry : tables.entries) append_effective(out, *entry, "[[", "]]");
  }
  return out;
}

std::string example_toml(const OptionSet& set) {
  std::string out = fmt::format("# {}: {}\n", set.program(), set.summary());
  out += wrapped(
      "Every option at its default. A variable FRAMEFLEET_<SECTION>_<KEY> wins over this file, a "
      "flag over both.",
      "# ");
  for_each_option(
      set,
      [&](const OptionSet::SectionText& section) {
        out += "\n";
        if (!section.help.empty()) out += wrapped(section.help, "# ");
        out += fmt::format("[{}]\n", section.name);
      },
      [&](const Option& option) {
        out += "\n" + wrapped(help_with_allowed(option), "# ");
        out += fmt::format("{} = {}\n", option.key, option.default_toml);
      });
  for (const auto& tables : set.tables()) {
    out += "\n" + wrapped(tables.help, "# ") + fmt::format("#\n# [[{}]]\n", tables.name);
    const auto entry = tables.begin();
    for (const Option& option : entry->options()) {
      out += "#\n" + wrapped(help_with_allowed(option), "# ");
      out += fmt::format("# {} = {}\n", option.key, option.default_toml);
    }
  }
  return out;
}

std::vector<Effective> effective_values(const OptionSet& set) {
  std::vector<Effective> values;
  for (const Option& option : set.options()) {
    std::string value = option.as_toml();
    if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
    values.push_back({option.name(), std::move(value), option.origin});
  }
  return values;
}

}  // namespace framefleet::config
