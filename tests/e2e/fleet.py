"""A fleet of real processes in a private folder, for one test.

    with Fleet() as fleet:
        fleet.broker(), fleet.sink(), fleet.worker("w1")
        producer = fleet.producer("synthetic:?count=100", detect="markers")
        fleet.close_books(producer)

Where a test fails, the end of every process's log is printed. At the end everything is killed and
the folder removed.
"""
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

import ledger
from process import Process, eventually

# ctest says where these are; by hand they are those of the release build beside its test data.
TREE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FRAMEFLEET_BIN", TREE / "build/release/bin"))
DATA = pathlib.Path(os.environ.get("FRAMEFLEET_TEST_DATA", TREE.parent / "shared")) / "data"


def skip_without_data(test):
    """Says loudly that a test is skipped where the test pictures are not there."""
    if not (DATA / "photos").is_dir():
        print(f"SKIPPED: {test.id()}: no test pictures at {DATA}")
        test.skipTest("no test pictures")


class Fleet:
    def __init__(self, transport="ipc"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="framefleet-e2e-"))
        self.store = ledger.Store(self.folder / "out")
        self.endpoint = f"ipc://{self.folder}/broker.sock"
        self._bind = self.endpoint if transport == "ipc" else "tcp://127.0.0.1:0"
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind and not issubclass(kind, unittest.SkipTest):
            print(f"\n=== what the processes said ({kind.__name__}: {error})")
            for process in self.processes:
                process.print_all()
            self._print_logs_of_runs()
            sys.stdout.flush()
        for process in self.processes:
            if process.running():
                process.kill_with_children(order=lambda pids: None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _print_logs_of_runs(self):
        for log in sorted(self.folder.glob("*/.framefleet/logs/*.log")):
            print(f"\n--- {log}")
            print("".join(log.read_text(errors="replace").splitlines(keepends=True)[-25:]), end="")

    # --- its processes ------------------------------------------------------------------------

    def start(self, name, program, *arguments, **options):
        process = Process(name, [BIN / program, *arguments], **options)
        self.processes.append(process)
        return process

    def _member(self, name, role, *arguments, **options):
        return self.start(name, f"framefleet-{role}", *arguments, "--metrics-listen", "127.0.0.1:0",
                          **options)

    def broker(self, *arguments):
        """Started and listening; again after a broker has ended: on the same address."""
        broker = self._member("broker", "broker", "--bind", self._bind, *arguments)
        self.endpoint = self._bind = broker.until_log("listening")["endpoint"]
        return broker

    def sink(self, *arguments):
        return self._member("sink", "sink", "--connect", self.endpoint,
                            "--store", self.store.folder, *arguments)

    def worker(self, name, *arguments):
        return self._member(name, "worker", "--connect", self.endpoint, "--name", name, *arguments)

    def producer(self, *sources, detect, arguments=()):
        return self._member("producer", "producer", "--connect", self.endpoint, "--detect", detect,
                            *arguments, *sources, progress=True)

    def run(self, *arguments, out=None, environment=None):
        """`framefleet run`, which starts its own fleet."""
        return self.start("run", "framefleet", "run", "--json", "--out", out or self.store.folder,
                          *arguments, environment=environment)

    def named(self, role):
        """The processes of this role that run."""
        program = f"framefleet-{role}"
        return [process for process in self.processes
                if process.running() and process.command[0].endswith(program)]

    # --- the end of a test --------------------------------------------------------------------

    def close_books(self, producer, exit_code=0, broker_saw_all=True, before=None):
        """Waits for the producer's end, compares its account, the broker's and the store to the
        unit, ends the fleet in order and looks at what it leaves. Returns the producer's `end`.

        `broker_saw_all`: no earlier broker had a part in it. `before`: outcomes by status that were
        in the store when the producer began."""
        code = producer.exit_code(timeout=150)
        end = producer.event("end")
        if code != exit_code:
            raise AssertionError(f"the producer ended with {code}, not {exit_code}: {end}")
        self.store.check_against_end(end, before)
        rows = self.store.count()
        self.check_broker(broker_saw_all)
        self.stop()
        self.store.check_left_behind(rows)
        return end

    def check_broker(self, saw_all=True):
        """Compares the broker's own account, when all has ended, with the store."""
        broker, rows = self.named("broker")[0], self.store.count()
        eventually(lambda: ledger.broker_has_ended(broker.metrics(), rows if saw_all else 0),
                   "the broker has told /metrics of the last task", 30)
        ledger.check_broker(broker.metrics(), rows, saw_all)

    def stop(self):
        """SIGTERM in the order that wastes nothing; everybody must leave by itself with 0."""
        for role in ("producer", "worker", "broker", "sink"):
            leaving = self.named(role)
            for process in leaving:
                process.terminate()
            for process in leaving:
                code = process.exit_code()
                if code != 0:
                    raise AssertionError(f"{process.name} was asked to leave and ended with {code}")
