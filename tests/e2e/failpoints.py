"""The failpoints of the programs in tests/failpoints: their names, who passes which and when, and
what has been passed. docs/TESTING.md says what a failpoint is."""
import os
import pathlib
import re

from fleet import BIN, TREE

FOLDER = pathlib.Path(os.environ.get("FRAMEFLEET_FAILPOINTS", BIN.parent / "tests/failpoints"))
NAMES = re.findall(r'^ +"([a-z_.]+)",$', (TREE / "shared/base/failpoint.hpp").read_text(), re.M)

# Who passes it, when: {(role, when): points}. When:
#   new     as it makes what it keeps, which is not there yet
#   work    as it starts, or while there is work
#   asked   when a producer comes that has a manifest, and leaves
#   back    when a worker is told to leave while tasks wait in it
#   damaged as a broker starts whose journal has a damaged task
#   pruning as a sink starts that is to keep little
#   leaving in an orderly end
PASSED = {role_and_when: points.split() for role_and_when, points in {
    ("broker", "new"): "journal.create.written journal.create.reserved journal.create.renamed",
    ("broker", "work"):
        "journal.verify.before journal.verify.after journal.incarnation.before"
        " journal.incarnation.after journal.scan.before journal.scan.after broker.bound"
        " broker.restored journal.begin journal.admission.record journal.admission.payload"
        " journal.attempt.record journal.end.record journal.end.payload journal.books.before"
        " journal.books.after journal.commit.before journal.commit.after broker.written.before"
        " broker.written.after send.admitted.before send.admitted.after receive.submit"
        " send.assign.before send.assign.after receive.result receive.nack send.outcomes.before"
        " send.outcomes.after receive.stored send.settled.before send.settled.after",
    ("broker", "asked"):
        "receive.ask send.ask.before send.ask.after receive.known send.known.before"
        " send.known.after receive.goodbye send.goodbye.before send.goodbye.after",
    ("broker", "back"): "receive.release",
    ("broker", "damaged"): "journal.quarantine.before journal.quarantine.after",
    ("broker", "leaving"): "broker.drain.begin broker.drain.journal broker.drain.end",
    ("sink", "new"): "store.create.unfinished store.create.renamed store.create.synced",
    ("sink", "work"):
        "store.begin store.pictures.before store.pictures.written store.pictures.synced"
        " store.pictures.renamed store.pictures.after store.rows.begun store.rows.inserted"
        " store.dead_letter.kept store.commit.before store.commit.after store.ndjson.before"
        " store.ndjson.after store.checkpoint.before store.checkpoint.after store.told"
        " receive.outcomes send.stored.before send.stored.after",
    ("sink", "asked"): "receive.ask send.known.before send.known.after",
    ("sink", "pruning"): "store.prune.before store.prune.files store.prune.after",
    ("sink", "leaving"):
        "sink.drain.begin store.close.before store.ndjson.synced store.close.after"
        " send.goodbye.before send.goodbye.after",
    ("worker", "work"):
        "child.born child.ready child.order.taken child.answer.written child.answer.said"
        " receive.assign worker.order.before worker.order.after worker.answer.taken"
        " worker.result.kept send.result.before send.result.after send.nack.before"
        " send.nack.after receive.settled",
    ("worker", "back"): "send.release.before send.release.after",
    ("worker", "leaving"):
        "worker.drain.begin send.goodbye.before send.goodbye.after receive.goodbye",
    ("producer", "work"):
        "manifest.before manifest.written manifest.synced manifest.renamed manifest.after"
        " producer.picture.read send.ask.before send.ask.after receive.known send.submit.before"
        " send.submit.after receive.admitted receive.settled send.goodbye.before"
        " send.goodbye.after",
    ("producer", "leaving"): "producer.drain.begin",
    ("live sink", "work"): "store.gap.written",
}.items()}

# Passed once in a life, or perhaps (a producer's three tasks may be one message); others may be
# struck at a later time.
ONCE = re.compile(r".*\.(create|verify|quarantine|incarnation|scan|prune|drain|close|synced)"
                  r"(\..*)?|manifest\..*|broker\.(bound|restored)|child\.(born|ready)|.*goodbye.*"
                  r"|store\.checkpoint.*|.*\.(ask|known|release)(\..*)?|producer\..*"
                  r"|send\.submit\..*|receive\.(admitted|settled)")


class Log:
    """What the programs of a fleet have passed, in lines: a point, or a point and what it did."""

    def __init__(self, path):
        self.path = path
        self.environment = {"FRAMEFLEET_FAILPOINT_LOG": str(path)}

    def count(self, line):
        if not self.path.exists():
            return 0
        return self.path.read_text().splitlines().count(line)

    def orders(self, orders):
        return {**self.environment, "FRAMEFLEET_FAILPOINT": ",".join(orders)}
