"""A producer in another language, written from docs/PROTOCOL.md alone, against the real fleet."""
import pathlib
import sys
import unittest

from fleet import DATA, Fleet, skip_without_data
from process import Process

PRODUCER = pathlib.Path(__file__).with_name("producer.py")
PHOTOS = [DATA / "photos" / name for name in ("dog.jpg", "obama.jpg", "person.jpg", "rocket.jpg")]


class ClientTest(unittest.TestCase):
    def submit(self, fleet, detect, *paths):
        """Runs producer.py; gives its exit code and {sequence: (status, reason)} as printed."""
        client = Process("producer.py", [sys.executable, "-B", PRODUCER, fleet.endpoint, detect,
                                         *paths])
        fleet.processes.append(client)
        code = client.exit_code()
        said = {}
        for line in client.lines:
            task, status, reason = line.split()
            said[int(task.rpartition("-")[2])] = (status, reason)
        return code, said

    def start(self, transport):
        fleet = Fleet(transport)
        fleet.broker(), fleet.sink().until_ready(), fleet.worker("w1", "--slots", "2")
        return fleet

    def check_store(self, fleet, said, paths):
        """What it was told is what the store has, and the broker counts no more and no less."""
        rows = {sequence: (origin, status, reason) for sequence, origin, status, reason in
                fleet.store.rows("SELECT sequence, origin, status, reason FROM outcomes")}
        self.assertEqual(rows, {n: (str(path), *said[n]) for n, path in enumerate(paths)})
        fleet.check_broker()
        fleet.stop()
        self.assertEqual(fleet.store.missing(), 0)
        fleet.store.check_left_behind(len(paths))

    def test_it_is_told_how_each_picture_was_settled(self):
        skip_without_data(self)
        for transport in ("ipc", "tcp"):
            with self.subTest(transport=transport), self.start(transport) as fleet:
                code, said = self.submit(fleet, "faces,edges", *PHOTOS)
                self.assertEqual(said, {n: ("ok", "none") for n in range(len(PHOTOS))})
                self.assertEqual(code, 0)
                self.check_store(fleet, said, PHOTOS)
                faces = fleet.store.rows("SELECT count(*) FROM v_detections WHERE"
                                         " detector = 'faces' AND origin LIKE '%/obama.jpg'")
                self.assertEqual(faces, [(1,)])

    def test_a_bad_picture_is_told_from_the_good_ones(self):
        skip_without_data(self)
        with self.start("ipc") as fleet:
            bad = fleet.folder / "bad.jpg"
            bad.write_text("this is no picture at all, only a line of text\n", encoding="utf-8")
            paths = [PHOTOS[0], bad, PHOTOS[1]]
            code, said = self.submit(fleet, "edges", *paths)
            self.assertEqual(said, {0: ("ok", "none"), 1: ("failed", "not_a_picture"),
                                    2: ("ok", "none")})
            self.assertEqual(code, 3)
            self.check_store(fleet, said, paths)

    def test_more_pictures_than_it_sends_at_once_are_all_settled(self):
        skip_without_data(self)
        with self.start("ipc") as fleet:
            paths = PHOTOS * 25
            code, said = self.submit(fleet, "stub", *paths)
            self.assertEqual(said, {n: ("ok", "none") for n in range(len(paths))})
            self.assertEqual(code, 0)
            self.check_store(fleet, said, paths)


if __name__ == "__main__":
    unittest.main()
