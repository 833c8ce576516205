"""Odd input: one outcome for each file, with a reason that says what is wrong; others unharmed."""
import pathlib
import unittest

from fleet import DATA, PATIENT, Fleet, skip_without_data
from pictures import huge_png, square_png

MEMORY_MAX = 600 << 20  # of a worker; the pixels that are only promised would be over 10 GB

# origin's last part: status, reason, damaged, width, height
EXPECTED = {
    "empty.jpg": ("failed", "empty_picture", 0, None, None),
    "gen_empty.jpg": ("failed", "empty_picture", 0, None, None),
    "text.jpg": ("failed", "not_a_picture", 0, None, None),
    "gen_html_named.jpg": ("failed", "not_a_picture", 0, None, None),
    "huge.png": ("failed", "too_large_picture", 0, None, None),
    "gen_huge_60000.png": ("failed", "too_large_picture", 0, None, None),
    "gen_bomb_20000_gray.png": ("failed", "too_large_picture", 0, None, None),
    "gen_huge_sof65000.jpg": ("failed", "too_large_picture", 0, None, None),
    "gen_zero_sof.jpg": ("failed", "undecodable", 0, None, None),
    "pil_broken.png": ("failed", "undecodable", 0, None, None),
    "dangling.jpg": ("failed", "unreadable", 0, None, None),
    "gen_1x1.jpg": ("ok", "none", 0, 1, 1),
    "gen_1x1.png": ("ok", "none", 0, 1, 1),
    "gen_16bit.png": ("ok", "none", 0, 384, 288),
    "gen_16bit_gray.png": ("ok", "none", 0, 384, 288),
    "pil_pil_sample_cmyk.jpg": ("ok", "none", 0, 100, 100),
    "pil_hopper_gray.jpg": ("ok", "none", 0, 128, 128),
    "gen_alpha.png": ("ok", "none", 0, 384, 288),
    "gen_progressive.jpg": ("ok", "none", 0, 768, 576),
    "gen_trunc50.jpg": ("ok", "none", 1, 768, 576),
    "square.png": ("ok", "none", 0, 64, 64),
    # Turned by their EXIF tag; stored as 1800 x 1200 and 1200 x 1800.
    "Landscape_1.jpg": ("ok", "none", 0, 1800, 1200),
    "Landscape_3.jpg": ("ok", "none", 0, 1800, 1200),
    "Landscape_6.jpg": ("ok", "none", 0, 1800, 1200),
    "Landscape_8.jpg": ("ok", "none", 0, 1800, 1200),
}


def make_odd_files(folder):
    folder.mkdir()
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("Dear diary, this is not a picture.\n" * 20, encoding="utf-8")
    (folder / "huge.png").write_bytes(huge_png(60_000, 60_000))
    (folder / "dangling.jpg").symlink_to(folder / "nowhere")
    (folder / "square.png").write_bytes(square_png(1))


class OddInputTest(unittest.TestCase):
    def test_each_odd_file_has_its_outcome_and_harms_nothing_else(self):
        skip_without_data(self)
        with Fleet() as fleet:
            made = fleet.folder / "made"
            make_odd_files(made)
            fleet.broker(*PATIENT)
            fleet.sink().until_ready()
            workers = [fleet.worker(name, "--slots", "1").until_ready() for name in ("w1", "w2")]
            producer = fleet.producer(made, DATA / "odd", DATA / "exif", DATA / "photos/dog.jpg",
                                      detect="edges", arguments=["--annotate"])
            producer.until_event(lambda event: event["event"] == "end", "its end")
            peaks = [worker.memory_peak_bytes() for worker in workers]
            fleet.close_books(producer, exit_code=3)
            print("memory of the workers at most:", [f"{peak >> 20} MiB" for peak in peaks])
            self.assertLess(max(peaks), MEMORY_MAX)

            found = {pathlib.Path(origin).name: tuple(rest) for origin, *rest in fleet.store.rows(
                "SELECT origin, status, reason, damaged, width, height FROM outcomes")}
            self.assertEqual({name: found.get(name) for name in EXPECTED}, EXPECTED)
            self.assertEqual(found["dog.jpg"], ("ok", "none", 0, 768, 576))
            self.check_reasons(fleet)
            self.check_exif_boxes(fleet)
            told = {event["task"] for event in producer.events if event["event"] == "task_failed"}
            self.assertEqual(told, {task for (task,) in fleet.store.rows(
                "SELECT task FROM outcomes WHERE status = 'failed'")})

    def check_reasons(self, fleet):
        """Whatever failed failed at once, for a reason of its own bytes, in words for people; and
        the bytes are kept."""
        about_the_picture = {"empty_picture", "not_a_picture", "too_large_picture", "undecodable",
                             "unreadable"}
        for origin, reason, text, attempts in fleet.store.rows(
                "SELECT origin, reason, text, attempts FROM outcomes WHERE status = 'failed'"):
            self.assertIn(reason, about_the_picture, origin)
            self.assertTrue(text, origin)
            self.assertLessEqual(attempts, 1, origin)
        for name in ("text.jpg", "huge.png"):
            path = fleet.folder / "made" / name
            self.assertEqual(fleet.store.rows(
                "SELECT bytes FROM dead_letters WHERE origin = ? AND frame = 0", str(path)),
                [(path.read_bytes(),)])

    def check_exif_boxes(self, fleet):
        """Boxes are those of the upright picture: the edges' box is the whole of it."""
        boxes = fleet.store.rows(
            "SELECT x, y, width, height FROM v_detections WHERE label = 'edges'"
            " AND origin LIKE '%/Landscape_%'")
        self.assertEqual(boxes, [(0.0, 0.0, 1800.0, 1200.0)] * 4)


if __name__ == "__main__":
    unittest.main()
