"""Pictures that crash, hang, eat memory or end their process, one in a hundred: each costs its own
attempts, and no other task and no worker anything. And no process outlives its worker.

ISOLATION_TASKS says how many; `scripts/check.sh isolation` takes 10 000."""
import collections
import ctypes
import os
import signal
import unittest

import ledger
from fleet import PATIENT, Fleet
from process import children_of, eventually, exists, state_of

TASKS = int(os.environ.get("ISOLATION_TASKS", 1200))
EVERY = 100  # Nth picture of a source is bad
ATTEMPTS = 3
SLOTS = 6
FAULT = "substr(source, instr(source, '/') + 1)"  # a source is JOB/NAME here
ENDED = "framefleet_worker_ended_child_processes_total"
PR_SET_CHILD_SUBREAPER = 36

# What befalls the bad ones of a source: the reason of each attempt, and what it says.
FAULTS = {
    "crash": ("child_crashed",
              'signal 6 (Aborted) ended the child process during detect (detector "stub")'),
    "exit": ("child_crashed",
             'the child process left with exit code 9 during detect (detector "stub")'),
    "hang": ("detect_timeout",
             'detect (detector "stub") took longer than 6 s; its child process was killed'),
    "eat": ("detector_error", "out of memory while working on the picture"),
}
# How many children each attempt costs, by the metric's word. One that wants memory and gets none
# lives on.
ENDS = {"crash": "crashed", "exit": "exited", "hang": "detect_timeout"}


class BadPicturesTest(unittest.TestCase):
    def test_one_in_a_hundred_is_bad_and_hurts_only_itself(self):
        of_each = TASKS // len(FAULTS)
        with Fleet() as fleet:
            fleet.broker("--failed-attempts-max", ATTEMPTS, *PATIENT)
            fleet.sink().until_ready()
            workers = [fleet.worker(name, "--slots", SLOTS, "--child-memory-max", "64MiB",
                                    "--detect-timeout", "6s").until_ready()
                       for name in ("w1", "w2")]
            producers = [fleet.producer(
                f"synthetic:?count={of_each}&size=200x200&name={fault}&seed={number}",
                detect=f"stub?{fault}={EVERY}") for number, fault in enumerate(FAULTS)]
            ends = [fleet.end_of(producer, exit_code=3) for producer in producers]
            ledger.check_ends(ends, fleet.store)
            fleet.check_broker()
            bad = of_each // EVERY
            self.check_store(fleet, of_each, bad)
            self.check_workers(workers, bad)
            rows = fleet.store.count()
            fleet.stop()
            fleet.store.check_left_behind(rows)

    def check_store(self, fleet, of_each, bad):
        """Every healthy task is stored at its first attempt; every bad one is a dead letter, with
        its bytes and the history of exactly its attempts."""
        self.assertEqual(fleet.store.rows(
            f"SELECT {FAULT}, count(*) FROM outcomes WHERE status = 'ok' AND attempts = 1"
            " GROUP BY 1 ORDER BY 1"),
            [(fault, of_each - bad) for fault in sorted(FAULTS)])
        self.assertEqual(fleet.store.rows(
            f"SELECT {FAULT}, reason, text, attempts, count(*) FROM outcomes"
            " WHERE status = 'failed' AND (sequence + 1) % ? = 0 GROUP BY 1, 2, 3, 4 ORDER BY 1",
            EVERY),
            [(fault, *FAULTS[fault], ATTEMPTS, bad) for fault in sorted(FAULTS)])
        histories = collections.Counter(fleet.store.rows(
            f"SELECT {FAULT}, attempt, attempts.reason, attempts.text"
            " FROM attempts JOIN outcomes USING (task)"))
        self.assertEqual(histories, {(fault, attempt, *FAULTS[fault]): bad for fault in FAULTS
                                     for attempt in range(1, ATTEMPTS + 1)})
        self.assertEqual(fleet.store.rows(
            "SELECT count(*), min(length(bytes)) > 0 FROM dead_letters"), [(4 * bad, 1)])

    def check_workers(self, workers, bad):
        def ended():
            metrics = [worker.metrics() for worker in workers]  # which are a moment old
            return collections.Counter({key: sum(of_worker.get(key, 0) for of_worker in metrics)
                                        for key in set().union(*metrics) if key.startswith(ENDED)})
        wanted = {f'{ENDED}{{reason="{reason}"}}': bad * ATTEMPTS for reason in ENDS.values()}
        wanted[ENDED] = sum(wanted.values())
        eventually(lambda: ended()[ENDED] >= wanted[ENDED], "all ends are told")
        self.assertEqual({key: count for key, count in ended().items() if count}, wanted)
        print(f"{TASKS} tasks, {4 * bad} of them bad; {wanted[ENDED]} child processes ended; memory"
              " of a child, in the mean:",
              *(f"{worker.metrics()['framefleet_worker_child_memory_bytes'] / 2**20:.1f} MiB"
                for worker in workers))


class EndTest(unittest.TestCase):
    """A worker whose two children are busy with what never ends, at the first attempt."""

    def busy_worker(self, fleet, *arguments):
        broker = fleet.broker(*PATIENT)
        fleet.sink().until_ready()
        worker = fleet.worker("w1", "--slots", "2", *arguments).until_ready()
        producer = fleet.producer("synthetic:?count=2&size=200x200",
                                  detect="stub?hang=1&fail_attempts=1")
        eventually(lambda: broker.metrics()['framefleet_broker_tasks{state="leased"}'] == 2,
                   "both are handed out")
        eventually(lambda: worker.metrics()["framefleet_worker_child_processes"] == 2,
                   "both are being worked on")
        zygote, *children = children_of(worker.pid)
        self.assertEqual(len(children), 2)
        return producer, worker, zygote, children

    def test_of_a_worker_that_is_killed_nobody_is_left(self):
        """Not even where nothing reaps orphans, but the zygote itself: it takes its children along.
        All of them are stopped before, so that none can leave by itself."""
        libc = ctypes.CDLL(None)
        self.assertEqual(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0)
        try:
            with Fleet() as fleet:
                _, worker, zygote, children = self.busy_worker(fleet)
                for pid in (zygote, *children):
                    os.kill(pid, signal.SIGSTOP)
                worker.kill()
                eventually(lambda: state_of(zygote) == "Z", "the zygote has ended")
                self.assertEqual([pid for pid in children if exists(pid)], [])
                self.assertEqual(os.waitpid(zygote, 0)[0], zygote)
        finally:
            libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def test_of_a_zygote_that_is_killed_nobody_is_left_and_the_worker_goes_on(self):
        with Fleet() as fleet:
            producer, worker, zygote, children = self.busy_worker(fleet)
            for pid in children:
                os.kill(pid, signal.SIGSTOP)
            os.kill(zygote, signal.SIGKILL)
            eventually(lambda: not any(map(exists, (zygote, *children))), "they are reaped")
            fleet.close_books(producer)
            self.assertEqual(fleet.store.rows(
                "SELECT attempt, worker, reason, text FROM attempts"),
                [(1, worker.name, "child_crashed",
                  "all child processes ended with their zygote")] * 2)

    def test_a_drain_that_is_given_up_ends_the_children_too(self):
        with Fleet() as fleet:
            _, worker, zygote, children = self.busy_worker(fleet, "--drain-timeout", "300ms")
            worker.terminate()
            self.assertEqual(worker.exit_code(), 3)
            self.assertIn("leaving_tasks_behind", worker.text())
            self.assertEqual([pid for pid in (zygote, *children) if exists(pid)], [])


if __name__ == "__main__":
    unittest.main()
