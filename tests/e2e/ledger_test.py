"""The shared check must be able to fail: books that are wrong by one anywhere do not balance."""
import collections
import copy
import pathlib
import sqlite3
import tempfile
import unittest

import ledger

LIVE, BATCH = "job/live", "job/batch"
TASKS = [  # source, sequence, status
    (LIVE, 2, "ok"), (LIVE, 5, "ok"),
    (BATCH, 0, "ok"), (BATCH, 1, "failed"), (BATCH, 2, "ok"),
]
GAPS = [(LIVE, 0, 1, "superseded"), (LIVE, 3, 3, "superseded")]  # 4 was skipped
ENDS = {LIVE: {"ok": 2, "superseded": 3}, BATCH: {"ok": 2, "failed": 1}}


def account_of(ends, rejected=0):
    admitted = sum(ends.values())
    return {**dict.fromkeys(ledger.STATUSES, 0), **ends, "admitted": admitted,
            "rejected": rejected, "submitted": admitted + rejected}


def total():
    return dict(sum(map(collections.Counter, ENDS.values()), collections.Counter()))


class LedgerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="framefleet-ledger-")
        self.addCleanup(folder.cleanup)
        self.store = ledger.Store(folder.name)
        self.database = sqlite3.connect(pathlib.Path(folder.name) / "results.sqlite")
        self.addCleanup(self.database.close)
        self.database.executescript(
            "CREATE TABLE outcomes (task, source, epoch, sequence, job, status);"
            "CREATE TABLE gaps (source, epoch, first, last, job, status);")
        for source, sequence, status in TASKS:
            self.add_outcome(source, sequence, status)
        for source, first, last, status in GAPS:
            self.change("INSERT INTO gaps VALUES (?, 1, ?, ?, 'job', ?)", source, first, last,
                        status)
        self.end = {**account_of(total()), "in_flight": 0, "stored_before": 0, "skipped": 1,
                    "pictures": 9, "interrupted": False}
        self.broker = self.make_broker()

    def change(self, statement, *values):
        self.database.execute(statement, values)
        self.database.commit()

    def add_outcome(self, source, sequence, status="ok"):
        self.change("INSERT INTO outcomes VALUES (?, ?, 1, ?, 'job', ?)", f"{source}-{sequence}",
                    source, sequence, status)

    def make_broker(self):
        metrics = {f'framefleet_broker_tasks{{state="{state}"}}': 0.0
                   for state in ledger.IN_PROGRESS}
        metrics.update(framefleet_broker_backlog_bytes=0.0, framefleet_broker_unstored_bytes=0.0,
                       framefleet_broker_rejected_tasks_total=0.0)
        nothing = dict.fromkeys(ledger.IN_PROGRESS, 0)
        for source, ends in ENDS.items():
            name = "framefleet_broker_submitted_tasks_total"
            metrics[f'{name}{{source="{source}"}}'] = float(sum(ends.values()))
            for status, count in ends.items():
                metrics[f'framefleet_broker_settled_tasks_total{{source="{source}",'
                        f'status="{status}"}}'] = float(count)
        return ledger.Broker(
            metrics,
            {"unstored": 0, "backlog_bytes": 0, "unstored_bytes": 0, "in_progress": nothing,
             "account": account_of(total())},
            {"sources": [{"name": source, "account": account_of(ends), "in_progress": nothing}
                         for source, ends in ENDS.items()]},
            {"jobs": [{"name": "job", "account": account_of(total()), "in_progress": nothing}]})

    def check(self):
        ledger.check_ends([("job", self.end)], self.store)
        self.broker.check(self.store, saw_all=True)

    def check_fails(self, what):
        with self.subTest(what), self.assertRaises(AssertionError):
            self.check()

    def test_books_that_are_right_balance(self):
        self.check()

    def test_an_outcome_too_few_or_too_many_is_found(self):
        self.change("DELETE FROM outcomes WHERE sequence = 5")
        self.check_fails("lost")
        self.add_outcome(LIVE, 5)
        self.check()
        self.add_outcome(LIVE, 6)
        self.check_fails("one more")
        self.change("UPDATE outcomes SET sequence = 5 WHERE sequence = 6")
        self.check_fails("twice")

    def test_an_outcome_of_another_source_status_or_job_is_found(self):
        for column, wrong, right in (("status", "failed", "ok"), ("job", "another", "job"),
                                     ("source", BATCH, LIVE)):
            self.change(f"UPDATE outcomes SET {column} = ? WHERE sequence = 5", wrong)
            self.check_fails(column)
            self.change(f"UPDATE outcomes SET {column} = ? WHERE sequence = 5", right)
        self.check()

    def test_a_run_of_superseded_frames_that_is_off_by_one_is_found(self):
        for first, last in ((0, 0), (0, 2), (3, 4)):
            self.change("UPDATE gaps SET first = ?, last = ? WHERE first < 3", first, last)
            self.check_fails(f"{first} to {last}")
            self.change("UPDATE gaps SET first = 0, last = 1 WHERE rowid = 1")

    def test_a_producer_that_was_told_something_else_is_found(self):
        right = copy.deepcopy(self.end)
        for noun in ("ok", "failed", "superseded", "submitted", "admitted", "rejected", "skipped",
                     "pictures", "in_flight", "stored_before"):
            self.end = {**right, noun: right[noun] + 1}
            self.check_fails(noun)
        # Counted under the wrong name, so that every sum is right.
        self.end = {**right, "ok": right["ok"] - 1, "failed": right["failed"] + 1}
        self.check_fails("ok for failed")
        # Another frame was never submitted than was counted.
        self.end = {**right, "skipped": 0, "pictures": 8}
        self.check_fails("a hole that nobody counted")

    def test_a_broker_that_counts_something_else_is_found(self):
        for name in self.broker.metrics:
            self.broker = self.make_broker()
            self.broker.metrics[name] += 1
            # That tasks are in progress is waited for, not compared.
            if "state=" not in name:
                self.check_fails(name)
        for kind in ("sources", "jobs"):
            for row in range(len(getattr(self.make_broker(), kind))):
                for noun in account_of({}):
                    self.broker = self.make_broker()
                    list(getattr(self.broker, kind).values())[row]["account"][noun] += 1
                    self.check_fails(f"{noun} of {kind}")
        for noun in account_of({}):
            self.broker = self.make_broker()
            self.broker.status["account"][noun] += 1
            self.check_fails(f"{noun} of the fleet")
        self.broker = self.make_broker()
        del self.broker.sources[LIVE]
        self.check_fails("a source that it has forgotten")


if __name__ == "__main__":
    unittest.main()
