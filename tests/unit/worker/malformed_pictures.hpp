#pragma once
// A few thousand files that are no sound picture: bent, cut, lying, huge, or something else
// altogether. Each run makes the same ones.

#include "tests/unit/worker/picture_seeds.hpp"

#include "shared/base/reason.hpp"

#include <functional>
#include <string>
#include <vector>

namespace framefleet::test {

/// What must be decided about a file where only one answer is right; `any` where its bytes may
/// still happen to be a picture.
enum class Verdict { any, pixels, refused, not_a_picture, too_large, undecodable };

inline bool is_of_the_gate(Reason reason) {
  return reason == Reason::empty_picture || reason == Reason::not_a_picture ||
         reason == Reason::too_large_picture || reason == Reason::undecodable;
}

/// Whether a result, of whatever has decided, is what must be.
template <class Result>
bool agrees(const Result& result, Verdict verdict) {
  const auto refused_as = [&](Reason reason) { return !result && result.error().reason == reason; };
  switch (verdict) {
    case Verdict::any:
      return result.has_value() || is_of_the_gate(result.error().reason);
    case Verdict::pixels:
      return result.has_value();
    case Verdict::refused:
      return !result.has_value() && is_of_the_gate(result.error().reason);
    case Verdict::not_a_picture:
      return refused_as(Reason::not_a_picture);
    case Verdict::too_large:
      return refused_as(Reason::too_large_picture);
    case Verdict::undecodable:
      return refused_as(Reason::undecodable);
  }
  return false;
}

struct MalformedPicture {
  std::string name;  ///< What was done to what.
  std::string bytes;
  Verdict verdict{Verdict::any};
};

using TakePicture = std::function<void(const MalformedPicture&)>;

/// Thousands of small files: every seed cut at every marker, with lies about its size and about the
/// length of each of its parts, with parts lost, doubled and exchanged, with bits flipped, behind
/// another format's magic; polyglots; EXIF that bites its tail. Requires: seeds of which BMPs and
/// TIFFs are taken by whoever decides, or none of these.
void make_bent_pictures(const std::vector<Seed>& seeds, const TakePicture& take);
/// BMPs and TIFFs that lie in ways that only they can, small ones and bombs.
void make_lying_bmps_and_tiffs(const TakePicture& take);

/// Few files that promise more than they have or cost more than they weigh: thousands of scans,
/// chunks and comments, pictures as large as may be. Made one at a time: the largest take hundreds
/// of megabytes to decode.
void make_picture_bombs(const TakePicture& take);

}  // namespace framefleet::test
