#include "worker/detectors/stub.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace framefleet::worker {
namespace {

/// How soon a sleeping or hanging stub sees that it was abandoned.
constexpr std::chrono::milliseconds kPoll{5};

constexpr int kExitCode = 9;
constexpr std::size_t kBite = std::size_t{16} << 20U;
constexpr std::size_t kEatenMax = std::size_t{4} << 30U;

/// Strikes at every `every`th sequence (never if 0) and at sequence `at` (none if -1).
struct Fault {
  std::int64_t every;
  std::int64_t at;

  bool strikes(std::uint64_t sequence) const {
    const bool by_count = every > 0 && (sequence + 1) % static_cast<std::uint64_t>(every) == 0;
    return by_count || (at >= 0 && sequence == static_cast<std::uint64_t>(at));
  }
};

class Stub final : public Detector {
 public:
  explicit Stub(const Options& options)
      : sleep_(options.time("sleep")),
        fail_{options.integer("fail"), options.integer("fail_at")},
        crash_{options.integer("crash"), options.integer("crash_at")},
        exit_{options.integer("exit"), options.integer("exit_at")},
        hang_{options.integer("hang"), options.integer("hang_at")},
        eat_{options.integer("eat"), options.integer("eat_at")},
        fail_attempts_(options.integer("fail_attempts")),
        decode_(options.choice("decode") == "yes") {}

  Needs needs() const override { return {.pixels = decode_}; }

  Result<Found, DetectError> detect(const DetectInput& input) override {
    const bool armed = fail_attempts_ == 0 || input.attempt <= fail_attempts_;
    if (armed && crash_.strikes(input.sequence)) std::abort();
    if (armed && exit_.strikes(input.sequence)) std::_Exit(kExitCode);
    const bool hangs = armed && hang_.strikes(input.sequence);
    if (armed && eat_.strikes(input.sequence)) eat();
    wait(hangs ? Duration::max() : sleep_, input.observer);
    if (armed && fail_.strikes(input.sequence)) {
      return fail(DetectError{
          Reason::detector_error,
          fmt::format("detector \"stub\" was told to fail at sequence {}", input.sequence)});
    }
    Found found;
    found.detections.push_back(
        {"stub",
         1,
         {0, 0, static_cast<float>(input.picture.width), static_cast<float>(input.picture.height)},
         fmt::format(R"({{"sequence":{},"attempt":{}}})", input.sequence, input.attempt)});
    return found;
  }

 private:
  /// Takes memory until there is no more, or kEatenMax of it.
  static void eat() {
    std::vector<std::unique_ptr<char[]>> eaten;
    for (std::size_t taken = 0; taken < kEatenMax; taken += kBite) {
      eaten.push_back(std::make_unique<char[]>(kBite));
    }
  }

  static void wait(Duration total, const StageObserver& observer) {
    const auto begin = std::chrono::steady_clock::now();
    while (!observer.abandoned()) {
      const auto left = total - (std::chrono::steady_clock::now() - begin);
      if (left <= Duration::zero()) return;
      std::this_thread::sleep_for(std::min<Duration>(left, kPoll));
    }
  }

  Duration sleep_;
  Fault fail_;
  Fault crash_;
  Fault exit_;
  Fault hang_;
  Fault eat_;
  std::int64_t fail_attempts_;
  bool decode_;
};

Result<std::unique_ptr<Detector>, Error> make(const Options& options, const DetectorSettings&) {
  return std::make_unique<Stub>(options);
}

}  // namespace

DetectorKind stub_kind() {
  constexpr double kSequenceMax = 9e15;
  return {"stub",
          1,
          "for tests: finds the picture itself, after the faults it is asked for",
          {{"sleep", OptionType::time, "0ms", 0, 600, "", {}, "time to take"},
           {"fail",
            OptionType::integer,
            "0",
            0,
            1e9,
            "",
            {},
            "fail at every Nth picture (sequence N-1, 2N-1, ...); 0: never"},
           {"fail_at",
            OptionType::integer,
            "-1",
            -1,
            kSequenceMax,
            "",
            {},
            "fail at this sequence; -1: none"},
           {"crash", OptionType::integer, "0", 0, 1e9, "", {}, "abort the process at every Nth"},
           {"crash_at",
            OptionType::integer,
            "-1",
            -1,
            kSequenceMax,
            "",
            {},
            "abort the process at this sequence"},
           {"exit", OptionType::integer, "0", 0, 1e9, "", {}, "end the process at every Nth"},
           {"exit_at",
            OptionType::integer,
            "-1",
            -1,
            kSequenceMax,
            "",
            {},
            "end the process at this sequence"},
           {"hang", OptionType::integer, "0", 0, 1e9, "", {}, "never return at every Nth"},
           {"hang_at",
            OptionType::integer,
            "-1",
            -1,
            kSequenceMax,
            "",
            {},
            "never return at this sequence"},
           {"eat", OptionType::integer, "0", 0, 1e9, "", {}, "take 4 GiB of memory at every Nth"},
           {"eat_at",
            OptionType::integer,
            "-1",
            -1,
            kSequenceMax,
            "",
            {},
            "take 4 GiB of memory at this sequence"},
           {"fail_attempts",
            OptionType::integer,
            "0",
            0,
            1000,
            "",
            {},
            "faults strike at attempts 1 to N only; 0: at every attempt"},
           {"decode",
            OptionType::choice,
            "yes",
            0,
            0,
            "",
            {"yes", "no"},
            "no: the picture's header is checked and nothing decoded"}},
          make};
}

}  // namespace framefleet::worker
