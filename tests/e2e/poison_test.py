"""A picture that kills the process that works on it ends as a dead letter after exactly its
attempts; an operator gets it back byte for byte, and tries it again when the fault is gone. Where
it kills a child process, nothing else is hurt; where it kills the worker (its decoders run in
threads), others are handed out again, and the broker keeps it from emptying the fleet."""
import hashlib
import json
import unittest

import ledger
from fleet import PATIENT, Fleet
from pictures import square_png
from process import eventually

PICTURES = 60
POISON = 17  # by its number in the source: tried again, it is a task of another source
FAILED_MAX = 3
LOST_MAX = 4
WORKERS = 3
THREADS = ("--slots", "2", "--isolation", "none")  # where a crash is the end of the worker


class PoisonTest(unittest.TestCase):
    def start(self, fleet, *worker_arguments, options=()):
        folder = fleet.folder / "pictures"
        folder.mkdir()
        for number in range(PICTURES):
            (folder / f"{number:03}.png").write_bytes(square_png(number))
        # A task that waits in a worker that dies is not charged, and whether it waited or had begun
        # the broker can only guess. Nothing is handed out ahead here: a death is an attempt. And
        # deaths that come soon one after the other are no alarm, which would hold it back.
        fleet.broker("--lost-attempts-max", LOST_MAX, "--ahead-time", "0s", "--dying-window",
                     "100ms", "--retry-delay-base", "10ms", *options)
        fleet.sink().until_ready()
        for place in range(WORKERS):
            fleet.worker(f"w{place}-0", *worker_arguments).until_ready()
        return fleet.producer(folder, detect=f"edges,stub?sleep=5ms&crash_at={POISON}")

    def replace_the_dead(self, fleet, producer):
        """Starts a worker for each that dies, until all is settled. Returns how many died."""
        deaths = 0
        workers = fleet.named("worker")
        while not producer.ended_within(0.05):
            for place, worker in enumerate(workers):
                if not worker.running():
                    deaths += 1
                    self.assertLessEqual(deaths, LOST_MAX, "more deaths than attempts")
                    workers[place] = fleet.worker(f"w{place}-{deaths}", *THREADS)
        return deaths

    def test_a_picture_that_kills_its_process_costs_its_attempts_and_nothing_else(self):
        with Fleet() as fleet:
            producer = self.start(fleet, "--slots", "2", options=PATIENT)
            job, end = fleet.end_of(producer, exit_code=3)
            self.assertEqual(len(fleet.named("worker")), WORKERS)
            self.assertEqual(fleet.store.rows(
                "SELECT status, attempts, count(*) FROM outcomes GROUP BY 1, 2 ORDER BY 1"),
                [("failed", FAILED_MAX, 1), ("ok", 1, PICTURES - 1)])
            dead = self.check_dead_letter(fleet, "child_crashed", FAILED_MAX)
            self.check_shown(fleet, dead, "child_crashed", FAILED_MAX)
            ledger.check_ends([(job, end), self.check_revived(fleet, dead)], fleet.store)
            fleet.check_broker()

    def test_a_picture_that_kills_its_worker_costs_its_attempts_and_can_be_revived(self):
        with Fleet() as fleet:
            producer = self.start(fleet, *THREADS)
            self.assertEqual(self.replace_the_dead(fleet, producer), LOST_MAX)
            job, end = fleet.end_of(producer, exit_code=3)
            ledger.check_ends([(job, end)], fleet.store)
            fleet.check_broker()
            self.assertEqual(fleet.store.by_status(), {"ok": PICTURES - 1, "failed": 1})
            dead = self.check_dead_letter(fleet, "worker_lost", LOST_MAX)
            workers = fleet.store.rows("SELECT count(DISTINCT worker) FROM attempts"
                                       " WHERE task = ?", dead)
            self.assertEqual(workers, [(LOST_MAX,)])
            self.check_shown(fleet, dead, "worker_lost", LOST_MAX)
            self.check_exported(fleet, dead)
            ends = [(job, end), self.check_revived(fleet, dead)]
            self.check_purged(fleet, dead)
            ledger.check_ends(ends, fleet.store)
            fleet.check_broker()
            rows = fleet.store.count()
            fleet.stop()
            fleet.store.check_left_behind(rows)

    def check_dead_letter(self, fleet, reason, attempts_max):
        """Its row: every attempt of it ended for this reason, and it has no more than it may."""
        [(dead, *row)] = fleet.store.rows(
            "SELECT task, sequence, reason, attempts FROM outcomes WHERE status = 'failed'")
        self.assertEqual(row, [POISON, reason, attempts_max])
        self.assertEqual(fleet.store.rows("SELECT attempt, reason FROM attempts WHERE task = ?"
                                          " ORDER BY attempt", dead),
                         [(attempt, reason) for attempt in range(1, attempts_max + 1)])
        hurt = fleet.store.rows("SELECT count(*), max(attempts) FROM outcomes"
                                " WHERE status = 'ok' AND attempts > 1")
        print("others that were handed out again, and how often at most:", *hurt)
        return dead

    def check_shown(self, fleet, dead, reason, attempts_max):
        listed = fleet.show("dead", "list")
        self.assertEqual((listed["total"], [row["task"] for row in listed["dead_letters"]]),
                         (1, [dead]))
        [shown] = fleet.show("dead", "show", dead)["dead_letters"]
        picture = fleet.folder / "pictures" / f"{POISON:03}.png"
        self.assertEqual((shown["task"], shown["origin"], shown["reason"], shown["attempts"],
                          shown["bytes"], shown["revived_as"]),
                         (dead, str(picture), reason, attempts_max, picture.stat().st_size, ""))
        self.assertEqual(len(shown["history"]), attempts_max)
        self.assertIn(dead, fleet.operate("dead", "list"))
        fleet.operate("dead", "show", self.other(dead), exit_code=66)

    @staticmethod
    def other(dead):
        """The id of a task that is no dead letter."""
        return f"{dead.rpartition('-')[0]}-0"

    def check_exported(self, fleet, dead):
        to = fleet.folder / "exported.png"
        fleet.operate("dead", "export", dead, "--to", to)
        sent = fleet.folder / "pictures" / f"{POISON:03}.png"
        self.assertEqual(*(hashlib.sha256(path.read_bytes()).hexdigest() for path in (sent, to)))
        fleet.operate("dead", "export", dead, "--to", to, exit_code=73)
        fleet.operate("dead", "export", self.other(dead), exit_code=66)

    def check_revived(self, fleet, dead):
        """Returns its job and its account, as of a producer."""
        [line] = fleet.operate("dead", "revive", dead, "--json").splitlines()
        said = json.loads(line)
        self.assertEqual((said["from"], said["status"]), (dead, "ok"))
        self.assertEqual(fleet.store.rows(
            "SELECT task, status, revived_as FROM outcomes WHERE revived_as IS NOT NULL"),
            [(dead, "failed", said["to"])])
        [(job, origin, revived_from)] = fleet.store.rows(
            "SELECT job, origin, revived_from FROM outcomes WHERE task = ?", said["to"])
        self.assertEqual((origin, revived_from),
                         (str(fleet.folder / "pictures" / f"{POISON:03}.png"), dead))
        [shown] = fleet.show("dead", "show", dead)["dead_letters"]
        self.assertEqual(shown["revived_as"], said["to"])
        # What was revived once is not revived with the rest.
        self.assertEqual(fleet.operate("dead", "revive", "--all"), "")
        end = dict.fromkeys(ledger.STATUSES, 0)
        end.update(ok=1, submitted=1, admitted=1, rejected=0, skipped=0, stored_before=0,
                   in_flight=0, pictures=1, interrupted=False)
        return job, end

    def check_purged(self, fleet, dead):
        fleet.operate("dead", "purge", dead, exit_code=64)  # nobody is there to say yes
        fleet.operate("dead", "purge", dead, "--yes")
        eventually(lambda: fleet.store.rows("SELECT bytes FROM dead_letters") == [(None,)],
                   "its bytes are gone")
        fleet.operate("dead", "export", dead, exit_code=66)
        fleet.operate("dead", "revive", dead, exit_code=66)

    def test_a_picture_that_kills_again_is_dead_again(self):
        with Fleet() as fleet:
            fleet.broker("--lost-attempts-max", "1")
            fleet.sink().until_ready()
            fleet.worker("w0", *THREADS)
            producer = fleet.producer("synthetic:?count=1&size=240x200", detect="stub?crash=1")
            fleet.end_of(producer, exit_code=3)
            fleet.worker("w1", *THREADS).until_ready()
            [line] = fleet.operate("dead", "revive", "--all", "--json", exit_code=3).splitlines()
            said = json.loads(line)
            self.assertEqual((said["status"], said["reason"]), ("failed", "worker_lost"))
            self.assertEqual(fleet.show("dead", "list")["total"], 2)
            self.assertEqual(fleet.store.rows("SELECT revived_as FROM outcomes WHERE task = ?",
                                              said["from"]), [(said["to"],)])
            fleet.check_broker()


if __name__ == "__main__":
    unittest.main()
