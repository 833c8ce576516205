#include "cli/export_formats.hpp"

#include "shared/config/version.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <system_error>
#include <utility>

namespace framefleet::cli {
namespace fs = std::filesystem;
namespace {

using sink::StoredDetection;
using sink::StoredPicture;

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Error cannot_create(const fs::path& path, const char* why) {
  return {fmt::format("cannot create {}: {}", path.string(), why), exit_code::kCannotCreate};
}

/// Puts a comma before every entry of a list but the first.
class Commas {
 public:
  const char* next() { return std::exchange(first_, false) ? "\n" : ",\n"; }

 private:
  bool first_{true};
};

/// What every annotation has: "image_id":…,"category_id":…,"bbox":[…],"score":…
std::string found_fields(const StoredPicture& picture, const StoredDetection& found,
                         const Categories& categories) {
  const auto& category = categories.all()[categories.class_of(found.label)];
  return fmt::format(R"("image_id":{},"category_id":{},"bbox":[{},{},{},{}],"score":{})",
                     picture.id, category.coco_id, found.x, found.y, found.width, found.height,
                     found.score);
}

std::string image_entry(const StoredPicture& picture) {
  return fmt::format(R"({{"id":{},"file_name":{},"width":{},"height":{}{}}})", picture.id,
                     quoted(picture.origin), picture.width, picture.height,
                     picture.damaged ? R"(,"damaged":true)" : "");
}

/// Centre and size as shares of the picture, of what lies inside of it; "" where nothing does.
std::string yolo_line(const StoredPicture& picture, const StoredDetection& found,
                      std::size_t class_number, bool scores) {
  const auto width = static_cast<double>(picture.width);
  const auto height = static_cast<double>(picture.height);
  const double left = std::max(found.x, 0.0);
  const double top = std::max(found.y, 0.0);
  const double right = std::min(found.x + found.width, width);
  const double bottom = std::min(found.y + found.height, height);
  if (right <= left || bottom <= top) return {};
  std::string line =
      fmt::format("{} {:.7g} {:.7g} {:.7g} {:.7g}", class_number, (left + right) / 2 / width,
                  (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height);
  if (scores) fmt::format_to(std::back_inserter(line), " {}", found.score);
  return line + '\n';
}

/// A field of a table with tabs.
std::string field(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

Result<void, Error> make_empty_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(cannot_create(folder, error.message().c_str()));
  if (!fs::is_empty(folder, error) || error) {
    return fail(cannot_create(folder, "it is there, and not empty; --out names another folder"));
  }
  fs::create_directory(folder / "labels", error);
  if (error) return fail(cannot_create(folder / "labels", error.message().c_str()));
  return {};
}

/// Writes one file of labels, and answers its name: that of the picture, or where another picture
/// has it, with the sequence, or with the id.
Result<std::string, Error> write_labels(const fs::path& folder, const StoredPicture& picture,
                                        const std::string& lines) {
  for (const auto& stem : {picture.stem, fmt::format("{}-{}", picture.stem, picture.sequence),
                           fmt::format("{}-{}", picture.stem, picture.task)}) {
    auto name = stem + ".txt";
    const auto file = OutFile::create_unless_there(folder / name);
    if (!file) return fail(file.error());
    if (*file == nullptr) continue;
    (*file)->write(lines);
    if (auto closed = (*file)->close(); !closed) return fail(closed.error());
    return name;
  }
  return fail(cannot_create(folder / picture.stem, "somebody else is writing there"));
}

}  // namespace

// --- files --------------------------------------------------------------------------------------

void OutFile::Closer::operator()(std::FILE* file) const {
  if (file != stdout) std::fclose(file);
}

Result<std::unique_ptr<OutFile>, Error> OutFile::create_unless_there(const fs::path& path) {
  std::FILE* const file = path == "-" ? stdout : std::fopen(path.c_str(), "wxe");
  if (file == nullptr && errno == EEXIST) return nullptr;
  if (file == nullptr) return fail(cannot_create(path, std::strerror(errno)));
  return std::unique_ptr<OutFile>(new OutFile(path, file));
}

Result<OutFile, Error> OutFile::create(const fs::path& path) {
  auto file = create_unless_there(path);
  if (!file) return fail(file.error());
  if (*file == nullptr) {
    return fail(cannot_create(path, "it is there; --out names another file"));
  }
  return std::move(**file);
}

void OutFile::write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), file_.get());
}

Result<void, Error> OutFile::close() {
  errno = 0;
  const bool written = std::fflush(file_.get()) == 0 && std::ferror(file_.get()) == 0;
  if (written) return {};
  return fail(Error{fmt::format("cannot write {}: {}", path_.string(),
                                errno == 0 ? "an earlier write failed" : std::strerror(errno)),
                    exit_code::kDiskError});
}

// --- formats ------------------------------------------------------------------------------------

bool is_listed(const StoredPicture& picture) {
  return picture.status == to_string(Status::ok) && !picture.pruned && picture.looked;
}

Result<void, Error> write_coco(OutFile& out, sink::JobReader& reader, const Categories& categories,
                               const sink::JobReader::Visitor& unlisted) {
  out.write(fmt::format(R"({{"info":{{"description":"framefleet export","version":{}}},"images":[)",
                        quoted(std::string(config::version()))));
  Commas images;
  auto done = reader.each([&](const StoredPicture& picture) -> Result<void, Error> {
    if (!is_listed(picture)) return unlisted(picture);
    out.write(images.next() + image_entry(picture));
    return {};
  });
  if (!done) return done;
  out.write("],\n\"annotations\":[");
  Commas annotations;
  done = reader.each([&](const StoredPicture& picture) -> Result<void, Error> {
    if (!is_listed(picture)) return {};
    for (const auto& found : picture.detections) {
      out.write(fmt::format(R"({}{{"id":{},{},"area":{},"iscrowd":0}})", annotations.next(),
                            found.id, found_fields(picture, found, categories),
                            found.width * found.height));
    }
    return {};
  });
  if (!done) return done;
  out.write("],\n\"categories\":[");
  Commas entries;
  for (const auto& category : categories.all()) {
    out.write(fmt::format(R"({}{{"id":{},"name":{}}})", entries.next(), category.coco_id,
                          quoted(category.name)));
  }
  out.write("]}\n");
  return out.close();
}

Result<void, Error> write_coco_results(OutFile& out, sink::JobReader& reader,
                                       const Categories& categories,
                                       const sink::JobReader::Visitor& unlisted) {
  out.write("[");
  Commas results;
  auto done = reader.each([&](const StoredPicture& picture) -> Result<void, Error> {
    if (!is_listed(picture)) return unlisted(picture);
    for (const auto& found : picture.detections) {
      out.write(fmt::format("{}{{{}}}", results.next(), found_fields(picture, found, categories)));
    }
    return {};
  });
  if (!done) return done;
  out.write("]\n");
  return out.close();
}

Result<std::uint64_t, Error> write_yolo(const YoloOptions& options, sink::JobReader& reader,
                                        const Categories& categories,
                                        const sink::JobReader::Visitor& unlisted) {
  if (auto made = make_empty_folder(options.folder); !made) return fail(made.error());
  auto classes = OutFile::create(options.folder / "classes.txt");
  if (!classes) return fail(classes.error());
  for (const auto& category : categories.all()) classes->write(field(category.name) + '\n');
  if (auto closed = classes->close(); !closed) return fail(closed.error());

  auto pictures = OutFile::create(options.folder / "pictures.txt");
  if (!pictures) return fail(pictures.error());
  std::uint64_t outside = 0;
  const auto done = reader.each([&](const StoredPicture& picture) -> Result<void, Error> {
    if (!is_listed(picture)) return unlisted(picture);
    std::string lines;
    for (const auto& found : picture.detections) {
      const auto line = yolo_line(picture, found, categories.class_of(found.label), options.scores);
      if (line.empty()) ++outside;
      lines += line;
    }
    const auto name = write_labels(options.folder / "labels", picture, lines);
    if (!name) return fail(name.error());
    pictures->write(fmt::format("labels/{}\t{}\n", *name, field(picture.origin)));
    return {};
  });
  if (!done) return fail(done.error());
  if (auto closed = pictures->close(); !closed) return fail(closed.error());
  return outside;
}

}  // namespace framefleet::cli
