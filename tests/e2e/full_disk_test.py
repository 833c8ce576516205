"""Full disks of 160 MB, under the broker's journal and under the sink's store: nothing new is taken
and everything else goes on; kill -9 and a start while full change nothing; it goes on by itself
when there is room; nothing is lost or done twice."""
import unittest

from fleet import Fleet
from process import eventually
from witness import Witness

from disk import MIB, SmallDisk

DISK = 160  # megabytes
PICTURES = 400  # to annotate: more than there is room for
ENDLESS = 100_000


class FullDiskTest(unittest.TestCase):
    def close(self, fleet, witness, status):
        witness.finish()
        count = len(witness.durable)
        eventually(lambda: fleet.store.by_status() == {status: count}, "everything is stored", 120)
        self.assertEqual(witness.faults, [])
        fleet.check_broker()
        self.assertEqual(fleet.store.missing(), 0)
        fleet.stop()
        fleet.store.check_left_behind(count)

    # --- the broker's journal -----------------------------------------------------------------

    def test_a_full_disk_under_the_journal(self):
        with Fleet() as fleet, SmallDisk(self, fleet.folder / "small", DISK) as disk:
            arguments = ("--journal", disk.folder / "journal", "--journal-bytes-max", "12MiB")
            broker = fleet.broker(*arguments)
            disk.fill()  # the journal has its whole size by now
            witness = Witness(fleet.endpoint, ENDLESS, "stub", rate=1000)
            witness.start()

            def is_full():
                return broker.metrics().get("framefleet_broker_journal_full") == 1
            eventually(is_full, "the journal is full, too")
            kept = len(witness.durable)
            eventually(lambda: witness.busy["journal_full"] > 0, "who submits is told")
            for _ in range(2):
                broker.kill()
                broker = fleet.broker(*arguments)
                self.assertGreaterEqual(int(broker.until_log("journal_read")["tasks"]), kept)
            self.assertLess(disk.free(), MIB)
            # Settlements need no room, and make some in the journal for what waits.
            fleet.sink().until_log("store_open")
            fleet.worker("w1", "--slots", "2")
            self.close(fleet, witness, "ok")

    def test_a_journal_that_finds_no_room_for_itself_says_what_to_do_and_starts_when_there_is(self):
        with Fleet() as fleet, SmallDisk(self, fleet.folder / "small", DISK) as disk:
            arguments = ("--journal", disk.folder / "journal", "--journal-bytes-max", "12MiB")
            disk.fill(leave=4 * MIB)
            broker = fleet.broker_begun(*arguments)
            self.assertEqual(broker.exit_code(), 73)
            self.assertIn("make room", broker.until_log("failed")["text"])
            disk.make_room()
            fleet.broker(*arguments)

    # --- the sink's store ---------------------------------------------------------------------

    BROKER = ("--journal-bytes-max", "128MiB", "--unstored-bytes-max", "2MiB",
              "--failed-attempts-max", "1")

    def check_blocked(self, sink):
        """It says so in every way that it has."""
        event = sink.until_log("store_blocked")
        self.assertIn("make room", event["text"])
        eventually(lambda: sink.metrics()["framefleet_sink_store_blocked"] == 1, "the metric")
        eventually(lambda: sink.get("/readyz")[0] == 503, "not ready")
        self.assertIn("store: ", sink.get("/readyz")[1])
        eventually(lambda: sink.metrics()["framefleet_sink_link_up"] == 1, "the broker has it")

    def through_a_full_disk(self, submit, wait, leave=0):
        """`submit(fleet)` gives what submits, `wait(fleet, submitter)` waits until it has, and
        looks at what it was told; the disk is filled to `leave` bytes, and the fleet takes them."""
        with Fleet() as fleet, SmallDisk(self, fleet.folder / "small", DISK) as disk:
            fleet.store.folder = disk.folder / "out"
            journal = ("--journal", fleet.folder / "journal", *self.BROKER)
            broker = fleet.broker(*journal)
            sink = fleet.sink("--drain-timeout", "500ms").until_ready()
            fleet.worker("w1", "--slots", "2", "--self-test-interval", "0s").until_ready()
            submitter = submit(fleet)
            eventually(lambda: fleet.store.ends() > 5, "some are stored")
            disk.fill(leave)
            self.check_blocked(sink)
            eventually(lambda: broker.metrics()["framefleet_broker_unstored_bytes"] > 0,
                       "outcomes wait in the broker")
            stored = fleet.store.ends()
            for end in ("kill", "terminate", "kill"):
                getattr(sink, end)()
                sink.exit_code()
                # A sink that leaves takes its index of the log with it.
                (fleet.store.folder / "results.sqlite-shm").unlink(missing_ok=True)
                disk.fill()  # takes whatever a dead sink gives back
                sink = fleet.sink("--drain-timeout", "500ms")
                self.check_blocked(sink)
            self.assertGreaterEqual(fleet.store.ends(), stored)
            broker.kill()
            fleet.broker(*journal)
            self.check_blocked(sink)
            disk.make_room()
            sink.until_log("store_unblocked")
            sink.until_ready()
            wait(fleet, submitter)

    def witness(self, detect):
        def submit(fleet):
            witness = Witness(fleet.endpoint, ENDLESS, detect, rate=150)
            witness.start()
            return witness
        return submit

    def test_a_full_disk_under_the_store(self):
        self.through_a_full_disk(self.witness("stub"),
                                 lambda fleet, witness: self.close(fleet, witness, "ok"))

    def test_a_disk_that_dead_letters_fill(self):
        def wait(fleet, witness):
            self.assertGreater(witness.busy["sink_slow"], 0)
            self.close(fleet, witness, "failed")
        self.through_a_full_disk(self.witness("stub?fail=1"), wait, leave=4 * MIB)

    def test_a_disk_that_annotated_pictures_fill(self):
        def submit(fleet):
            return fleet.producer(f"synthetic:?count={PICTURES}&size=640x480",
                                  detect="markers,stub?sleep=5ms",
                                  arguments=["--annotate"])

        def wait(fleet, producer):
            fleet.close_books(producer)
            self.assertEqual(fleet.store.rows("SELECT count(*) FROM pictures"),
                             [(PICTURES,)])
        self.through_a_full_disk(submit, wait, leave=4 * MIB)


if __name__ == "__main__":
    unittest.main(verbosity=2)
