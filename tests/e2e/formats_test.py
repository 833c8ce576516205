"""BMP and TIFF: refused by a worker that is not told to take them, found in by one that is."""
import pathlib
import struct
import unittest

from fleet import Fleet

SIDE = 64


def bmp():
    """A white square on black, from the top down."""
    rows = b"".join(bytes(255 if 16 <= x < 48 and 16 <= y < 48 else 0
                          for x in range(SIDE) for _ in range(3)) for y in range(SIDE))
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, -SIDE, 1, 24, 0, len(rows), 2835, 2835, 0, 0)
    return struct.pack("<2sIII", b"BM", 54 + len(rows), 0, 54) + header + rows


def tiff(height):
    """Grey stripes, turned to its side: high where it is wide."""
    pixels = b"".join(bytes(255 if x % 16 < 8 else 0 for x in range(SIDE)) for _ in range(height))
    fields = [(256, SIDE), (257, height), (258, 8), (259, 1), (262, 1), (273, 0), (274, 6),
              (277, 1), (278, height), (279, len(pixels))]
    at = 8 + 2 + 12 * len(fields) + 4
    directory = b"".join(struct.pack(">HHII", tag, 4, 1, value or at) if tag != 274 else
                         struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in fields)
    return (b"MM\0*" + struct.pack(">IH", 8, len(fields)) + directory + bytes(4) + pixels)


class FormatsTest(unittest.TestCase):
    def outcomes(self, *worker_arguments):
        """origin's last part: status, reason, text, width, height"""
        with Fleet() as fleet:
            made = fleet.folder / "made"
            made.mkdir()
            (made / "square.bmp").write_bytes(bmp())
            (made / "stripes.tif").write_bytes(tiff(32))
            (made / "cut.tiff").write_bytes(tiff(32)[:-1])
            fleet.broker()
            fleet.sink().until_ready()
            worker = fleet.worker("w1", "--slots", "2", *worker_arguments).until_ready()
            for word in ("bmp", "tiff"):
                tested = f'framefleet_worker_self_test_failed{{detector="edges",format="{word}"}}'
                self.assertEqual(worker.metrics().get(tested), 0 if worker_arguments else None)
            producer = fleet.producer(made, detect="edges")
            producer.until_event(lambda event: event["event"] == "end", "its end")
            fleet.close_books(producer, exit_code=3)
            return {pathlib.Path(origin).name: tuple(rest) for origin, *rest in fleet.store.rows(
                "SELECT origin, status, reason, text, width, height FROM outcomes")}

    def test_a_worker_that_is_not_told_refuses_them_by_name(self):
        words = "; this worker takes JPEG, PNG, WebP (--formats)"
        self.assertEqual(self.outcomes(), {
            "square.bmp": ("failed", "not_a_picture", "a BMP" + words, None, None),
            "stripes.tif": ("failed", "not_a_picture", "a TIFF" + words, None, None),
            "cut.tiff": ("failed", "not_a_picture", "a TIFF" + words, None, None)})

    def test_a_worker_that_is_told_works_on_them(self):
        self.assertEqual(
            self.outcomes("--isolation", "process", "--formats", "jpeg,png,webp,bmp,tiff"), {
                "square.bmp": ("ok", "none", "", SIDE, SIDE),
                "stripes.tif": ("ok", "none", "", 32, SIDE),
                "cut.tiff": ("failed", "undecodable", "TIFF ends before its last pixel",
                             None, None)})


if __name__ == "__main__":
    unittest.main()
