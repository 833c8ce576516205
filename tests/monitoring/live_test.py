#!/usr/bin/env python3
"""A small fleet, watched by the real Prometheus and Alertmanager: every panel and alert asks for
what is there, and an alert reaches somebody. Run by `scripts/check.sh monitoring`.

Pictures of the dashboards are drawn into PICTURES_FOLDER, to be looked at."""
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
import catalogue  # noqa: E402 (after the line that keeps the tree free of __pycache__)
import pictures_of_panels  # noqa: E402
import questions  # noqa: E402
import watchers  # noqa: E402 (it says where the next ones are)
from fleet import TREE, Fleet  # noqa: E402
from process import children_of, eventually  # noqa: E402

sys.path.append(str(TREE / "tests/support/cameras"))
from mjpeg_server import CameraServer  # noqa: E402

PICTURES = pathlib.Path(os.environ.get("PICTURES_FOLDER", catalogue.TREE / "build/check/panels"))
SIZE = "size=240x200"
FOLDER = int(os.environ.get("FOLDER_PICTURES", "60"))  # more make a picture worth showing


class LiveTest(unittest.TestCase):
    def setUp(self):
        shown = subprocess.run([*watchers.WITH_ITS_TEMPLATES, "true"], capture_output=True,
                               text=True, check=False)
        if shown.returncode != 0:
            print(f"SKIPPED: {self.id()}: no mount namespace here: {shown.stderr.strip()}")
            self.skipTest("no mount namespace")

    def start(self, fleet):
        self.webhook = watchers.Webhook()
        self.addCleanup(self.webhook.close)
        fleet.broker("--journal", fleet.folder / "journal")
        fleet.sink().until_ready()
        for name in ("w1", "w2"):
            fleet.worker(name, "--slots", "1").until_ready()
        self.prometheus = watchers.Watchers(fleet, self.webhook)
        # A rate needs a sample from before what it counts.
        eventually(lambda: len(self.prometheus.query("up == 1")) == 4, "all four are scraped")
        self.began_at = time.time()

    def live_through_a_day(self, fleet):
        """Two cameras that draw and one that is captured, whose process dies once; a folder with
        pictures that fail and one that kills a child; a worker that is killed and one that is
        drained."""
        captured = self.capture(fleet)
        fleet.producer(*(f"synthetic:?count=0&fps=8&camera={i}&name=camera-{i}&{SIZE}"
                         for i in (1, 2)), detect="markers,stub?sleep=20ms",
                       arguments=["--class", "live"])
        folder = fleet.producer(f"synthetic:?count={FOLDER}&{SIZE}&name=folder",
                                detect="edges,stub?sleep=20ms&fail=15&crash_at=7",
                                arguments=["--annotate"])
        self.prometheus.targets()
        folder.until_counted("ok", 20)
        # Whichever worker it happened in: the one that is killed is not asked again.
        eventually(lambda: self.prometheus.query(
            "rate(framefleet_worker_ended_child_processes_total[1m]) > 0"), "a child has died")
        killed = fleet.named("worker")[0]
        killed.kill()
        self.kill_the_capture(captured)
        fleet.worker("w1", "--slots", "1").until_ready()
        fleet.operate("drain", "w2")
        fleet.worker("w3", "--slots", "1").until_ready()
        self.prometheus.targets()
        self.assertEqual(folder.exit_code(timeout=150), 3)  # some of its pictures failed

    def capture(self, fleet):
        """A producer of a camera in whose pictures nothing moves."""
        server = self.enterContext(CameraServer())
        file = fleet.folder / "cameras.toml"
        file.write_text(f'[producer]\nconnect = "{fleet.endpoint}"\n[cameras]\n'
                        'detect = ["stub"]\nmotion = "mog2"\nretry_min = "100ms"\n'
                        f'[[camera]]\nname = "hall"\nurl = "{server.url("/good")}"\n',
                        encoding="utf-8")
        return fleet.start("producer", "framefleet-producer", "--config", file,
                           "--metrics-listen", "127.0.0.1:0")

    def kill_the_capture(self, producer):
        """Once Prometheus has heard of its start: one more is then seen as one more."""
        eventually(lambda: self.prometheus.query("framefleet_producer_camera_up == 1"),
                   "the camera streams")
        for process in children_of(producer.pid):
            os.kill(process, signal.SIGKILL)

    def check_every_process(self, fleet):
        for role in watchers.ROLES:
            text = fleet.named(role)[0].get("/metrics")[1]
            judged = subprocess.run([watchers.TOOLS / "promtool", "check", "metrics"], input=text,
                                    capture_output=True, text=True, check=False)
            self.assertEqual((judged.returncode, judged.stderr), (0, ""), role)

    def check_every_expression(self):
        asked = list(questions.all_of_them())
        last = []

        def had_rows(expr):  # at some moment: how long ago depends on the machine
            return self.prometheus.query_range(expr, self.began_at, time.time())

        def all_answered():
            last[:] = questions.unanswered(asked, had_rows, questions.EMPTY)
            return not last
        try:
            eventually(all_answered, "every expression has rows", 40)
        except AssertionError as late:
            raise self.failureException("\n".join(map(str, [late, *last]))) from None
        print(f"{len(asked)} expressions, all read, all answered but for"
              f" {len(questions.EMPTY)} metrics")

    def check_an_alert_from_end_to_end(self, fleet):
        for worker in fleet.named("worker"):
            worker.terminate()
        for worker in fleet.named("worker"):
            worker.exit_code()
        began_at = time.monotonic()
        late = fleet.producer(f"synthetic:?count=20&{SIZE}&name=late", detect="markers")
        self.prometheus.targets()
        self.webhook.until_told("FramefleetNoWorker", "firing")
        print(f"told of it after {time.monotonic() - began_at:.1f} s")
        fleet.worker("w4", "--slots", "2").until_ready()
        self.prometheus.targets()
        self.webhook.until_told("FramefleetNoWorker", "resolved")
        self.assertEqual(late.exit_code(), 0)

    def check_the_books(self, fleet):
        """What the alert about an unequal ledger compares, when all rests."""
        for producer in fleet.named("producer"):
            producer.terminate()
            producer.exit_code()
        broker, sink = fleet.named("broker")[0], fleet.named("sink")[0]

        def equal():
            settled = broker.metrics()["framefleet_broker_ended_tasks_total"]
            return settled == sink.metrics()["framefleet_sink_stored_outcomes_total"] > 100
        eventually(equal, "the sink stored what the broker settled")

    def draw(self):
        PICTURES.mkdir(parents=True, exist_ok=True)
        for board in questions.DASHBOARDS:
            file = PICTURES / f"{board['uid'].removeprefix('framefleet-')}.png"
            pictures_of_panels.draw(board, self.prometheus, self.began_at, time.time(), file)
            print(f"drawn: {file}")

    def test_what_is_watched_is_there_and_what_is_wrong_is_told(self):
        with Fleet() as fleet:
            self.start(fleet)
            self.live_through_a_day(fleet)
            self.check_every_process(fleet)
            self.check_every_expression()
            self.check_an_alert_from_end_to_end(fleet)
            self.check_the_books(fleet)
            self.draw()
            fleet.stop()


if __name__ == "__main__":
    unittest.main()
