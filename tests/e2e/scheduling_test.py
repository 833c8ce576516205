"""Whose turn it is, in real processes: live cameras are worked on at their newest frame, a greedy
source does not starve a slow one, low priority moves under high priority. Times are printed."""
import math
import signal
import statistics
import unittest

from fleet import PATIENT, Fleet
from pictures import frames_in
from process import eventually
from tap import Tap

FPS = 30
CAMERAS = 3
FRAMES = 300
SERVED_APART_MAX = 3  # of the longest, between the camera served most and the one served least
OVERTAKEN_MAX = 4  # tasks of a greedy source, by which a slow one may be kept waiting
TASK = 0.02  # seconds, of each of these two


def percentiles(seconds):
    """For people."""
    times = sorted(second * 1000 for second in seconds)
    return (f"median {statistics.median(times):.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms,"
            f" most {times[-1]:.1f} ms")


class SchedulingTest(unittest.TestCase):
    def start(self, fleet, tapped=False):
        fleet.broker(*PATIENT)
        fleet.sink().until_ready()
        tap = None
        if tapped:
            tap = Tap(f"ipc://{fleet.folder}/tap.sock", fleet.endpoint)
            self.addCleanup(tap.stop)
            fleet.endpoint = tap.endpoint
        fleet.worker("w1", "--slots", "1").until_ready()
        return tap

    def test_live_cameras_are_worked_on_at_their_newest_frame(self):
        with Fleet() as fleet:
            tap = self.start(fleet, tapped=True)
            producer = fleet.producer(
                *(f"synthetic:?count={FRAMES}&fps={FPS}&size=240x200&camera={camera}&name=c{camera}"
                  for camera in range(CAMERAS)),
                detect="markers,stub?sleep=100ms", arguments=["--class", "live"])
            end = fleet.close_books(producer)
            served = [self.check_camera(fleet, camera) for camera in range(CAMERAS)]
            print(f"served {served}, superseded {end['superseded']}, skipped {end['skipped']}")
            self.check_shares(fleet)
            self.assertEqual(sum(served), end["ok"])
            self.assertGreater(end["superseded"], end["ok"])
            self.assertEqual(end["ok"] + end["superseded"] + end["skipped"], CAMERAS * FRAMES)
            self.check_newest(tap.events)
            print("age when work began:", percentiles(
                queued for (queued,) in fleet.store.rows(
                    "SELECT queued FROM outcomes WHERE status = 'ok'")))

    def check_shares(self, fleet):
        """The worker's time is shared, not its frames: one that takes longer is paid for."""
        times, longest = zip(*fleet.store.rows("SELECT sum(worked), max(worked) FROM outcomes"
                                               " WHERE status = 'ok' GROUP BY source"))
        print("seconds of work:", [round(seconds, 2) for seconds in times])
        self.assertEqual(len(times), CAMERAS)
        self.assertLessEqual(max(times) - min(times), SERVED_APART_MAX * max(longest))

    def check_camera(self, fleet, camera):
        """Every result shows its own frame, they came in order, and after each one that was
        superseded a newer one was worked on. Returns how many were worked on."""
        source = f"%/c{camera}"
        shown = frames_in(fleet.store, source)
        self.assertEqual(shown, {sequence: (camera, sequence) for sequence in shown})
        order = [sequence for (sequence,) in fleet.store.rows(
            "SELECT sequence FROM outcomes WHERE source LIKE ? AND status = 'ok' ORDER BY id",
            source)]
        self.assertEqual(order, sorted(order))
        gaps = fleet.store.rows("SELECT last, status, reason FROM gaps WHERE source LIKE ?", source)
        self.assertEqual({gap[1:] for gap in gaps}, {("superseded", "newer_frame")})
        self.assertLess(max(last for last, *_ in gaps), order[-1])
        self.assertEqual(order[-1], FRAMES - 1, "the last frame is the newest for ever")
        return len(order)

    def test_frames_that_the_broker_has_no_ear_for_are_skipped_and_counted(self):
        with Fleet() as fleet:
            self.start(fleet)
            broker, = fleet.named("broker")
            producer = fleet.producer(f"synthetic:?count=150&fps={FPS}&size=240x200&camera=1",
                                      detect="markers", arguments=["--class", "live"])
            producer.until_counted("ok", 20)
            broker.popen.send_signal(signal.SIGSTOP)
            producer.until_counted("skipped", 10)
            broker.popen.send_signal(signal.SIGCONT)
            end = fleet.close_books(producer)
            print(f"{end['ok']} ok, {end['superseded']} superseded, {end['skipped']} skipped")
            self.assertEqual(fleet.store.missing(), end["skipped"])
            self.assertEqual(end["failed"] + end["lost"], 0)

    def check_newest(self, events):
        """No frame was assigned while the broker had admitted a newer one of its camera."""
        admitted, known, assigned, checked = {}, {}, 0, 0
        for kind, source, sequence in events:
            if kind == "admitted":
                admitted[source] = max(sequence, admitted.get(source, -1))
            elif kind == "result":
                known = dict(admitted)  # whatever is chosen after it is chosen among these at least
            elif kind == "assign":
                self.assertGreaterEqual(sequence, known.get(source, -1), f"{source} is not fresh")
                assigned += 1
                checked += source in known
        print(f"{checked} of {assigned} frames were the newest of their cameras when they were"
              " assigned, the others could not be told")
        self.assertGreater(checked, assigned * 4 // 5)

    def test_one_producer_feeds_a_fleet_that_grows(self):
        slots, count = 100, 600
        with Fleet() as fleet:
            self.start(fleet)
            producer = fleet.producer(f"synthetic:?count={count}&size=240x200",
                                      detect="stub?sleep=500ms")
            producer.until_counted("ok", 1)
            fleet.worker("large", "--slots", str(slots), "--isolation", "none")
            eventually(lambda: any(row["name"] == "large" and row["leased"] >= slots
                                   for row in fleet.show("workers")["workers"]),
                       "all of its slots have a picture")
            producer.until_counted("ok", count)
            fleet.close_books(producer)

    def test_a_greedy_source_does_not_starve_a_slow_one(self):
        count = 30
        with Fleet() as fleet:
            tap = self.start(fleet, tapped=True)
            greedy = fleet.producer("synthetic:?count=0&size=240x200&name=greedy",
                                    detect="stub?sleep=20ms", arguments=["--window-tasks", "128"])
            greedy.until_counted("ok", 20)
            slow = fleet.producer(f"synthetic:?count={count}&fps=5&size=240x200&name=slow",
                                  detect="stub?sleep=20ms")
            self.assertEqual(fleet.end_of(slow)[1]["ok"], count)
            events = list(tap.events)
            greedy.terminate()
            fleet.close_books(greedy, slow)
            worked = dict(fleet.store.rows("SELECT sequence, worked FROM outcomes"
                                           " WHERE source LIKE '%/slow'"))
            self.check_overtaken(events, worked)
            self.assertEqual(len(worked), count)
            for name in ("greedy", "slow"):
                print(f"{name} waited:", percentiles(queued for (queued,) in fleet.store.rows(
                    "SELECT queued FROM outcomes WHERE source LIKE ?", f"%/{name}")))

    def check_overtaken(self, events, worked):
        """How many of the others were assigned after a task of the slow source was admitted.
        `worked`: how long those of the slow one took; what held them up, it owes the others."""
        overtaken, waiting, assigned = {}, set(), set()
        for kind, source, sequence in events:
            is_slow = source is not None and source.endswith("/slow")
            if kind == "admitted" and is_slow:
                overtaken[sequence] = 0
                waiting |= {sequence} - assigned  # two peers may be told in either order
            elif kind == "assign" and is_slow:
                assigned.add(sequence)
                waiting.discard(sequence)
            elif kind == "assign":
                for sequence in waiting:
                    overtaken[sequence] += 1
        print("of the greedy source went before each of the slow one:",
              [overtaken[sequence] for sequence in sorted(overtaken)])
        self.assertEqual(overtaken.keys(), worked.keys())
        for sequence, passed in overtaken.items():
            owed = sum(max(worked[before] - TASK, 0) for before in range(sequence))
            self.assertLessEqual(passed, OVERTAKEN_MAX + math.ceil(owed / TASK), sequence)

    def test_low_priority_moves_under_permanent_high_priority(self):
        count = 15
        with Fleet() as fleet:
            self.start(fleet)
            low, high = (fleet.producer(f"synthetic:?count=0&size=240x200&name={name}",
                                        detect="stub?sleep=10ms",
                                        arguments=["--priority", priority])
                         for name, priority in (("low", 1), ("high", 7)))
            low.until_counted("ok", 1)
            high.until_counted("ok", 20)
            low.until_counted("ok", low.event("progress")["ok"] + count)
            rows = [(source.rpartition("/")[2], worked) for source, worked in fleet.store.rows(
                "SELECT source, worked FROM outcomes ORDER BY id")]
            for producer in (low, high):
                producer.terminate()
            fleet.close_books(low, high)
            times = {"low": [], "high": []}
            for name, worked in rows[[name for name, _ in rows].index("high"):]:
                times[name].append(worked)
            took, of_high = sum(times["low"]), sum(times["high"])
            print(f"low priority had {took / (took + of_high):.0%} of the time, in"
                  f" {len(times['low'])} tasks of {len(rows)}")
            # A tenth of the time is its share. One that was held up is paid for by those after it.
            self.assertGreater(of_high, 4 * (took - max(times["low"])))


if __name__ == "__main__":
    unittest.main()
