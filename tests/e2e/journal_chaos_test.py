"""Broker, sink, workers, their child processes and producers are killed at random; witnesses that
forget every picture as soon as it is said to be durable are then compared with the store.

CHAOS_TRANSPORT: tcp or ipc. CHAOS_TASKS, CHAOS_RATE, CHAOS_KILLS, CHAOS_SEED: how many tasks, how
many of them a second, how many kills at least, and which faults. CHAOS_ROUNDS: how often, each with
a fleet of its own and the next seed."""
import collections
import os
import pathlib
import random
import signal
import sys
import unittest

from fleet import Fleet
from process import Process, children_of, eventually
from witness import Witness

TASKS = int(os.environ.get("CHAOS_TASKS", 800))
RATE = float(os.environ.get("CHAOS_RATE", 60))
KILLS_MIN = int(os.environ.get("CHAOS_KILLS", 3))
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", 1))
MORTAL_RATE = 10  # of the producer that is killed
DETECT = "edges,stub?sleep=20ms"
PAUSE_MIN, PAUSE_MAX = 0.2, 2.0
VICTIMS = ("broker", "broker", "sink", "worker", "worker", "child", "child", "producer")


def histogram(seconds, step=0.25):
    """A line for each quarter of a second in which somebody was heard again."""
    counts = collections.Counter(int(each / step) for each in seconds)
    return "\n".join(f"  {place * step:5.2f} s {counts[place]:5d} "
                     f"{'#' * -(-60 * counts[place] // max(counts.values()))}"
                     for place in range(max(counts, default=-1) + 1))


class Chaos:
    """A fleet, and who is killed next."""

    def __init__(self, fleet, dice):
        self.fleet, self.dice = fleet, dice
        self.kills = collections.Counter()
        fleet.store.timeout = 10.0
        self.alive = {role: self.start(role) for role in ("broker", "sink")}
        self.alive["sink"].until_log("store_open")
        self.workers = [self.start("worker", f"w{place}-0") for place in range(2)]
        self.witness = Witness(fleet.endpoint, TASKS, DETECT, RATE)
        self.witness.start()
        self.mortals = [self.mortal()]

    def start(self, role, *names):
        fleet = self.fleet
        if role == "broker":
            # A cut is noticed soon, and a picture may meet as many deaths as there are.
            return fleet.broker("--journal", fleet.folder / "journal", "--journal-bytes-max",
                                "256MiB", "--lost-attempts-max", 100, "--failed-attempts-max", 100,
                                "--dying-window", "100ms", "--retry-delay-max", "200ms")
        if role == "sink":
            return fleet.sink()
        return fleet.worker(names[0], "--slots", "2", "--self-test-interval", "0s")

    def mortal(self):
        """A producer that is a process of its own: its last words are what it was told."""
        name = f"mortal-{self.kills['producer']}"
        program = pathlib.Path(__file__).parent / "witness.py"
        process = Process(name, [sys.executable, "-B", program, self.fleet.endpoint, name, DETECT,
                                 MORTAL_RATE])
        self.fleet.processes.append(process)
        return process

    def kill_somebody(self):
        victim = self.dice.choice(VICTIMS)
        if self.kill(victim):
            self.kills[victim] += 1
        dead = [process for process in self.fleet.processes if not process.running()]
        for process in dead[:-10]:  # what they said long ago explains nothing
            self.fleet.processes.remove(process)

    def kill(self, victim):
        if victim in self.alive:
            if victim == "broker":
                self.witness.broker_died()
            self.alive[victim].kill()
            self.alive[victim] = self.start(victim)
            return True
        if victim == "producer":
            self.mortals[-1].kill()
            self.kills["producer"] += 1
            self.mortals.append(self.mortal())
            self.kills["producer"] -= 1
            return True
        place = self.dice.randrange(len(self.workers))
        if victim == "worker":
            self.workers[place].kill()
            self.workers[place] = self.start("worker", f"w{place}-{self.kills.total() + 1}")
            return True
        children = children_of(self.workers[place].pid)
        if not children:
            return False  # it has only just begun
        try:
            os.kill(self.dice.choice(children), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def told(self):
        """What the producers that died were told, by source, when the last of them has died too."""
        self.mortals[-1].kill()
        told = {}
        for mortal in self.mortals:
            mortal.exit_code()
            told[mortal.name] = {int(line.split()[1]) for line in mortal.lines
                                 if line.startswith("durable ")}
        return told


class JournalChaosTest(unittest.TestCase):
    def test_what_is_durable_is_stored_once_whoever_is_killed(self):
        transport = os.environ.get("CHAOS_TRANSPORT", "ipc")
        first = int(os.environ.get("CHAOS_SEED", random.randrange(1 << 32)))
        recoveries, kills = [], collections.Counter()
        for seed in range(first, first + ROUNDS):
            print(f"transport {transport}, CHAOS_SEED={seed}, {TASKS} tasks", flush=True)
            with Fleet(transport) as fleet:
                self.one_round(Chaos(fleet, random.Random(seed)), kills, recoveries)
        print(f"recoveries ({len(recoveries)}) from the death of a broker to the next task that is"
              f" durable:\n{histogram(recoveries)}", flush=True)

    def one_round(self, chaos, kills, recoveries):
        fleet, witness = chaos.fleet, chaos.witness
        while witness.is_alive():
            witness.join(chaos.dice.uniform(PAUSE_MIN, PAUSE_MAX))
            chaos.kill_somebody()
        told = chaos.told()
        self.assertEqual(witness.faults, [])
        self.assertGreater(sum(map(len, told.values())), 0, "who is killed is a producer, too")
        self.assertEqual(len(witness.durable), TASKS)
        wanted = {witness.source: set(range(TASKS)), **told}
        eventually(lambda: all(self.stored(fleet, source) >= durable
                               for source, durable in wanted.items()), "everything is stored", 120)
        self.assertEqual(self.stored(fleet, witness.source), wanted[witness.source])
        fleet.check_broker(doubted=witness.doubted)  # and with it that nothing is in progress
        rows = fleet.store.count()
        self.assertEqual(fleet.store.rows("SELECT count(DISTINCT task) FROM outcomes"), [(rows,)])
        self.assertEqual(fleet.store.by_status()["ok"], rows)
        kills += chaos.kills
        recoveries += witness.recoveries
        print(f"kills {dict(chaos.kills)}; {rows} tasks stored, {witness.doubted} of them doubted,"
              f" {sum(map(len, told.values()))} of producers that were killed", flush=True)
        self.assertGreaterEqual(chaos.kills.total(), KILLS_MIN)
        fleet.stop()
        fleet.store.check_left_behind(rows)

    @staticmethod
    def stored(fleet, source):
        return {sequence for (sequence,) in fleet.store.rows(
            "SELECT sequence FROM outcomes WHERE source = ? AND status = 'ok'", source)}


if __name__ == "__main__":
    unittest.main(verbosity=2)
