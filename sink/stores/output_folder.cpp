#include "sink/stores/output_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>

namespace framefleet::sink {

Result<OutputFolder, Error> OutputFolder::claim(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return fail(Error{fmt::format("cannot create the output folder {}: {}; choose another one",
                                  folder.string(), error.message()),
                      exit_code::kCannotCreate});
  }
  auto lock = File::open(folder / "results.lock", O_RDWR | O_CREAT);
  if (!lock) {
    return fail(Error{fmt::format("cannot write to the output folder {}: {}; choose another one",
                                  folder.string(), lock.error().text),
                      exit_code::kCannotCreate});
  }
  if (!lock->try_lock()) {
    return fail(Error{fmt::format("another sink is writing to {}; stop it first or choose another "
                                  "output folder",
                                  folder.string()),
                      exit_code::kUnavailable});
  }
  return OutputFolder(folder, std::move(*lock));
}

}  // namespace framefleet::sink
