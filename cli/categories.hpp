#pragma once
// Labels as classes of a data set: which number COCO and YOLO files give to each.
//
// In this order: the lines of a file of labels, if one is given; the 80 classes of COCO, if every
// label is one of them (Darknet's spellings count: "sofa" is COCO's "couch"); the labels
// themselves, in the order of their bytes. Pure but for reading that file. Threads: any.

#include "shared/base/result.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::cli {

struct Category {
  int coco_id{0};  ///< From 1; of COCO's own classes as COCO has it, 1 to 90 with gaps.
  std::string name;
};

class Categories {
 public:
  /// `labels`: those that are there. `file`: one label a line, "" for none. Errors: 66 it cannot be
  /// read; 64 a label does not stand in it, or it has none, or too many.
  static Result<Categories, Error> choose(const std::vector<std::string>& labels,
                                          const std::filesystem::path& file);

  /// By class: YOLO's number of a category is its place here.
  const std::vector<Category>& all() const { return all_; }
  /// Requires: one of the labels that it was chosen for.
  std::size_t class_of(const std::string& label) const { return classes_.at(label); }

 private:
  explicit Categories(const std::vector<std::string>& names);
  static Categories of_coco();

  std::vector<Category> all_;
  std::map<std::string, std::size_t, std::less<>> classes_;
};

}  // namespace framefleet::cli
