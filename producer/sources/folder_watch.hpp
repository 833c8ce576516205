#pragma once
// What comes into a folder and its sub-folders, each file when it is complete: closed by whoever
// wrote it, or moved there. Files that are there already when a folder is first looked at are
// complete unless somebody has them open for writing; their closing is then waited for. Where the
// kernel does not tell (files of other users, without CAP_LEASE; some network file systems) a file
// is complete when two looks, two seconds apart, find the same size and modification time.
//
// A new sub-folder is watched first and searched then, so that nothing that is put into it
// meanwhile is missed; a file can be reported twice, as it was. When the kernel's queue overflows
// everything is searched again. Names, hidden files and links as in file_search.hpp. Machines that
// write to a network file system are not heard of: inotify knows what this machine does. Memory: a
// path per folder, and per file that is not complete yet. Threads: one. Errors: results.

#include "producer/sources/file_io.hpp"
#include "producer/sources/file_search.hpp"
#include "producer/sources/plan.hpp"

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

struct inotify_event;

namespace framefleet::producer {

/// What stands in both was removed first and came again then.
struct FolderNews {
  std::vector<FoundFile> complete;
  std::vector<std::string> gone;          ///< Files that were removed or moved away.
  std::vector<std::string> gone_folders;  ///< With all that was below them.
};

/// Whether `path` is `folder` or below it.
bool is_below(const std::string& path, const std::string& folder);

class FolderWatch {
 public:
  /// Watches nothing yet. Errors: 66 no folder, 69 the kernel gives no watch.
  static Result<FolderWatch, Error> open(std::string folder);

  /// Watches and searches everything: the files that are complete. `now` as in news().
  Result<std::vector<FoundFile>, Error> search(Skipped& skipped, Time now);

  int fd() const { return inotify_.get(); }
  /// When a file that may be complete is looked at again.
  Time look_at() const;
  /// What happened since the last call, a bounded part of it (fd() stays readable then). After an
  /// error (66: the folder itself is gone) there will be no news.
  Result<FolderNews, Error> news(Skipped& skipped, Time now);

 private:
  explicit FolderWatch(std::string folder) : folder_(std::move(folder)) {}

  struct Look {
    FoundFile as_it_was;
    Time due_at{};
  };

  Result<void, Error> search_below(const std::string& folder, Skipped& skipped, Time now,
                                   std::vector<FoundFile>& complete);
  bool watch(const std::string& folder);
  void forget_below(const std::string& folder);
  Result<void, Error> take_up(const inotify_event& event, std::string_view name, Skipped& skipped,
                              Time now, FolderNews& news);
  void take_up_file(std::string path, std::uint32_t what, FolderNews& news);
  void look_again(Time now, std::vector<FoundFile>& complete);

  std::string folder_;
  FileDescriptor inotify_;
  std::map<int, std::string> folders_;  // by watch
  std::map<std::string, Look> looks_;   // files of which the kernel does not say who writes them
  int error_{0};                        // of the last folder that could not be watched
};

}  // namespace framefleet::producer
