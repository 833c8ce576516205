#include "tests/golden/metrics_document.hpp"

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

namespace framefleet::test {
namespace {

const std::regex kComment{R"(# (HELP|TYPE) ([a-z_]+) (.*))"};
const std::regex kSample{R"(([a-z_]+)(?:\{(.*)\})? (\S+))"};
const std::regex kLabel{R"re(([a-z_]+)="((?:[^"\\]|\\.)*)")re"};
const std::regex kRow{R"(\| `([a-z_]+)` \| (\w+) \| (\w+) \| (.*?) ?\| (.*) \|)"};
const std::regex kRowLabel{R"(`([a-z_]+)`(?: = ([^;]*))?)"};

std::map<std::string, std::set<std::string>> row_labels(const std::string& cell) {
  std::map<std::string, std::set<std::string>> labels;
  for (std::sregex_iterator match{cell.begin(), cell.end(), kRowLabel}, end; match != end;
       ++match) {
    std::istringstream values{(*match)[2].str()};
    auto& known = labels[(*match)[1]];
    for (std::string value; std::getline(values >> std::ws, value, ',');) known.insert(value);
  }
  return labels;
}

bool is_number(const std::string& text) {
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

/// The family a sample belongs to: a histogram's samples have endings of their own.
std::string family_of(const std::string& sample, const MetricsText& parsed) {
  for (const std::string ending : {"_bucket", "_sum", "_count"}) {
    if (!sample.ends_with(ending)) continue;
    const auto name = sample.substr(0, sample.size() - ending.size());
    const auto family = parsed.families.find(name);
    if (family != parsed.families.end() && family->second.type == "histogram") return name;
  }
  return sample;
}

void take_comment(const std::smatch& match, MetricsText& parsed) {
  auto& family = parsed.families[match[2]];
  auto& field = match[1] == "HELP" ? family.help : family.type;
  if (!field.empty()) parsed.faults.push_back(match[2].str() + ": " + match[1].str() + " twice");
  field = match[3];
}

void take_sample(const std::smatch& match, MetricsText& parsed) {
  const auto name = family_of(match[1], parsed);
  const auto family = parsed.families.find(name);
  if (family == parsed.families.end()) {
    parsed.faults.push_back(match[0].str() + ": no family's sample");
    return;
  }
  if (family->second.type.empty()) parsed.faults.push_back(name + ": no TYPE before its samples");
  if (!is_number(match[3])) parsed.faults.push_back(match[0].str() + ": no number");
  ++family->second.samples;
  const std::string labels = match[2];
  for (std::sregex_iterator label{labels.begin(), labels.end(), kLabel}, end; label != end;
       ++label) {
    if ((*label)[1] != "le") family->second.labels[(*label)[1]].insert((*label)[2]);
  }
}

}  // namespace

MetricsText parse_metrics_text(const std::string& text) {
  MetricsText parsed;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kComment)) {
      take_comment(match, parsed);
    } else if (std::regex_match(line, match, kSample)) {
      take_sample(match, parsed);
    } else {
      parsed.faults.push_back(line + ": not a line of the format");
    }
  }
  for (const auto& [name, family] : parsed.families) {
    if (family.help.empty()) parsed.faults.push_back(name + ": no HELP");
  }
  return parsed;
}

std::map<std::string, std::map<std::string, MetricFamily>> read_metrics_document(
    const std::string& file) {
  std::map<std::string, std::map<std::string, MetricFamily>> sections;
  std::ifstream lines{file};
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (line.starts_with("## ")) {
      section = line.substr(3);
    } else if (std::regex_match(line, match, kRow)) {
      const std::string meaning = match[5];
      const auto sentence_end = meaning.find(". ");
      MetricFamily row;
      row.type = match[2];
      row.unit = match[3];
      row.labels = row_labels(match[4]);
      row.help = sentence_end == std::string::npos ? meaning : meaning.substr(0, sentence_end + 1);
      sections[section][match[1]] = row;
    }
  }
  return sections;
}

}  // namespace framefleet::test
