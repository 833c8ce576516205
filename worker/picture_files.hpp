#pragma once
// The files of a worker that looks at pictures once: those it reads, and those that it writes what
// was made of them to. Threads: one. Errors: sentences that name the file; 66 it cannot be read, 73
// it cannot be written, 64 it would be a picture that is read.

#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

/// That it is a file which can be opened, and no folder or pipe.
Result<void, Error> check_readable(const std::filesystem::path& path);
/// The file, or its first `bytes_max` + 1 bytes, which is too much for whoever looks at them.
Result<std::string, Error> read_picture(const std::filesystem::path& path, std::uint64_t bytes_max);

/// Where annotated and other made pictures go, and under which names.
class MadeFiles {
 public:
  /// `annotated` is the file of the one picture; of several, or where it is a folder or ends with a
  /// slash, the folder of their files. `made` is the folder of all others, each in a sub-folder of
  /// its kind. Either may be empty: nothing is written. `sources` are never written over.
  MadeFiles(std::filesystem::path annotated, std::filesystem::path made,
            std::vector<std::filesystem::path> sources);

  struct Made {
    std::string_view kind;
    std::string_view extension;
    std::string_view bytes;
  };
  /// Writes what was made of source number `source`, and says where: "" where it is not wanted. An
  /// older file of that name is replaced; where two of this run would have one name, the later gets
  /// a number.
  Result<std::string, Error> write(std::size_t source, const Made& picture);

 private:
  std::filesystem::path free_name(const std::filesystem::path& folder, const std::string& stem,
                                  std::string_view extension);
  Result<void, Error> write_file(const std::filesystem::path& path, std::string_view bytes) const;

  std::filesystem::path annotated_;
  std::filesystem::path made_;
  std::vector<std::filesystem::path> sources_;
  std::set<std::filesystem::path> taken_;
};

}  // namespace framefleet::worker
