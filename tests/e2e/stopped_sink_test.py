"""A sink that is stopped (SIGSTOP) for twenty seconds under load: the broker's memory stays
bounded, nothing is lost, and all that was admitted drains."""
import os
import signal
import threading
import unittest

from fleet import Fleet
from process import eventually

STOPPED = float(os.environ.get("SINK_STOPPED", 20))  # seconds
SLOW = 5  # seconds, too few to be missed
BACKLOG_MAX = 16 << 20
UNSTORED_MAX = 1 << 20
IN_WORKERS_MAX = 256 << 10  # what comes after the cap is reached
OVERHEAD_MAX = 64 << 20
CAMERAS = 3


class StoppedSinkTest(unittest.TestCase):
    def test_a_sink_that_is_missed_costs_no_memory_and_nothing_is_lost(self):
        self.stop_sink(STOPPED)

    def test_a_sink_that_is_only_slow_costs_no_memory_and_nothing_is_lost(self):
        self.stop_sink(SLOW, "--peer-timeout", "60s", "--lease-duration", "60s")

    def stop_sink(self, seconds, *options):
        with Fleet() as fleet:
            broker = fleet.broker("--backlog-bytes-max", f"{BACKLOG_MAX}B",
                                  "--unstored-bytes-max", f"{UNSTORED_MAX}B", *options)
            sink = fleet.sink().until_ready()
            for name in ("w1", "w2"):
                fleet.worker(name, "--slots", "2").until_ready()
            producers = [fleet.producer(f"synthetic:?count=0&size=320x240&camera={camera}",
                                        detect="markers", arguments=["--window-tasks", "4096"])
                         for camera in range(CAMERAS)]
            for producer in producers:
                producer.until_counted("ok", 20)
            with broker.watch_memory() as memory:
                sink.popen.send_signal(signal.SIGSTOP)
                eventually(lambda: broker.metrics()["framefleet_broker_busy_answers_total"] > 0,
                           "producers are told that the broker is full")
                stored = fleet.store.ends()
                threading.Event().wait(seconds)  # this is how long it is stopped
                books = fleet.show("status")
                self.assertEqual(fleet.store.ends(), stored)
                sink.popen.send_signal(signal.SIGCONT)
                for producer in producers:
                    producer.until_counted("ok", stored // CAMERAS + 100)
                for producer in producers:
                    producer.terminate()
                fleet.close_books(*producers)
            print(f"backlog {books['backlog_bytes'] >> 10} KiB, unstored {books['unstored']} in"
                  f" {books['unstored_bytes'] >> 10} KiB, broker at most {memory.most >> 20} MiB"
                  f" of {memory.count} samples; {fleet.store.ends()} stored")
            self.assertLessEqual(books["backlog_bytes"], BACKLOG_MAX)
            self.assertLessEqual(books["unstored_bytes"], UNSTORED_MAX + IN_WORKERS_MAX)
            self.assertLess(memory.most, BACKLOG_MAX + UNSTORED_MAX + OVERHEAD_MAX)
            self.assertEqual(set(fleet.store.by_status()), {"ok"})


if __name__ == "__main__":
    unittest.main()
