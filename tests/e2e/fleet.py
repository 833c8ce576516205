"""A fleet of real processes in a private folder, for one test.

    with Fleet() as fleet:
        fleet.broker(), fleet.sink(), fleet.worker("w1")
        producer = fleet.producer("synthetic:?count=100", detect="markers")
        fleet.close_books(producer)

Where a test fails, the end of every process's log is printed. At the end everything is killed and
the folder removed.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import ledger
from process import PATIENCE, Process, eventually

# ctest says where these are; by hand they are those of the release build beside its test data.
TREE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FRAMEFLEET_BIN", TREE / "build/release/bin"))
sys.path.append(str(TREE / "tests/support/faults"))
DATA = pathlib.Path(os.environ.get("FRAMEFLEET_TEST_DATA", TREE.parent / "shared")) / "data"
# Of a broker that nobody is to be lost to because the machine was held up.
PATIENT = ("--peer-timeout", "15s", "--lease-duration", "30s")


def skip_without_data(test):
    """Says loudly that a test is skipped where the test pictures are not there."""
    if not (DATA / "photos").is_dir():
        print(f"SKIPPED: {test.id()}: no test pictures at {DATA}")
        test.skipTest("no test pictures")


class Fleet:
    def __init__(self, transport="ipc", programs=BIN):
        self.programs = programs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="framefleet-e2e-"))
        self.store = ledger.Store(self.folder / "out")
        self.endpoint = f"ipc://{self.folder}/broker.sock"
        self._operators = self.endpoint  # operators are served over ipc alone
        self._bind = {"ipc": self.endpoint, "tcp": "tcp://127.0.0.1:0"}.get(transport, transport)
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
        process = Process(name, [self.programs / program, *arguments], **options)
        self.processes.append(process)
        return process

    def _member(self, name, role, *arguments, **options):
        return self.start(name, f"framefleet-{role}", *arguments, "--metrics-listen", "127.0.0.1:0",
                          **options)

    def broker(self, *arguments, **options):
        """Started and listening; again after a broker has ended: on the same address."""
        broker = self.broker_begun(*arguments, **options)
        self.endpoint = self._bind = broker.until_log("listening")["endpoint"]
        return broker

    def broker_begun(self, *arguments, **options):
        """Started, and perhaps never listening."""
        bind = dict.fromkeys((self._bind, self._operators))
        binds = [word for endpoint in bind for word in ("--bind", endpoint)]
        return self._member("broker", "broker", *binds, *arguments, **options)

    def sink(self, *arguments, **options):
        return self._member("sink", "sink", "--connect", self.endpoint,
                            "--store", self.store.folder, *arguments, **options)

    def worker(self, name, *arguments, **options):
        return self._member(name, "worker", "--connect", self.endpoint, "--name", name, *arguments,
                            **options)

    def producer(self, *sources, detect, arguments=(), **options):
        return self._member("producer", "producer", "--connect", self.endpoint, "--detect", detect,
                            *arguments, *sources, progress=True, **options)

    def run(self, *arguments, out=None, environment=None):
        """`framefleet run`, which starts its own fleet."""
        return self.start("run", "framefleet", "run", "--json", "--out", out or self.store.folder,
                          *arguments, environment=environment)

    def operate(self, *words, exit_code=0):
        """A verb of `framefleet`, asked of the broker; what it says on stdout."""
        asked = subprocess.run([BIN / "framefleet", *map(str, words), "--connect", self._operators],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=PATIENCE, check=False)
        if asked.returncode != exit_code:
            raise AssertionError(f"framefleet {words} ended with {asked.returncode}, not"
                                 f" {exit_code}: {asked.stdout}{asked.stderr}")
        return asked.stdout

    def show(self, *words):
        """The document of a verb that shows something."""
        return json.loads(self.operate(*words, "--json"))

    def named(self, role):
        """The processes of this role that run."""
        program = f"framefleet-{role}"
        return [process for process in self.processes
                if process.running() and process.command[0].endswith(program)]

    # --- the end of a test --------------------------------------------------------------------

    def close_books(self, *producers, exit_code=0, broker_saw_all=True, before=None):
        """Waits for the end of all producers that had a part in the store, compares their accounts,
        the broker's and the store to the unit, ends the fleet in order and looks at what it leaves.
        Returns the last `end`.

        `exit_code`: of the last producer; the others end with 0. `broker_saw_all`: no earlier
        broker had a part in it. `before`: what the store said by job when the producers began, if
        it was not empty."""
        *others, last = producers
        ends = [*map(self.end_of, others), self.end_of(last, exit_code)]
        ledger.check_ends(ends, self.store, before)
        self.check_broker(broker_saw_all)
        rows = self.store.count()
        self.stop()
        self.store.check_left_behind(rows)
        return ends[-1][1]

    @staticmethod
    def end_of(producer, exit_code=0):
        """Waits for it; its job and its last account."""
        code = producer.exit_code(timeout=150)
        end = producer.event("end")
        if code != exit_code:
            raise AssertionError(f"the producer ended with {code}, not {exit_code}: {end}")
        return producer.event("plan")["job"], end

    def check_broker(self, saw_all=True, doubted=0):
        """Compares the broker's own accounts, when all has ended, with each other and the store."""
        def at_rest():
            books = self.broker_books()
            return books if books.at_rest() else None
        eventually(at_rest, "the broker has told of the last task", 30).check(
            self.store, saw_all, doubted)

    def broker_books(self):
        return ledger.Broker(self.named("broker")[0].metrics(),
                             *(self.show(verb) for verb in ("status", "sources", "jobs")))

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
