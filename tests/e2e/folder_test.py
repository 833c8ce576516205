"""A large folder of small pictures: the producer's memory does not follow their number, and after
kill -9 the same command goes on, none of them twice.

FOLDER_PICTURES=2000,10000 says how many, for one folder after the other."""
import json
import os
import random
import subprocess
import time
import unittest

from fleet import BIN, Fleet
from pictures import square_png

SIZES = [int(count) for count in os.environ.get("FOLDER_PICTURES", "2000").split(",")]
# Whatever the number: OpenCV's libraries, the window of pictures, and a hundred bytes of path each.
MEMORY_MAX = 96 << 20
KINDS = 100  # of pictures; the files are links to them
FOLDERS = 50
LONG = 900


def fill(folder, count):
    originals = folder.parent / "originals"
    originals.mkdir(parents=True)
    for kind in range(KINDS):
        (originals / str(kind)).write_bytes(square_png(kind))
    for number in range(count):
        below = folder / str(number % FOLDERS)
        if number < FOLDERS:
            below.mkdir(parents=True)
        os.link(originals / str(number % KINDS), below / f"{number:06}.png")


class FolderTest(unittest.TestCase):
    def round(self, count):
        with Fleet() as fleet:
            folder = fleet.folder / "archive" / "pictures"
            fill(folder, count)
            self.check_stats(folder, count)
            fleet.broker()
            fleet.sink().until_ready()
            fleet.worker("w1", "--slots", "2")
            command = {"detect": "stub", "arguments": (
                "--manifest", fleet.folder / "jobs", "--job", "archive")}
            began = time.monotonic()
            first = fleet.producer(folder, **command)
            with first.watch_memory() as memory:
                first.until_counted("ok", random.randrange(count // 4, count // 2), LONG)
                first.kill()
            first.exit_code()
            second = fleet.producer(folder, **command)
            with second.watch_memory() as memory_again:
                self.assertEqual(second.exit_code(LONG), 0)
            took = time.monotonic() - began
            most = max(memory.most, memory_again.most)
            end = second.event("end")
            print(f"{count} pictures: {end['stored_before']} stored before kill -9, {took:.0f} s,"
                  f" RssAnon of the producer at most {most / 2**20:.1f} MiB, of"
                  f" {memory.count + memory_again.count} samples")
            self.assertEqual(end["stored_before"] + end["ok"], count)
            self.assertEqual(fleet.store.by_status(), {"ok": count})
            self.assertEqual(fleet.store.rows("SELECT count(DISTINCT origin) FROM outcomes"),
                             [(count,)])
            fleet.check_broker()
            self.assertLess(most, MEMORY_MAX)
            return most

    def check_stats(self, folder, count):
        (folder / "empty.jpg").write_bytes(b"")
        asked = subprocess.run([BIN / "framefleet", "stats", "--json", folder], check=False,
                               capture_output=True, text=True, timeout=LONG)
        (folder / "empty.jpg").unlink()
        self.assertEqual(asked.returncode, 3, asked.stderr)
        told = json.loads(asked.stdout)
        self.assertEqual((told["pictures"], told["bad"]), (count, 1))
        self.assertEqual(told["dimensions"], [{"width": 64, "height": 64, "count": count}])
        self.assertEqual(told["bad_pictures"][0]["reason"], "empty_picture")
        print(f"framefleet stats: {count / told['seconds']:.0f} files/s")

    def test_a_folder_whose_producer_is_killed(self):
        for count in SIZES:
            with self.subTest(pictures=count):
                self.round(count)


if __name__ == "__main__":
    unittest.main()
