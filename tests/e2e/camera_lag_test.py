"""A camera gives three times as many frames as the fleet can look at: what is looked at stays new.

LAG_SECONDS: how long. Two figures are watched over that time, and neither may grow: how far the
capture process is behind the camera (pictures that the server wrote and nobody has read), and how
old a frame is when its outcome is stored. Both are compared with themselves: the last third of the
time with the first."""
import datetime
import os
import threading
import time
import unittest

from process import eventually
from reload_test import CameraFleet, CountingServer
from mjpeg_server import INTERVAL

SECONDS = float(os.environ.get("LAG_SECONDS", "60"))
WORK = 3.3 * INTERVAL  # of one frame: the fleet does 30 % of what is offered


def p95(values):
    return sorted(values)[int(len(values) * 0.95)]


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class CameraLagTest(unittest.TestCase):
    def test_no_lag_builds_up(self):
        with CountingServer() as server, CameraFleet() as fleet:
            fleet.broker()
            fleet.sink().until_ready()
            fleet.worker("w1", "--slots", "1").until_ready()
            fleet.cameras(("busy", server.url("/kept")), common='ttl = "2s"\n',
                          detect=[f"stub?sleep={WORK * 1000:.0f}ms"])
            producer = fleet.camera_producer()
            fleet.streaming("busy")
            began, behind = time.time(), []
            names = [f'framefleet_producer_camera_{what}_total{{source="busy"}}'
                     for what in ("pictures", "skipped_pictures")]
            while time.time() - began < SECONDS:
                threading.Event().wait(0.25)  # so often it is looked at
                given = server.given["/kept"]
                metrics = producer.metrics()
                behind.append(given - sum(metrics[name] for name in names))
            producer.terminate()
            producer.exit_code()
            eventually(lambda: self.at_rest(fleet), "the last frame is stored")
            rows = [(seconds_of(captured), seconds_of(stored)) for captured, stored in
                    fleet.store.rows("SELECT captured_at, stored_at FROM outcomes"
                                     " WHERE status = 'ok' AND source = 'busy'")]
            ages = sorted((stored, stored - captured) for captured, stored in rows
                          if began <= stored <= began + SECONDS)
            first = [age for stored, age in ages if stored < began + SECONDS / 3]
            last = [age for stored, age in ages if stored >= began + SECONDS * 2 / 3]
            third = len(behind) // 3
            given, done = server.given["/kept"], len(rows)
            print(f"{SECONDS:g} s: {given} frames offered, {done} looked at ({done / given:.0%});"
                  f" age when stored, 95 of 100: {p95(first):.3f} s in the first third,"
                  f" {p95(last):.3f} s in the last; pictures behind the camera, 95 of 100:"
                  f" {p95(behind[:third]):g}, {p95(behind[-third:]):g}")
            self.assertLess(done, 0.6 * given)  # it was too much for the fleet
            self.assertLessEqual(p95(last), p95(first) + WORK)
            self.assertLessEqual(p95(behind[-third:]), p95(behind[:third]) + 25)

    def at_rest(self, fleet):
        return not any(fleet.source("busy")["in_progress"].values())


if __name__ == "__main__":
    unittest.main(verbosity=2)
