"""Workers that test themselves: one whose face cascade is of something else is there, says so
everywhere, and gets no picture; the others do all of them."""
import pathlib
import shutil
import unittest

from fleet import PATIENT, Fleet
from process import eventually

CASCADES = pathlib.Path("/usr/share/opencv4")
FACES = "haarcascades/haarcascade_frontalface_alt2.xml"
EYES = "haarcascades/haarcascade_eye.xml"
FAILED = "framefleet_worker_self_test_failed"
RUNS = "framefleet_worker_self_tests_total"
TESTS = 4  # edges, stub, and the two other formats


def cascades_with(folder, other):
    """A folder of cascades in which that of faces is another one."""
    (folder / "haarcascades").mkdir(parents=True)
    shutil.copy(CASCADES / other, folder / FACES)
    return folder


class SelfTestTest(unittest.TestCase):
    def states(self, broker):
        metrics = broker.metrics()
        return {state: metrics[f'framefleet_broker_workers{{state="{state}"}}']
                for state in ("ready", "not_ready", "draining")}

    def failed(self, worker):
        """Detector and format of its self-tests that fail."""
        return [name for name, value in worker.metrics().items()
                if name.startswith(f"{FAILED}{{") and value == 1]

    def check_isolation(self, isolation):
        count = 40
        with Fleet() as fleet:
            broker = fleet.broker(*PATIENT)
            fleet.sink().until_ready()
            options = ("--isolation", isolation, "--detectors", "faces,edges,stub", "--slots", 2)
            folder = fleet.folder / "cascades"
            wrong = fleet.worker("wrong", *options, "--cascade-folder", cascades_with(folder, EYES))
            right = fleet.worker("right", *options).until_ready()
            failure = wrong.until_log("self_test_failed")
            self.assertEqual(failure["detector"], "faces")
            self.assertIn("one face", failure["expected"])
            self.assertIn("face ", failure["found"])

            eventually(lambda: self.states(broker) == {"ready": 1, "not_ready": 1, "draining": 0},
                       "the broker knows who is ready")
            eventually(lambda: "self-test of faces" in wrong.get("/readyz")[1], "it says why")
            self.assertEqual(wrong.get("/readyz")[0], 503)
            self.assertEqual(self.failed(wrong), [FAILED + '{detector="faces",format="jpeg"}'])
            self.assertEqual(self.failed(right), [])
            rows = {row["name"]: row for row in fleet.show("workers")["workers"]}
            self.assertIn("self-test of faces: expected one face", rows["wrong"]["not_ready"])
            self.assertIsNone(rows["right"]["not_ready"])
            table = fleet.operate("workers")
            self.assertRegex(table, r"wrong +not ready")
            self.assertIn("wrong is not ready: self-test of faces", table)

            for worker in (wrong, right):
                print(f"{worker.name} ({isolation}): hello after",
                      worker.until_log("hello")["after"])
            print(f"right ({isolation}): ready after", right.until_log("ready")["after"])

            producer = fleet.producer(f"synthetic:?count={count}&size=320x240",
                                      detect="faces,edges")
            fleet.close_books(producer)
            self.assertEqual(fleet.store.rows("SELECT DISTINCT worker, attempts FROM outcomes"),
                             [("right", 1)])
            self.assertIsNone(wrong.logged("ready"))

    def test_in_threads(self):
        self.check_isolation("none")

    def test_in_child_processes(self):
        self.check_isolation("process")

    def test_a_missing_cascade_ends_the_worker_before_anything_else(self):
        with Fleet() as fleet:
            folder = fleet.folder / "cascades"
            folder.mkdir()
            fleet.endpoint = f"ipc://{fleet.folder}/none.sock"
            worker = fleet.worker("w", "--detectors", "faces", "--cascade-folder", folder)
            self.assertEqual(worker.exit_code(), 66)
            self.assertIn("haarcascade_frontalface_alt2.xml is not there",
                          worker.until_log("failed")["text"])

    def test_a_worker_tests_itself_again_while_it_works(self):
        count = 150
        with Fleet() as fleet:
            fleet.broker(*PATIENT)
            fleet.sink().until_ready()
            worker = fleet.worker("w", "--detectors", "edges,stub", "--slots", 1,
                                  "--self-test-interval", "50ms").until_ready()
            producer = fleet.producer(f"synthetic:?count={count}&size=320x240",
                                      detect="edges,stub?sleep=5ms")
            producer.until_counted("ok", count // 2)
            eventually(lambda: worker.metrics()[RUNS] > 4 * TESTS, "tests between its tasks")
            self.assertEqual(self.failed(worker), [])
            fleet.close_books(producer)
            rows = fleet.store.rows("SELECT count(*), max(attempts) FROM outcomes")
            self.assertEqual(rows, [(count, 1)])


if __name__ == "__main__":
    unittest.main()
