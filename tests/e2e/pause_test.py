"""Every process of a fleet is stopped (SIGSTOP) under load, one after the other: nothing is lost,
nothing is there twice, and the fleet goes on.

PAUSE_SECONDS: how long, separated by commas ("1,4": below and above the default peer_timeout).
PAUSE_ROLES: these alone."""
import os
import threading
import time
import unittest

from fleet import Fleet
from pause import paused
from process import children_of, eventually

SECONDS = [float(each) for each in os.environ.get("PAUSE_SECONDS", "1,4").split(",")]
ROLES = os.environ.get("PAUSE_ROLES", "broker,sink,worker,zygote,child,producer").split(",")
HANG = 60


class PauseTest(unittest.TestCase):
    def test_a_fleet_goes_on_whoever_is_stopped(self):
        with Fleet() as fleet:
            broker = fleet.broker("--lost-attempts-max", "100", "--retry-delay-max", "200ms")
            sink = fleet.sink().until_ready()
            worker = fleet.worker("w1", "--slots", "2").until_ready()
            producer = fleet.producer("synthetic:?count=0&fps=30&size=240x200",
                                      detect="markers,stub?sleep=20ms")
            producer.until_counted("ok", 20)

            def child():
                # Of the zygote, the worker's own child; they may be replaced at any time.
                return eventually(lambda: children_of(children_of(worker.pid)[0]), "a child")[0]
            pids = {"broker": lambda: broker.pid, "sink": lambda: sink.pid,
                    "worker": lambda: worker.pid, "producer": lambda: producer.pid,
                    "zygote": lambda: children_of(worker.pid)[0], "child": child}
            for seconds in SECONDS:
                for role in ROLES:
                    with paused(pids[role]()):
                        threading.Event().wait(seconds)  # this is how long it is stopped
                    since = time.monotonic()
                    told = max(event.get("ok", 0) for event in producer.events)
                    producer.until_counted("ok", told + 1, HANG)
                    print(f"{role}, stopped for {seconds:g} s: progress"
                          f" {time.monotonic() - since:.2f} s after", flush=True)
            producer.terminate()
            fleet.close_books(producer)
            self.assertEqual(set(fleet.store.by_status()), {"ok"})
            print(f"{fleet.store.ends()} stored once")


if __name__ == "__main__":
    unittest.main(verbosity=2)
