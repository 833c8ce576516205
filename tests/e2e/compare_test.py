"""`framefleet compare`: a plain loop and a fleet over the same pictures, and what it says of them.
How fast either is depends on the machine and is not looked at here."""
import json
import pathlib
import subprocess
import tempfile
import unittest

from fleet import BIN, DATA, skip_without_data
from process import PATIENCE


def compare(*words):
    """Exit code, stdout, stderr."""
    ended = subprocess.run([BIN / "framefleet", "compare", *map(str, words)], check=False,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=PATIENCE)
    return ended.returncode, ended.stdout, ended.stderr


class CompareTest(unittest.TestCase):
    def setUp(self):
        skip_without_data(self)

    def test_it_runs_both_and_a_picture_that_fails_in_both_is_no_secret(self):
        pictures = [DATA / "photos/chelsea.png", DATA / "photos/coffee.png",
                    DATA / "odd/gen_html_named.jpg"]
        code, out, err = compare(*pictures, "--rounds", 1, "--workers", 2, "--detect",
                                 "edges,corners?max_count=9", "--json")
        self.assertEqual(code, 3, err)
        said = json.loads(out)
        self.assertEqual({key: said[key] for key in ("pictures", "detectors", "workers", "rounds")},
                         {"pictures": 3, "detectors": "edges,corners?max_count=9", "workers": 2,
                          "rounds": 1})
        for rates in (said["loop"], said["fleet"]):
            for name in ("pictures_per_s", "pictures_per_s_with_start", "start_s"):
                self.assertGreater(rates[name]["median"], 0)
                self.assertEqual(rates[name]["low"], rates[name]["high"])

    def test_without_two_pictures_there_is_nothing_to_compare(self):
        with tempfile.TemporaryDirectory(prefix="framefleet-compare-") as folder:
            for words, code, said in (
                    ((folder,), 66, "needs two pictures"),
                    ((DATA / "photos/chelsea.png",), 66, "needs two pictures"),
                    ((pathlib.Path(folder) / "gone",), 66, "there is no picture or folder"),
                    ((DATA / "photos", "--pictures-max", 2, "--detect", "edgs"), 64,
                     'there is no detector "edgs"')):
                ended, out, err = compare(*words)
                self.assertEqual((ended, out), (code, ""), err)
                self.assertIn(said, err)


if __name__ == "__main__":
    unittest.main()
