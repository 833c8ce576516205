#include "sink/stores/picture_writer.hpp"

#include "sink/stores/file.hpp"
#include "sink/stores/text.hpp"

#include "shared/base/failpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

namespace framefleet::sink {
namespace fs = std::filesystem;

std::string choose_picture_path(const Artefact& artefact, std::string_view origin,
                                const TaskId& task,
                                const std::function<bool(const std::string&)>& taken) {
  constexpr std::size_t kKindBytesMax = 32;
  constexpr std::size_t kExtensionBytesMax = 8;
  const auto kind = safe_word(artefact.kind, kKindBytesMax);
  const auto extension = safe_word(artefact.extension, kExtensionBytesMax);
  const auto stem = picture_stem(origin);
  const auto path = [&](const std::string& name) {
    return fmt::format("{}/{}.{}", kind, name, extension);
  };
  for (const auto& name : {stem, fmt::format("{}-{}", stem, task.sequence),
                           fmt::format("{}-{}", stem, to_string(task))}) {
    if (!taken(path(name))) return path(name);
  }
  // Ends: only pictures that are stored, or about to be, are taken.
  for (int number = 2;; ++number) {
    auto numbered = path(fmt::format("{}-{}-{}", stem, to_string(task), number));
    if (!taken(numbered)) return numbered;
  }
}

PictureWriter::PictureWriter(fs::path folder) : folder_(std::move(folder)) { clear_incoming(); }

Result<void, StoreError> PictureWriter::write(std::span<const PictureFile> pictures) {
  constexpr std::size_t kOpenFilesMax = 64;
  for (std::size_t from = 0; from < pictures.size(); from += kOpenFilesMax) {
    const auto some = pictures.subspan(from, std::min(kOpenFilesMax, pictures.size() - from));
    failpoint("store.pictures.before");
    auto written = write_incoming(some);
    if (written) {
      failpoint("store.pictures.synced");
      written = put_in_place(some);
    }
    if (!written) {
      clear_incoming();
      return written;
    }
    failpoint("store.pictures.after");
  }
  return {};
}

Result<void, StoreError> PictureWriter::remove(const std::string& path) {
  std::error_code error;
  fs::remove(folder_ / path, error);
  if (error) return fail(file_error("remove", folder_ / path, error.value()));
  return {};
}

Result<void, StoreError> PictureWriter::write_incoming(std::span<const PictureFile> pictures) {
  std::error_code error;
  fs::create_directory(folder_ / kIncomingFolder, error);
  if (error) return fail(file_error("create", folder_ / kIncomingFolder, error.value()));
  std::vector<File> files;
  files.reserve(pictures.size());
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    auto file = File::open(incoming(i), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (!file) return fail(file.error());
    if (const auto done = file->write_at(0, pictures[i].bytes); !done) return done;
    files.push_back(std::move(*file));
  }
  failpoint("store.pictures.written");
  // Together they cost one commit of the file system's journal and not one each.
  constexpr std::size_t kSyncTogetherMin = 8;
  if (files.size() >= kSyncTogetherMin) return files.front().sync_file_system();
  for (auto& file : files) {
    if (const auto done = file.sync(); !done) return done;
  }
  return {};
}

Result<void, StoreError> PictureWriter::put_in_place(std::span<const PictureFile> pictures) {
  std::set<fs::path> folders;
  bool new_folder = false;
  std::error_code error;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto path = folder_ / pictures[i].path;
    if (folders.insert(path.parent_path()).second) {
      new_folder |= fs::create_directory(path.parent_path(), error);
      if (error) return fail(file_error("create", path.parent_path(), error.value()));
    }
    fs::rename(incoming(i), path, error);
    if (error) return fail(file_error("write", path, error.value()));
  }
  failpoint("store.pictures.renamed");
  for (const auto& folder : folders) {
    if (const auto done = sync_folder(folder); !done) return done;
  }
  return new_folder ? sync_folder(folder_) : Result<void, StoreError>{};
}

void PictureWriter::clear_incoming() {
  std::error_code ignored;  // What cannot be removed now is overwritten or removed later.
  fs::remove_all(folder_ / kIncomingFolder, ignored);
}

fs::path PictureWriter::incoming(std::size_t number) const {
  return folder_ / kIncomingFolder / fmt::format("{}", number);
}

}  // namespace framefleet::sink
