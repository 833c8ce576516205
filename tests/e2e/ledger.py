"""The store as a reader sees it, and the ledger: what the producer was told, what the broker counts
and what the store has must agree to the unit, and every task must be there once."""
import collections
import json
import pathlib
import sqlite3

STATUSES = ("ok", "failed", "expired", "superseded", "cancelled", "lost")
IN_PROGRESS = ("ready", "delayed", "leased", "storing")


def agree(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"the ledger does not balance: {what}: {found}, not {wanted}")


class Store:
    """An output folder. Every question opens the database anew, as another program would."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def exists(self):
        """Whether there is a database with its tables: a killed sink may not have come so far."""
        if not (self.folder / "results.sqlite").exists():
            return False
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE name = 'outcomes'"))

    def connect(self, timeout=0.0):
        """Read only. Without a timeout, a database that is locked even for a moment is an error."""
        uri = f"file:{self.folder}/results.sqlite?mode=ro"
        return sqlite3.connect(uri, uri=True, timeout=timeout)

    def rows(self, question, *values):
        connection = self.connect()
        try:
            return connection.execute(question, values).fetchall()
        finally:
            connection.close()

    def count(self):
        return self.rows("SELECT count(*) FROM outcomes")[0][0]

    def by_status(self):
        return collections.Counter(dict(
            self.rows("SELECT status, count(*) FROM outcomes GROUP BY status")))

    def outcomes(self):
        """All that a row of a task says, by task: to see that nothing touches a stored row."""
        connection = self.connect()
        connection.row_factory = sqlite3.Row
        try:
            found = connection.execute("SELECT * FROM outcomes").fetchall()
        finally:
            connection.close()
        return {row["task"]: dict(row) for row in found}

    def check_against_end(self, end, before=None):
        """The producer's last account against the store. `before`: by_status() at its start."""
        settled = sum(end[status] for status in STATUSES)
        agree("submitted = rejected + admitted", end["rejected"] + end["admitted"],
              end["submitted"])
        agree("admitted = settled", settled, end["admitted"])
        agree("in flight at the end", end["in_flight"], 0)
        agree("outcomes in the store", self.count(), end["stored_before"] + settled)
        if before is None and end["stored_before"] == 0:
            before = collections.Counter()
        if before is not None:
            agree("stored before", end["stored_before"], sum(before.values()))
            after = self.by_status()
            for status in STATUSES:
                agree(status, after[status], before[status] + end[status])
        self.check_once()

    def check_once(self):
        """Every task once, and no hole in any source."""
        for source, epoch, rows, different, last in self.rows(
                "SELECT source, epoch, count(*), count(DISTINCT sequence), max(sequence)"
                " FROM outcomes GROUP BY source, epoch"):
            agree(f"different sequences of {source} {epoch}", different, rows)
            agree(f"sequences of {source} {epoch} without a hole", last + 1, rows)
        agree("different tasks", self.rows("SELECT count(DISTINCT task) FROM outcomes")[0][0],
              self.count())

    def check_left_behind(self, rows):
        """What a sink that has left has left: a sound database and one line for each outcome."""
        agree("integrity", self.rows("PRAGMA integrity_check"), [("ok",)])
        agree("foreign keys", self.rows("PRAGMA foreign_key_check"), [])
        agree("outcomes in the end", self.count(), rows)
        with open(self.folder / "results.ndjson", encoding="utf-8") as file:
            tasks = [json.loads(line)["task"] for line in file]
        agree("lines of results.ndjson", len(tasks), rows)
        agree("tasks of results.ndjson", set(tasks), set(self.outcomes()))
        paths = {path for (path,) in self.rows("SELECT path FROM pictures")}
        agree("pictures that are not there",
              [path for path in paths if not (self.folder / path).is_file()], [])


def broker_has_ended(metrics, settled):
    """Whether nothing is in progress and so many are settled: metrics are a moment old."""
    in_progress = sum(metrics[f'framefleet_broker_tasks{{state="{state}"}}']
                      for state in IN_PROGRESS)
    return in_progress == 0 and metrics.get("framefleet_broker_settled_tasks_total", 0) >= settled


def check_broker(metrics, rows, saw_all):
    """The broker's own account, when all has ended; if it began in the middle, it saw a part."""
    def total(noun):
        return int(metrics.get(f"framefleet_broker_{noun}_tasks_total", 0))
    agree("the broker's submitted = rejected + settled",
          total("rejected") + total("settled"), total("submitted"))
    if saw_all:
        agree("settled by the broker", total("settled"), rows)
    elif total("settled") > rows:
        agree("settled by the last broker at most", total("settled"), rows)


def check_report(report, store, outdated=0):
    """The last event of `framefleet run --json` against the store of its job. `outdated`: outcomes
    of pictures that have changed since, which stay in the store."""
    agree("problems, by its own audit", report["ledger"]["problems"], [])
    agree("balanced, by its own audit", report["ledger"]["balanced"], True)
    if report["ledger"]["complete"]:
        settled = sum(report["ledger"][status] for status in STATUSES)
        agree("outcomes in the store", store.count(),
              report["ledger"]["stored_before"] + settled + outdated)
    by_status = store.by_status()
    for status in STATUSES:
        agree(f"the report's {status}", report["store"]["outcomes"][status], by_status[status])
    store.check_left_behind(store.count())
