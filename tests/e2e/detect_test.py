"""`framefleet detect`: what a fleet would have found and stored, without a fleet."""
import json
import pathlib
import subprocess
import tempfile
import unittest

from fleet import BIN, DATA, Fleet, skip_without_data
from process import PATIENCE

# What takes time, or belongs to a fleet.
NOT_COMPARED = {"worked", "decode", "annotate", "elapsed", "sequence", "path"}


def detect(*words):
    """Exit code, stdout, stderr."""
    ended = subprocess.run([BIN / "framefleet", "detect", *map(str, words)],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=PATIENCE, check=False)
    return ended.returncode, ended.stdout, ended.stderr


def comparable(value):
    """Without what may differ between two times that the same was done."""
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in value.items() if key not in NOT_COMPARED}
    return [comparable(each) for each in value] if isinstance(value, list) else value


class DetectTest(unittest.TestCase):
    def setUp(self):
        skip_without_data(self)
        temporary = tempfile.TemporaryDirectory(prefix="framefleet-detect-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def lines_of_a_run(self, pictures, specs):
        """results.ndjson of `framefleet run` by origin."""
        with Fleet() as fleet:
            run = fleet.run("--detect", specs, "--annotate", "--workers", "1", *pictures)
            self.assertIn(run.exit_code(), (0, 3))
            text = (fleet.store.folder / "results.ndjson").read_text(encoding="utf-8")
        return {line["origin"]: line for line in map(json.loads, text.splitlines())}

    def test_it_says_what_a_fleet_stores(self):
        pictures = [DATA / "photos/dog.jpg", DATA / "photos/chelsea.png",
                    DATA / "odd/gen_trunc50.jpg", DATA / "odd/gen_html_named.jpg"]
        specs = "edges?max_count=3,corners?max_count=5,people"
        stored = self.lines_of_a_run(pictures, specs)
        for isolation in ("process", "none"):
            code, out, err = detect(*pictures, "--detect", specs, "--json", "--isolation",
                                    isolation, "--annotated", f"{self.folder}/annotated/")
            self.assertEqual(code, 3, err)
            lines = [json.loads(line) for line in out.splitlines()]
            self.assertEqual([line["origin"] for line in lines], list(map(str, pictures)))
            for line in lines:
                of_store = {key: stored[line["origin"]][key] for key in line}
                if line["status"] != "ok":  # a fleet's words are those of its last attempt
                    of_store["attempts"] = 1
                self.assertEqual(comparable(line), comparable(of_store))
            self.assertIn("gen_html_named.jpg: not_a_picture: text or HTML", err)
        self.assertEqual(sorted(path.name for path in (self.folder / "annotated").iterdir()),
                         ["chelsea.jpg", "dog.jpg", "gen_trunc50.jpg"])

    def test_what_detectors_make_is_written_where_it_is_told(self):
        made = self.folder / "made"
        code, out, err = detect(DATA / "photos/dog.jpg", DATA / "photos/dog.jpg", "--detect",
                                "blend", "--second", DATA / "photos/chelsea.png", "--made", made)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(sorted(path.name for path in (made / "blend").iterdir()),
                         ["dog-1.jpg", "dog.jpg"])
        self.assertIn(f"{made}/blend/dog.jpg\n", out)

    def test_a_picture_that_kills_its_process_hurts_itself_alone(self):
        code, out, err = detect(DATA / "photos/dog.jpg", DATA / "photos/person.jpg", "--detect",
                                "stub?crash_at=0", "--json")
        self.assertEqual(code, 3, err)
        self.assertEqual([json.loads(line)["reason"] for line in out.splitlines()],
                         ["child_crashed", "none"])

    def test_what_cannot_be_done_is_said_with_the_right_code(self):
        dog = DATA / "photos/dog.jpg"
        copy = self.folder / "copy.jpg"
        copy.write_bytes(dog.read_bytes())
        for words, code, said in (
                ((self.folder / "gone.jpg",), 66, "gone.jpg: No such file"),
                ((self.folder,), 66, "it is a folder; framefleet run takes folders"),
                ((dog, "--detect", "edgs"), 64, 'there is no detector "edgs"'),
                ((dog, "--detect", "edges?low=x"), 64, "option low=x is not accepted"),
                ((dog, "--detect", "faces?cascade=gone"), 64, "option cascade=gone"),
                ((dog, "--models", self.folder / "gone"), 66, "name a folder of model files"),
                ((dog, "--json", "--quiet"), 78, "exclude each other"),
                ((copy, "--detect", "edges", "--annotated", copy), 64, "is not written over"),
                ((dog, "--detect", "edges", "--annotated", "/proc/none/a.jpg"), 73,
                 "cannot write /proc/none/a.jpg"),
                ((), 64, "file")):
            ended, out, err = detect(*words)
            self.assertEqual((ended, out), (code, ""), (words, err))
            self.assertIn(said, err)
        self.assertEqual(copy.read_bytes(), dog.read_bytes())

    def test_quiet_is_quiet(self):
        self.assertEqual(detect(DATA / "photos/dog.jpg", "--detect", "edges", "--quiet"),
                         (0, "", ""))


if __name__ == "__main__":
    unittest.main()
