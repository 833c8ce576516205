"""A disk whose n-th write or sync fails, under the broker's journal and under the sink's store: the
process stops (74) and names the file, the next start verifies what is there, and nothing that was
promised is lost: a sync that fails takes with it what was written since the last one.

IO_ERROR_RUNS: how many n of each call are tried, spread over those of a run; 0: all of them."""
import os
import unittest

from fleet import BIN, Fleet
from process import eventually
from witness import Witness

from disk import IoFaults

RUNS = int(os.environ.get("IO_ERROR_RUNS", 2))
LIBRARY = BIN.parent / "tests/libframefleet_io_faults.so"
CALLS_OF_A_RUN = 60  # the work of a second: start, commits, checkpoints of a log
ENDLESS = 100_000
JOURNAL = ("--journal-bytes-max", "64MiB", "--lost-attempts-max", 100)


def sample():
    step = max(1, CALLS_OF_A_RUN // RUNS) if RUNS else 1
    return range(1, CALLS_OF_A_RUN + 1, step)


class IoErrorTest(unittest.TestCase):
    def start_broker(self, fleet, environment=None):
        return fleet.broker_begun("--journal", fleet.folder / "journal", *JOURNAL,
                                  environment=environment)

    def start(self, fleet):
        """A fleet at work that does not end by itself."""
        self.start_broker(fleet).until_log("listening")
        fleet.sink().until_log("store_open")
        fleet.worker("w1", "--slots", "2", "--self-test-interval", "0s").until_ready()
        witness = Witness(fleet.endpoint, ENDLESS, "stub", rate=300)
        witness.start()
        return witness

    def end(self, fleet, witness, heard_all=()):
        """Whatever was promised is stored, once; some never missed the broker."""
        witness.finish()
        promised = {witness.id_of(sequence) for sequence in witness.durable}
        eventually(lambda: promised <= set(fleet.store.outcomes()), "all promises are stored")
        self.assertEqual(witness.faults, [])
        fleet.check_broker(doubted=witness.doubted)
        fleet.store.missing()
        self.assertEqual(set(fleet.store.by_status()), {"ok"})
        for process in heard_all:
            name = f"framefleet_{process.command[0].rpartition('-')[2]}_link_losses_total"
            self.assertEqual(process.metrics()[name], 0)
        fleet.stop()
        return len(promised)

    def fails(self, role, process, faults, file):
        """It ended because of that fault, with the words that it should have."""
        self.assertEqual(process.exit_code(), 74)
        calls = faults.calls()
        self.assertTrue(any(hit for _, _, hit in calls))
        if role == "sink":  # LMDB writes a page again, to take its commit back
            self.assertTrue(calls[-1][2], "it went on writing after the fault")
        self.assertIn(file, process.until_log("failed")["text"])

    def sweep(self, role, path, calls, file):
        """One fault after the other in the same fleet: each is followed by a start on what it left,
        with the next one."""
        with Fleet() as fleet:
            witness = self.start(fleet)
            faults = IoFaults(LIBRARY, path, fleet.folder / "calls")
            met = 0
            for call, what in calls:
                for nth in sample():
                    fleet.named(role)[0].kill()
                    environment = faults.environment(call, nth, what)
                    process = (self.start_broker(fleet, environment) if role == "broker"
                               else fleet.sink(environment=environment))
                    self.fails(role, process, faults, file)
                    met += 1
                    if role == "broker":
                        self.start_broker(fleet).until_log("listening")
                    else:
                        fleet.sink().until_ready()
            print(f"{met} faults, {self.end(fleet, witness)} promises kept")

    def test_the_broker_stops_at_a_write_or_sync_that_fails(self):
        self.sweep("broker", "/data.mdb",
                   (("write", "EIO"), ("write", "short"), ("sync", "EIO")), "journal")

    def test_a_sync_that_finds_no_space_is_a_sync_that_failed(self):
        self.sweep("broker", "/data.mdb", (("sync", "ENOSPC"),), "journal")

    def test_the_sink_stops_at_a_write_or_sync_that_fails(self):
        self.sweep("sink", "out/results.", (("write", "EIO"), ("sync", "EIO")), "results.")

    def test_what_cannot_be_made_is_refused_by_name_and_made_by_the_next_start(self):
        for role, folder, call, what, file in (
                ("broker", "journal", "create", "EIO", "journal"),
                ("broker", "journal", "size", "EDQUOT", "incoming.mdb"),
                ("broker", "journal", "name", "EIO", "data.mdb"),
                ("sink", "out/", "create", "EIO", "results.lock"),
                ("sink", "out/", "name", "EIO", "results.sqlite")):
            with self.subTest(role=role, call=call), Fleet() as fleet:
                faults = IoFaults(LIBRARY, f"{fleet.folder}/{folder}", fleet.folder / "calls")
                environment = faults.environment(call, 1, what)
                if role == "broker":
                    process = self.start_broker(fleet, environment)
                else:
                    self.start_broker(fleet).until_log("listening")
                    process = fleet.sink(environment=environment)
                self.assertEqual(process.exit_code(), 73)
                self.assertTrue(faults.happened())
                self.assertIn(file, process.until_log("failed")["text"])
                if role == "broker":
                    self.start_broker(fleet).until_log("listening")
                else:
                    fleet.sink().until_ready()

    def test_syncs_that_take_half_a_second_cost_time_and_nothing_else(self):
        with Fleet() as fleet:
            faults = IoFaults(LIBRARY, fleet.folder, fleet.folder / "calls")
            slow = faults.environment("sync", 1, "slow:500", ever=True)
            self.start_broker(fleet, slow).until_log("listening")
            sink = fleet.sink(environment=slow).until_ready()
            worker = fleet.worker("w1", "--slots", "2").until_ready()
            witness = Witness(fleet.endpoint, 40, "stub", rate=300)
            witness.start()
            witness.join()
            print(f"{self.end(fleet, witness, [sink, worker])} promises kept")

    def test_a_store_whose_writes_come_up_short_writes_the_rest(self):
        with Fleet() as fleet:
            self.start_broker(fleet).until_log("listening")
            faults = IoFaults(LIBRARY, "out/results.", fleet.folder / "calls")
            short = faults.environment("write", 1, "short", ever=True)
            sink = fleet.sink(environment=short).until_ready()
            fleet.worker("w1", "--slots", "2").until_ready()
            witness = Witness(fleet.endpoint, 40, "stub", rate=300)
            witness.start()
            witness.join()
            self.end(fleet, witness, [sink])
            self.assertTrue(faults.happened())


if __name__ == "__main__":
    unittest.main(verbosity=2)
