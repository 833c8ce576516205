#include "cli/keys_command.hpp"

#include "cli/key_folder.hpp"
#include "cli/operator_options.hpp"
#include "cli/table.hpp"

#include "shared/config/option_set.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace framefleet::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// "framefleet keys allow": the words before the options.
constexpr std::size_t kVerbWords = 2;

constexpr const char* kExitCodes =
    "Exit codes: 0 done, or it was so before; 64 usage; 66 there is no such folder or nobody of "
    "this name; 69 somebody else edits these keys; 70 internal; 73 cannot write; 78 a file is "
    "wrong.\n";

/// Of every verb.
struct FolderOptions {
  fs::path keys;
  void describe(config::Section& section) {
    section.add("keys", keys,
                {.help = "The broker's folder of keys, as it is given to framefleet-broker."});
  }
  Result<KeyFolder, Error> open(KeyFolder::Missing missing = KeyFolder::Missing::refuse) const {
    if (!keys.empty()) return KeyFolder::open(keys, missing);
    return fail(Error{"which broker's keys? give --keys DIR", exit_code::kUsage});
  }
};

/// A public key as it is given: the key itself, or a file that has it.
Result<security::PublicKey, Error> public_key_of(const std::string& given) {
  std::error_code none;
  if (const auto key = security::PublicKey::parse(given); key && !fs::exists(given, none)) {
    return *key;
  }
  const auto keys = security::read_public_keys(given);
  if (!keys) return fail(keys.error());
  if (keys->size() == 1) return keys->front();
  return fail(Error{given + ": has several keys; an identity has one", exit_code::kConfig});
}

// --- new

struct NewOptions {
  FolderOptions folder;
  std::vector<std::string> files;
  bool keep{false};
};

Result<int, Error> make_broker_keys(const NewOptions& options) {
  auto folder = options.folder.open(KeyFolder::Missing::make);
  if (!folder) return fail(folder.error());
  const auto made = folder->make_broker_key();
  if (!made) return fail(made.error());
  if (!*made && !options.keep) {
    return fail(Error{options.folder.keys.string() +
                          ": the broker has a key; --keep goes on with it, 'framefleet keys "
                          "rotate --broker' makes another one",
                      exit_code::kCannotCreate});
  }
  const auto keys = folder->broker_keys();
  if (!keys) return fail(keys.error());
  fmt::print("{}\n", keys->front().text());
  return exit_code::kOk;
}

Result<int, Error> make_key(const NewOptions& options) {
  const fs::path file = options.files.front();
  std::error_code none;
  if (!options.keep || !fs::exists(file, none)) {
    const auto made =
        security::write_key_file(file, security::random_key_pair(), "a key of a client");
    if (!made) return fail(made.error());
  }
  const auto pair = security::read_key_file(file);
  if (!pair) return fail(pair.error());
  fmt::print("{}\n", pair->public_key.text());
  return exit_code::kOk;
}

int new_command(const std::vector<std::string>& words) {
  NewOptions options;
  config::OptionSet set(
      "framefleet keys new",
      "Makes a key: FILE, which is secret, and its public half beside it; or with "
      "--keys the broker's own, and a list that lets nobody in yet.");
  auto section = set.section("keys");
  options.folder.describe(section);
  section.add("keep", options.keep, {.help = "Go on with one that is there."});
  set.positional("file", options.files,
                 {.help = "door.key makes door.key (0600) and door.pub.", .count_max = 1});
  set.epilog(std::string("Prints the public key.\n") + kExitCodes);
  return run_verb(
      set, words,
      [&]() -> Result<int, Error> {
        if (options.files.empty() == options.folder.keys.empty()) {
          return fail(Error{"name the file of a new key, or the broker's folder with --keys",
                            exit_code::kUsage});
        }
        return options.files.empty() ? make_broker_keys(options) : make_key(options);
      },
      kVerbWords);
}

// --- list

Json as_json(const access::Entry& entry) {
  return {{"identity", entry.identity},
          {"public", entry.key.text()},
          {"roles", access::words_of(entry.roles)},
          {"tasks_per_second", entry.limits.tasks_per_second},
          {"bytes_per_second", entry.limits.bytes_per_second},
          {"unsettled_max", entry.limits.unsettled_max},
          {"backlog_share", entry.limits.backlog_share}};
}

std::string limit(double number) { return number > 0 ? fmt::format("{:g}", number) : ""; }

Result<int, Error> list(const FolderOptions& options, bool json) {
  auto folder = options.open();
  if (!folder) return fail(folder.error());
  const auto keys = folder->broker_keys();
  if (!keys) return fail(keys.error());
  const auto allowed = folder->allow_list();
  if (!allowed) return fail(allowed.error());
  auto entries = allowed->entries();
  std::ranges::sort(entries, {}, &access::Entry::identity);
  if (json) {
    Json document{{"broker", Json::array()}, {"allowed", Json::array()}};
    for (const auto& key : *keys) document["broker"].push_back(key.text());
    for (const auto& entry : entries) document["allowed"].push_back(as_json(entry));
    fmt::print("{}\n", document.dump());
    return exit_code::kOk;
  }
  constexpr std::size_t kWide = 64;
  Table table({{"identity", Align::left, kWide},
               {"roles", Align::left, kWide},
               {"tasks/s"},
               {"bytes/s"},
               {"unsettled"},
               {"share"},
               {"public key", Align::left, kWide}});
  for (const auto& key : *keys) table.add({"", "broker", "", "", "", "", key.text()});
  for (const auto& entry : entries) {
    const auto& limits = entry.limits;
    table.add({entry.identity, fmt::format("{}", fmt::join(access::words_of(entry.roles), ",")),
               limit(limits.tasks_per_second), limit(static_cast<double>(limits.bytes_per_second)),
               limit(static_cast<double>(limits.unsettled_max)), limit(limits.backlog_share),
               entry.key.text()});
  }
  fmt::print("{}", table.render());
  return exit_code::kOk;
}

int list_command(const std::vector<std::string>& words) {
  FolderOptions options;
  bool json = false;
  config::OptionSet set("framefleet keys list", "Shows who may connect, and as what.");
  auto section = set.section("keys");
  options.describe(section);
  section.add("json", json, {.help = "As one JSON object."});
  set.epilog(kExitCodes);
  return run_verb(
      set, words, [&] { return list(options, json); }, kVerbWords);
}

// --- allow and revoke

struct AllowOptions {
  FolderOptions folder;
  std::vector<std::string> identities;
  std::string public_key;
  std::vector<std::string> roles;
  access::Limits limits;
  bool replace{false};
};

Result<int, Error> allow(const AllowOptions& options) {
  const auto& identity = options.identities.front();
  if (!access::is_identity(identity)) {
    return fail(Error{fmt::format("'{}' cannot be an identity; allowed: letters, digits and ._-, 1 "
                                  "to {}",
                                  identity, access::kIdentityBytesMax),
                      exit_code::kUsage});
  }
  if (options.roles.empty() || options.public_key.empty()) {
    return fail(
        Error{"what may it do, and by which key? give --roles and --public", exit_code::kUsage});
  }
  const auto key = public_key_of(options.public_key);
  if (!key) return fail(key.error());
  const access::Entry entry{identity, *key, access::roles_of(options.roles), options.limits};
  auto folder = options.folder.open();
  if (!folder) return fail(folder.error());
  const auto before = folder->allow_list();
  if (!before) return fail(before.error());
  if (const auto* const known = before->find(identity); known != nullptr) {
    if (known->key == entry.key && known->roles == entry.roles && known->limits == entry.limits) {
      fmt::print("'{}' is allowed already\n", identity);
      return exit_code::kOk;
    }
    if (!options.replace) {
      return fail(Error{fmt::format("'{}' is allowed already, with another key, roles or limits; "
                                    "--replace sets these in their place",
                                    identity),
                        exit_code::kCannotCreate});
    }
  }
  if (auto done = folder->allow(entry); !done) return fail(done.error());
  fmt::print("'{}' is allowed as {}\n", identity, fmt::join(access::words_of(entry.roles), ", "));
  return exit_code::kOk;
}

int allow_command(const std::vector<std::string>& words) {
  AllowOptions options;
  config::OptionSet set("framefleet keys allow", "Lets a key in, under a name that stays.");
  auto section = set.section("keys");
  options.folder.describe(section);
  section.add("public", options.public_key, {.help = "Its public key, or the file that has it."});
  access::add_right_options(section, options.roles, options.limits);
  section.add("replace", options.replace,
              {.help = "Set these in the place of what it has: another key is out at once."});
  set.positional("identity", options.identities,
                 {.help = "Its name: sources belong to it, also when its key is replaced.",
                  .count_min = 1,
                  .count_max = 1});
  set.epilog(kExitCodes);
  return run_verb(
      set, words, [&] { return allow(options); }, kVerbWords);
}

int revoke_command(const std::vector<std::string>& words) {
  FolderOptions options;
  std::vector<std::string> identities;
  bool yes = false;
  config::OptionSet set("framefleet keys revoke",
                        "Takes an identity out: its connections end, and its sources are free.");
  auto section = set.section("keys");
  options.describe(section);
  section.add("yes", yes, {.help = "Do not ask."});
  set.positional("identity", identities, {.help = "Who.", .count_min = 1, .count_max = 1});
  set.epilog(kExitCodes);
  return run_verb(
      set, words,
      [&]() -> Result<int, Error> {
        const auto& identity = identities.front();
        auto folder = options.open();
        if (!folder) return fail(folder.error());
        const auto sure =
            confirm(fmt::format("'{}' is out at once, and its sources are free for others. Really?",
                                identity),
                    yes);
        if (!sure) return fail(sure.error());
        if (!*sure) return exit_code::kOk;
        if (auto done = folder->revoke(identity); !done) return fail(done.error());
        fmt::print("'{}' is out\n", identity);
        return exit_code::kOk;
      },
      kVerbWords);
}

// --- rotate

struct RotateOptions {
  FolderOptions folder;
  std::vector<std::string> identities;
  fs::path key;
  bool broker{false};
  bool finish{false};
};

Result<int, Error> rotate_client(const RotateOptions& options) {
  auto folder = options.folder.open();
  if (!folder) return fail(folder.error());
  const auto& identity = options.identities.front();
  const auto list = folder->allow_list();
  if (!list) return fail(list.error());
  const auto* const known = list->find(identity);
  if (known == nullptr) {
    return fail(Error{fmt::format("nobody is called '{}'", identity), exit_code::kNoInput});
  }
  const auto next = replace_key_file(options.key, [&](const security::PublicKey& key) {
    auto entry = *known;
    entry.key = key;
    return folder->allow(entry);
  });
  if (!next) return fail(next.error());
  fmt::print("'{}' has another key, {}: start it again, its old one is out\n", identity,
             options.key.string());
  return exit_code::kOk;
}

Result<int, Error> rotate_broker(const RotateOptions& options) {
  auto folder = options.folder.open();
  if (!folder) return fail(folder.error());
  if (!options.finish) {
    const auto begun = folder->begin_rotation();
    if (!begun) return fail(begun.error());
    fmt::print(
        "{}{} has the broker's key and the next one: give it to every client, and "
        "then 'framefleet keys rotate --broker --finish'\n",
        *begun ? "" : "it was begun before; ", folder->broker_public().string());
    return exit_code::kOk;
  }
  const auto finished = folder->finish_rotation();
  if (!finished) return fail(finished.error());
  if (!*finished) {
    return fail(Error{"no rotation was begun: 'framefleet keys rotate --broker' begins one",
                      exit_code::kNoInput});
  }
  fmt::print("the broker has its next key; {} has that one alone\n",
             folder->broker_public().string());
  return exit_code::kOk;
}

int rotate_command(const std::vector<std::string>& words) {
  RotateOptions options;
  config::OptionSet set("framefleet keys rotate",
                        "Puts another key in the place of a client's, or of the broker's own.");
  auto section = set.section("keys");
  options.folder.describe(section);
  section
      .add("key", options.key,
           {.help = "The client's key file, on this machine; elsewhere make a new one there and "
                    "'allow --replace' it here."})
      .add("broker", options.broker,
           {.help = "The broker's own key, in two steps: first its clients are told of the next."})
      .add("finish", options.finish, {.help = "The second step (--broker): all clients know it."});
  set.positional("identity", options.identities, {.help = "Whose key.", .count_max = 1});
  set.epilog(kExitCodes);
  return run_verb(
      set, words,
      [&]() -> Result<int, Error> {
        const bool of_client = !options.identities.empty() && !options.key.empty();
        const bool has_client = !options.identities.empty() || !options.key.empty();
        if (options.broker == has_client || (!options.broker && !of_client)) {
          return fail(Error{"give an identity and its --key FILE, or --broker", exit_code::kUsage});
        }
        if (options.finish && !options.broker) {
          return fail(Error{"--finish belongs to --broker", exit_code::kUsage});
        }
        return options.broker ? rotate_broker(options) : rotate_client(options);
      },
      kVerbWords);
}

struct KeysVerb {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& words);
};

constexpr std::array kKeysVerbs{
    KeysVerb{"new", "make a key, or a broker's folder of keys", new_command},
    KeysVerb{"list", "who may connect, and as what", list_command},
    KeysVerb{"allow", "let a key in", allow_command},
    KeysVerb{"revoke", "take an identity out", revoke_command},
    KeysVerb{"rotate", "replace a key", rotate_command},
};

std::string usage() {
  std::string text = "Usage: framefleet keys COMMAND [options] …\n\nCommands:\n";
  for (const auto& verb : kKeysVerbs) text += fmt::format("  {:<10}{}\n", verb.name, verb.summary);
  return text + "\n'framefleet keys COMMAND --help' says more.\n";
}

}  // namespace

int keys_command(const std::vector<std::string>& words) {
  const std::string name = words.size() > kVerbWords ? words[kVerbWords] : std::string{};
  if (name == "--help" || name == "-h") {
    fmt::print("framefleet keys: who may connect to a broker\n\n{}", usage());
    return exit_code::kOk;
  }
  const auto* const verb = std::find_if(kKeysVerbs.begin(), kKeysVerbs.end(),
                                        [&](const KeysVerb& each) { return each.name == name; });
  if (verb != kKeysVerbs.end()) return verb->run(words);
  const std::string what = name.empty() ? "which command?" : "there is no command '" + name + "'";
  fmt::print(stderr, "framefleet keys: {}\n\n{}", what, usage());
  return exit_code::kUsage;
}

}  // namespace framefleet::cli
