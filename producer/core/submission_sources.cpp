// The part of the producer's core that is about cameras: sources that come and go.

#include "producer/core/submission.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::producer {
namespace {

/// `sources` that is not answered for so long is sent again: it may have been lost.
constexpr Duration kAnswerTimeout = std::chrono::seconds{1};

}  // namespace

std::size_t Submission::add_camera(SourceClaim claim, TaskClass task_class) {
  auto place = std::ranges::find(sources_, Kind::free, &Source::kind);
  if (place == sources_.end()) place = sources_.insert(place, Source{});
  Source source;
  source.outline = {claim.name, claim.hash, claim.epoch, claim.interval, task_class, false};
  source.claim = std::move(claim);
  source.kind = Kind::camera;
  source.named_in = ++sources_number_;
  *place = std::move(source);
  return static_cast<std::size_t>(place - sources_.begin());
}

void Submission::remove_camera(std::size_t index, Effects& out) {
  auto& source = sources_.at(index);
  FRAMEFLEET_ASSERT(source.kind == Kind::camera);
  source.kind = Kind::leaving;
  source.exhausted = true;
  for (auto position = tasks_.begin(); position != tasks_.end();) {
    const auto current = position++;
    const bool is_held = current->second.state == State::held && !current->second.counted;
    if (current->second.ref.source == index && is_held) skip(current, out);
  }
  ++sources_number_;
}

void Submission::set_condition(std::size_t index, CameraCondition condition) {
  auto& source = sources_.at(index);
  if (source.condition == condition) return;
  source.condition = std::move(condition);
  ++sources_number_;
}

bool Submission::wants_frame(std::size_t index, Time now) const {
  const auto& source = sources_.at(index);
  const bool is_named = source.kind == Kind::camera && source.named_in <= sources_taken_;
  if (!is_named || draining_ || !link_.up()) return false;
  if (unanswered_tasks_ >= link_.welcome().grant_tasks) return false;
  if (source.is_live()) return !source.live.newest && may_send_live(source.live, now);
  return source.patience.waiting.empty() && to_send_.empty() && has_room();
}

/// All that the broker is to know. One that leaves is ours until its frames have ended; the same
/// name again is one source, and the later epoch.
std::vector<SourceClaim> Submission::claims(Time now) const {
  std::vector<SourceClaim> all;
  for (const auto& source : sources_) {
    if (source.kind == Kind::free || source.claim.name.empty()) continue;
    const bool is_back = std::ranges::any_of(sources_, [&source](const Source& other) {
      return other.kind == Kind::camera && other.outline.hash == source.outline.hash;
    });
    if (source.kind == Kind::leaving && is_back) continue;
    auto claim = source.claim;
    if (source.kind == Kind::camera && !source.condition.state.empty()) {
      claim.state = source.condition.state;
      claim.state_text = source.condition.text;
      claim.state_for = std::max(Duration::zero(), now - source.condition.since);
    }
    all.push_back(std::move(claim));
  }
  return all;
}

void Submission::free_the_left() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    auto& source = sources_[i];
    if (source.kind != Kind::leaving || source.tasks > 0) continue;
    source = {};
    source.kind = Kind::free;
    source.exhausted = true;
    ++sources_number_;
  }
}

/// One at a time: what changes meanwhile goes with the next.
void Submission::tell_sources(Time now, Effects& out) {
  const bool is_answered = sources_told_ <= sources_taken_;
  if (sources_taken_ == sources_number_ || (!is_answered && now < tell_again_at_)) return;
  sources_told_ = sources_number_;
  tell_again_at_ = now + kAnswerTimeout;
  out.push_back(Send{Sources{sources_told_, claims(now)}});
}

}  // namespace framefleet::producer
