"""Processes die, and stand still, at every failpoint: whatever was said to be durable is stored
once, and the ledger balances to the unit.

FAILPOINTS: how many (point, role) are taken, at random (0: all of them). FAILPOINT_ROUNDS: how
often. FAILPOINT_SEED: which, and at which time they are passed."""
import collections
import os
import random
import shutil
import time
import unittest

import failpoints
from failpoints import NAMES, ONCE, PASSED
from fleet import BIN, Fleet
from pictures import square_png
from process import eventually
from witness import Witness

COUNT = int(os.environ.get("FAILPOINTS", 6))
ROUNDS = int(os.environ.get("FAILPOINT_ROUNDS", 1))
RATE = 60
PATIENCE = 30  # seconds; points are passed within one
BROKER = ("--journal-bytes-max", "64MiB", "--lost-attempts-max", 100, "--failed-attempts-max",
          100, "--dying-window", "100ms", "--retry-delay-base", "10ms", "--retry-delay-max",
          "100ms", "--heartbeat-interval", "200ms")
DETECT = "edges,stub?sleep=8ms&fail=9&fail_attempts=1"
NO_PICTURE = b"no picture" + os.urandom(1 << 17)  # some of them fill a log until it is emptied
DAMAGED = b"to be damaged"


class Crowd:
    """A fleet of which one process after the other is started with orders."""

    def __init__(self, fleet, dice):
        self.fleet, self.dice = fleet, dice
        self.log = failpoints.Log(fleet.folder / "passed")
        fleet.store.timeout = 10.0
        self.members = {}  # by role
        self.numbers = collections.Counter()
        self.pictures = fleet.folder / "pictures"
        self.pictures.mkdir()
        self.hits = collections.Counter()
        self.stored_at_start = {}  # by process, until it is asked to leave

    # --- starting -----------------------------------------------------------------------------

    def start(self, role, when="work", orders=()):
        """Takes the place of the one of this role that runs, if one does."""
        if role in self.members and self.members[role].running():
            self.members[role].kill()
        self.numbers[role] += 1
        ended = [process for process in self.fleet.processes if not process.running()]
        for process in ended[:-8]:  # what they said long ago explains nothing
            self.fleet.processes.remove(process)
        environment = self.log.orders(orders)
        process = getattr(self, f"start_{role}")(when, environment)
        self.stored_at_start[process.pid] = (self.fleet.store.count()
                                             if self.fleet.store.exists() else 0)
        self.members[role] = process
        return process

    def start_broker(self, when, environment):
        return self.fleet.broker_begun("--journal", self.fleet.folder / "journal", *BROKER,
                                       environment=environment)

    def start_sink(self, when, environment):
        keep = ("--keep-bytes", "64KiB") if when == "pruning" else ()
        return self.fleet.sink("--dead-letters-bytes-max", "64MiB", *keep, environment=environment)

    def start_worker(self, when, environment):
        return self.fleet.worker(f"w{self.numbers['worker']}", "--slots", "2", "--detectors",
                                 "edges,stub", "--self-test-interval", "0s",
                                 environment=environment)

    def start_producer(self, when, environment):
        for _ in range(20 if when == "leaving" else 3):
            number = len(list(self.pictures.iterdir()))
            (self.pictures / f"{number:06}.png").write_bytes(square_png(number, 32))
        arguments = ("--manifest", self.fleet.folder / "manifest", "--job", "folder")
        return self.fleet.producer(self.pictures, detect="edges", arguments=arguments,
                                   environment=environment)

    # --- orders -------------------------------------------------------------------------------

    def strike(self, role, when, points, action):
        """Lets a process of this role come to these points: it must obey at each of them."""
        hits = {point: 1 if ONCE.fullmatch(point) else self.dice.randint(1, 3) for point in points}
        lines = [f"{point} {action}@{hits[point]}" for point in points]
        before = {line: self.log.count(line) for line in lines}
        orders = [line.replace(" ", "=") for line in lines]
        if when == "pruning":
            self.fill_store()
        give_up_at = time.monotonic() + PATIENCE
        # One that died before it had put a damaged task aside would obey before there is another.
        process = self.start(role, when, () if when == "damaged" else orders)
        if when == "damaged":
            self.damage()
            process = self.start(role, when, orders)
        while any(self.log.count(line) == before[line] for line in lines):
            if time.monotonic() > give_up_at:
                raise AssertionError(f"{role}, {when}: not passed: " + ", ".join(
                    line for line in lines if self.log.count(line) == before[line]))
            if process.ended_within(0.03) and self.log.count(lines[-1]) == before[lines[-1]]:
                if process.exit_code() != 0:
                    raise AssertionError(f"{role}, {when}, {lines}: ended unasked")
                process = self.start(role, when, orders)
            self.provoke(role, when, process)
        if action.startswith("crash") and not points[0].startswith("child."):
            code = process.exit_code()
            if code != -9:
                raise AssertionError(f"{role}, {points}: ended with {code}")
        self.hits.update((role, point) for point in points)

    def supervise(self, but=None):
        """Starts again who has ended."""
        for role in ("broker", "sink", "worker"):
            if role != but and role in self.members and not self.members[role].running():
                self.start(role)

    def provoke(self, role, when, process):
        """Does what makes the point pass."""
        self.supervise(role)
        if when == "asked" and not self.members["producer"].running():
            self.start("producer")
        elif when == "leaving":
            self.ask_to_leave(process)
        elif when == "back":
            self.ask_to_leave(self.members["worker"])

    def ask_to_leave(self, process):
        """Once, when it has done something; a producer at once."""
        stored = self.fleet.store.count()
        if process is self.members.get("producer"):
            process.until_log("plan")
        elif stored < self.stored_at_start.get(process.pid, stored) + 3:
            return
        if self.stored_at_start.pop(process.pid, None) is not None:
            process.until_log("starting")  # from there on it hears the signal
            process.terminate()

    def fill_store(self):
        """A sink that is to keep little looks at its start, and then only once in a long while."""
        def is_filled():
            self.supervise()
            return self.fleet.store.exists() and self.fleet.store.rows(
                "SELECT 1 FROM outcomes WHERE status = 'failed' AND NOT pruned")
        eventually(is_filled, "the store has a dead letter, which is more than a sink is to keep",
                   PATIENCE)

    def damage(self):
        """Kills the broker when it has a task that nobody can work on, and turns a bit of it."""
        damaged = Witness(self.fleet.endpoint, 1, "faces", RATE, f"damaged-{time.monotonic_ns()}",
                          [DAMAGED + os.urandom(5000)])
        damaged.start()
        damaged.join()
        self.members["broker"].kill()
        file = self.fleet.folder / "journal" / "data.mdb"
        content = bytearray(file.read_bytes())
        content[content.index(damaged.pictures[0]) + 3000] ^= 1
        file.write_bytes(content)


class FailpointTest(unittest.TestCase):
    def test_the_programs_of_users_have_none(self):
        for role in ("broker", "worker", "producer", "sink"):
            for folder, there in ((BIN, False), (failpoints.FOLDER, True)):
                program = (folder / f"framefleet-{role}").read_bytes()
                self.assertEqual(b"FRAMEFLEET_FAILPOINT" in program, there, f"{folder}: {role}")

    def test_every_point_is_passed_by_somebody(self):
        self.assertEqual({point for points in PASSED.values() for point in points}, set(NAMES))
        self.assertGreaterEqual(len(NAMES), 40)

    def test_whoever_dies_or_stands_still_wherever(self):
        seed = int(os.environ.get("FAILPOINT_SEED", random.randrange(1 << 32)))
        print(f"FAILPOINT_SEED={seed}")
        dice = random.Random(seed)
        every = [(role, when, point) for (role, when), points in PASSED.items()
                 for point in points if role != "live sink"]
        hits = collections.Counter()
        for number in range(ROUNDS):
            chosen = every if not COUNT else dice.sample(every, COUNT)
            began = time.monotonic()
            with Fleet(programs=failpoints.FOLDER) as fleet:
                hits += self.one_round(fleet, dice, chosen)
            if not COUNT:
                with Fleet(programs=failpoints.FOLDER) as fleet:
                    hits += self.live_round(fleet)
            print(f"round {number}: {time.monotonic() - began:.1f} s", flush=True)
        print(f"{sum(hits.values())} times at {len(hits)} places, the least at one: "
              f"{min(hits.values())}")

    def one_round(self, fleet, dice, chosen):
        crowd = Crowd(fleet, dice)
        self.make(crowd, chosen)
        for role in ("broker", "sink", "worker", "producer"):
            crowd.start(role)
        crowd.members["broker"].until_log("listening")
        witness = Witness(fleet.endpoint, None, DETECT, RATE, annotate=True,
                          pictures=[square_png(1), square_png(2), square_png(3), NO_PICTURE])
        witness.start()
        for role in ("broker", "sink", "worker", "producer"):
            self.pass_all(crowd, role, [(when, point) for its, when, point in chosen
                                        if its == role and when != "new"])
            crowd.start(role)
        self.close_books(crowd, witness)
        return crowd.hits

    def make(self, crowd, chosen):
        """What must be passed before there is anything, first standing still. A broker that had met
        a sink would not take one whose store was made anew."""
        for role in ("sink", "broker"):
            points = [point for its, when, point in chosen if (its, when) == (role, "new")]
            if not points:
                continue
            crowd.strike(role, "new", points, "sleep:50")
            for point in points:
                self.forget(crowd, role)
                crowd.strike(role, "new", [point], "crash")
                crowd.start(role).until_log("listening" if role == "broker" else "store_open")

    @staticmethod
    def forget(crowd, role):
        crowd.members[role].kill()
        shutil.rmtree(crowd.fleet.folder / ("journal" if role == "broker" else "out"))

    def pass_all(self, crowd, role, chosen):
        """Dies at each, then stands still at all of them."""
        crowd.dice.shuffle(chosen)
        for when, point in chosen:
            late = ":30" if point.endswith(".after") and crowd.dice.random() < 0.5 else ""
            crowd.strike(role, when, [point], "crash" + late)
        by_when = collections.defaultdict(list)
        for when, point in chosen:
            by_when[when].append(point)
        for when, points in by_when.items():
            crowd.strike(role, when, points, f"sleep:{crowd.dice.choice((20, 50, 100))}")

    def close_books(self, crowd, witness):
        fleet = crowd.fleet
        count = witness.finish()
        last = crowd.start("producer")
        self.assertEqual(last.exit_code(), 0, "the last producer")
        self.assertEqual(witness.faults, [])
        self.assertEqual(count, witness.next)

        def all_stored():
            return dict(fleet.store.rows("SELECT source, count(*) FROM outcomes"
                                         " WHERE source = 'witness' GROUP BY 1")) == {
                                             "witness": count}
        eventually(all_stored, "everything that is durable is stored", 60)
        # The witness does not ask before it submits again: what two brokers before this one were
        # told, and one of them ended, counts twice.
        fleet.check_broker(doubted=witness.doubted)
        self.assertEqual(fleet.store.missing(), 0)
        refused = sum(n % 4 == 3 for n in range(count))
        self.assertEqual(dict(fleet.store.rows(
            "SELECT status, count(*) FROM outcomes WHERE source = 'witness' GROUP BY 1")),
            {"ok": count - refused, "failed": refused})
        origins = [origin for (origin,) in fleet.store.rows(
            "SELECT origin FROM outcomes WHERE job = 'folder' ORDER BY 1")]
        self.assertEqual(origins, sorted(map(str, crowd.pictures.iterdir())))
        rows = fleet.store.count()
        fleet.stop()
        fleet.store.check_left_behind(rows)

    def live_round(self, fleet):
        """Frames that are superseded, which have a row for many."""
        crowd = Crowd(fleet, random.Random(1))
        fleet.broker()
        fleet.worker("w1", "--slots", "1", "--detectors", "stub")
        producer = fleet.producer("synthetic:?count=90&fps=30&size=320x240",
                                  detect="stub?sleep=100ms", arguments=("--class", "live"))
        for action in ("crash", "sleep:50"):
            crowd.strike("sink", "work", ["store.gap.written"], action)
        fleet.close_books(producer)
        return collections.Counter({("live sink", "store.gap.written"): 2})


if __name__ == "__main__":
    unittest.main(verbosity=2)
