"""What was said was done before: strace watches the broker say `admitted` with `durable`, and the
sink `stored`, and each must come after the write that commits it. LMDB: the payload, a sync of the
file, then the page that makes it valid, written through a descriptor that syncs (O_DSYNC). SQLite:
the row in the log, then a sync of the log."""
import os
import unittest

import msgpack
import strace
from fleet import Fleet
from pictures import square_png
from process import eventually
from witness import Witness

FIRST, COUNT = 1000, 1100  # all of as many digits, so that no id is the beginning of another
PAGE = os.sysconf("SC_PAGE_SIZE")


class Claims(Witness):
    """A witness whose first task has the number FIRST, each with a picture of its own."""

    def __init__(self, endpoint):
        super().__init__(endpoint, None, "edges", 500, pictures=[
            square_png(number) + b"mark of picture %d" % number for number in range(COUNT)])
        self.next = FIRST

    def take_next(self):
        return super().take_next() if self.waiting or self.next < COUNT else None


def said(calls, kind):
    """(call, id) of each task that a message of this kind names; of `admitted` the durable ones."""
    for call, header in strace.headers_sent(calls):
        message = msgpack.unpackb(header)
        if message["type"] == kind:
            for task in message["tasks"]:
                if kind != "admitted" or task.get("durable"):
                    yield call, task["id"]


def committed_before(calls, said_by, mark, file, steps):
    """Whether `mark` was written to the file and the steps were done, one after the other, before
    this was begun to be said."""
    at = next((call.ended for call in calls if call.file.endswith(file) and mark in call.data),
              None)
    for step in steps:
        at = at is not None and next((call.ended for call in calls if call.began > at
                                      and call.file.endswith(file) and step(call)), None)
        at = None if at is False else at
    return at is not None and at < said_by.began


def is_sync(call):
    return call.name in ("fdatasync", "fsync")


def is_meta_write(call):
    return call.name == "pwrite64" and call.offset < 2 * PAGE


def too_early(calls, kind):
    """Ids that were said too early, and how many were said."""
    claims = list(said(calls, kind))
    early = []
    for call, task in claims:
        number = int(task.rpartition("-")[2])
        if kind == "admitted":
            done = committed_before(calls, call, b"mark of picture %d" % number, "/data.mdb",
                                    (is_sync, is_meta_write))
        else:
            done = committed_before(calls, call, task.encode(), "/results.sqlite-wal", (is_sync,))
        if not done:
            early.append(task)
    return early, len(claims)


class AckOrderTest(unittest.TestCase):
    def attach(self, fleet, process):
        output = fleet.folder / f"{process.name}.strace"
        tracer = strace.attach(process, output)
        if tracer is None:
            print(f"SKIPPED: {self.id()}: strace may not look at processes here")
            self.skipTest("ptrace is not permitted")
        fleet.processes.append(tracer)
        return tracer, output

    def check(self, output, kind):
        calls = strace.calls_of(output)
        early, count = too_early(calls, kind)
        print(f"{kind}: {count} said, {len(calls)} calls looked at")
        self.assertEqual(early, [], f"`{kind}` before it was on the disk")
        self.assertGreaterEqual(count, COUNT - FIRST)
        # It would see it: without the syncs all of them are too early.
        early, _ = too_early([call for call in calls if not is_sync(call)], kind)
        self.assertEqual(len(early), count)

    def test_nothing_is_said_before_it_is_on_the_disk(self):
        with Fleet() as fleet:
            sink = fleet.sink()
            sink.until_log("store_open")
            of_sink, sink_output = self.attach(fleet, sink)
            broker = fleet.broker("--journal", fleet.folder / "journal", "--journal-bytes-max",
                                  "64MiB")
            of_broker, broker_output = self.attach(fleet, broker)
            self.check_journal_syncs(broker)
            fleet.worker("w1", "--slots", "2", "--detectors", "edges")
            witness = Claims(fleet.endpoint)
            witness.start()
            eventually(lambda: len(witness.durable) == COUNT - FIRST, "all are durable")
            eventually(lambda: fleet.store.exists() and fleet.store.count() == COUNT - FIRST,
                       "all are stored")
            witness.stopping.set()
            witness.join()
            self.assertEqual(witness.faults, [])
            fleet.stop()
            for tracer in (of_sink, of_broker):
                tracer.exit_code()
            self.check(broker_output, "admitted")
            self.check(sink_output, "stored")

    def check_journal_syncs(self, broker):
        """One descriptor of the journal's file writes through."""
        flags = []
        for number in os.listdir(f"/proc/{broker.pid}/fd"):
            if os.readlink(f"/proc/{broker.pid}/fd/{number}").endswith("/data.mdb"):
                with open(f"/proc/{broker.pid}/fdinfo/{number}", encoding="utf-8") as file:
                    flags += [int(line.split()[1], 8) for line in file
                              if line.startswith("flags:")]
        self.assertTrue(any(each & os.O_DSYNC for each in flags), flags)


if __name__ == "__main__":
    unittest.main(verbosity=2)
