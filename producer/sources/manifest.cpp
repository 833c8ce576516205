#include "producer/sources/manifest.hpp"

#include "producer/sources/source_name.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/failpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>

namespace framefleet::producer {

namespace {

constexpr std::string_view kFirstLine = "framefleet manifest 1";
constexpr std::uint64_t kManifestBytesMax = 4ULL << 30U;

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || c == '\\') {
      result += fmt::format("\\x{:02X}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

template <class Integer>
std::optional<Integer> number(std::string_view text, int base = 10) {
  Integer value{};
  const auto* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    if (text.front() != '\\') {
      result += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 4 || text[1] != 'x') return std::nullopt;
    const auto byte = number<std::uint8_t>(text.substr(2, 2), 16);
    if (!byte) return std::nullopt;
    result += static_cast<char>(*byte);
    text.remove_prefix(4);
  }
  return result;
}

/// The fields of a line, of which there must be exactly N.
template <std::size_t N>
std::optional<std::array<std::string_view, N>> fields(std::string_view line) {
  std::array<std::string_view, N> result;
  for (std::size_t i = 0; i < N; ++i) {
    const auto tab = line.find('\t');
    if ((tab == std::string_view::npos) != (i + 1 == N)) return std::nullopt;
    result[i] = line.substr(0, tab);
    if (i + 1 < N) line.remove_prefix(tab + 1);
  }
  return result;
}

Result<FileDescriptor, Error> lock(const std::filesystem::path& path, const std::string& job) {
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) {
    return fail(Error{fmt::format("cannot create {}: {}", path.string(), system_reason(errno)),
                      exit_code::kCannotCreate});
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return fail(Error{fmt::format("cannot lock {}: {}", path.string(), system_reason(errno)),
                        exit_code::kDiskError});
    }
    const auto holder = read_file(path.string(), 32);
    const auto pid = holder ? number<int>(holder->bytes) : std::nullopt;
    return fail(Error{
        fmt::format("job {} is already being worked on by {}: wait for it to end, or give this "
                    "run another job",
                    job, pid ? fmt::format("process {}", *pid) : "another process"),
        exit_code::kUnavailable});
  }
  // Whose lock it is serves the message above only; the lock holds without it.
  const auto pid = fmt::format("{}", ::getpid());
  [[maybe_unused]] const bool noted =
      ::ftruncate(fd.get(), 0) == 0 && ::write(fd.get(), pid.data(), pid.size()) >= 0;
  return fd;
}

}  // namespace

Result<Manifest, Error> Manifest::open(const std::filesystem::path& folder,
                                       const std::string& job) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return fail(
        Error{fmt::format("cannot create the folder {}: {}", folder.string(), error.message()),
              exit_code::kCannotCreate});
  }
  auto held = lock(folder / (job + ".lock"), job);
  if (!held) return fail(held.error());
  Manifest manifest;
  manifest.lock_ = std::move(*held);
  manifest.path_ = folder / (job + ".manifest");
  if (!std::filesystem::exists(manifest.path_, error)) return manifest;

  const auto contents = read_file(manifest.path_.string(), kManifestBytesMax);
  if (!contents) {
    return fail(Error{fmt::format("cannot read {}: {}", manifest.path_.string(), contents.error()),
                      exit_code::kDiskError});
  }
  if (auto parsed = manifest.parse(contents->bytes); !parsed) return fail(parsed.error());
  return manifest;
}

bool Manifest::parse_source_line(std::string_view line, std::string& key, Section& section) {
  const auto field = fields<5>(line);
  if (!field || (*field)[0] != "source") return false;
  const auto epoch = number<std::uint32_t>((*field)[1]);
  const auto next = number<std::uint64_t>((*field)[2]);
  auto source_key = unescaped((*field)[3]);
  auto name = unescaped((*field)[4]);
  if (!epoch || !next || !source_key || !name || name->empty()) return false;
  key = std::move(*source_key);
  section.name = std::move(*name);
  section.epoch = *epoch;
  section.next_sequence = *next;
  return true;
}

bool Manifest::parse_file_line(std::string_view line, Section& section) {
  const auto field = fields<4>(line);
  if (!field) return false;
  const auto sequence = number<std::uint64_t>((*field)[0]);
  const auto size = number<std::uint64_t>((*field)[1]);
  const auto mtime_ns = number<std::int64_t>((*field)[2]);
  auto path = unescaped((*field)[3]);
  if (!sequence || !size || !mtime_ns || !path || *sequence >= section.next_sequence) return false;
  if (!section.files.empty() && section.files.back().sequence >= *sequence) return false;
  section.files.push_back({*sequence, {std::move(*path), *size, *mtime_ns}});
  return true;
}

Result<void, Error> Manifest::parse(std::string_view text) {
  Section* section = nullptr;
  for (std::uint64_t line_number = 1;; ++line_number) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      changed_ = !text.empty();  // a torn line, which nothing may be appended to
      return {};
    }
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    bool good = false;
    if (line_number == 1) {
      good = line == kFirstLine;
    } else if (line.substr(0, 7) == "source\t") {
      std::string key;
      Section read;
      good = parse_source_line(line, key, read);
      if (good) {
        section = &sections_.try_emplace(std::move(key), read).first->second;
        good = section->name == read.name && section->epoch == read.epoch &&
               section->next_sequence <= read.next_sequence;
        section->next_sequence = read.next_sequence;
      }
    } else if (section != nullptr) {
      good = parse_file_line(line, *section);
    }
    if (!good) {
      return fail(Error{fmt::format("{}: line {} is damaged; delete the file to have every picture "
                                    "of the job worked on again",
                                    path_.string(), line_number),
                        exit_code::kDiskError});
    }
  }
}

bool Manifest::name_is_taken(const std::string& name) const {
  return std::any_of(sections_.begin(), sections_.end(),
                     [&](const auto& entry) { return entry.second.name == name; });
}

Manifest::Section& Manifest::section_of(const std::string& key, const std::string& name,
                                        std::uint32_t fresh_epoch) {
  if (const auto found = sections_.find(key); found != sections_.end()) return found->second;
  Section section;
  section.name = name;
  section.epoch = fresh_epoch;
  for (int copy = 2; name_is_taken(section.name); ++copy) {
    section.name = source_name({}, fmt::format("{}~{}", name, copy));
  }
  changed_ = true;
  return sections_.emplace(key, std::move(section)).first->second;
}

SourceNumbers Manifest::number_files(const std::string& key, const std::string& name,
                                     std::uint32_t fresh_epoch, std::vector<FileState> files,
                                     Absent absent) {
  auto& section = section_of(key, name, fresh_epoch);
  std::unordered_map<std::string_view, std::size_t> known;
  known.reserve(section.files.size());
  for (std::size_t i = 0; i < section.files.size(); ++i) known[section.files[i].state.path] = i;

  SourceNumbers numbers{section.name, section.epoch, {}};
  numbers.sequences.reserve(files.size());
  std::vector<Numbered> added;
  std::vector<bool> dropped(section.files.size(), absent == Absent::is_forgotten);
  for (auto& file : files) {
    const auto found = known.find(file.path);
    if (found != known.end() && section.files[found->second].state == file) {
      dropped[found->second] = false;
      numbers.sequences.push_back(section.files[found->second].sequence);
      continue;
    }
    if (found != known.end()) dropped[found->second] = true;
    added.push_back({section.next_sequence++, std::move(file)});
    numbers.sequences.push_back(added.back().sequence);
  }
  if (added.empty() && std::find(dropped.begin(), dropped.end(), true) == dropped.end()) {
    return numbers;
  }

  changed_ = true;
  std::vector<Numbered> kept;
  kept.reserve(section.files.size() + added.size());
  for (std::size_t i = 0; i < section.files.size(); ++i) {
    if (!dropped[i]) kept.push_back(std::move(section.files[i]));
  }
  std::move(added.begin(), added.end(), std::back_inserter(kept));
  section.files = std::move(kept);
  return numbers;
}

SourceNumbers Manifest::number_whole(const std::string& key, const std::string& name,
                                     std::uint32_t fresh_epoch, const FileState& state) {
  auto& section = section_of(key, name, fresh_epoch);
  const bool is_new = section.next_sequence == 0;
  if (!section.files.empty() && section.files.front().state == state) {
    return {section.name, section.epoch, {}};
  }
  if (!is_new) {  // changed, or its line was torn off
    FRAMEFLEET_ASSERT(section.epoch < std::numeric_limits<std::uint32_t>::max());
    section.epoch = std::max(section.epoch + 1, fresh_epoch);
  }
  section.next_sequence = 1;
  section.files.assign(1, {0, state});
  changed_ = true;
  return {section.name, section.epoch, {}};
}

std::string Manifest::source_line(const std::string& key, const Section& section) {
  return fmt::format("source\t{}\t{}\t{}\t{}\n", section.epoch, section.next_sequence, escaped(key),
                     escaped(section.name));
}

std::string Manifest::file_line(std::uint64_t sequence, const FileState& state) {
  return fmt::format("{}\t{}\t{}\t{}\n", sequence, state.size, state.mtime_ns, escaped(state.path));
}

std::string Manifest::written() const {
  std::string text = fmt::format("{}\n", kFirstLine);
  for (const auto& [key, section] : sections_) {
    text += source_line(key, section);
    for (const auto& file : section.files) text += file_line(file.sequence, file.state);
  }
  return text;
}

Result<std::vector<std::uint64_t>, Error> Manifest::append(const std::string& key,
                                                           const std::vector<FileState>& files) {
  auto& section = sections_.at(key);
  std::vector<std::uint64_t> sequences;
  std::string lines;
  for (const auto& file : files) {
    sequences.push_back(section.next_sequence++);  // not given again, whatever fails below
    lines += file_line(sequences.back(), file);
  }
  if (path_.empty()) return sequences;
  if (auto done = append_to_file(path_, source_line(key, section) + lines); !done) {
    return fail(done.error());
  }
  return sequences;
}

void Manifest::let_go_of_files() {
  for (auto& [key, section] : sections_) section.files = {};
}

Result<void, Error> Manifest::save() {
  if (path_.empty() || !changed_) return {};
  failpoint("manifest.before");
  if (auto saved = replace_file(path_, written()); !saved) return saved;
  failpoint("manifest.after");
  changed_ = false;
  return {};
}

}  // namespace framefleet::producer
