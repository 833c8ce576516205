"""A producer that submits 2 000 pictures of 200 bytes over ipc and leaves as soon as the last one
is admitted: all 2 000 are accounted for. (ZeroMQ alone loses some of a sender that closes and
exits, zeromq/libzmq#4660; every socket here has a high-water mark of 64 messages.)

BURST_ROUNDS: how often."""
import os
import unittest

from fleet import PATIENT, Fleet
from pictures import padded, png
from process import eventually

ROUNDS = int(os.environ.get("BURST_ROUNDS", 1))
TASKS, BYTES = 2000, 200


class BurstTest(unittest.TestCase):
    def test_whoever_leaves_at_once_has_handed_everything_over(self):
        with Fleet("ipc") as fleet:
            fleet.broker(*PATIENT)
            fleet.sink().until_ready()
            fleet.worker("w1", "--slots", "2").until_ready()
            folder = fleet.folder / "pictures"
            folder.mkdir()
            tiny = png(8, 8, lambda x, y: 32 * x)
            for number in range(TASKS):
                (folder / f"{number:04}.png").write_bytes(padded(tiny, BYTES, number))
            self.assertEqual((folder / "0000.png").stat().st_size, BYTES)
            for number in range(ROUNDS):
                job = f"burst-{number}"
                producer = fleet.producer(folder, detect="stub", arguments=[
                    "--job", job, "--confirm", "admitted", "--window-tasks", TASKS])
                _, end = fleet.end_of(producer)
                self.assertEqual((end["submitted"], end["admitted"]), (TASKS, TASKS), end)
                then = fleet.store.accounts("job").get(job, {}).get("ok", 0)
                eventually(lambda: fleet.store.accounts("job").get(job) == {"ok": TASKS},
                           f"{TASKS} of {TASKS} are accounted for, each once")
                self.assertEqual(fleet.store.missing(), 0)
                print(f"round {number}: {then} of {TASKS} were stored when the producer had left,"
                      f" then {TASKS}", flush=True)
            fleet.check_broker()
            fleet.stop()
            fleet.store.check_left_behind(ROUNDS * TASKS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
