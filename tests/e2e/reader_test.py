"""The store can be read while a run goes on: never locked, never in the way."""
import sqlite3
import threading
import unittest

import ledger
from fleet import Fleet
from process import children_of, command_of

COUNT = 1500


class Reader(threading.Thread):
    """Asks again and again, each time as a new program would, and without patience for a lock
    while there is a sink."""

    def __init__(self, store, has_sink=lambda: True):
        super().__init__(daemon=True)
        self.store, self.has_sink, self.counts, self.error = store, has_sink, [], None
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            try:
                if self.store.exists():
                    rows, lines = self.store.rows(
                        "SELECT (SELECT count(*) FROM outcomes),"
                        " (SELECT count(*) FROM detector_runs)")[0]
                    self.counts.append((rows, lines))
            except sqlite3.OperationalError as error:
                # SQLite lets readers that are alone lock out one another for a moment: here, the
                # one that makes the report of the run.
                if self.has_sink():
                    self.error = error
                    return
            except Exception as error:  # whatever it is, the test must hear of it
                self.error = error
                return

    def stop(self):
        self.stopped.set()
        self.join()


class ReaderTest(unittest.TestCase):
    def test_a_reader_never_meets_a_lock_and_sees_whole_outcomes(self):
        with Fleet() as fleet:
            run = fleet.run("--workers", "2", "--detect", "stub,markers",
                            f"synthetic:?count={COUNT}&size=240x200")
            # From before there is a store until after its sink has left.
            reader = Reader(fleet.store, lambda: "framefleet-sink" in
                            map(command_of, children_of(run.pid)))
            reader.start()
            self.assertEqual(run.exit_code(), 0)
            self.check(reader)
            ledger.check_report(run.event("report"), fleet.store)
            self.assertEqual(fleet.store.by_status(), {"ok": COUNT})

    def test_many_readers_do_not_meet_a_lock_while_the_sink_is_there(self):
        with Fleet() as fleet:
            fleet.broker(), fleet.sink().until_ready(), fleet.worker("w1", "--slots", "2")
            # Not longer: SQLite lets readers that are alone lock out one another for a moment.
            readers = [Reader(fleet.store) for _ in range(4)]
            for reader in readers:
                reader.start()
            producer = fleet.producer(f"synthetic:?count={COUNT}&size=240x200",
                                      detect="stub,markers")
            self.assertEqual(producer.exit_code(), 0)
            for reader in readers:
                self.check(reader)
            fleet.close_books(producer)

    def check(self, reader):
        reader.stop()
        self.assertIsNone(reader.error, repr(reader.error))
        counts = [rows for rows, _ in reader.counts]
        print(f"{len(counts)} reads, {len(set(counts))} different counts")
        self.assertEqual(counts, sorted(counts), "an outcome has vanished")
        self.assertGreater(len(set(counts)), 5, "nothing was read while the run went on")
        self.assertTrue(all(runs == 2 * rows for rows, runs in reader.counts))

    def test_a_reader_that_stays_does_not_hold_up_the_run(self):
        with Fleet() as fleet:
            fleet.broker(), fleet.sink().until_ready(), fleet.worker("w1", "--slots", "2")
            producer = fleet.producer("synthetic:?count=600&size=240x200", detect="stub?sleep=2ms")
            producer.until_counted("ok", 100)
            connection = fleet.store.connect()
            connection.execute("BEGIN")
            seen = connection.execute("SELECT count(*) FROM outcomes").fetchone()
            producer.exit_code()
            self.assertEqual(connection.execute("SELECT count(*) FROM outcomes").fetchone(), seen,
                             "a transaction sees one state of the store")
            connection.close()
            fleet.close_books(producer)
            self.assertEqual(fleet.store.by_status(), {"ok": 600})


if __name__ == "__main__":
    unittest.main()
