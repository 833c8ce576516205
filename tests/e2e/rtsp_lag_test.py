"""Two RTSP cameras give three times as many frames as the fleet can look at, and each frame says
which it is: what the server noted when it gave a frame to its encoder, and what the store says that
the detector saw, are the frame's age to the millisecond, whatever any process in between believes.

LAG_SECONDS: how long; the last third of it is compared with the first."""
import os
import time
import unittest

from camera_lag_test import p95, seconds_of
from pictures import frames_in
from process import eventually
from reload_test import CameraFleet
from rtsp_test import PASSWORD, USER, Server, skip_without_server

SECONDS = float(os.environ.get("LAG_SECONDS", "60"))
FPS = 10
# name: width, height, fps, transport, number
CAMERAS = {"door": (640, 480, FPS, "tcp", 7), "yard": (480, 360, FPS, "tcp", 42)}
WORK = 1 / (0.3 * FPS * len(CAMERAS))  # of one frame: the fleet does 30 % of what is offered
MARKERS = 0.01  # of it: about what it takes to find them


class RtspLagTest(unittest.TestCase):
    def setUp(self):
        skip_without_server(self)

    def test_no_lag_builds_up_between_a_frame_and_its_outcome(self):
        server = Server(CAMERAS)
        try:
            with CameraFleet() as fleet:
                fleet.broker()
                fleet.sink().until_ready()
                fleet.worker("w1", "--slots", "1").until_ready()
                urls = [(name, server.url(name, USER, PASSWORD)) for name in CAMERAS]
                # A minute: nothing is new only because what is old was thrown away.
                fleet.cameras(*urls, common='ttl = "60s"\n',
                              detect=["markers", f"stub?sleep={(WORK - MARKERS) * 1000:.0f}ms"])
                producer = fleet.camera_producer()
                for name in CAMERAS:
                    fleet.streaming(name)
                began = time.time()
                eventually(lambda: time.time() >= began + SECONDS, "that time", SECONDS + 60)
                producer.terminate()
                self.assertEqual(producer.exit_code(), 0)
                fleet.stop()
                for name in CAMERAS:
                    self.look_at(fleet.store, name, self.given(server, name), began)
        finally:
            server.process.kill()

    def given(self, server, name):
        """{frame: when it was given to the encoder}"""
        lines = [line.split() for line in list(server.process.lines)]
        return {int(words[2]): float(words[3]) for words in lines if words[:2] == ["given", name]}

    def look_at(self, store, name, given, began):
        seen = frames_in(store, name)
        stored = {sequence: seconds_of(at) for sequence, at in store.rows(
            "SELECT sequence, stored_at FROM outcomes WHERE source = ? AND status = 'ok'", name)}
        shown = [seen[sequence] for sequence in sorted(stored)]
        self.assertNotIn(None, shown, f"every outcome of {name} says which frame it is")
        self.assertEqual({camera for camera, _ in shown}, {CAMERAS[name][-1]})
        numbers = [number for _, number in shown]
        self.assertEqual(numbers, sorted(set(numbers)), f"frames of {name} only get newer")

        thirds = [[], [], []]
        for sequence, at in stored.items():
            if began <= at < began + SECONDS:
                third = int((at - began) / SECONDS * 3)
                thirds[third].append(at - given[seen[sequence][1]])
        offered = sum(began <= at < began + SECONDS for at in given.values())
        done = sum(map(len, thirds))
        ages = [p95(ages) for ages in thirds]
        print(f"==> {name}: {SECONDS:g} s, {offered} frames offered, {done} looked at "
              f"({done / offered:.0%}); from encoder to store, 95 of 100 within "
              + ", ".join(f"{age:.3f}" for age in ages) + " s in each third")
        self.assertLess(done, 0.5 * offered)  # it was too much for the fleet
        self.assertLessEqual(ages[-1], ages[0] + 1 / FPS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
