#include "shared/config/layers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace framefleet::config {
namespace {

/// Everything that starts with a dash and is not a lone "-" (stdin).
bool looks_like_flag(std::string_view argument) {
  return argument.size() > 1 && argument.front() == '-';
}

/// Reads arguments from left to right: `--name VALUE`, `--name=VALUE`, `--name` and `--no-name` for
/// a bool, `--` before arguments that start with a dash.
class Parser {
 public:
  Parser(OptionSet& set, const std::vector<std::string>& arguments)
      : set_(set), arguments_(arguments) {}

  Result<Flags, std::string> parse() {
    if (asks_for_help()) {
      flags_.help = true;
      return flags_;
    }
    while (next_ < arguments_.size()) {
      const std::string& argument = arguments_[next_++];
      std::optional<std::string> wrong;
      if (argument == "--") {
        wrong = take_the_rest();
      } else if (looks_like_flag(argument)) {
        wrong = take_flag(argument);
      } else {
        wrong = take_positional(argument);
      }
      if (wrong) return fail(std::move(*wrong));
    }
    return flags_;
  }

 private:
  using Wrong = std::optional<std::string>;

  /// Anywhere, and whatever else is wrong.
  bool asks_for_help() const {
    const auto end = std::ranges::find(arguments_, "--");
    return std::any_of(arguments_.begin(), end, [](const std::string& argument) {
      return argument == "--help" || argument == "-h";
    });
  }

  Wrong take_the_rest() {
    while (next_ < arguments_.size()) {
      if (auto wrong = take_positional(arguments_[next_++])) return wrong;
    }
    return std::nullopt;
  }

  Wrong take_positional(const std::string& argument) {
    if (!set_.positional()) {
      return fmt::format("{}: unexpected; {} takes options alone", argument, set_.program());
    }
    flags_.positionals.push_back(argument);
    return std::nullopt;
  }

  Wrong take_flag(const std::string& argument) {
    const auto equals = argument.find('=');
    const std::string flag = argument.substr(0, equals);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = argument.substr(equals + 1);

    if (flag == "--config") return take_value(flag, value, flags_.config_file);
    if (flag == "--version" && !value) return set_true(flags_.version);
    if (flag == "--print-config" && !value) return set_true(flags_.print_config);
    for (Option& option : set_.options()) {
      const std::string name = set_.flag_of(option);
      if (option.kind == Kind::flag && flag == "--no-" + name.substr(2) && !value) {
        return give(option, flag, "false");
      }
      if (flag != name) continue;
      if (option.kind == Kind::flag) return give(option, flag, value.value_or("true"));
      if (auto wrong = take_value(flag, value, value)) return wrong;
      return give(option, flag, *value);
    }
    return unknown(argument, flag);
  }

  static Wrong set_true(bool& asked) {
    asked = true;
    return std::nullopt;
  }

  /// The value after `=`, or the next argument. The next one is not taken where it is a flag
  /// itself: a forgotten value would swallow it.
  Wrong take_value(const std::string& flag, const std::optional<std::string>& given,
                   std::optional<std::string>& value) {
    if (given) {
      value = given;
    } else if (next_ < arguments_.size() && !arguments_[next_].starts_with("--")) {
      value = arguments_[next_++];
    } else {
      return fmt::format("{0}: needs a value (write {0}=VALUE if it starts with --)", flag);
    }
    return std::nullopt;
  }

  /// The last one wins; the values of a list add up.
  Wrong give(Option& option, const std::string& flag, std::string value) {
    for (auto& given : flags_.given) {
      if (given.option != &option) continue;
      given.flag = flag;
      if (option.kind != Kind::list) given.values.clear();
      given.values.push_back(std::move(value));
      return std::nullopt;
    }
    flags_.given.push_back({&option, flag, {std::move(value)}});
    return std::nullopt;
  }

  Wrong unknown(const std::string& argument, const std::string& flag) const {
    std::vector<std::string> known{"--help", "--version", "--config", "--print-config"};
    for (const Option& option : set_.options()) known.push_back(set_.flag_of(option));
    const auto guess = nearest(flag, known);
    return fmt::format("{}: unknown option{}", argument,
                       guess ? fmt::format(", did you mean {}?", *guess) : std::string());
  }

  OptionSet& set_;
  const std::vector<std::string>& arguments_;
  std::size_t next_{0};
  Flags flags_;
};

}  // namespace

Result<Flags, std::string> parse_flags(OptionSet& set, const std::vector<std::string>& arguments) {
  return Parser{set, arguments}.parse();
}

}  // namespace framefleet::config
