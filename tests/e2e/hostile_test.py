"""Peers without manners, over sockets of their own (raw_peers.py), beside a producer that submits
200 tasks a second and is told the truth: nothing that was said to be durable is lost, and all is
answered. What no option can bound, a message that never ends, may cost the broker its life at its
limit of memory; it is then started again, as a service manager does. How soon answers came, and how
soon the broker was back, is printed (answers within 1 s are wanted).

HOSTILE_CROWD, HOSTILE_CRUMBS, HOSTILE_SECONDS: how many connections, empty frames, and how long
each trouble lasts."""
import os
import pathlib
import sys
import threading
import time
import unittest

from fleet import Fleet
from honest import Honest, OURS, THEIRS
from process import PATIENCE, Process, eventually, memory_of

CROWD = int(os.environ.get("HOSTILE_CROWD", 300))
CRUMBS = int(os.environ.get("HOSTILE_CRUMBS", 300_000))
SECONDS = float(os.environ.get("HOSTILE_SECONDS", 0.2))
# What a broker must have beside its queues of 48 MiB is 128 MiB; the rest is for the troubles.
# Connections that greet and stay cost libzmq 23 KiB each; they are to fit.
MEMORY_MAX = (192 << 20) + CROWD * (32 << 10)
# Of the troubles, how many: connections, pieces, turns.
TROUBLES = {"silence": CROWD, "half": CROWD, "idle": CROWD, "slow": 20, "claims": 8, "forged": 10,
            "replay": 4, "crumbs": CRUMBS, "bomb": 2 * MEMORY_MAX >> 20}
# Whose trouble is done when they have said all they have to say.
TALKERS = {"claims", "forged", "replay", "crumbs", "bomb"}
DEADLY = {"idle", "crumbs", "bomb"}
PROGRAM = pathlib.Path(__file__).with_name("raw_peers.py")


class HostileTest(unittest.TestCase):
    def start_broker(self, fleet):
        return fleet.broker(
            "--journal", fleet.folder / "journal", "--backlog-bytes-max", "32MiB",
            "--unstored-bytes-max", "16MiB", "--memory-max", f"{MEMORY_MAX}B", launcher=OURS)

    def make(self, fleet, trouble, count):
        peers = Process(trouble, [sys.executable, "-B", PROGRAM, fleet.endpoint, trouble, count],
                        launcher=THEIRS)
        fleet.processes.append(peers)
        return peers

    def endure(self, fleet, honest, trouble, count):
        """Until the trouble is over; the broker is started again whenever it has died."""
        broker, before = fleet.named("broker")[0], honest.answers()
        honest.meanwhile = trouble
        peers = self.make(fleet, trouble, count)
        begun, over_at, most = time.monotonic(), None, 0
        while peers.running() and (over_at is None or time.monotonic() < over_at):
            if over_at is None and trouble not in TALKERS and peers.events:
                over_at = time.monotonic() + SECONDS  # all of them are there
            if not broker.running():
                self.assertIn(trouble, DEADLY, broker.text())
                died_at = time.monotonic()
                honest.broker_died()
                broker = self.start_broker(fleet)
                self.returns.append(time.monotonic() - died_at)
            most = max(most, memory_of(broker.pid, "VmRSS") or 0)
            self.assertLess(time.monotonic(), begun + PATIENCE, f"{trouble} is never over")
            threading.Event().wait(0.01)
        peers.kill()
        if not broker.running():
            self.assertIn(trouble, DEADLY, broker.text())
            broker = self.start_broker(fleet)
        eventually(lambda: honest.answers() > before, "answers go on")
        print(f"{trouble:8} {count:8d}, {time.monotonic() - begun:5.1f} s: the broker took"
              f" {most >> 20} MiB", flush=True)

    def check_refusals(self, metrics):
        """What was claimed and forged is refused, and counted by its reason."""
        refused = {name.partition('"')[2].rstrip('"}'): int(value)
                   for name, value in metrics.items()
                   if name.startswith("framefleet_broker_refused_peers_total{") and value}
        unreadable = int(metrics["framefleet_broker_unreadable_messages_total"])
        print(f"refused by reason {refused}; unreadable messages {unreadable}")
        if not self.returns:  # else that was another broker
            self.assertGreaterEqual(unreadable, TROUBLES["claims"])
            self.assertGreaterEqual(
                set(refused), {"malformed", "wrong_role", "not_permitted", "other_store"})

    def test_an_honest_producer_loses_nothing(self):
        self.returns = []
        with Fleet("tcp") as fleet:
            self.start_broker(fleet)
            fleet.sink(launcher=OURS).until_ready()
            fleet.worker("w1", "--slots", "2", "--isolation", "none", launcher=OURS).until_ready()
            honest = Honest(fleet.endpoint)
            honest.start()
            eventually(lambda: honest.times, "the first answer")
            for trouble, count in TROUBLES.items():
                self.endure(fleet, honest, trouble, count)
                if trouble == "replay":
                    self.check_refusals(fleet.named("broker")[0].metrics())
            honest.close(self, fleet.store)
            print(f"the broker died {len(self.returns)} times and listened again after"
                  f" {[round(each, 2) for each in self.returns]} s; tasks were durable again after"
                  f" {[round(each, 2) for each in honest.recoveries]} s")
            self.assertEqual(set(fleet.store.by_status()), {"ok"})
            self.assertEqual(
                {row[0] for row in fleet.store.rows("SELECT DISTINCT source FROM outcomes")},
                {honest.source})
            fleet.stop()


if __name__ == "__main__":
    unittest.main()
