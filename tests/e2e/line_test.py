"""Tasks that wait in a worker for its threads go back when somebody wants them back, whatever the
threads do meanwhile; each is worked on once."""
import unittest

from fleet import PATIENT, Fleet
from pictures import frames_in
from process import eventually

CAMERA = 13
COUNT = 300
SOURCE = f"synthetic:?count={COUNT}&size=320x240&camera={CAMERA}"
MANY = 20  # tasks in a worker of one slot: most of them wait
THREAD = ("--slots", "1", "--isolation", "none")
HANGS = "&hang_at=100&fail_attempts=1"
RECALLED = "framefleet_broker_recalled_tasks_total"
GIVEN_BACK = 'framefleet_broker_closed_leases_total{reason="drained"}'


class LineTest(unittest.TestCase):
    def start(self, fleet, recall_delay="1h", options=(), faults=""):
        """A fleet that hands ahead what it can; its broker, its only worker and its producer."""
        broker = fleet.broker(*PATIENT, "--ahead-time", "10s", "--recall-delay", recall_delay)
        fleet.sink().until_ready()
        worker = fleet.worker("w1", *THREAD, *options).until_ready()
        # The first ones tell how long it takes; then the rest is handed out ahead.
        producer = fleet.producer(SOURCE, detect=f"markers,stub?sleep=20ms{faults}")
        return broker, worker, producer

    def in_hand(self, fleet, name):
        return next((row["leased"] for row in fleet.show("workers")["workers"]
                     if row["name"] == name), 0)

    def check(self, fleet, broker, producer, charged):
        """All is done, these attempts were charged to tasks, and others were given back."""
        producer.until_counted("ok", COUNT)
        back = broker.metrics()[GIVEN_BACK]
        print(f"{back:.0f} tasks were given back")
        self.assertGreater(back, 0)
        fleet.close_books(producer)
        self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(COUNT)})
        self.assertEqual(fleet.store.rows("SELECT reason FROM attempts WHERE reason != 'drained'"),
                         charged)

    def test_a_worker_that_drains_gives_back_what_waits_for_its_thread(self):
        with Fleet() as fleet:
            broker, leaving, producer = self.start(fleet)
            eventually(lambda: self.in_hand(fleet, "w1") > MANY, "tasks wait in it")
            leaving.terminate()
            self.assertEqual(leaving.exit_code(), 0)
            fleet.worker("w2", *THREAD).until_ready()
            self.check(fleet, broker, producer, [])

    def test_what_waits_behind_a_thread_that_hangs_is_recalled(self):
        with Fleet() as fleet:
            broker, _, producer = self.start(fleet, recall_delay="500ms",
                                             options=("--detect-timeout", "20s"), faults=HANGS)
            eventually(lambda: broker.metrics()[RECALLED] > 0, "the tasks behind it are recalled")
            fleet.worker("w2", *THREAD).until_ready()
            producer.until_counted("ok", COUNT - 1)
            self.check(fleet, broker, producer, [("detect_timeout",)])

    def test_a_worker_whose_thread_hangs_gives_back_what_waits_behind_it(self):
        with Fleet() as fleet:
            broker, stuck, producer = self.start(fleet, options=("--detect-timeout", "2s"),
                                                 faults=HANGS)
            self.assertEqual(stuck.exit_code(), 70)
            fleet.worker("w2", *THREAD).until_ready()
            self.check(fleet, broker, producer, [("detect_timeout",)])


if __name__ == "__main__":
    unittest.main()
