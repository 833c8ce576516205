#include "cli/dead_export.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/base/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace framefleet::cli {
namespace fs = std::filesystem;

Result<ExportedLetter, Error> fetch_dead_letter(OperatorClient& client, const TaskId& task,
                                                const OperatorClient::Meanwhile& meanwhile) {
  Control control;
  control.verb = ControlVerb::dead_export;
  control.tasks = {task};
  auto answer = client.demand(std::move(control), meanwhile);
  if (!answer) return fail(std::move(answer.error()));
  auto letters = parse_dead_letters(answer->document);
  if (!letters) return fail(Error{std::move(letters.error())});
  if (letters->empty() || answer->frames.empty()) {
    return fail(Error{fmt::format("the store keeps no picture of {} any more", to_string(task)),
                      exit_code::kNoInput});
  }
  return ExportedLetter{std::move(letters->front()), std::move(answer->frames)};
}

Result<void, Error> write_new_file(const fs::path& path, std::string_view bytes) {
  constexpr mode_t kMode = 0666;
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (!file) {
    return fail(Error{fmt::format("cannot create {}: {}{}", path.string(), std::strerror(errno),
                                  errno == EEXIST ? "; --to names another file" : ""),
                      exit_code::kCannotCreate});
  }
  int error = write_all(file.get(), bytes);
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(path.c_str());
  return fail(Error{fmt::format("cannot write {}: {}", path.string(), std::strerror(error)),
                    exit_code::kDiskError});
}

Result<int, Error> export_dead_letter(const OperatorOptions& options, const TaskId& task,
                                      fs::path to) {
  auto client = OperatorClient::open(options);
  if (!client) return fail(std::move(client.error()));
  const auto exported = fetch_dead_letter(**client, task);
  if (!exported) return fail(exported.error());
  const auto& pictures = exported->pictures;
  if (to.empty()) to = file_name_for(exported->letter, pictures.front().text());
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const fs::path path = i == 0 ? to : fs::path(fmt::format("{}.{}", to.string(), i + 1));
    if (auto written = write_new_file(path, pictures[i].text()); !written) {
      return fail(std::move(written.error()));
    }
    fmt::print("{}\n", path.string());
  }
  return exit_code::kOk;
}

}  // namespace framefleet::cli
