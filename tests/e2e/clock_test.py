"""The wall clock of every process jumps by an hour, forward and back, under load: nothing expires
early, nothing is lost or there twice, nobody hangs. Time stamps for people may jump.

The worker's children may open no file, as libfaketime does: detectors run in its threads here.
CLOCK_ROLES: these alone."""
import os
import time
import unittest

from fleet import PATIENT, Fleet
from process import eventually
import clock

HOUR = 3600
ROLES = os.environ.get("CLOCK_ROLES", "broker,sink,worker,producer").split(",")
STEPS = (HOUR, 0, -HOUR, 0)
HANG = 60


class ClockTest(unittest.TestCase):
    def setUp(self):
        if reason := clock.why_not():
            print(f"SKIPPED: {self.id()}: {reason}")
            self.skipTest(reason)

    def test_a_wall_clock_that_jumps_changes_nothing(self):
        with Fleet() as fleet, clock.Clock() as broker, clock.Clock() as sink, \
                clock.Clock() as worker, clock.Clock() as producer:
            clocks = {"broker": broker, "sink": sink, "worker": worker, "producer": producer}
            watched = [fleet.broker(*PATIENT, environment=broker.environment()),
                       fleet.sink(environment=sink.environment()).until_ready(),
                       fleet.worker("w1", "--slots", "2", "--isolation", "none",
                                    environment=worker.environment()).until_ready()]
            # A time to live far above what a picture waits here, and below a jump.
            told = fleet.producer("synthetic:?count=0&fps=30&size=240x200",
                                  detect="markers,stub?sleep=10ms", arguments=["--ttl", "2min"],
                                  environment=producer.environment())
            told.until_counted("ok", 20)
            for role in ROLES:
                for seconds in STEPS:
                    clocks[role].step(seconds)
                    since = time.monotonic()
                    before = max(event.get("ok", 0) for event in told.events)
                    # Two seconds of work: a process looks at its clock anew every second.
                    told.until_counted("ok", before + 60, HANG)
                    if role == "sink":
                        self.until_stamped(fleet, seconds)
                    print(f"the clock of the {role} is {seconds:+d} s off: 60 pictures in"
                          f" {time.monotonic() - since:.1f} s", flush=True)
            told.terminate()
            self.assertTrue(all(process.running() for process in watched))
            fleet.close_books(told)
            self.assertEqual(set(fleet.store.by_status()), {"ok"})
            self.assertEqual(fleet.store.rows("SELECT count(*) FROM attempts"), [(0,)],
                             "a jump cost somebody a lease")
            print(f"{fleet.store.ends()} stored once")

    def until_stamped(self, fleet, seconds):
        """The stamps for people say that the clock of the sink is so far off."""
        def is_off():
            (stamped,), = fleet.store.rows(
                "SELECT 86400 * (julianday(stored_at) - julianday('now'))"
                " FROM outcomes ORDER BY rowid DESC LIMIT 1")
            return abs(stamped - seconds) < HOUR / 4
        eventually(is_off, f"a stamp of the sink that is {seconds:+d} s off", HANG)


if __name__ == "__main__":
    unittest.main(verbosity=2)
