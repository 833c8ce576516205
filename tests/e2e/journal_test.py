"""What a broker with a journal has said to be durable ends in the store, whoever is killed."""
import os
import signal
import unittest

from fleet import Fleet
from pictures import frames_in
from process import children_of, command_of, eventually
from witness import Witness

CAMERA = 3


def source(count):
    return f"synthetic:?count={count}&size=320x240&camera={CAMERA}"


class JournalTest(unittest.TestCase):
    def broker(self, fleet, *arguments):
        return fleet.broker("--journal", fleet.folder / "journal", "--journal-bytes-max", "64MiB",
                            *arguments)

    def leave_in_journal(self, fleet, count):
        """A producer and a broker die when the journal has everything."""
        broker = self.broker(fleet)
        producer = fleet.producer(source(count), detect="markers")
        eventually(lambda: broker.metrics().get("framefleet_broker_journal_tasks") == count,
                   "the journal has everything")
        producer.kill()
        broker.kill()

    def check_frames(self, fleet, count):
        self.assertEqual(fleet.store.by_status(), {"ok": count})
        self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(count)})

    def test_neither_producer_nor_broker_need_live_until_the_work_is_done(self):
        count = 60  # fewer than a producer may have unsettled
        with Fleet() as fleet:
            self.leave_in_journal(fleet, count)
            broker = self.broker(fleet)
            self.assertEqual(int(broker.until_log("journal_read")["tasks"]), count)
            fleet.sink().until_log("store_open")
            fleet.worker("w1", "--slots", "2")
            eventually(lambda: fleet.store.by_status() == {"ok": count}, "everything is stored", 60)
            fleet.check_broker()
            self.check_frames(fleet, count)
            fleet.stop()

    def test_frames_that_a_broker_and_a_camera_died_with_are_in_the_books_and_end_as_lost(self):
        with Fleet() as fleet:
            broker = self.broker(fleet, "--peer-timeout", "1s")
            producer = fleet.producer(source(1000) + "&fps=20", detect="markers",
                                      arguments=("--class", "live"))
            eventually(lambda: fleet.show("status")["in_progress"]["storing"] > 20,
                       "frames are superseded, and there is no sink for them")
            producer.kill()
            broker.kill()
            held = int(self.broker(fleet, "--peer-timeout", "5s")  # four of which it waits
                       .until_log("journal_read")["unaccounted"])
            self.assertGreater(held, 4)
            self.assertEqual(fleet.show("status")["unaccounted"], held)
            self.assertEqual(fleet.show("status")["account"]["admitted"], held)
            fleet.sink()
            eventually(lambda: fleet.store.exists() and fleet.store.by_status() == {"lost": held},
                       "nobody came back")
            self.assertEqual(fleet.store.rows("SELECT DISTINCT reason FROM gaps"),
                             [("unaccounted",)])
            fleet.check_broker()
            self.assertEqual(fleet.show("status")["unaccounted"], 0)
            fleet.stop()

    def test_the_books_of_a_broker_that_is_killed_again_and_again_stay_exact(self):
        count = 300
        with Fleet() as fleet:
            broker = self.broker(fleet)
            fleet.sink()
            for name in ("w1", "w2"):
                fleet.worker(name, "--slots", "2")
            producer = fleet.producer(source(count), detect="markers,stub?sleep=15ms")
            for life in range(1, 6):
                producer.until_counted("ok", life * count // 8)
                broker.kill()
                broker = self.broker(fleet)
            fleet.close_books(producer)  # the last broker has the accounts of all
            self.check_frames(fleet, count)

    def test_a_broker_whose_journal_is_full_says_so_and_starts_again_all_the_same(self):
        count = 120  # of 100 KB
        with Fleet() as fleet:
            arguments = ("--journal", fleet.folder / "journal", "--journal-bytes-max", "6MiB")
            broker = fleet.broker(*arguments)
            witness = Witness(fleet.endpoint, count, "stub", rate=1000)
            witness.start()

            def is_full():
                return broker.metrics().get("framefleet_broker_journal_full") == 1
            eventually(is_full, "the journal is full")
            kept = len(witness.durable)
            self.assertGreater(kept, 20)
            self.assertLess(kept, count)
            broker.kill()
            broker = fleet.broker(*arguments)
            self.assertGreaterEqual(int(broker.until_log("journal_read")["tasks"]), kept)
            eventually(is_full, "the journal is full as before")
            fleet.sink().until_log("store_open")
            fleet.worker("w1", "--slots", "2")
            eventually(lambda: fleet.store.by_status() == {"ok": count}, "everything is stored")
            self.assertEqual(witness.faults, [])
            fleet.check_broker()
            fleet.stop()

    def test_a_run_with_a_journal_goes_on_from_it(self):
        count = 400
        with Fleet() as fleet:
            run = fleet.run("--journal", fleet.folder / "journal", "--workers", "1",
                            "--detect", "markers,stub?sleep=20ms", source(count))
            run.until_counted("ok", 20)
            broker, = (pid for pid in children_of(run.pid) if command_of(pid) == "framefleet-brok")
            os.kill(broker, signal.SIGKILL)
            self.assertEqual(run.exit_code(), 0, run.text())
            self.assertEqual(run.event("report")["restarts"], {"broker": 1})
            self.check_frames(fleet, count)
            log = (fleet.store.folder / ".framefleet/logs/broker.log").read_text(encoding="utf-8")
            self.assertRegex(log, r"journal_read .*tasks=[1-9]")

    def test_a_damaged_picture_is_lost_by_name_and_nothing_else(self):
        count = 30
        with Fleet() as fleet:
            self.leave_in_journal(fleet, count)
            file = fleet.folder / "journal" / "data.mdb"
            content = bytearray(file.read_bytes())
            content[content.index(b"\xff\xd8\xff") + 3000] ^= 1
            file.write_bytes(content)
            broker = self.broker(fleet)
            damaged = broker.until_log("task_damaged")["task"]
            fleet.sink().until_log("store_open")
            fleet.worker("w1", "--slots", "2")
            eventually(lambda: fleet.store.ends() == count, "everything has ended")
            self.assertEqual(fleet.store.rows("SELECT task, reason FROM outcomes"
                                              " WHERE status = 'lost'"),
                             [(damaged, "journal_damaged")])
            fleet.check_broker()
            fleet.stop()

    def test_a_second_broker_is_refused_its_journal(self):
        with Fleet() as fleet:
            self.broker(fleet)
            second = fleet.start("second", "framefleet-broker", "--journal",
                                 fleet.folder / "journal", "--bind", f"ipc://{fleet.folder}/b.sock",
                                 "--metrics-listen", "127.0.0.1:0")
            self.assertEqual(second.exit_code(), 69)
            self.assertIn("journal", second.until_log("failed")["text"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
