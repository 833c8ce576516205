#pragma once
// What makes a batch run resumable: which sequence was given to which file, on disk before the
// first picture is submitted.
//
// One job is two files in the manifest folder: JOB.manifest (the numbering) and JOB.lock (flock:
// two producers cannot number one job at once; the lock goes with the process that dies). A save
// replaces the manifest as a whole (write, fsync, rename, fsync of the folder), so a crash leaves
// the old one or the new one; what comes while a source is watched is appended (the line of the
// source again, with its new NEXT_SEQUENCE, and the new files) and synced. Lines, fields separated
// by tabs, bytes below 0x20 and '\' written as \xNN:
//
//   framefleet manifest 1
//   source  EPOCH  NEXT_SEQUENCE  KEY  NAME          KEY: what was named, canonical
//   SEQUENCE  SIZE  MTIME_NS  PATH                   of that source, increasing; PATH is absolute
//
// Rules: a file of the same size and modification time keeps its sequence; a changed or a new one
// gets the next number of its source; a file that is not there keeps its number for the day it
// comes back. A source that is no list of files (video, synthetic camera) has one line; a change of
// it makes a new epoch. NEXT_SEQUENCE never falls and a new source takes a fresh epoch, so an id is
// never used for two pictures, not even where a manifest was cut short (whole lines count, a torn
// last one is dropped) or deleted: the worst that can happen is that a picture is worked on again.
// Threads: one. Errors: results (69 locked, 73 cannot create, 74 disk or damaged).

#include "producer/sources/file_io.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace framefleet::producer {

/// A file as it was when it got its sequence.
struct FileState {
  std::string path;  ///< Absolute.
  std::uint64_t size{0};
  std::int64_t mtime_ns{0};

  friend bool operator==(const FileState&, const FileState&) = default;
};

/// The numbers of one source: sequences[i] belongs to the i-th file asked for.
struct SourceNumbers {
  std::string name;
  std::uint32_t epoch{0};
  std::vector<std::uint64_t> sequences;
};

/// What becomes of the number of a file that is not there: a watched folder, where files come and
/// go for months, must not remember all that ever were.
enum class Absent : std::uint8_t { keeps_its_number, is_forgotten };

class Manifest {
 public:
  /// Remembers nothing, saves nothing: every source is numbered from 0 in its fresh epoch.
  Manifest() = default;

  /// Takes the job's lock and reads what an earlier run wrote. `folder` is created where it is
  /// missing; `job` is a file name (PlanOptions::job).
  static Result<Manifest, Error> open(const std::filesystem::path& folder, const std::string& job);

  /// Numbers the files of a source. `key` identifies the source within the job; `name` and
  /// `fresh_epoch` are used where the manifest does not know it yet (a name that another source has
  /// gets a suffix). No path may stand in `files` twice.
  SourceNumbers number_files(const std::string& key, const std::string& name,
                             std::uint32_t fresh_epoch, std::vector<FileState> files,
                             Absent absent = Absent::keeps_its_number);

  /// Name and epoch of a source that numbers its pictures itself (sequences stays empty).
  SourceNumbers number_whole(const std::string& key, const std::string& name,
                             std::uint32_t fresh_epoch, const FileState& state);

  /// Gives each of `files` the next number of a source that number_files() knows, whatever it was
  /// called before; they are on disk when it returns. After an error (74) none is given.
  Result<std::vector<std::uint64_t>, Error> append(const std::string& key,
                                                   const std::vector<FileState>& files);

  /// Writes what changed; the numbers given out before are on disk when it returns.
  Result<void, Error> save();

  /// For a manifest that is saved: append() alone works from here on, and the lock is held.
  void let_go_of_files();

 private:
  struct Numbered {
    std::uint64_t sequence{0};
    FileState state;
  };
  struct Section {
    std::string name;
    std::uint32_t epoch{0};
    std::uint64_t next_sequence{0};
    std::vector<Numbered> files;  // increasing sequences
  };

  Section& section_of(const std::string& key, const std::string& name, std::uint32_t fresh_epoch);
  bool name_is_taken(const std::string& name) const;
  Result<void, Error> parse(std::string_view text);
  static bool parse_source_line(std::string_view line, std::string& key, Section& section);
  static bool parse_file_line(std::string_view line, Section& section);
  std::string written() const;
  static std::string source_line(const std::string& key, const Section& section);
  static std::string file_line(std::uint64_t sequence, const FileState& state);

  std::filesystem::path path_;  // empty: remembers nothing
  FileDescriptor lock_;
  std::map<std::string, Section> sections_;
  bool changed_{false};
};

}  // namespace framefleet::producer
