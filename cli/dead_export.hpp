#pragma once
// Fetches a dead letter with its pictures, and writes them to files. Threads: one. Errors: those of
// OperatorClient; 66 no picture is kept; 73 the file exists or cannot be created; 74 disk error.

#include "cli/dead_letters.hpp"
#include "cli/operator_client.hpp"

#include "shared/base/result.hpp"
#include "shared/base/task_id.hpp"
#include "shared/transport/frame.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace framefleet::cli {

struct ExportedLetter {
  DeadLetter letter;
  std::vector<transport::Frame> pictures;  ///< As the task had them; at least one.
};

/// `meanwhile`: as for OperatorClient::ask().
Result<ExportedLetter, Error> fetch_dead_letter(OperatorClient& client, const TaskId& task,
                                                const OperatorClient::Meanwhile& meanwhile = {});

/// Writes a file that is not there yet, to the disk. On an error nothing is left of it.
Result<void, Error> write_new_file(const std::filesystem::path& path, std::string_view bytes);

/// Writes the first picture to `to` ("": file_name_for()), others beside it as `to`.2, `to`.3, …,
/// and prints the names.
Result<int, Error> export_dead_letter(const OperatorOptions& options, const TaskId& task,
                                      std::filesystem::path to);

}  // namespace framefleet::cli
