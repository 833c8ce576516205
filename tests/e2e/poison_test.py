"""A picture that kills its workers ends as a dead letter after exactly its attempts, and hurts no
other one; an operator gets it back byte for byte, and tries it again when the fault is gone."""
import hashlib
import json
import unittest

import ledger
from fleet import Fleet
from pictures import square_png
from process import eventually

PICTURES = 60
POISON = 17  # by its number in the source: tried again, it is a task of another source
LOST_MAX = 4
WORKERS = 3


class PoisonTest(unittest.TestCase):
    def start(self, fleet):
        folder = fleet.folder / "pictures"
        folder.mkdir()
        for number in range(PICTURES):
            (folder / f"{number:03}.png").write_bytes(square_png(number))
        # A task that waits in a worker that dies is not charged, and whether it waited or had begun
        # the broker can only guess. Nothing is handed out ahead here: a death is an attempt. And
        # deaths that come soon one after the other are no alarm, which would hold it back.
        fleet.broker("--lost-attempts-max", LOST_MAX, "--ahead-time", "0s", "--dying-window",
                     "100ms", "--retry-delay-base", "10ms")
        fleet.sink().until_ready()
        for place in range(WORKERS):
            fleet.worker(f"w{place}-0", "--slots", "2").until_ready()
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
                    workers[place] = fleet.worker(f"w{place}-{deaths}", "--slots", "2")
        return deaths

    def test_a_poisonous_picture_costs_its_attempts_and_can_be_revived(self):
        with Fleet() as fleet:
            producer = self.start(fleet)
            self.assertEqual(self.replace_the_dead(fleet, producer), LOST_MAX)
            job, end = fleet.end_of(producer, exit_code=3)
            ledger.check_ends([(job, end)], fleet.store)
            fleet.check_broker()
            self.assertEqual(fleet.store.by_status(), {"ok": PICTURES - 1, "failed": 1})
            dead = self.check_dead_letter(fleet)
            self.check_shown(fleet, dead)
            self.check_exported(fleet, dead)
            ends = [(job, end), self.check_revived(fleet, dead)]
            self.check_purged(fleet, dead)
            ledger.check_ends(ends, fleet.store)
            fleet.check_broker()
            rows = fleet.store.count()
            fleet.stop()
            fleet.store.check_left_behind(rows)

    def check_dead_letter(self, fleet):
        """Its row: every attempt of it lost a worker, and it has no more of them than it may."""
        [(dead, sequence, reason, attempts)] = fleet.store.rows(
            "SELECT task, sequence, reason, attempts FROM outcomes WHERE status = 'failed'")
        self.assertEqual((sequence, reason, attempts), (POISON, "worker_lost", LOST_MAX))
        history = fleet.store.rows("SELECT attempt, reason, worker FROM attempts WHERE task = ?"
                                   " ORDER BY attempt", dead)
        self.assertEqual([(attempt, reason) for attempt, reason, _ in history],
                         [(attempt, "worker_lost") for attempt in range(1, LOST_MAX + 1)])
        self.assertEqual(len({worker for *_, worker in history}), LOST_MAX)
        hurt = fleet.store.rows("SELECT count(*), max(attempts) FROM outcomes"
                                " WHERE status = 'ok' AND attempts > 1")
        print("others that were handed out again, and how often at most:", *hurt)
        return dead

    def check_shown(self, fleet, dead):
        listed = fleet.show("dead", "list")
        self.assertEqual((listed["total"], [row["task"] for row in listed["dead_letters"]]),
                         (1, [dead]))
        [shown] = fleet.show("dead", "show", dead)["dead_letters"]
        picture = fleet.folder / "pictures" / f"{POISON:03}.png"
        self.assertEqual((shown["task"], shown["origin"], shown["reason"], shown["attempts"],
                          shown["bytes"], shown["revived_as"]),
                         (dead, str(picture), "worker_lost", LOST_MAX, picture.stat().st_size, ""))
        self.assertEqual(len(shown["history"]), LOST_MAX)
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
            fleet.worker("w0", "--slots", "1")
            producer = fleet.producer("synthetic:?count=1&size=240x200", detect="stub?crash=1")
            fleet.end_of(producer, exit_code=3)
            fleet.worker("w1", "--slots", "1").until_ready()
            [line] = fleet.operate("dead", "revive", "--all", "--json", exit_code=3).splitlines()
            said = json.loads(line)
            self.assertEqual((said["status"], said["reason"]), ("failed", "worker_lost"))
            self.assertEqual(fleet.show("dead", "list")["total"], 2)
            self.assertEqual(fleet.store.rows("SELECT revived_as FROM outcomes WHERE task = ?",
                                              said["from"]), [(said["to"],)])
            fleet.check_broker()


if __name__ == "__main__":
    unittest.main()
