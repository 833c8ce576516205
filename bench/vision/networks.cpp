#include "bench/vision/networks.hpp"

#include "worker/detectors/registry.hpp"
#include "worker/models.hpp"
#include "worker/networks/input.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/figures/quantiles.hpp"
#include "bench/vision/contest.hpp"
#include "bench/vision/pictures.hpp"
#include "bench/vision/runners.hpp"

namespace framefleet::bench {
namespace {

using worker::Backend;

constexpr int kPictures = 4;
constexpr int kWidth = 1280;
constexpr int kHeight = 720;
constexpr std::array kBackends{Backend::opencv, Backend::onnxruntime};

/// What OpenCV takes of a picture by this model: a network of any size takes the picture's own.
PlainNetwork plain_network(const worker::Model& model) {
  constexpr int kStep = 32;  // what every network here is pleased with
  const auto placement = worker::place(kWidth, kHeight, model.network->input, kStep);
  return {model.path, model.network->structure_path, placement.canvas.width,
          placement.canvas.height};
}

void print_network(const worker::Model& model, const Load& pictures, double seconds,
                   int repetitions) {
  Load load = pictures;
  load.detectors = {model.detector};
  std::vector<Contestant> all;
  std::vector<std::string> absent;
  const auto plain = plain_network(model);
  if (auto loop = make_network_loop(load, plain)) {
    all.push_back({"plain loop by opencv", 1, std::move(*loop)});
  } else {
    absent.push_back("plain loop by opencv: " + loop.error());
  }
  std::array<Load, kBackends.size()> loads;
  for (std::size_t i = 0; i < kBackends.size(); ++i) {
    worker::Model one = model;
    one.network->backend = kBackends[i];
    const std::string name = fmt::format("our decode plan, {}", to_string(kBackends[i]));
    if (const auto trial = worker::try_model(one); !trial) {
      absent.push_back(name + ": " + trial.error().text);
      continue;
    }
    loads[i] = load;
    loads[i].models = {one};
    all.push_back({name, 1, make_plan_loops(loads[i], 1)});
  }
  take_turns(all, seconds, repetitions);
  fmt::print("\n{} by {}, {}x{}\n", model.detector, model.name, plain.width, plain.height);
  fmt::print("{:<32}{:>12}{:>9}{:>10}{:>12}\n", "", "pictures/s", "/ plain", "CPU ms",
             "detections");
  for (const auto& each : all) {
    fmt::print("{:<32}{:>12.2f}{:>9.2f}{:>10.2f}{:>12}\n", each.name, median(each.paces),
               pace_ratio(each, all.front()), median(each.cpu_ms), each.detections);
  }
  for (const auto& each : absent) fmt::print("{}\n", each);
  std::fflush(stdout);
}

}  // namespace

bool print_networks(const std::filesystem::path& models, double seconds, int repetitions) {
  const auto files = worker::read_model_files(models);
  if (!files) {
    fmt::print(stderr, "{}\n", files.error().text);
    return false;
  }
  Load load;
  for (int i = 0; i < kPictures; ++i) {
    load.pictures.push_back(make_picture(kWidth, kHeight, i));
  }
  for (const auto& file : *files) {
    const auto model = worker::load_model(file);
    const bool boxes = file.model.detector == "objects" || file.model.detector == "faces";
    if (!model) {
      fmt::print("\n{}: {}\n", file.model.name, model.error().text);
    } else if (model->network && boxes) {
      print_network(*model, load, seconds, repetitions);
    }
  }
  return true;
}

}  // namespace framefleet::bench
