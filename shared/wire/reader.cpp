#include "shared/wire/reader.hpp"

#include "shared/wire/slug.hpp"
#include "shared/wire/utf8.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace framefleet::wire {

void Reader::payload(Payload& payload, const Range& frames) {
  payload = Payload{};
  if (frames.min > 0) {
    must("frames", payload.frames, frames);
  } else {
    may("frames", payload.frames, frames);
  }
  if (trail_.failed()) return;
  const Trail::Step step(trail_, "frames");
  if (payload.frames > frame_bytes_.size()) {
    return trail_.fail(fmt::format("{} promised, {} left", payload.frames, frame_bytes_.size()));
  }
  const auto taken = frame_bytes_.first(payload.frames);
  payload.bytes = std::accumulate(taken.begin(), taken.end(), std::uint64_t{0});
  frame_bytes_ = frame_bytes_.subspan(payload.frames);
}

void Reader::check(bool holds, std::string_view key, std::string_view why) {
  if (holds || trail_.failed()) return;
  const Trail::Step step(trail_, key);
  trail_.fail(why);
}

void Reader::finish() {
  if (trail_.failed() || frame_bytes_.empty()) return;
  trail_.fail(fmt::format("{} payload frames belong to no entry", frame_bytes_.size()));
}

bool Reader::enter(const Node& node) {
  if (node.kind != Node::Kind::map) {
    trail_.fail("is not a map");
    return false;
  }
  map_ = &node;
  next_ = &node + 1;
  return true;
}

const Node* Reader::find(std::string_view key) {
  const auto* const first = map_ + 1;
  const auto* const end = after(*map_);
  const auto search = [&](const Node* from, const Node* to) -> const Node* {
    for (const auto* at = from; at != to; at = after(at[1])) {
      if (at->view() != key) continue;
      next_ = after(at[1]);
      return at + 1;
    }
    return nullptr;
  };
  const auto* const start = next_;
  if (const auto* const found = search(start, end)) return found;
  return search(first, start);
}

void Reader::take(const Node& node, bool& value, Plain) {
  if (node.kind != Node::Kind::flag) return trail_.fail("is not true or false");
  value = node.positive != 0;
}

void Reader::take(const Node& node, float& value, Plain) {
  double number = 0;
  if (node.kind == Node::Kind::real) {
    number = node.real;
  } else if (node.kind == Node::Kind::positive) {
    number = static_cast<double>(node.positive);
  } else if (node.kind == Node::Kind::negative) {
    number = static_cast<double>(node.negative);
  } else {
    return trail_.fail("is not a number");
  }
  constexpr double kMax = std::numeric_limits<float>::max();
  if (!(std::abs(number) <= kMax)) return trail_.fail("is not a finite number");
  value = static_cast<float>(number);
}

void Reader::take(const Node& node, Box& box, Plain) {
  if (!is_list(node, 4, 4)) return;
  const auto* at = &node + 1;
  for (auto* side : {&box.x, &box.y, &box.width, &box.height}) {
    take(*at, *side, Plain{});
    at = after(*at);
  }
}

void Reader::take(const Node& node, TaskId& id, Plain) {
  const auto text = text_of(node, kNameBytesMax);
  const auto parsed = parse_task_id(text);
  if (!parsed) return trail_.fail(fmt::format("'{}' is not a task id", clip_utf8(text, 64)));
  id = *parsed;
}

void Reader::take(const Node& node, LeaseId& lease, Plain) {
  if (!is_list(node, 2, 2)) return;
  const auto* const incarnation = &node + 1;
  take(*incarnation, lease.incarnation, Range{});
  take(*after(*incarnation), lease.counter, Range{});
}

void Reader::take(const Node& node, VersionRange& versions, Plain) {
  if (!is_list(node, 2, 2)) return;
  const auto* const min = &node + 1;
  take(*min, versions.min, kVersion);
  take(*after(*min), versions.max, kVersion);
  if (versions.min > versions.max) trail_.fail("min is over max");
}

void Reader::take(const Node& node, std::string& text, const Text& rule) {
  const auto view = text_of(node, rule.bytes_max);
  if (view.size() < rule.bytes_min) return trail_.fail("is empty");
  text = view;
}

void Reader::take(const Node& node, std::string& text, const Prose& rule) {
  text = text_of(node, rule.bytes_max);
}

void Reader::take(const Node& node, std::string& text, Slug) {
  const auto view = text_of(node, kNameBytesMax);
  if (!is_slug(view)) return trail_.fail(kNoSlug);
  text = view;
}

void Reader::take(const Node& node, std::string& bytes, const Bytes& rule) {
  if (node.kind != Node::Kind::bytes) return trail_.fail("is not bin");
  if (node.count < rule.bytes_min) return trail_.fail("is empty");
  if (node.count > rule.bytes_max) {
    return trail_.fail(fmt::format("{} bytes, over {}", node.count, rule.bytes_max));
  }
  bytes = node.view();
}

void Reader::take(const Node& node, Duration& value, Millis) {
  value = duration_of(node, std::chrono::milliseconds{1});
}

void Reader::take(const Node& node, Duration& value, Micros) {
  value = duration_of(node, std::chrono::microseconds{1});
}

std::string_view Reader::text_of(const Node& node, std::size_t bytes_max) {
  if (node.kind != Node::Kind::text) {
    trail_.fail("is not text");
    return {};
  }
  if (node.count > bytes_max) {
    trail_.fail(fmt::format("{} bytes, over {}", node.count, bytes_max));
    return {};
  }
  if (!is_utf8(node.view())) {
    trail_.fail("is not UTF-8");
    return {};
  }
  return node.view();
}

std::uint64_t Reader::whole_of(const Node& node, const Range& rule) {
  if (node.kind == Node::Kind::negative) {
    trail_.fail("is negative");
  } else if (node.kind != Node::Kind::positive) {
    trail_.fail("is not an integer");
  } else if (node.positive < rule.min) {
    trail_.fail(fmt::format("{} is under {}", node.positive, rule.min));
  } else if (node.positive > rule.max) {
    trail_.fail(fmt::format("{} is over {}", node.positive, rule.max));
  } else {
    return node.positive;
  }
  return rule.min;
}

Duration Reader::duration_of(const Node& node, Duration unit) {
  const auto max = static_cast<std::uint64_t>(kDurationMax / unit);
  return unit * static_cast<Duration::rep>(whole_of(node, Range{max}));
}

bool Reader::is_list(const Node& node, std::size_t min, std::size_t max) {
  if (node.kind != Node::Kind::list) {
    trail_.fail("is not a list");
  } else if (node.count < min) {
    trail_.fail(fmt::format("{} items, under {}", node.count, min));
  } else if (node.count > max) {
    trail_.fail(fmt::format("{} items, over {}", node.count, max));
  } else {
    return true;
  }
  return false;
}

void Reader::fail_word(std::string_view word) {
  trail_.fail(fmt::format("'{}' is no word of this field", clip_utf8(word, 64)));
}

}  // namespace framefleet::wire
