"""Broker, sink, workers and their child processes are killed at random; a witness that forgets
every picture as soon as it is said to be durable then compares what it was told with the store.

CHAOS_TRANSPORT: tcp or ipc. CHAOS_TASKS, CHAOS_RATE, CHAOS_KILLS, CHAOS_SEED: how many tasks, how
many of them a second, how many kills at least, and which faults."""
import os
import random
import signal
import time
import unittest

from fleet import Fleet
from process import children_of, eventually
from witness import Witness

TASKS = int(os.environ.get("CHAOS_TASKS", 800))
RATE = float(os.environ.get("CHAOS_RATE", 60))
KILLS_MIN = int(os.environ.get("CHAOS_KILLS", 3))
PAUSE_MIN, PAUSE_MAX = 0.2, 2.0
VICTIMS = ("broker", "broker", "sink", "worker", "worker", "child", "child")


class JournalChaosTest(unittest.TestCase):
    def start(self, fleet, role, *names):
        if role == "broker":
            # A cut is noticed soon, and a picture may meet as many deaths as there are.
            return fleet.broker("--journal", fleet.folder / "journal", "--journal-bytes-max",
                                "256MiB", "--lost-attempts-max", 100, "--failed-attempts-max", 100,
                                "--dying-window", "100ms", "--retry-delay-max", "200ms")
        if role == "sink":
            return fleet.sink()
        return fleet.worker(names[0], "--slots", "2", "--self-test-interval", "0s")

    def test_what_is_durable_is_stored_once_whoever_is_killed(self):
        transport = os.environ.get("CHAOS_TRANSPORT", "ipc")
        seed = int(os.environ.get("CHAOS_SEED", random.randrange(1 << 32)))
        print(f"transport {transport}, CHAOS_SEED={seed}, {TASKS} tasks")
        dice = random.Random(seed)
        with Fleet(transport) as fleet:
            alive = {"broker": self.start(fleet, "broker")}
            alive["sink"] = self.start(fleet, "sink")
            alive["sink"].until_log("store_open")
            workers = [self.start(fleet, "worker", f"w{place}-0") for place in range(2)]
            witness = Witness(fleet.endpoint, TASKS, "edges,stub?sleep=20ms", RATE)
            witness.start()
            kills = dict.fromkeys(VICTIMS, 0)
            while witness.is_alive():
                witness.join(dice.uniform(PAUSE_MIN, PAUSE_MAX))
                victim = dice.choice(VICTIMS)
                if self.kill(fleet, victim, alive, workers, witness, dice, sum(kills.values())):
                    kills[victim] += 1
            self.assertEqual(witness.faults, [])
            self.assertEqual(len(witness.durable), TASKS)
            eventually(lambda: self.all_stored(fleet), "everything is stored", 120)
            fleet.check_broker()
            self.assertEqual(fleet.store.missing(), 0)
            recoveries = sorted(witness.recoveries)
            print(f"kills {kills}; {len(recoveries)} recoveries, in seconds: "
                  + " ".join(f"{each:.2f}" for each in recoveries))
            self.assertGreaterEqual(sum(kills.values()), KILLS_MIN)
            fleet.stop()
            fleet.store.check_left_behind(TASKS)

    def all_stored(self, fleet):
        return fleet.store.exists() and fleet.store.by_status() == {"ok": TASKS}

    def kill(self, fleet, victim, alive, workers, witness, dice, number):
        if victim in alive:
            if victim == "broker":
                witness.broker_died()
            alive[victim].kill()
            alive[victim] = self.start(fleet, victim)
            return True
        place = dice.randrange(len(workers))
        if victim == "worker":
            workers[place].kill()
            workers[place] = self.start(fleet, "worker", f"w{place}-{number + 1}")
            return True
        children = children_of(workers[place].pid)
        if not children:
            return False  # it has only just begun
        try:
            os.kill(dice.choice(children), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


if __name__ == "__main__":
    unittest.main(verbosity=2)
