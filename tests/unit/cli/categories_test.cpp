// The numbers that COCO and YOLO files give to labels.

#include "cli/categories.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <fstream>

namespace framefleet::cli {
namespace {

TEST_CASE("COCO's labels have COCO's numbers, with their gaps") {
  const auto coco = Categories::choose({"dog", "person"}, "");
  REQUIRE(coco);
  REQUIRE(coco->all().size() == 80);
  const auto id_of = [&](const char* label) { return coco->all()[coco->class_of(label)].coco_id; };
  // From COCO's own instances_val2017.json.
  CHECK(id_of("person") == 1);
  CHECK(id_of("fire hydrant") == 11);
  CHECK(id_of("stop sign") == 13);
  CHECK(id_of("dog") == 18);
  CHECK(id_of("backpack") == 27);
  CHECK(id_of("handbag") == 31);
  CHECK(id_of("wine glass") == 46);
  CHECK(id_of("dining table") == 67);
  CHECK(id_of("toilet") == 70);
  CHECK(id_of("tv") == 72);
  CHECK(id_of("book") == 84);
  CHECK(id_of("toothbrush") == 90);
  CHECK(coco->class_of("person") == 0);
  CHECK(coco->class_of("dog") == 16);
  CHECK(coco->class_of("toothbrush") == 79);
  // Darknet's spellings.
  CHECK(id_of("sofa") == id_of("couch"));
  CHECK(id_of("tvmonitor") == 72);
  CHECK(id_of("aeroplane") == 5);
  CHECK(Categories::choose({"motorbike", "pottedplant", "diningtable"}, "")->all().size() == 80);
}

TEST_CASE("labels that are not all COCO's are numbered in their order") {
  const auto own = Categories::choose({"dog", "face"}, "");
  REQUIRE(own);
  REQUIRE(own->all().size() == 2);
  CHECK(own->all()[0].name == "dog");
  CHECK(own->all()[0].coco_id == 1);
  CHECK(own->all()[1].coco_id == 2);
  CHECK(own->class_of("face") == 1);
  CHECK(Categories::choose({}, "")->all().empty());
}

TEST_CASE("a file of labels decides, and has to know them all") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "labels.txt";
  std::ofstream(file) << "cat\r\nface\ndog\n\n";
  const auto chosen = Categories::choose({"dog"}, file);
  REQUIRE(chosen);
  CHECK(chosen->all().size() == 3);
  CHECK(chosen->class_of("dog") == 2);
  CHECK(chosen->all()[0].name == "cat");
  CHECK(chosen->all()[2].coco_id == 3);
  const auto unknown = Categories::choose({"dog", "cow"}, file);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().exit_code == exit_code::kUsage);
  CHECK(unknown.error().text.find("\"cow\" was found, and is no label in") == 0);
  CHECK(Categories::choose({"dog"}, folder.path() / "gone").error().exit_code ==
        exit_code::kNoInput);
  std::ofstream(folder.path() / "empty.txt") << "\n";
  CHECK_FALSE(Categories::choose({}, folder.path() / "empty.txt"));
}

}  // namespace
}  // namespace framefleet::cli
