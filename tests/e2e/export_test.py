"""`framefleet export`: COCO and YOLO files, read here by their published rules and compared with
the store, box by box."""
import json
import pathlib
import re
import sqlite3
import subprocess
import unittest

from fleet import BIN, DATA, TREE, Fleet, skip_without_data
from process import PATIENCE

PICTURES = ["photos/dog.jpg", "photos/obama.jpg", "photos/chelsea.png", "exif/Landscape_6.jpg",
            "odd/gen_trunc50.jpg"]
FAILING = "odd/gen_html_named.jpg"


def export(*words):
    """Exit code, stdout, stderr."""
    ended = subprocess.run([BIN / "framefleet", "export", *map(str, words)], check=False,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=PATIENCE)
    return ended.returncode, ended.stdout, ended.stderr


def read_yolo(folder):
    """{origin: [(class name, centre x, centre y, width, height, score or None)]}, as shares."""
    names = (folder / "classes.txt").read_text().splitlines()
    pictures = {}
    for line in (folder / "pictures.txt").read_text().splitlines():
        file, origin = line.split("\t")
        boxes = []
        for row in (folder / file).read_text().splitlines():
            number, *values = row.split(" ")
            assert len(values) in (4, 5) and all(0 <= float(each) <= 1 for each in values[:4]), row
            score = float(values[4]) if len(values) == 5 else None
            boxes.append((names[int(number)], *map(float, values[:4]), score))
        pictures[origin] = boxes
    return pictures


class ExportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (DATA / "photos").is_dir():
            return  # setUp says so
        fleet = Fleet()
        fleet.__enter__()
        cls.addClassCleanup(fleet.__exit__, None, None, None)
        cls.folder = fleet.folder
        cls.results = fleet.store.folder
        # Two pictures of one name: their files cannot both be called after them.
        for name in ("a", "b"):
            (cls.folder / name).mkdir()
            (cls.folder / name / "cat.png").write_bytes((DATA / "photos/chelsea.png").read_bytes())
        pictures = [*(DATA / name for name in [*PICTURES, FAILING]), cls.folder / "a/cat.png",
                    cls.folder / "b/cat.png"]
        run = fleet.run("--detect", "faces?cascade=lbp&scale=1.3,edges?max_count=5", "--workers",
                        "2", *pictures)
        assert run.exit_code() == 3, run.text()
        with sqlite3.connect(f"file:{cls.results}/results.sqlite?mode=ro", uri=True) as store:
            cls.sizes = {origin: (width, height) for origin, width, height in store.execute(
                "SELECT origin, width, height FROM outcomes WHERE status = 'ok'")}
            cls.boxes = store.execute(
                "SELECT origin, label, score, x, y, width, height FROM v_detections").fetchall()

    def setUp(self):
        skip_without_data(self)
        self.assertEqual(len(self.sizes), len(PICTURES) + 2)
        self.assertGreater(len(self.boxes), 20)

    def test_coco(self):
        code, out, err = export(self.results)
        self.assertEqual(code, 3, err)
        self.assertIn(f"left out: {DATA / FAILING}: failed not_a_picture", err)
        self.assertIn("1 left out", err)
        coco = json.loads(out)
        self.assertEqual(set(coco), {"info", "images", "annotations", "categories"})
        images = {image["id"]: image for image in coco["images"]}
        names = {each["id"]: each["name"] for each in coco["categories"]}
        self.assertEqual(names, {1: "curve", 2: "edges", 3: "face"})
        self.assertEqual(len(images), len(coco["images"]))
        self.assertEqual({image["file_name"]: (image["width"], image["height"])
                          for image in coco["images"]}, self.sizes)
        self.assertEqual([image["file_name"] for image in coco["images"] if image.get("damaged")],
                         [str(DATA / "odd/gen_trunc50.jpg")])
        for each in coco["annotations"]:
            self.assertEqual(each["iscrowd"], 0)
            self.assertEqual(each["area"], each["bbox"][2] * each["bbox"][3])
        self.assertEqual(len({each["id"] for each in coco["annotations"]}), len(self.boxes))
        found = [(images[each["image_id"]]["file_name"], names[each["category_id"]], each["score"],
                  *each["bbox"]) for each in coco["annotations"]]
        self.assertEqual(sorted(found), sorted(self.boxes))

        results = json.loads(export(self.results, "--format", "coco-results")[1])
        self.assertEqual([{key: each[key] for key in ("image_id", "category_id", "bbox", "score")}
                          for each in coco["annotations"]], results)
        # Again, and of one detector: the same numbers for the same pictures and boxes.
        faces = json.loads(export(self.results, "--detector", "faces")[1])
        self.assertEqual(faces["images"], coco["images"])
        self.assertEqual([{**each, "category_id": 3} for each in faces["annotations"]],
                         [each for each in coco["annotations"] if each["category_id"] == 3])

    def test_yolo(self):
        folder = self.folder / "yolo"
        code, out, err = export(self.results, "--format", "yolo", "--scores", "--out", folder)
        self.assertEqual((code, out), (3, ""), err)
        pictures = read_yolo(folder)
        self.assertEqual(set(pictures), set(self.sizes))
        files = {path.name for path in (folder / "labels").iterdir()}
        self.assertEqual(len(files), len(self.sizes))
        self.assertLessEqual({"dog.txt", "obama.txt", "cat.txt"}, files)
        expected = []
        for origin, label, score, x, y, width, height in self.boxes:
            right, bottom = self.sizes[origin]
            x, y, width, height = (max(x, 0), max(y, 0), min(x + width, right) - max(x, 0),
                                   min(y + height, bottom) - max(y, 0))
            expected.append((origin, label, score, x, y, width, height))
        found = []
        for origin, boxes in pictures.items():
            across, down = self.sizes[origin]
            for label, x, y, width, height, score in boxes:
                width, height = width * across, height * down
                found.append((origin, label, score, x * across - width / 2, y * down - height / 2,
                              width, height))
        self.assertEqual(len(found), len(expected))
        for one, other in zip(sorted(found), sorted(expected)):
            self.assertEqual(one[:3], other[:3])
            for a, b in zip(one[3:], other[3:]):
                self.assertAlmostEqual(a, b, delta=0.01)

        labels = self.folder / "labels.txt"
        labels.write_text("edges\nface\ncurve\n")
        plain = self.folder / "plain"
        self.assertEqual(export(self.results, "--format", "yolo", "--out", plain, "--labels",
                                labels)[0], 3)
        self.assertEqual((plain / "classes.txt").read_text(), labels.read_text())
        self.assertEqual({origin: [box[:5] for box in boxes] for origin, boxes in pictures.items()},
                         {origin: [box[:5] for box in boxes]
                          for origin, boxes in read_yolo(plain).items()})

    def test_nothing_is_written_over_and_nothing_unknown_looks_like_nothing(self):
        file = self.folder / "coco.json"
        self.assertEqual(export(self.results, "--out", file)[0], 3)
        before = file.read_bytes()
        for words, code, said in (
                (("--out", file), 73, "it is there"),
                (("--format", "yolo", "--out", self.results), 73, "not empty"),
                (("--format", "yolo"), 78, "has to name a folder"),
                (("--job", "gone"), 66, "nothing of the job gone"),
                (("--labels", file), 64, "is no label in"),
                (("--labels", self.folder / "gone"), 66, "cannot read the labels")):
            ended, out, err = export(self.results, *words)
            self.assertEqual((ended, out), (code, ""), (words, err))
            self.assertIn(said, err)
        self.assertEqual(file.read_bytes(), before)
        self.assertEqual(export(self.folder / "gone")[0], 66)
        code, out, err = export(self.results, "--detector", "corners")
        self.assertEqual((code, json.loads(out)["images"]), (3, []))
        self.assertIn(f"{len(self.sizes)}  not looked at by this detector", err)


class OfANetwork(unittest.TestCase):
    """`objects` by a real network, through a fleet and an export, against what a reference program
    has found in the same pictures (EXPECTED.txt of the test data)."""

    PICTURES = ["dog.jpg", "person.jpg", "giraffe.jpg"]
    MODEL = "yolox_nano"
    SCORE_MIN = 0.32  # of those that are as sure as the threshold, one program may find one more
    BOX = 2.6  # the reference has rounded to whole pixels
    SCORE = 0.026  # and to hundredths

    def reference(self):
        """{picture: [(label, score, x, y, width, height)]}"""
        found = {}
        for line in (DATA / "EXPECTED.txt").read_text().splitlines():
            match = re.match(rf"{self.MODEL} (\S+) .*?ms: (.*)", line)
            if match and match.group(1) in self.PICTURES:
                found[match.group(1)] = [
                    (label, *map(float, [score, *box.split(",")])) for label, score, box
                    in re.findall(r"(\S+) (\S+) \[(.*?)\]", match.group(2))]
        return found

    def test_boxes_are_where_the_reference_has_them(self):
        skip_without_data(self)
        models = DATA.parent / "models"
        if not (models / f"{self.MODEL}.onnx").is_file():
            print(f"SKIPPED: {self.id()}: no models at {models}")
            self.skipTest("no models")
        with Fleet() as fleet:
            folder = fleet.folder / "models"
            folder.mkdir()
            for path in (models / f"{self.MODEL}.onnx", models / "coco.names",
                         TREE / "config/models/yolox.toml"):
                (folder / path.name).symlink_to(path)
            run = fleet.run("--models", folder, "--detect", "objects", "--workers", "1",
                            *(DATA / "photos" / name for name in self.PICTURES))
            self.assertEqual(run.exit_code(), 0, run.text())
            coco = json.loads(export(fleet.store.folder)[1])
            yolo = fleet.folder / "yolo"
            self.assertEqual(export(fleet.store.folder, "--format", "yolo", "--scores", "--out",
                                    yolo)[0], 0)
            images = {each["id"]: each for each in coco["images"]}
            sizes = {image["file_name"]: (image["width"], image["height"])
                     for image in images.values()}
            names = {each["id"]: each["name"] for each in coco["categories"]}
            from_coco = {pathlib.Path(name).name: [] for name in sizes}
            for each in coco["annotations"]:
                name = pathlib.Path(images[each["image_id"]]["file_name"]).name
                from_coco[name].append((names[each["category_id"]], each["score"], *each["bbox"]))
            from_yolo = {}
            for origin, boxes in read_yolo(yolo).items():
                across, down = sizes[origin]
                from_yolo[pathlib.Path(origin).name] = [
                    (label, score, (x - width / 2) * across, (y - height / 2) * down,
                     width * across, height * down) for label, x, y, width, height, score in boxes]
        reference = self.reference()
        self.assertEqual(set(reference), set(self.PICTURES))
        for name, expected in reference.items():
            for found in (from_coco[name], from_yolo[name]):
                self.compare(name, found, expected)

    def compare(self, name, found, expected):
        """Of those that are sure enough, each has its twin on the other side."""
        def twins(one, other):
            return (one[0] == other[0] and abs(one[1] - other[1]) <= self.SCORE and
                    all(abs(a - b) <= self.BOX for a, b in zip(one[2:], other[2:])))

        for these, those in ((found, expected), (expected, found)):
            for one in these:
                if one[1] >= self.SCORE_MIN:
                    self.assertTrue(any(twins(one, other) for other in those), (name, one, those))


if __name__ == "__main__":
    unittest.main()
