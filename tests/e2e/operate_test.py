"""What operators do to a fleet that is running: cancel, pause, drain, and what they see of it; and
tasks whose time is over. Whatever they do, the ledger balances and nothing is lost."""
import unittest

import ledger
from fleet import PATIENT, Fleet
from pictures import frames_in
from process import eventually

CAMERA = 13
LEASED = 'framefleet_broker_tasks{state="leased"}'


def source(count, **options):
    words = {"count": count, "size": "240x200", "camera": CAMERA, **options}
    return "synthetic:?" + "&".join(f"{name}={value}" for name, value in words.items())


class OperateTest(unittest.TestCase):
    def start(self, fleet, *workers, slots=2, options=()):
        broker = fleet.broker(*options)
        fleet.sink().until_ready()
        for name in workers:
            fleet.worker(name, "--slots", slots).until_ready()
        return broker

    def test_a_job_that_is_cancelled_ends_and_hurts_no_other(self):
        with Fleet() as fleet:
            self.start(fleet, "w1", "w2")
            kept = fleet.producer(source(100, name="kept"), detect="markers,stub?sleep=10ms",
                                  arguments=["--job", "kept"])
            dropped = fleet.producer(source(0, name="dropped"), detect="stub?sleep=50ms",
                                     arguments=["--job", "dropped"])
            dropped.until_counted("ok", 10)
            fleet.operate("cancel", "dropped", exit_code=64)  # nobody is there to say yes
            fleet.operate("cancel", "dropped", "--yes")
            fleet.operate("cancel", "no such job", "--yes", exit_code=66)
            dropped.until_counted("rejected", 10)  # what comes after it is told at once
            self.assertTrue(self.job_row(fleet, "dropped")["cancelled"])
            dropped.terminate()
            self.assertEqual(fleet.end_of(kept)[1]["ok"], 100)
            _, end = fleet.end_of(dropped, exit_code=3)
            print("of the job that was cancelled:",
                  {noun: end[noun] for noun in (*ledger.STATUSES, "rejected") if end[noun]})
            self.assertGreater(end["cancelled"], 0)
            row = self.job_row(fleet, "kept")
            self.assertEqual((row["cancelled"], row["finished"]), (False, True))
            self.assertEqual(fleet.store.rows(
                "SELECT DISTINCT reason, job FROM outcomes WHERE status = 'cancelled'"),
                [("cancelled_by_operator", "dropped")])
            fleet.close_books(kept, dropped, exit_code=3)

    def test_a_task_that_is_being_worked_on_can_be_cancelled(self):
        with Fleet() as fleet:
            broker = self.start(fleet, "w1", slots=1)
            producer = fleet.producer(source(2), detect="stub?sleep=600s")
            eventually(lambda: broker.metrics()[LEASED] == 1, "the first is being worked on")
            row = fleet.show("sources")["sources"][0]
            epoch = row["epoch"]
            digest = ledger.source_digest(row["name"])
            tasks = [f"{digest}-{epoch}-{number}" for number in range(2)]
            fleet.operate("cancel", "--task", *tasks, "--yes")
            self.assertEqual(fleet.end_of(producer, exit_code=3)[1]["cancelled"], 2)
            self.assertEqual(
                fleet.store.rows("SELECT task, status FROM outcomes ORDER BY sequence"),
                [(task, "cancelled") for task in tasks])
            # The worker has dropped what it had, and its slot is free.
            next_one = fleet.producer(source(1, name="next"), detect="stub")
            self.assertEqual(fleet.end_of(next_one)[1]["ok"], 1)
            fleet.close_books(next_one, producer, exit_code=3)

    def test_a_source_that_is_paused_waits_and_others_go_on(self):
        with Fleet() as fleet:
            self.start(fleet, "w1")
            held = fleet.producer(source(60, name="held"), detect="markers,stub?sleep=100ms")
            held.until_counted("ok", 5)
            name = self.source_row(fleet, "held")["name"]
            fleet.operate("pause", "nobody", exit_code=66)
            fleet.operate("pause", name)
            eventually(lambda: self.leased(fleet, "held") == 0, "what was handed out is done")
            other = fleet.producer(source(50, name="other"), detect="markers")
            fleet.end_of(other)
            self.assertTrue(held.running())
            row = self.source_row(fleet, "held")
            self.assertTrue(row["paused"])
            self.assertGreater(row["in_progress"]["ready"], 0)
            before = fleet.store.accounts("source")[name]

            fleet.operate("pause")  # everything
            another = fleet.producer(source(10, name="another"), detect="markers")
            eventually(lambda: self.source_row(fleet, "another")["in_progress"]["ready"] == 10,
                       "submits are admitted as ever")
            self.assertTrue(fleet.show("status")["paused"])
            fleet.operate("resume")
            fleet.end_of(another)
            self.assertEqual(fleet.store.accounts("source")[name], before)
            fleet.operate("resume", name)
            fleet.close_books(held, other, another)
            self.assertEqual(fleet.store.by_status(), {"ok": 120})

    @staticmethod
    def source_row(fleet, camera):
        """Of the camera of this name; while the broker does not know it: one without tasks."""
        found = [row for row in fleet.show("sources")["sources"]
                 if row["name"].endswith(f"/{camera}")]
        return found[0] if found else {"in_progress": dict.fromkeys(ledger.IN_PROGRESS, 0)}

    def leased(self, fleet, camera):
        return self.source_row(fleet, camera)["in_progress"]["leased"]

    @staticmethod
    def job_row(fleet, name):
        return next(row for row in fleet.show("jobs", name)["jobs"] if row["name"] == name)

    def test_tasks_whose_time_is_over_expire_without_any_worker(self):
        with Fleet() as fleet:
            self.start(fleet)
            producer = fleet.producer(source(50), detect="stub", arguments=["--ttl", "500ms"])
            end = fleet.close_books(producer, exit_code=3)
            self.assertEqual(end["expired"], 50)
            self.assertEqual(fleet.store.rows("SELECT DISTINCT status, reason, attempts FROM"
                                              " outcomes"), [("expired", "deadline_passed", 0)])
            [(longest,)] = fleet.store.rows("SELECT max(queued) FROM outcomes")
            print(f"expired after at most {longest * 1000:.0f} ms of a ttl of 500 ms")

    def test_a_worker_never_begins_with_a_task_whose_time_is_over(self):
        with Fleet() as fleet:
            self.start(fleet, "w1", slots=1, options=["--ahead-time", "10s",
                                                      "--recall-delay", "1h"])
            # The first ones tell how long it takes; then the rest is handed out ahead.
            first = fleet.producer(source(3), detect="stub?sleep=100ms")
            fleet.end_of(first)
            producer = fleet.producer(source(60), detect="stub?sleep=100ms",
                                      arguments=["--ttl", "3s"])
            end = fleet.close_books(first, producer, exit_code=3)
            print(f"{end['ok']} ok, {end['expired']} expired")
            self.assertEqual(end["ok"] + end["expired"], 60)
            self.assertGreater(end["ok"], 0)
            [(in_worker,)] = fleet.store.rows(
                "SELECT count(*) FROM outcomes WHERE status = 'expired' AND attempts = 1")
            self.assertGreater(in_worker, 0, "none of them waited in the worker")

    def test_a_worker_that_is_drained_by_name_leaves_and_nothing_is_lost(self):
        with Fleet() as fleet:
            self.start(fleet, "w1", "w2", options=PATIENT)
            producer = fleet.producer(source(200), detect="markers,stub?sleep=10ms")
            producer.until_counted("ok", 20)
            leaving, staying = fleet.named("worker")
            fleet.operate("drain", "nobody", exit_code=66)
            fleet.operate("drain", "w1")
            self.assertEqual(leaving.exit_code(), 0)
            self.assertTrue(staying.running())
            fleet.close_books(producer)
            self.assertEqual(fleet.store.by_status(), {"ok": 200})
            self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(200)})
            self.assertEqual(fleet.store.rows("SELECT * FROM attempts WHERE reason != 'drained'"),
                             [])

    def test_a_broker_that_is_drained_by_its_operator_finishes_and_leaves(self):
        with Fleet() as fleet:
            broker = self.start(fleet, "w1")
            producer = fleet.producer(source(100), detect="markers,stub?sleep=60ms")
            producer.until_counted("ok", 10)
            fleet.operate("drain", "--broker", "--yes")
            self.assertEqual(broker.exit_code(), 0, broker.text())
            fleet.operate("status", "--timeout", "200ms", exit_code=69)
            fleet.broker()
            fleet.close_books(producer, broker_saw_all=False)
            self.assertEqual(fleet.store.by_status(), {"ok": 100})

    def test_how_far_a_job_is_and_how_long_to_go(self):
        count = 400
        with Fleet() as fleet:
            self.start(fleet, "w1", slots=2)
            producer = fleet.producer(source(count), detect="stub?sleep=25ms",
                                      arguments=["--job", "steady"])
            producer.until_counted("ok", count // 2)
            row = self.job_row(fleet, "steady")
            fleet.operate("jobs", "none", exit_code=66)
            end = fleet.end_of(producer)[1]
            left = end["elapsed_s"] - row["elapsed_seconds"]
            eta = row["eta_seconds"]
            print(f"at half time: {eta:.2f} s to go, it was {left:.2f} s: an error of"
                  f" {abs(eta - left) / left:.1%}")
            self.assertEqual((row["expected"], row["finished"]), (count, False))
            after = self.job_row(fleet, "steady")
            self.assertTrue(after["finished"])
            self.assertEqual(after["account"]["ok"], count)
            fleet.close_books(producer)


if __name__ == "__main__":
    unittest.main()
