#include "cli/dead_letters.hpp"

#include "cli/humane.hpp"
#include "cli/json_reading.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace framefleet::cli {
namespace {

using Json = nlohmann::ordered_json;

Result<Json, std::string> parsed(const std::string& document) {
  auto json = Json::parse(document, nullptr, false);
  if (json.is_object()) return json;
  return fail(std::string("the sink's answer is no JSON object; are all of one version?"));
}

DeadLetter letter_of(const Json& json) {
  DeadLetter letter;
  letter.task = text(json, "task");
  letter.origin = text(json, "origin");
  letter.source = text(json, "source");
  letter.job = text(json, "job");
  letter.reason = text(json, "reason");
  letter.text = text(json, "text");
  letter.stored_at = text(json, "stored_at");
  letter.worker = text(json, "worker");
  letter.build = text(json, "build");
  letter.revived_from = text(json, "revived_from");
  letter.revived_as = text(json, "revived_as");
  letter.attempts = count(json, "attempts").value_or(0);
  letter.bytes = count(json, "bytes").value_or(0);
  letter.bytes_dropped = count(json, "bytes_dropped").value_or(0);
  letter.detect = texts(json, "detect");
  letter.annotate = flag(json, "annotate");
  letter.captured_at_ms = static_cast<std::int64_t>(count(json, "captured_at_ms").value_or(0));
  const Json history = object(json, "history");
  for (const Json& each : history.is_array() ? history : Json::array()) {
    letter.history.push_back({count(each, "attempt").value_or(0), text(each, "worker"),
                              text(each, "reason"), text(each, "text")});
  }
  return letter;
}

std::string kept(const DeadLetter& letter) {
  if (letter.bytes > 0) return humane_bytes(static_cast<double>(letter.bytes));
  return letter.bytes_dropped > 0 ? "dropped" : "none";
}

/// "" where the bytes begin like no format that workers read.
std::string_view extension_of(std::string_view picture) {
  using namespace std::string_view_literals;
  constexpr std::size_t kRiffFormatAt = 8;
  constexpr std::array kBeginnings{
      std::pair{"\xFF\xD8\xFF"sv, ".jpg"sv}, std::pair{"\x89PNG\r\n\x1A\n"sv, ".png"sv},
      std::pair{"BM"sv, ".bmp"sv},           std::pair{"II*\0"sv, ".tif"sv},
      std::pair{"MM\0*"sv, ".tif"sv},        std::pair{"GIF8"sv, ".gif"sv}};
  if (picture.starts_with("RIFF") && picture.size() > kRiffFormatAt &&
      picture.substr(kRiffFormatAt).starts_with("WEBP")) {
    return ".webp";
  }
  const auto* const found =
      std::find_if(kBeginnings.begin(), kBeginnings.end(),
                   [&](const auto& each) { return picture.starts_with(each.first); });
  return found == kBeginnings.end() ? ""sv : found->second;
}

/// A file's name that is safe to create in the current folder, and says what kind of file it is.
bool is_file_name(std::string_view name) {
  const auto dot = name.rfind('.');
  const bool has_extension = dot != std::string_view::npos && dot > 0 && dot + 1 < name.size();
  return has_extension && name.front() != '.' && name.front() != '-' && name.size() <= 200 &&
         printable(std::string(name)) == name &&
         name.find_first_of("#?*\\:") == std::string_view::npos;
}

}  // namespace

Result<std::vector<DeadLetter>, std::string> parse_dead_letters(const std::string& document) {
  const auto json = parsed(document);
  if (!json) return fail(json.error());
  const Json rows = object(*json, "dead_letters");
  std::vector<DeadLetter> letters;
  for (const Json& row : rows.is_array() ? rows : Json::array()) letters.push_back(letter_of(row));
  return letters;
}

std::string render_dead_letters(const std::vector<DeadLetter>& letters) {
  if (letters.empty()) return "no dead letters\n";
  Table table({{"TASK", Align::left, 60},
               {"REASON", Align::left, 17},
               {"PICTURE"},
               {"ORIGIN", Align::left, 20}});
  for (const auto& letter : letters) {
    table.add({letter.task, letter.reason, letter.revived_as.empty() ? kept(letter) : "revived",
               letter.origin.substr(letter.origin.rfind('/') + 1)});
  }
  return table.render();
}

std::string render_dead_letter(const DeadLetter& letter) {
  std::string out;
  const auto line = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<10}{}\n", name, printable(value));
  };
  line("task", letter.task);
  line("origin", letter.origin);
  line("source", letter.source);
  line("job", letter.job);
  line("reason", letter.reason);
  line("text", letter.text);
  line("detect", fmt::format("{}", fmt::join(letter.detect, ",")));
  line("worker", letter.worker);
  line("build", letter.build);
  line("stored", letter.stored_at);
  line("picture", kept(letter));
  line("revived", letter.revived_as.empty() ? "" : "as " + letter.revived_as);
  line("from", letter.revived_from);
  line("attempts", std::to_string(letter.attempts));
  for (const auto& each : letter.history) {
    line("", fmt::format("{}. on {}: {}{}{}", each.attempt, each.worker, each.reason,
                         each.text.empty() ? "" : ": ", each.text));
  }
  return out;
}

std::string file_name_for(const DeadLetter& letter, std::string_view picture) {
  const std::string name = letter.origin.substr(letter.origin.rfind('/') + 1);
  if (is_file_name(name)) return name;
  return letter.task + std::string(extension_of(picture));
}

}  // namespace framefleet::cli
