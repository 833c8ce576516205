"""2 000 frames through three workers of which one is killed every two seconds: nothing is lost,
nothing is stored twice, and every result is of its own frame. CHAOS_TRANSPORT: tcp or ipc."""
import os
import random
import unittest

from fleet import Fleet
from pictures import frames_in

FRAMES = 2000
CAMERA = 7
KILL_INTERVAL = 2
HITS_MIN = 8  # kills of a worker that held a lease


class ChaosTest(unittest.TestCase):
    def test_2000_frames_survive_the_workers_that_are_killed(self):
        transport = os.environ.get("CHAOS_TRANSPORT", "ipc")
        seed = int(os.environ.get("CHAOS_SEED", random.randrange(1 << 32)))
        print(f"transport {transport}, CHAOS_SEED={seed}")
        dice = random.Random(seed)
        with Fleet(transport) as fleet:
            broker = fleet.broker()
            fleet.sink().until_ready()
            workers = [self.worker(fleet, place, 0) for place in range(3)]
            for worker in workers:
                worker.until_ready()
            # 50 ms on each of six slots at 100 frames a second: nearly always every slot is taken.
            producer = fleet.producer(f"synthetic:?count={FRAMES}&fps=100&camera={CAMERA}",
                                      detect="markers,stub?sleep=50ms")
            killed = []
            # The first pause lets the work begin; every pause ends early when the run does.
            while not producer.ended_within(KILL_INTERVAL):
                place = dice.choice(self.at_work(fleet, workers) or range(3))
                workers[place].kill()
                killed.append(workers[place].name)
                workers[place] = self.worker(fleet, place, len(killed))
                self.assertTrue(broker.running())
                self.assertLess(len(killed), 60, "the run does not end")
            fleet.close_books(producer)

            # Names are never used twice: a hand-out that was lost with a name was lost by its kill.
            lost = {name for (name,) in fleet.store.rows(
                "SELECT DISTINCT worker FROM attempts WHERE reason IN ('worker_lost',"
                " 'lease_expired')")}
            hit = lost.intersection(killed)
            print(f"{len(killed)} kills, {len(hit)} of workers that held a lease")
            self.assertGreaterEqual(len(hit), HITS_MIN)
            self.assertEqual(fleet.store.by_status(), {"ok": FRAMES})
            self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(FRAMES)})

    @staticmethod
    def at_work(fleet, workers):
        """Places of those that hold a lease; one that was replaced last may not be there yet."""
        leased = {row["name"] for row in fleet.show("workers")["workers"] if row["leased"]}
        return [place for place, worker in enumerate(workers) if worker.name in leased]

    @staticmethod
    def worker(fleet, place, incarnation):
        return fleet.worker(f"worker-{place}-{incarnation}", "--slots", "2")


if __name__ == "__main__":
    unittest.main()
