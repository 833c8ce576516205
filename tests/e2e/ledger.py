"""The ledger: what producers were told, what the broker counts, what operators are shown and what
the store has must agree to the unit, per source and per job, and every task must be there once.
Every test ends with `Fleet.close_books`, or with `check_report` where `framefleet run` kept the
books."""
import collections
import hashlib
import json
import pathlib
import sqlite3

STATUSES = ("ok", "failed", "expired", "superseded", "cancelled", "lost")
IN_PROGRESS = ("ready", "delayed", "leased", "storing")


def agree(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"the ledger does not balance: {what}: {found}, not {wanted}")


def source_digest(name):
    """The first part of the ids of a source's tasks."""
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()[:16]


class Store:
    """An output folder. Every question opens the database anew, as another program would."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.timeout = 0.0  # more where a sink is killed, whose log the next one recovers

    def exists(self):
        """Whether there is a database with its tables: a killed sink may not have come so far."""
        if not (self.folder / "results.sqlite").exists():
            return False
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE name = 'outcomes'"))

    def connect(self, timeout=None):
        """Read only. Without a timeout, a database that is locked even for a moment is an error."""
        timeout = self.timeout if timeout is None else timeout
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
        return sum(self.accounts("source").values(), collections.Counter())

    def accounts(self, column):
        """Ends of tasks by source or by job: {name: Counter by status}, runs of live frames that
        were superseded or lost included, which have one row for all."""
        found = {}
        for name, status, count in self.rows(
                f"SELECT {column}, status, sum(tasks) FROM"
                f" (SELECT {column}, status, count(*) AS tasks FROM outcomes GROUP BY 1, 2"
                f"  UNION ALL SELECT {column}, status, last - first + 1 FROM gaps)"
                " GROUP BY 1, 2"):
            found.setdefault(name, collections.Counter())[status] = count
        return found

    def ends(self):
        """How many tasks have ended, in whatever way."""
        return sum(self.by_status().values())

    def outcomes(self):
        """All that a row of a task says, by task: to see that nothing touches a stored row."""
        connection = self.connect()
        connection.row_factory = sqlite3.Row
        try:
            found = connection.execute("SELECT * FROM outcomes").fetchall()
        finally:
            connection.close()
        return {row["task"]: dict(row) for row in found}

    def missing(self):
        """How many numbers are nowhere, of those up to the last one of each source. A number that
        is there twice, or in two runs, is an error."""
        missing, ranges = 0, {}
        for source, epoch, first, last in self.rows(
                "SELECT source, epoch, sequence, sequence FROM outcomes"
                " UNION ALL SELECT source, epoch, first, last FROM gaps ORDER BY 1, 2, 3"):
            end = ranges.get((source, epoch), -1)
            if first <= end:
                raise AssertionError(f"{source} {epoch} {first} to {last}: stored twice")
            missing += first - end - 1
            ranges[source, epoch] = last
        agree("different tasks", self.rows("SELECT count(DISTINCT task) FROM outcomes")[0][0],
              self.count())
        return missing

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


def check_end(end):
    """The last account of a producer, in itself."""
    settled = sum(end[status] for status in STATUSES)
    agree("submitted = rejected + admitted", end["rejected"] + end["admitted"], end["submitted"])
    agree("admitted = settled", settled, end["admitted"])
    agree("in flight at the end", end["in_flight"], 0)
    if not end["interrupted"] and end["pictures"] is not None:
        agree("pictures = stored before + skipped + submitted",
              end["stored_before"] + end["skipped"] + end["submitted"], end["pictures"])


def check_ends(ends, store, before=None):
    """The accounts of all producers that had a part in the store, each with its job, against the
    store. `before`: its accounts("job") when they began."""
    jobs = {}
    for job, end in ends:
        check_end(end)
        jobs.setdefault(job, []).append(end)
    accounts = store.accounts("job")
    for job, of_job in jobs.items():
        stored = accounts.pop(job, collections.Counter())
        stored_before = sum(end["stored_before"] for end in of_job)
        told = collections.Counter(
            {status: sum(end[status] for end in of_job) for status in STATUSES})
        agree(f"ends of job {job!r}", sum(stored.values()), stored_before + sum(told.values()))
        if before is not None or stored_before == 0:
            earlier = (before or {}).get(job, collections.Counter())
            agree(f"stored before of job {job!r}", stored_before, sum(earlier.values()))
            agree(f"job {job!r}", +stored, +(earlier + told))
        elif told - stored:
            agree(f"job {job!r}, at least", stored, told)
    agree("jobs that nobody had", accounts, {})
    check_missing(store, [end for _, end in ends])


def check_missing(store, ends):
    """What is missing from a source was never submitted, or rejected; and nothing else is."""
    missing = store.missing()
    never = sum(end["skipped"] + end["rejected"] for end in ends)
    if any(end["interrupted"] for end in ends):
        return  # what was answered `busy` is left out, and taken up again by the next run
    # What was rejected behind the last one of a source leaves no hole in it.
    if missing > never or not any(end["rejected"] for end in ends):
        agree("numbers that are nowhere", missing, never)


class Broker:
    """What a broker says of itself when all has ended: /metrics, and what operators are shown."""

    def __init__(self, metrics, status, sources, jobs):
        self.metrics, self.status = metrics, status
        self.sources = {row["name"]: row for row in sources["sources"]}
        self.jobs = {row["name"]: row for row in jobs["jobs"]}

    def counted(self, noun, **labels):
        words = ",".join(f'{name}="{value}"' for name, value in labels.items())
        return int(self.metrics.get(f"framefleet_broker_{noun}_tasks_total{{{words}}}", 0))

    def at_rest(self):
        """Whether nothing is in progress, and /metrics, which are a moment old, say the same."""
        account = self.status["account"]
        metrics = self.metrics
        return (sum(self.status["in_progress"].values()) == 0 and
                sum(metrics[f'framefleet_broker_tasks{{state="{state}"}}']
                    for state in IN_PROGRESS) == 0 and
                metrics.get("framefleet_broker_submitted_tasks_total", 0) == account["submitted"]
                and metrics.get("framefleet_broker_settled_tasks_total", 0) ==
                sum(account[status] for status in STATUSES))

    def check(self, store, saw_all, doubted=0):
        """Against itself and the store. `saw_all`: no earlier broker had a part in what is stored,
        or its journal says so; else this one knows a part of it. `doubted`: how many tasks were
        submitted again, unasked, to brokers that had died since they were: one that was ended and
        forgotten meanwhile counts anew. None that is stored is ever missing."""
        agree("unstored", self.status["unstored"], 0)
        for gauge in ("backlog_bytes", "unstored_bytes"):
            agree(gauge, (self.metrics[f"framefleet_broker_{gauge}"], self.status[gauge]), (0, 0))
        self._check_balance("the fleet", self.status["account"])
        self._check_rows("source", self.sources, store.accounts("source"), saw_all, doubted)
        self._check_rows("job", self.jobs, store.accounts("job"), saw_all, doubted)
        for name, row in self.sources.items():
            agree(f"/metrics of {name}: submitted", self.counted("submitted", source=name),
                  row["account"]["submitted"])
            for status in STATUSES:
                agree(f"/metrics of {name}: {status}",
                      self.counted("settled", source=name, status=status), row["account"][status])
        agree("/metrics: rejected", self.metrics["framefleet_broker_rejected_tasks_total"],
              self.status["account"]["rejected"])
        for noun in ("submitted", "rejected", *STATUSES):
            agree(f"{noun} of all sources", sum(row["account"][noun]
                                                for row in self.sources.values()),
                  self.status["account"][noun])

    def _check_rows(self, kind, rows, stored, saw_all, doubted):
        for name, row in rows.items():
            self._check_balance(f"{kind} {name!r}", row["account"])
            agree(f"in progress of {kind} {name!r}", sum(row["in_progress"].values()), 0)
        for name in (rows.keys() | stored.keys()) - {""}:
            account = rows[name]["account"] if name in rows else {}
            for status in STATUSES:
                known, found = account.get(status, 0), stored.get(name, {}).get(status, 0)
                if known > found + doubted or (saw_all and known < found):
                    agree(f"{status} of {kind} {name!r}, in the store and to the broker", found,
                          known)

    @staticmethod
    def _check_balance(what, account):
        agree(f"{what}: submitted = rejected + admitted",
              account["rejected"] + account["admitted"], account["submitted"])
        agree(f"{what}: admitted = ended", sum(account[status] for status in STATUSES),
              account["admitted"])


def check_report(report, store, outdated=0):
    """The last event of `framefleet run --json` against the store of its job. `outdated`: outcomes
    of pictures that have changed since, which stay in the store."""
    agree("problems, by its own audit", report["ledger"]["problems"], [])
    agree("balanced, by its own audit", report["ledger"]["balanced"], True)
    if report["ledger"]["complete"]:
        settled = sum(report["ledger"][status] for status in STATUSES)
        agree("ends in the store", store.ends(),
              report["ledger"]["stored_before"] + settled + outdated)
    by_status = store.by_status()
    for status in STATUSES:
        agree(f"the report's {status}", report["store"]["outcomes"][status], by_status[status])
    store.check_left_behind(store.count())
