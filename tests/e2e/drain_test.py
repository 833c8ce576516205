"""SIGTERM loses nothing and charges nobody: workers, the broker, a producer, a whole run."""
import fcntl
import os
import signal
import subprocess
import unittest

import ledger
from fleet import BIN, PATIENT, Fleet
from proxy import Proxy
from pictures import frames_in
from process import eventually

CAMERA = 9
COUNT = 200
SOURCE = f"synthetic:?count={COUNT}&size=320x240&camera={CAMERA}"
DETECT = "markers,stub?sleep=60ms"  # work for seconds: not over when a test acts


F_SETPIPE_SZ = 1031  # of Linux
PAGE = 4096


def holds_back(pid, number):
    """Whether the process keeps this signal for the time when it looks for it."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        mask = next(line.split()[1] for line in file if line.startswith("SigBlk:"))
    return int(mask, 16) >> (number - 1) & 1


class DrainTest(unittest.TestCase):
    def start(self, fleet, *producer_arguments):
        broker, sink = fleet.broker(*PATIENT), fleet.sink()
        workers = [fleet.worker(name, "--slots", "2") for name in ("w1", "w2")]
        producer = fleet.producer(SOURCE, detect=DETECT, arguments=producer_arguments)
        producer.until_counted("ok", COUNT // 10)
        return broker, sink, workers, producer

    def check_nothing_was_charged(self, fleet):
        self.assertEqual(fleet.store.by_status(), {"ok": COUNT})
        self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(COUNT)})
        charged = fleet.store.rows("SELECT task, worker, reason FROM attempts"
                                   " WHERE reason != 'drained'")
        self.assertEqual(charged, [])

    def end_of_early_signal(self, program, *arguments):
        """What it logged and its exit code, after a SIGTERM that came before its first line was
        read: its log is a pipe that is full until then."""
        reads, writes = os.pipe()
        fcntl.fcntl(writes, F_SETPIPE_SZ, PAGE)
        os.write(writes, b"\n" * PAGE)
        with subprocess.Popen(["setpriv", "--pdeathsig", "KILL", BIN / program, *arguments],
                              stdin=subprocess.DEVNULL, stderr=writes) as process:
            os.close(writes)
            try:
                eventually(lambda: process.poll() is not None or
                           holds_back(process.pid, signal.SIGTERM), f"{program} takes its signals")
                process.terminate()
                with os.fdopen(reads, "rb") as log:
                    text = log.read().decode().lstrip("\n")
                return process.wait(), text
            finally:
                process.kill()

    def test_whoever_has_read_that_a_program_starts_may_end_it(self):
        with Fleet() as fleet:
            connect = ("--connect", fleet.endpoint)
            for role, arguments in (("broker", ("--bind", fleet.endpoint)), ("worker", connect),
                                    ("sink", (*connect, "--store", fleet.store.folder)),
                                    ("producer", (*connect, "--detect", "markers",
                                                  "synthetic:?count=1"))):
                with self.subTest(role=role):
                    code, log = self.end_of_early_signal(f"framefleet-{role}", *arguments)
                    self.assertEqual(code, 0)
                    self.assertIn(" starting ", log)
                    self.assertIn(" draining ", log)
                    self.assertTrue(log.endswith(" ended exit_code=0\n"), log)

    def test_workers_that_drain_in_the_middle_hand_over_what_they_have(self):
        with Fleet() as fleet:
            _, _, workers, producer = self.start(fleet)
            for number, worker in enumerate(workers):
                fleet.worker(f"w{number + 3}", "--slots", "2").until_ready()
                worker.terminate()
                self.assertEqual(worker.exit_code(), 0)
            fleet.close_books(producer)
            self.check_nothing_was_charged(fleet)

    def test_a_draining_worker_finishes_what_it_has_begun(self):
        with Fleet() as fleet:
            broker = fleet.broker(*PATIENT)
            fleet.sink().until_ready()
            worker = fleet.worker("w1", "--slots", "1").until_ready()
            producer = fleet.producer("synthetic:?count=1&size=240x200", detect="stub?sleep=1500ms")
            leased = 'framefleet_broker_tasks{state="leased"}'
            eventually(lambda: broker.metrics()[leased] == 1, "the frame is being worked on")
            worker.terminate()
            self.assertEqual(worker.exit_code(), 0)
            fleet.close_books(producer)
            self.assertEqual(fleet.store.rows("SELECT status, attempts, worker FROM outcomes"),
                             [("ok", 1, "w1")])

    def test_a_worker_that_drains_against_a_slow_sink_loses_no_result(self):
        with Fleet("tcp") as fleet:
            fleet.broker(*PATIENT)
            straight = fleet.endpoint
            with Proxy(straight) as line:
                fleet.endpoint = line.endpoint
                fleet.sink().until_ready()
                fleet.endpoint = straight
                workers = [fleet.worker(name, "--slots", "2") for name in ("w1", "w2")]
                producer = fleet.producer(SOURCE, detect=DETECT)
                producer.until_counted("ok", COUNT // 10)
                line.to_peer.stalled = line.to_broker.stalled = True
                eventually(lambda: fleet.show("status")["in_progress"]["storing"] > 0,
                           "there are results that the sink has not stored")
                workers[0].terminate()
                workers[0].until_log("draining")
                line.heal()
                line.to_peer.delay = line.to_broker.delay = 0.1
                self.assertEqual(workers[0].exit_code(), 0)
                fleet.end_of(producer)
                line.heal()
                fleet.close_books(producer)
            self.check_nothing_was_charged(fleet)

    def test_a_second_sigterm_gives_the_leases_back_at_once(self):
        with Fleet() as fleet:
            broker = fleet.broker()
            fleet.sink().until_ready()
            worker = fleet.worker("w1", "--slots", "1").until_ready()
            producer = fleet.producer("synthetic:?count=1&size=240x200",
                                      detect="stub?sleep=60s&fail=0")
            leased = 'framefleet_broker_tasks{state="leased"}'
            eventually(lambda: broker.metrics()[leased] == 1, "the frame is being worked on")
            worker.terminate()
            worker.until_log("draining")
            worker.terminate()
            self.assertEqual(worker.exit_code(timeout=20), 0)  # far less than the frame takes
            self.assertIn("leaving_tasks_behind", worker.text())
            eventually(lambda: broker.metrics()[leased] == 0, "the lease is given back")
            producer.terminate()
            producer.until_log("draining")
            producer.terminate()
            producer.exit_code()
            self.assertEqual(fleet.store.count(), 0)

    def test_a_broker_that_drains_with_work_left_finishes_it_and_loses_nothing(self):
        with Fleet() as fleet:
            broker, _, _, producer = self.start(fleet)
            broker.terminate()
            self.assertEqual(broker.exit_code(), 0, broker.text())
            admitted = fleet.store.count()
            self.assertLess(admitted, COUNT)
            self.assertTrue(producer.running())
            fleet.broker()
            fleet.close_books(producer, broker_saw_all=False)
            self.check_nothing_was_charged(fleet)

    def test_a_sink_that_drains_has_stored_all_that_it_was_told(self):
        with Fleet() as fleet:
            _, sink, _, producer = self.start(fleet)
            sink.terminate()
            self.assertEqual(sink.exit_code(), 0)
            fleet.store.check_left_behind(fleet.store.count())
            fleet.sink()
            fleet.close_books(producer)
            self.check_nothing_was_charged(fleet)

    def test_a_producer_that_drains_waits_for_what_is_in_flight_and_can_be_continued(self):
        with Fleet() as fleet:
            manifest = ("--manifest", fleet.folder / "manifest")
            _, _, _, producer = self.start(fleet, *manifest)
            producer.terminate()
            self.assertEqual(producer.exit_code(), 0)
            end = producer.event("end")
            self.assertTrue(end["interrupted"])
            self.assertLess(end["ok"], COUNT)
            ledger.check_ends([fleet.end_of(producer)], fleet.store)
            before = fleet.store.accounts("job")
            again = fleet.producer(SOURCE, detect=DETECT, arguments=manifest)
            fleet.close_books(again, before=before)
            self.check_nothing_was_charged(fleet)


class RunDrainTest(unittest.TestCase):
    def test_a_run_that_is_asked_to_stop_says_how_to_go_on_and_can_be_continued(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name), Fleet() as fleet:
                command = ("--workers", "2", "--detect", DETECT, SOURCE)
                run = fleet.run(*command)
                run.until_counted("ok", COUNT // 10)
                run.popen.send_signal(number)
                self.assertEqual(run.exit_code(), 3, run.text())
                report = run.event("report")
                self.assertTrue(report["interrupted"])
                self.assertIn(SOURCE, report["continue"])
                self.assertEqual(report["ledger"]["in_progress"], 0)
                ledger.check_report(report, fleet.store)
                stored = fleet.store.outcomes()
                self.assertLess(len(stored), COUNT)
                again = fleet.run(*command)
                self.assertEqual(again.exit_code(), 0)
                self.assertEqual(again.event("end")["stored_before"], len(stored))
                ledger.check_report(again.event("report"), fleet.store)
                rows = fleet.store.outcomes()
                self.assertEqual({task: rows[task] for task in stored}, stored)
                self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(COUNT)})

    def test_people_are_told_the_same_in_words(self):
        with Fleet() as fleet:
            run = fleet.start("run", "framefleet", "run", "--workers", "1", "--out",
                              fleet.store.folder, "--detect", DETECT, SOURCE)
            run.until(fleet.store.exists, "there is a store")
            eventually(lambda: fleet.store.count() > 0, "something is stored")
            run.terminate()
            self.assertEqual(run.exit_code(), 3, run.text())
            self.assertIn("interrupted", run.text())
            self.assertIn("the same command continues where this stopped", run.text())
            self.assertIn(SOURCE, run.text())

    def test_a_second_sigterm_stops_a_run_now(self):
        with Fleet() as fleet:
            command = ("--workers", "2", "--detect", "stub?sleep=100s", SOURCE)
            run = fleet.run(*command)
            run.until_event(lambda event: event.get("in_flight", 0) > 0, "something is in flight")
            run.terminate()
            run.until_event(lambda event: event["event"] == "draining", "it drains")
            run.terminate()
            self.assertEqual(run.exit_code(timeout=20), 3, run.text())
            self.assertIn("continue", run.event("report"))
            self.assertTrue(run.event("report")["interrupted"])
            self.assertEqual(fleet.store.count(), 0)


if __name__ == "__main__":
    unittest.main()
