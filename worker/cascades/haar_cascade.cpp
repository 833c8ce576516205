#include "worker/cascades/haar_cascade.hpp"

#include <opencv2/core.hpp>

#include <cstddef>

namespace framefleet::worker {
namespace {

/// cv::CascadeClassifier asks for this much less than a stage's threshold.
constexpr float kThresholdSlack = 1e-5F;

/// As they are written: a child's number where positive, else that of a leaf, negated.
struct WrittenNode {
  int below{0};
  int above{0};
  int feature{0};
  float threshold{0};
};

using Rects = std::array<HaarRect, 3>;

bool lies_in(const HaarRect& rect, const HaarCascade& window) {
  return rect.x >= 0 && rect.y >= 0 && rect.width > 0 && rect.height > 0 &&
         rect.width <= window.width - rect.x && rect.height <= window.height - rect.y;
}

std::optional<Rects> read_feature(const cv::FileNode& feature, const HaarCascade& window) {
  const cv::FileNode written = feature["rects"];
  Rects rects;
  if (static_cast<int>(feature["tilted"]) != 0) return std::nullopt;
  if (written.size() < 2 || written.size() > rects.size()) return std::nullopt;
  std::size_t count = 0;
  for (const auto& each : written) {
    if (each.size() != 5) return std::nullopt;
    auto& rect = rects.at(count++);
    auto number = each.begin();
    number >> rect.x >> rect.y >> rect.width >> rect.height >> rect.weight;
    if (!lies_in(rect, window)) return std::nullopt;
  }
  return rects;
}

std::optional<std::vector<Rects>> read_features(const cv::FileNode& written,
                                                const HaarCascade& window) {
  std::vector<Rects> features;
  for (const auto& each : written) {
    auto rects = read_feature(each, window);
    if (!rects) return std::nullopt;
    features.push_back(*rects);
  }
  return features;
}

std::vector<WrittenNode> written_nodes(const cv::FileNode& numbers) {
  std::vector<WrittenNode> nodes(numbers.size() / 4);
  auto next = numbers.begin();
  for (auto& node : nodes) next >> node.below >> node.above >> node.feature >> node.threshold;
  return nodes;
}

/// The leaf, and nothing where the number is that of no leaf. 0 for a child, whose place it is.
std::optional<float> leaf_of(int number, const std::vector<float>& leaves) {
  if (number > 0) return 0.0F;
  const auto index = static_cast<std::size_t>(-static_cast<long>(number));
  if (index >= leaves.size()) return std::nullopt;
  return leaves[index];
}

std::optional<HaarNode> node_of(const WrittenNode& written, const std::vector<Rects>& features,
                                const std::vector<float>& leaves) {
  if (written.feature < 0 || static_cast<std::size_t>(written.feature) >= features.size()) {
    return std::nullopt;
  }
  const auto below = leaf_of(written.below, leaves);
  const auto above = leaf_of(written.above, leaves);
  if (!below || !above) return std::nullopt;
  return HaarNode{features[static_cast<std::size_t>(written.feature)], written.threshold, *below,
                  *above};
}

std::optional<HaarTree> read_tree(const cv::FileNode& written, const std::vector<Rects>& features) {
  const auto nodes = written_nodes(written["internalNodes"]);
  std::vector<float> leaves;
  for (const auto& leaf : written["leafValues"]) leaves.push_back(static_cast<float>(leaf));
  if (nodes.empty() || nodes.size() > 2) return std::nullopt;
  const auto root = node_of(nodes[0], features, leaves);
  if (!root) return std::nullopt;
  HaarTree tree{HaarTree::Shape::stump, *root, {}};
  const bool below = nodes[0].below > 0;
  const bool above = nodes[0].above > 0;
  if (nodes.size() == 1) return below || above ? std::nullopt : std::optional(tree);
  // One branch leads to the second node, and from there to leaves alone.
  if (below == above || std::max(nodes[0].below, nodes[0].above) != 1) return std::nullopt;
  if (nodes[1].below > 0 || nodes[1].above > 0) return std::nullopt;
  const auto child = node_of(nodes[1], features, leaves);
  if (!child) return std::nullopt;
  tree.shape = below ? HaarTree::Shape::child_below : HaarTree::Shape::child_above;
  tree.child = *child;
  return tree;
}

std::optional<HaarStage> read_stage(const cv::FileNode& written,
                                    const std::vector<Rects>& features) {
  HaarStage stage;
  stage.threshold = static_cast<float>(written["stageThreshold"]) - kThresholdSlack;
  for (const auto& each : written["weakClassifiers"]) {
    auto tree = read_tree(each, features);
    if (!tree) return std::nullopt;
    stage.trees.push_back(*tree);
  }
  if (stage.trees.empty()) return std::nullopt;
  return stage;
}

std::optional<HaarCascade> read_root(const cv::FileNode& root) {
  if (static_cast<std::string>(root["stageType"]) != "BOOST" ||
      static_cast<std::string>(root["featureType"]) != "HAAR") {
    return std::nullopt;
  }
  HaarCascade cascade{static_cast<int>(root["width"]), static_cast<int>(root["height"]), {}};
  // Contrast is that of the window without a margin of one pixel: there has to be something left.
  if (cascade.width < 3 || cascade.width > kHaarSideMax) return std::nullopt;
  if (cascade.height < 3 || cascade.height > kHaarSideMax) return std::nullopt;
  const auto features = read_features(root["features"], cascade);
  if (!features) return std::nullopt;
  for (const auto& each : root["stages"]) {
    auto stage = read_stage(each, *features);
    if (!stage) return std::nullopt;
    cascade.stages.push_back(std::move(*stage));
  }
  if (cascade.stages.empty()) return std::nullopt;
  return cascade;
}

}  // namespace

std::optional<HaarCascade> read_haar_cascade(const std::string& text) {
  try {
    const cv::FileStorage storage(text, cv::FileStorage::READ | cv::FileStorage::MEMORY);
    if (!storage.isOpened()) return std::nullopt;
    return read_root(storage.getFirstTopLevelNode());
  } catch (const cv::Exception&) {
    return std::nullopt;
  }
}

}  // namespace framefleet::worker
