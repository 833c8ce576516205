"""Peers that mean ill and speak CURVE (keyed_peers.py), as fast as they can, beside a producer with
a key of its own that submits 200 tasks a second: each is refused and counted by its reason, and the
honest one is answered, and all that is its own is stored once. How soon answers came is printed
(1 s is wanted).

HOSTILE_SECONDS: how long each trouble lasts."""
import os
import pathlib
import sys
import time
import unittest

from fleet import PATIENT
from honest import Honest, OURS, THEIRS
from keys import KeyedFleet
from process import Process, eventually

SECONDS = float(os.environ.get("HOSTILE_SECONDS", 0.5))
FAILED = 'framefleet_broker_failed_handshakes_total{reason="%s"}'
DENIED = 'framefleet_broker_denied_messages_total{reason="%s"}'
# What counts each trouble; the first end that sees a connection fail need not be the broker.
TROUBLES = {
    "no_key": (FAILED % "mechanism", FAILED % "incomplete"),
    "wrong_broker": (FAILED % "wrong_broker_key",),
    "unlisted": (FAILED % "unlisted",),
    # Not every libzmq whose connection was cut while it was sending comes back to be refused.
    "revoked": (DENIED % "unlisted", FAILED % "unlisted"),
    "wrong_role": (DENIED % "role",),
    "forged": ("framefleet_broker_foreign_ids_total",),
    "lies": ("framefleet_broker_stale_results_total",
             'framefleet_broker_refused_peers_total{reason="malformed"}'),
    "greedy": ('framefleet_broker_busy_answers_total{reason="key_task_rate"}',),
    "replay": tuple(FAILED % reason for reason in ("protocol", "incomplete", "mechanism")),
}
PROGRAM = pathlib.Path(__file__).with_name("keyed_peers.py")


class HostileKeysTest(unittest.TestCase):
    def start(self, fleet):
        for name, role in (("sink", "sink"), ("w1", "worker"), ("w2", "worker"),
                           ("witness", "producer"), ("retired", "producer")):
            fleet.keys.allow(name, role)
        fleet.keys.allow("gate", "producer", tasks_per_second=20)
        fleet.keys.make(fleet.keys.peers / "stranger")
        broker = fleet.broker("--journal", fleet.folder / "journal", *PATIENT, launcher=OURS)
        fleet.sink(launcher=OURS).until_ready()
        fleet.worker("w1", "--slots", "2", "--isolation", "none", launcher=OURS).until_ready()
        return broker

    def endure(self, fleet, broker, honest, trouble):
        def counted():
            metrics = broker.metrics()
            return sum(metrics.get(name, 0) for name in TROUBLES[trouble])

        before, answered = counted(), honest.answers()
        honest.meanwhile = trouble
        peers = Process(trouble, [sys.executable, "-B", PROGRAM, fleet.endpoint, trouble,
                                  fleet.keys.peers], launcher=THEIRS)
        fleet.processes.append(peers)
        eventually(lambda: peers.events or not peers.running(), f"{trouble} is there")
        if trouble == "revoked":
            fleet.keys.revoke("retired")
        time.sleep(SECONDS)
        self.assertTrue(peers.running(), peers.text())
        eventually(lambda: counted() > before, f"{trouble} is counted")
        eventually(lambda: honest.answers() > answered, "answers go on")
        peers.kill()
        print(f"{trouble:12} {counted() - before:8.0f} times in {SECONDS:g} s and its start",
              flush=True)

    def test_the_honest_are_served(self):
        with KeyedFleet() as fleet:
            broker = self.start(fleet)
            honest = Honest(fleet.endpoint, (fleet.keys.pair(fleet.keys.file("witness")),
                                             fleet.keys.pair(fleet.keys.known)[0]))
            honest.start()
            eventually(lambda: honest.times, "the first answer")
            for trouble in TROUBLES:
                self.endure(fleet, broker, honest, trouble)
            honest.close(self, fleet.store)
            self.assertEqual(broker.metrics()[DENIED % "unproved"], 0)
            # Nobody else submitted anything, but for what the greedy one was allowed.
            self.assertLessEqual(
                {row[0] for row in fleet.store.rows("SELECT DISTINCT source FROM outcomes")},
                {honest.source, "lawn"})
            self.assertEqual(fleet.store.rows("SELECT count(*) FROM outcomes WHERE attempts > 1"),
                             [(0,)], "a lie cost somebody a lease")
            fleet.stop()


if __name__ == "__main__":
    unittest.main()
