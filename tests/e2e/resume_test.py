"""kill -9 of the whole run at random moments and the same command again: every picture is stored
once and never worked on again after that."""
import os
import random
import unittest

import ledger
from fleet import Fleet
from pictures import frames_in, square_png
from process import children_of, eventually, has_ended

ROUNDS = 10
PICTURES = 400
FRAMES = 400
BEGINNING = 0.4  # seconds, about, until a run has its first pictures stored
PROGRESS_INTERVAL = 0.2  # of the producer


class ResumeTest(unittest.TestCase):
    def setUp(self):
        seed = int(os.environ.get("RESUME_SEED", random.randrange(1 << 32)))
        print(f"{self.id()}: RESUME_SEED={seed}")
        self.dice = random.Random(seed)

    def killed_round(self, fleet, command, whole, most):
        """Starts the run and kills it at a random moment: as it begins, or after it has stored some
        more pictures, about `most` or fewer. All its processes are killed in random order, or it
        alone. Returns what it had said was done."""
        run = fleet.run(*command)
        if self.dice.random() < 0.4:
            run.ended_within(self.dice.uniform(0, BEGINNING))
        else:
            enough = self.dice.randint(1, most)
            run.until_event(lambda event: event.get("ok", 0) >= enough or event["event"] == "end",
                            f"{enough} ok, or its end")
            run.ended_within(self.dice.uniform(0, PROGRESS_INTERVAL))
        if whole:
            pids = run.kill_with_children(order=self.dice.shuffle)
        else:
            pids = children_of(run.pid)
            run.kill()
        # The next run meets no process of this one, as it would not after a power cut.
        eventually(lambda: all(map(has_ended, pids)), "all processes are gone")
        run.exit_code()
        return run.event("progress") or {"ok": 0, "stored_before": 0}

    def check_rows_stay(self, before, after):
        """What was stored has not been touched: not a time, not a worker, not the row's place."""
        self.assertEqual({task: after.get(task) for task in before}, before)

    def kill_and_go_on(self, fleet, command, total):
        stored, left_over = {}, 0
        for number in range(ROUNDS):
            most = max(1, (total - len(stored)) // (ROUNDS + 2 - number))
            said = self.killed_round(fleet, command, whole=number % 3 != 2, most=most)
            rows = fleet.store.outcomes() if fleet.store.exists() else {}
            self.check_rows_stay(stored, rows)
            # A picture worked on again after it was stored would be counted and add no row.
            self.assertLessEqual(said["ok"], len(rows) - len(stored))
            self.assertLessEqual(said["stored_before"], len(stored))
            print(f"round {number}: {len(rows)} of {total} stored")
            left_over += len(rows) < total
            stored = rows
        self.assertGreater(left_over, ROUNDS // 2, "most kills hit a run with nothing left to do")
        run = fleet.run(*command)
        self.assertEqual(run.exit_code(), 0)
        end, report = run.event("end"), run.event("report")
        self.assertEqual((end["stored_before"], end["submitted"], end["ok"]),
                         (len(stored), total - len(stored), total - len(stored)))
        ledger.check_report(report, fleet.store)
        self.assertEqual(fleet.store.missing(), 0)
        self.check_rows_stay(stored, fleet.store.outcomes())
        self.assertEqual(fleet.store.by_status(), {"ok": total})
        self.nothing_is_left_to_do(fleet, command, total)

    def nothing_is_left_to_do(self, fleet, command, total):
        rows = fleet.store.outcomes()
        run = fleet.run(*command)
        self.assertEqual(run.exit_code(), 0)
        end = run.event("end")
        self.assertEqual((end["stored_before"], end["submitted"], end["ok"]), (total, 0, 0))
        ledger.check_report(run.event("report"), fleet.store)
        self.assertEqual(fleet.store.outcomes(), rows)

    def test_a_folder_whose_run_is_killed_ten_times(self):
        with Fleet() as fleet:
            folder = fleet.folder / "pictures"
            folder.mkdir()
            for number in range(PICTURES):
                (folder / f"{number:03}.png").write_bytes(square_png(number))
            command = ("--workers", "2", "--detect", "edges,stub?sleep=25ms", "--annotate", folder)
            self.kill_and_go_on(fleet, command, PICTURES)
            origins = {origin for (origin,) in fleet.store.rows("SELECT origin FROM outcomes")}
            self.assertEqual(origins, {str(path) for path in folder.iterdir()})
            annotated = {path for (path,) in fleet.store.rows("SELECT path FROM pictures")}
            self.assertEqual(annotated, {f"annotated/{n:03}.jpg" for n in range(PICTURES)})

    def test_a_camera_whose_run_is_killed_ten_times(self):
        with Fleet() as fleet:
            command = ("--workers", "2", "--transport", "tcp",
                       "--detect", "markers,stub?sleep=25ms",
                       f"synthetic:?count={FRAMES}&size=320x240&camera=5")
            self.kill_and_go_on(fleet, command, FRAMES)
            self.assertEqual(frames_in(fleet.store), {n: (5, n) for n in range(FRAMES)})

    def test_pictures_that_are_new_or_changed_are_worked_on_and_no_others(self):
        with Fleet() as fleet:
            folder = fleet.folder / "pictures"
            folder.mkdir()
            for number in range(5):
                (folder / f"{number}.png").write_bytes(square_png(number))
            command = ("--workers", "1", "--detect", "edges", folder)
            first = fleet.run(*command)
            self.assertEqual(first.exit_code(), 0)
            ledger.check_report(first.event("report"), fleet.store)
            before = fleet.store.outcomes()
            (folder / "3.png").write_bytes(square_png(33, side=96))
            (folder / "5.png").write_bytes(square_png(5))
            run = fleet.run(*command)
            self.assertEqual(run.exit_code(), 0)
            ledger.check_report(run.event("report"), fleet.store, outdated=1)
            self.assertEqual(run.event("end")["ok"], 2)
            rows = fleet.store.outcomes()
            self.check_rows_stay(before, rows)
            new = {row["origin"]: row["width"] for task, row in rows.items() if task not in before}
            self.assertEqual(new, {str(folder / "3.png"): 96, str(folder / "5.png"): 64})


if __name__ == "__main__":
    unittest.main()
