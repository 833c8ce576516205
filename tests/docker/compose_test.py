"""compose.yaml in a real engine: scaling under load, crashes of workers and of the broker, a worker
that is cut off. What is stored agrees with the books to the unit, whatever happens.

Run by tests/docker/engine.sh, which gives it an engine. Times are printed, not asserted.
"""
import pathlib
import shutil
import tempfile
import time
import unittest

from compose import FILES, Fleet, eventually, missing_parts, run
from ledger import agree
from pictures import square_png

PICTURES = 400
WORKERS = 5


def lap(what, since):
    print(f"    {what}: {time.monotonic() - since:.1f} s", flush=True)


class InCompose(unittest.TestCase):
    """One fleet for all: its books are compared after each part."""

    fleet: Fleet

    @classmethod
    def setUpClass(cls):
        why_not = missing_parts()
        if why_not:
            print(f"SKIPPED: {cls.__name__}: {why_not}")
            raise unittest.SkipTest(why_not)
        cls.photos = pathlib.Path(tempfile.mkdtemp(prefix="framefleet-photos-"))
        cls.photos.chmod(0o755)
        for number in range(PICTURES):
            (cls.photos / f"{number:04}.png").write_bytes(square_png(number))
        cls.fleet = Fleet(PHOTOS=str(cls.photos), PHOTOS_DETECT="edges,stub?sleep=40ms",
                          PROMETHEUS_PORT="0", ALERTMANAGER_PORT="0")
        began = time.monotonic()
        try:
            cls.fleet.up()
        except AssertionError:
            cls.fleet.print_all()
            cls.tearDownClass()
            raise
        lap("up and healthy", began)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()
        shutil.rmtree(cls.photos)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            self.fleet.print_all()
        return result

    # --- in this order ------------------------------------------------------------------------

    def test_1_up_alone_gives_detections_and_figures(self):
        began = time.monotonic()
        fleet = self.fleet
        eventually(lambda: fleet.store.exists() and
                   fleet.store.rows("SELECT 1 FROM v_detections LIMIT 1"), "a detection is stored")
        lap("first detection after healthy", began)
        for role in ("broker", "sink", "worker", "producer"):
            eventually(lambda name=role: fleet.prometheus(
                f'framefleet_build_info{{process="framefleet-{name}"}}'), f"figures of the {role}")
        lap("figures of all", began)
        worker = fleet.container("worker").metrics()
        self.assertEqual(worker["framefleet_worker_child_processes"], 1, "isolation by processes")
        self.assertEqual(worker["framefleet_worker_denied_system_calls_total"], 0)
        self.assertEqual(worker["framefleet_worker_self_test_failed"], 0)
        # From here on there is nothing but what a test submits.
        fleet.compose("stop", "producer")
        fleet.check_books()

    def test_2_scaling_twice_under_load(self):
        fleet = self.fleet
        load = self.load("scaled", "--rate=25", "--drain-timeout=100s", count=0)
        for turn in (1, 2):
            self.scale_up_and_down(turn)
        run("docker", "stop", "-t", "120", load.id, timeout=150)
        self.assertEqual(load.exit_code(), 0)
        fleet.check_books()
        account = fleet.store.accounts("job")["scaled"]
        agree("ends of the load", set(account), {"ok"})
        agree("tasks that were handed out twice",
              fleet.store.rows("SELECT task, attempts FROM outcomes WHERE attempts != 1"
                               " AND job = 'scaled'"), [])
        broker = fleet.container("broker").metrics()
        self.assertEqual(broker["framefleet_broker_stale_results_total"], 0)
        print(f"    {account['ok']} tasks, none lost, none twice")

    def scale_up_and_down(self, turn):
        fleet = self.fleet
        began = time.monotonic()
        fleet.scale(WORKERS)
        lap(f"turn {turn}: {WORKERS} workers are healthy", began)
        self.wait_until_prometheus_sees(WORKERS, began)
        eventually(lambda: all(row["finished"] > 0
                               for row in fleet.show("workers")["workers"]),
                   "every worker has finished a task")
        began = time.monotonic()
        there = fleet.scale(1)
        staying = {worker.id for worker in fleet.containers("worker")}
        lap(f"turn {turn}: 1 worker is left", began)
        self.assertEqual(len(staying), 1)
        codes = fleet.ends.codes()
        agree("exit codes of the drained workers",
              [codes[gone] for gone in sorted(there - staying)], [[0]] * (WORKERS - 1))
        self.wait_until_prometheus_sees(1, began)

    def wait_until_prometheus_sees(self, workers, began):
        eventually(lambda: self.fleet.prometheus("count(framefleet_worker_slots)") == [workers],
                   f"Prometheus sees {workers} workers", 60)
        lap(f"Prometheus sees {workers}", began)

    def test_3_a_killed_worker_is_back_and_nothing_is_lost(self):
        fleet = self.fleet
        fleet.scale(2)
        load = self.load("killed", count=400)
        victim = fleet.containers("worker")[0]
        eventually(lambda: victim.metrics()["framefleet_worker_results_total"] > 0,
                   "the worker has worked")
        began = time.monotonic()
        victim.kill_from_host()
        eventually(lambda: victim.restarts() == 1 and victim.healthy(), "it is back")
        lap("killed worker is back and healthy", began)
        self.assertEqual(load.exit_code(timeout=150), 0)
        fleet.check_books()
        agree("ends of the load", fleet.store.accounts("job")["killed"], {"ok": 400})

    def test_4_a_worker_that_is_cut_off_is_replaced_by_the_others(self):
        fleet = self.fleet
        fleet.scale(2)
        load = self.load("cut", count=400)
        victim = fleet.containers("worker")[0]
        eventually(lambda: victim.metrics()["framefleet_worker_results_total"] > 0,
                   "the worker has worked")
        began = time.monotonic()
        victim.cut_off()
        try:
            eventually(lambda: fleet.show("status")["workers"] == 1, "the broker misses it")
            lap("the broker misses the worker that is cut off", began)
            self.assertEqual(load.exit_code(timeout=150), 0)
            fleet.check_books()
            agree("ends of the load", fleet.store.accounts("job")["cut"], {"ok": 400})
        finally:
            victim.cut_off(False)
        eventually(lambda: fleet.show("status")["workers"] == 2, "it is back")

    def test_5_a_killed_broker_is_back_and_a_folder_is_stored_once(self):
        fleet = self.fleet
        before = fleet.store.count()
        photos = fleet.start("photos")
        broker = fleet.container("broker")
        eventually(lambda: fleet.store.count() >= before + PICTURES // 4, "a quarter is stored")
        began = time.monotonic()
        broker.kill_from_host()
        eventually(lambda: broker.restarts() == 1 and broker.healthy(), "the broker is back")
        lap("killed broker is back and healthy", began)
        self.assertEqual(photos.exit_code(timeout=150), 0)
        lap("the folder is done", began)
        status = fleet.show("status")
        self.assertTrue(status["sink_connected"])
        self.assertEqual(status["workers"], 2, "all have connected again")
        stored = fleet.store.rows("SELECT origin, status, count(*) FROM outcomes"
                                  " WHERE origin LIKE '/photos/%' GROUP BY 1, 2 ORDER BY 1")
        agree("outcomes of the folder", stored,
              [(f"/photos/{number:04}.png", "ok", 1) for number in range(PICTURES)])
        fleet.check_books()

    def test_6_everybody_leaves_by_itself(self):
        fleet = self.fleet
        parts = [part for role in ("producer", "worker", "broker", "sink")
                 for part in fleet.containers(role)]
        began = time.monotonic()
        fleet.compose("stop")
        lap("stopped", began)
        agree("exit codes", {part.logged("ended")["exit_code"] for part in parts}, {"0"})

    # ------------------------------------------------------------------------------------------

    def load(self, job, *arguments, count):
        """Begins with batch tasks of 40 ms each, of that job; 0: until it is stopped."""
        return self.fleet.start("load", f"--job={job}", "--detect=markers,stub?sleep=40ms",
                                *arguments, f"synthetic:?count={count}&name={job}")


if __name__ == "__main__":
    print(f"    {' '.join(FILES)}")
    unittest.main(verbosity=2)
