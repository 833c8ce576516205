#include "cli/key_folder.hpp"

#include "shared/base/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

namespace framefleet::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kBrokerComment = "the broker's key; its .pub file is for its clients";
constexpr const char* kNewAllowList =
    "# Who may connect to the broker of this folder, and as what: framefleet keys --help.\n"
    "# A change counts as soon as it is written.\n";

Error error_of_file(const fs::path& path, const std::string& what) {
  return {fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno)),
          exit_code::kCannotCreate};
}

/// "dir/door.key" → "dir/door.next.key", so that its public half is "dir/door.next.pub".
fs::path next_of(const fs::path& file) {
  auto next = file;
  return next.replace_extension(".next.key");
}

/// A new file; one that an editor left when it was killed gives way.
Result<void, Error> make_anew(const fs::path& file, std::string_view content, mode_t mode) {
  ::unlink(file.c_str());
  return make_file(file, content, mode);
}

Result<void, Error> replace_file(const fs::path& file, const std::string& content, mode_t mode) {
  const fs::path made = file.string() + ".new";
  if (auto written = make_anew(made, content, mode); !written) return written;
  return move_file(made, file);
}

std::string public_lines(const std::vector<security::PublicKey>& keys) {
  std::string text = "# the broker's public key, for its clients: --broker-key\n";
  for (const auto& key : keys) text += fmt::format("public = \"{}\"\n", key.text());
  return text;
}

/// The identity of a line that begins a table; nothing for any other line.
std::optional<std::string> identity_of(std::string_view line) {
  const auto first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos || line[first] != '[') return std::nullopt;
  line.remove_prefix(first + 1);
  std::string name(line.substr(0, line.find(']')));
  std::erase_if(name, [](char c) { return c == ' ' || c == '\t' || c == '"' || c == '\''; });
  return name;
}

/// Line by line, each with its end.
std::vector<std::string> whole_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    lines.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return lines;
}

/// A line that says nothing to the broker.
bool is_remark(const std::string& line) {
  const auto first = line.find_first_not_of(" \t\r\n");
  return first == std::string::npos || line[first] == '#';
}

using Lines = std::vector<std::string>;
std::string lines_between(Lines::const_iterator first, Lines::const_iterator last) {
  std::string text;
  for (; first != last; ++first) text += *first;
  return text;
}

/// The parts that have something, with an empty line between two.
std::string with_gaps(const std::vector<std::string>& parts) {
  std::string text;
  for (std::string part : parts) {
    part.erase(0, part.find_first_not_of("\r\n"));
    if (part.empty()) continue;
    text.erase(text.find_last_not_of("\r\n") + 1);
    text += (text.empty() ? "" : "\n\n") + part;
  }
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

bool is_same(const access::Entry& left, const access::Entry& right) {
  return left.identity == right.identity && left.key == right.key && left.roles == right.roles &&
         left.limits == right.limits;
}

/// The pair that waits beside `file`, made where there is none.
Result<security::PublicKey, Error> prepare_next_key(const fs::path& file) {
  if (const auto now = security::read_key_file(file); !now) return fail(now.error());
  const auto next = next_of(file);
  if (std::error_code none; !fs::exists(next, none)) {
    ::unlink(security::public_file_of(next).c_str());
    if (auto made =
            security::write_key_file(next, security::random_key_pair(), "a key of a client");
        !made) {
      return fail(made.error());
    }
  }
  auto pair = security::read_key_file(next);
  if (!pair) return fail(pair.error());
  return pair->public_key;
}

/// The secret half last: until then a next call does it all again.
Result<void, Error> take_next_key(const fs::path& file) {
  const auto next = next_of(file);
  const auto from = security::public_file_of(next);
  if (std::error_code none; fs::exists(from, none)) {
    if (auto moved = move_file(from, security::public_file_of(file)); !moved) return moved;
  }
  return move_file(next, file);
}

}  // namespace

std::string with_table(const std::string& text, std::string_view identity,
                       const std::string& table) {
  const auto lines = whole_lines(text);
  const auto begins = [&](const std::string& line) { return identity_of(line) == identity; };
  const auto first = std::ranges::find_if(lines, begins);
  auto last =
      first == lines.end() ? first : std::find_if(first + 1, lines.end(), [](const auto& line) {
        return identity_of(line).has_value();
      });
  // What is said above the next table is about that one.
  while (last != first && is_remark(*(last - 1))) --last;
  return with_gaps({lines_between(lines.begin(), first), table, lines_between(last, lines.end())});
}

std::string table_of(const access::Entry& entry) {
  auto text = fmt::format("[\"{}\"]\npublic = \"{}\"\nroles = [\"{}\"]\n", entry.identity,
                          entry.key.text(), fmt::join(access::words_of(entry.roles), "\", \""));
  const auto& limits = entry.limits;
  const access::Limits usual;
  if (limits.tasks_per_second != usual.tasks_per_second) {
    text += fmt::format("tasks_per_second = {}\n", limits.tasks_per_second);
  }
  if (limits.bytes_per_second != usual.bytes_per_second) {
    text += fmt::format("bytes_per_second = {}\n", limits.bytes_per_second);
  }
  if (limits.unsettled_max != usual.unsettled_max) {
    text += fmt::format("unsettled_max = {}\n", limits.unsettled_max);
  }
  if (limits.backlog_share != usual.backlog_share) {
    text += fmt::format("backlog_share = {}\n", limits.backlog_share);
  }
  return text;
}

Result<KeyFolder, Error> KeyFolder::open(const fs::path& path, Missing missing) {
  if (missing == Missing::make && ::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return fail(error_of_file(path, "the folder of keys cannot be made"));
  }
  FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    return fail(Error{fmt::format("{}: there is no such folder of keys: {}; 'framefleet keys new' "
                                  "makes one",
                                  path.string(), std::strerror(errno)),
                      exit_code::kNoInput});
  }
  struct stat found {};
  if (::fstat(folder.get(), &found) != 0 || (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(
        Error{fmt::format("{}: others may enter this folder of keys: chmod 700 it", path.string()),
              exit_code::kConfig});
  }
  if (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Error{fmt::format("{}: somebody else edits these keys", path.string()),
                      exit_code::kUnavailable});
  }
  return KeyFolder(path, std::move(folder));
}

Result<bool, Error> KeyFolder::make_broker_key() {
  bool made = false;
  if (std::error_code none; !fs::exists(broker_key(), none)) {
    // A public half alone is what is left of a key that was taken away, or of a crash.
    ::unlink(broker_public().c_str());
    if (auto written =
            security::write_key_file(broker_key(), security::random_key_pair(), kBrokerComment);
        !written) {
      return fail(written.error());
    }
    made = true;
  }
  const auto pair = security::read_key_file(broker_key());
  if (!pair) return fail(pair.error());
  if (std::error_code none; !fs::exists(broker_public(), none)) {
    if (auto written = replace_file(broker_public(), public_lines({pair->public_key}), 0644);
        !written) {
      return fail(written.error());
    }
  }
  if (std::error_code none; !fs::exists(allowed(), none)) {
    if (auto written = replace_file(allowed(), kNewAllowList, 0600); !written) {
      return fail(written.error());
    }
    made = true;
  }
  return made;
}

Result<std::vector<security::PublicKey>, Error> KeyFolder::broker_keys() const {
  return security::read_public_keys(broker_public());
}

Result<access::AllowList, Error> KeyFolder::allow_list() const {
  return access::read_allow_list(allowed());
}

Result<void, Error> KeyFolder::allow(const access::Entry& entry) {
  const auto list = allow_list();
  if (!list) return fail(list.error());
  const auto* const other = list->find(entry.key);
  if (other != nullptr && other->identity != entry.identity) {
    return fail(Error{
        fmt::format("this key is that of '{}' already; a key has one identity", other->identity),
        exit_code::kConfig});
  }
  return edit(entry.identity, table_of(entry));
}

Result<void, Error> KeyFolder::revoke(const std::string& identity) {
  const auto list = allow_list();
  if (!list) return fail(list.error());
  if (list->find(identity) == nullptr) {
    return fail(
        Error{fmt::format("nobody is called '{}'; 'framefleet keys list' names them all", identity),
              exit_code::kNoInput});
  }
  return edit(identity, "");
}

/// What was written is read again before it takes the place: the table must say what is meant, and
/// the others what they said before.
Result<void, Error> KeyFolder::edit(std::string_view identity, const std::string& table) {
  const auto before = allow_list();
  if (!before) return fail(before.error());
  std::ostringstream text;
  text << std::ifstream(allowed()).rdbuf();
  const fs::path made = allowed().string() + ".new";
  if (auto written = make_anew(made, with_table(text.str(), identity, table), 0600); !written) {
    return written;
  }
  const auto after = access::read_allow_list(made);
  const auto is_kept = [&](const access::Entry& entry) {
    if (entry.identity == identity) return true;
    const auto* const found = after->find(entry.identity);
    return found != nullptr && is_same(*found, entry);
  };
  const bool was_there = before->find(identity) != nullptr;
  const auto count = before->entries().size() + (table.empty() ? 0U : 1U) - (was_there ? 1U : 0U);
  if (!after || after->entries().size() != count ||
      !std::ranges::all_of(before->entries(), is_kept)) {
    ::unlink(made.c_str());
    return fail(Error{
        fmt::format("{}: is written in a way that this cannot edit: do it by hand{}",
                    allowed().string(), after ? std::string{} : " (" + after.error().text + ")"),
        exit_code::kConfig});
  }
  return move_file(made, allowed());
}

Result<bool, Error> KeyFolder::begin_rotation() {
  bool made = false;
  if (std::error_code none; !fs::exists(next_key(), none)) {
    ::unlink(security::public_file_of(next_key()).c_str());
    const auto pair = security::random_key_pair();
    if (auto written = security::write_key_file(next_key(), pair, kBrokerComment); !written) {
      return fail(written.error());
    }
    made = true;
  }
  const auto now = security::read_key_file(broker_key());
  if (!now) return fail(now.error());
  const auto next = security::read_key_file(next_key());
  if (!next) return fail(next.error());
  const std::vector both{now->public_key, next->public_key};
  const auto known = broker_keys();
  if (known && *known == both) return made;
  if (auto written = replace_file(broker_public(), public_lines(both), 0644); !written) {
    return fail(written.error());
  }
  return true;
}

Result<bool, Error> KeyFolder::finish_rotation() {
  bool moved = false;
  if (std::error_code none; fs::exists(next_key(), none)) {
    if (const auto next = security::read_key_file(next_key()); !next) return fail(next.error());
    if (auto done = move_file(next_key(), broker_key()); !done) return fail(done.error());
    moved = true;
  }
  const auto now = security::read_key_file(broker_key());
  if (!now) return fail(now.error());
  const std::vector alone{now->public_key};
  ::unlink(security::public_file_of(next_key()).c_str());
  const auto known = broker_keys();
  if (known && *known == alone) return moved;
  if (auto written = replace_file(broker_public(), public_lines(alone), 0644); !written) {
    return fail(written.error());
  }
  return true;
}

Result<security::PublicKey, Error> replace_key_file(
    const fs::path& file,
    const std::function<Result<void, Error>(const security::PublicKey&)>& step) {
  auto next = prepare_next_key(file);
  if (!next) return next;
  if (auto stepped = step(*next); !stepped) return fail(stepped.error());
  if (auto taken = take_next_key(file); !taken) return fail(taken.error());
  return next;
}

}  // namespace framefleet::cli
