#include "shared/config/layers.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace framefleet::config {
namespace {

/// Everything that starts with a dash and is not a lone "-" (stdin).
bool looks_like_flag(std::string_view argument) {
  return argument.size() > 1 && argument.front() == '-';
}

std::string unknown_argument(const OptionSet& set, const std::string& argument) {
  if (!looks_like_flag(argument)) {
    return fmt::format("{}: unexpected argument; {} takes none", argument, set.program());
  }
  std::vector<std::string> known{"--help", "--version", "--config", "--print-config"};
  for (const Option& option : set.options()) known.push_back(set.flag_of(option));
  const auto guess = nearest(argument.substr(0, argument.find('=')), known);
  return fmt::format("{}: unknown option{}", argument,
                     guess ? fmt::format(", did you mean {}?", *guess) : std::string());
}

struct BoundFlag {
  Option* option;
  std::string flag;
  CLI::Option* parsed;
};

BoundFlag bind_flag(CLI::App& app, Option& option, std::string flag) {
  CLI::Option* parsed = nullptr;
  if (option.kind == Kind::flag) {
    parsed = app.add_flag(flag + ",!--no-" + flag.substr(2));
    parsed->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  } else {
    parsed = app.add_option(flag);
    parsed->multi_option_policy(option.kind == Kind::list ? CLI::MultiOptionPolicy::TakeAll
                                                          : CLI::MultiOptionPolicy::TakeLast);
  }
  return {&option, std::move(flag), parsed};
}

}  // namespace

Result<Flags, std::string> parse_flags(OptionSet& set, const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  Flags flags;
  app.add_flag("-h,--help", flags.help);
  app.add_flag("--version", flags.version);
  app.add_flag("--print-config", flags.print_config);
  CLI::Option* config = app.add_option("--config");
  config->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);

  std::vector<BoundFlag> bound;
  for (Option& option : set.options()) bound.push_back(bind_flag(app, option, set.flag_of(option)));
  if (set.positional()) {
    app.add_option(set.positional()->name, flags.positionals)
        ->expected(0, CLI::detail::expected_max_vector_size);
  }

  try {
    // CLI11 takes a vector of arguments last one first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return fail(std::string(error.what()));
  }
  if (const auto extras = app.remaining(); !extras.empty() && !flags.help) {
    return fail(unknown_argument(set, extras.front()));
  }
  if (!config->results().empty()) flags.config_file = config->results().back();
  for (auto& [option, flag, parsed] : bound) {
    if (parsed->count() > 0) {
      flags.given.push_back({option, std::move(flag), parsed->reduced_results()});
    }
  }
  return flags;
}

}  // namespace framefleet::config
