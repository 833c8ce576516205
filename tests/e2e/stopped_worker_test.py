"""A worker that is stopped (SIGSTOP) with tasks in its hands: others do its work before it goes on,
and what it brings late changes nothing."""
import signal
import unittest

from fleet import Fleet
from pictures import frames_in
from process import eventually

CAMERA = 11
SLOTS = 2
STALE = "framefleet_broker_stale_results_total"


def source(count, name="first"):
    return f"synthetic:?count={count}&size=320x240&camera={CAMERA}&name={name}"


class StoppedWorkerTest(unittest.TestCase):
    def start(self, fleet):
        broker = fleet.broker("--peer-timeout", "5s", "--lease-duration", "6s")
        fleet.sink().until_ready()
        stopped, other = (fleet.worker(name, "--slots", SLOTS).until_ready()
                          for name in ("stopped", "other"))
        return broker, stopped, other

    @staticmethod
    def leased(fleet):
        """What the broker has handed to whom."""
        return {row["name"]: row["leased"] for row in fleet.show("workers")["workers"]}

    def has_taken_over(self, fleet, name):
        """Whether this worker is alone, with all its slots taken, and no task waits for one."""
        if self.leased(fleet) != {name: SLOTS}:
            return False
        waiting = fleet.show("status")["in_progress"]
        return waiting["ready"] + waiting["delayed"] == 0

    def stop_with_tasks(self, fleet, worker):
        eventually(lambda: self.leased(fleet).get(worker.name) == SLOTS, "it has tasks")
        worker.popen.send_signal(signal.SIGSTOP)

    def go_on(self, worker):
        """Lets it go on, and waits until nothing of what it brought is left to tell."""
        worker.popen.send_signal(signal.SIGCONT)
        worker.until_log("broker_down")  # it has been taken for dead meanwhile

        def idle():
            metrics = worker.metrics()
            return (metrics["framefleet_worker_tasks"] == 0 and
                    metrics["framefleet_worker_results_total"] > 0 and
                    metrics["framefleet_worker_link_up"] == 1)
        eventually(idle, "its results are answered")

    def taken_from(self, fleet):
        """The tasks that were taken from the one that was stopped."""
        taken = fleet.store.rows("SELECT task FROM attempts WHERE worker = 'stopped'"
                                 " AND reason IN ('worker_lost', 'lease_expired')")
        print(f"{len(taken)} tasks were taken from the worker that was stopped")
        return {task for (task,) in taken}

    def test_what_it_brings_while_others_work_on_its_tasks_is_stale(self):
        with Fleet() as fleet:
            broker, stopped, _ = self.start(fleet)
            # Longer than it takes to be missed, so that both have the same tasks.
            producer = fleet.producer(source(2 * SLOTS), detect="markers,stub?sleep=12s")
            self.stop_with_tasks(fleet, stopped)
            eventually(lambda: self.has_taken_over(fleet, "other"),
                       "the other worker has done its own tasks, and has those of the stopped one")
            self.go_on(stopped)
            eventually(lambda: broker.metrics()[STALE] == SLOTS, "the broker counts them as stale")
            self.assertEqual(stopped.metrics()["framefleet_worker_stale_results_total"], SLOTS)
            fleet.close_books(producer)
            self.assertEqual(len(self.taken_from(fleet)), SLOTS)
            self.assertEqual(fleet.store.rows("SELECT DISTINCT worker FROM outcomes"), [("other",)])
            self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(2 * SLOTS)})

    def test_what_it_brings_when_its_tasks_are_stored_changes_nothing(self):
        count = 60
        with Fleet() as fleet:
            _, stopped, other = self.start(fleet)
            producer = fleet.producer(source(count), detect="markers,stub?sleep=100ms")
            self.stop_with_tasks(fleet, stopped)
            _, end = fleet.end_of(producer)  # while it is stopped
            self.assertEqual(end["ok"], count)
            stored, taken = fleet.store.outcomes(), self.taken_from(fleet)
            self.assertGreater(len(taken), 0, "it was stopped with nothing in its hands")
            self.assertEqual({stored[task]["worker"] for task in taken}, {"other"})
            self.go_on(stopped)
            self.assertEqual(fleet.store.outcomes(), stored)
            self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(count)})

            # It is a worker like any other again.
            other.terminate()
            self.assertEqual(other.exit_code(), 0)
            again = fleet.producer(source(5, "again"), detect="markers")
            fleet.close_books(producer, again)
            rows = fleet.store.outcomes()
            self.assertEqual({task: rows[task] for task in stored}, stored)
            self.assertEqual({row["worker"] for task, row in rows.items() if task not in stored},
                             {"stopped"})


if __name__ == "__main__":
    unittest.main()
