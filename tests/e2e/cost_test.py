"""`framefleet cost` prints what docs/OPERATIONS.md shows, of work that was really done, and leaves
nothing behind."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["FRAMEFLEET_BIN"]) / "framefleet"
OPERATIONS = pathlib.Path(__file__).resolve().parents[2] / "docs/OPERATIONS.md"
SECTION = re.compile(r"^### Size$(.*?)^### ", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"framefleet (cost .*) /photos$", re.MULTILINE)
OUTPUT = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURES = 30


def shape(text):
    """A text without its numbers and the widths that they ask for."""
    return [" ".join(re.sub(r"\d[\d.]*", "#", line).split()) for line in text.splitlines()]


class CostTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="framefleet-cost-")
        self.addCleanup(folder.cleanup)
        self.temporary = pathlib.Path(folder.name)

    def cost(self, *words, code=0):
        ended = subprocess.run([PROGRAM, *words], env={**os.environ, "TMPDIR": self.temporary},
                               stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=120, check=False)
        self.assertEqual(ended.returncode, code, ended.stderr)
        self.assertEqual(list(self.temporary.iterdir()), [], "left behind")
        return ended.stdout

    def test_it_prints_what_is_documented(self):
        section = SECTION.search(OPERATIONS.read_text(encoding="utf-8"))[1]
        command = COMMAND.search(section)[1].split()
        printed = self.cost(*command, "--workers", "2", f"synthetic:?count={PICTURES}&size=320x240")
        self.assertEqual(shape(printed), shape(OUTPUT.search(section)[1]))
        self.assertTrue(printed.startswith(f"{PICTURES} pictures of 0.08 megapixels"), printed)

    def test_what_it_measures_is_the_work_of_every_picture(self):
        said = json.loads(self.cost(
            "cost", "--json", "--workers", "1", "--cameras", "7", "--detect",
            "stub?sleep=20ms,edges", f"synthetic:?count={PICTURES}&size=320x240"))
        self.assertEqual((said["pictures"], said["workers"], said["cameras"]), (PICTURES, 1, 7))
        work = {part["name"]: part for part in said["work"]}
        self.assertEqual(set(work), {"decode", "edges", "stub"})
        self.assertEqual({part["pictures"] for part in work.values()}, {PICTURES})
        self.assertGreater(work["stub"]["mean_seconds"], 0.02)
        self.assertGreaterEqual(said["mean_seconds"],
                                sum(part["mean_seconds"] for part in work.values()))

    def test_where_pictures_fail_the_rest_is_measured(self):
        said = json.loads(self.cost("cost", "--json", "--detect", "stub?fail=3",
                                    f"synthetic:?count={PICTURES}&size=320x240", code=3))
        self.assertEqual(said["pictures"], PICTURES - PICTURES // 3)

    def test_where_nothing_is_worked_on_nothing_is_measured(self):
        self.assertEqual(self.cost("cost", "--detect", "stub?fail=1",
                                   "synthetic:?count=2&size=320x240", code=66), "")
        self.assertEqual(self.cost("cost", "--detect", "nothing", "synthetic:?count=2", code=64),
                         "")


if __name__ == "__main__":
    unittest.main()
