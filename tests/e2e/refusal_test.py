"""What cannot work is refused before anything begins, with a message and its exit code."""
import pathlib
import shutil
import socket
import subprocess
import unittest

import ledger
from fleet import BIN, Fleet
from pictures import square_png


class RefusalTest(unittest.TestCase):
    def refused(self, fleet, exit_code, *arguments, out=None):
        """What `framefleet run` says on stderr. Nothing was begun: there is no store."""
        run = fleet.run(*arguments, out=out)
        self.assertEqual(run.exit_code(), exit_code, run.text())
        out = pathlib.Path(out or fleet.store.folder)
        self.assertFalse((out / "results.sqlite").exists())
        return run.text()

    def test_a_folder_without_pictures_is_no_input(self):
        with Fleet() as fleet:
            empty = fleet.folder / "empty"
            empty.mkdir()
            (empty / "notes.txt").write_text("no picture", encoding="utf-8")
            self.assertIn(str(empty), self.refused(fleet, 66, "--detect", "edges", empty))
            nowhere = fleet.folder / "nowhere"
            self.assertIn(str(nowhere), self.refused(fleet, 66, "--detect", "edges", nowhere))

    def test_an_unknown_detector_is_refused_with_the_names_of_those_that_exist(self):
        with Fleet() as fleet:
            said = self.refused(fleet, 64, "--detect", "edges,cats", "synthetic:?count=1")
            for word in ("cats", "blend", "corners", "edges", "faces", "markers", "people", "stub"):
                self.assertIn(word, said)

    def test_an_option_out_of_range_is_refused_with_its_range(self):
        with Fleet() as fleet:
            said = self.refused(fleet, 64, "--detect", "faces?scale=0.5", "synthetic:?count=1")
            for word in ("scale", "1.01", "2"):
                self.assertIn(word, said)
            said = self.refused(fleet, 64, "--detect", "faces?colour=red", "synthetic:?count=1")
            for word in ("colour", "min_size"):
                self.assertIn(word, said)
            said = self.refused(fleet, 64, "--workers", "0", "synthetic:?count=1")
            for word in ("workers", "1", "256"):
                self.assertIn(word, said)
            said = self.refused(fleet, 64, "--detect", "edges", "synthetic:?size=2x2")
            self.assertIn("size", said)

    def test_an_output_folder_that_cannot_be_written_is_refused(self):
        with Fleet() as fleet:
            picture = fleet.folder / "square.png"
            picture.write_bytes(square_png(1))
            for out in (picture, picture / "below", "/proc/framefleet"):
                said = self.refused(fleet, 73, "--detect", "edges", picture, out=out)
                self.assertIn(str(out), said)

    def test_a_second_run_in_the_same_folder_is_refused(self):
        with Fleet() as fleet:
            first = fleet.run("--detect", "stub?sleep=20ms", "synthetic:?count=0&size=320x240")
            first.until_counted("ok", 1)
            second = fleet.run("--detect", "edges", "synthetic:?count=1")
            self.assertEqual(second.exit_code(), 73, second.text())
            self.assertIn(str(fleet.store.folder), second.text())
            first.terminate()
            self.assertEqual(first.exit_code(), 3)
            ledger.check_report(first.event("report"), fleet.store)

    def test_an_address_that_is_taken_is_refused(self):
        with Fleet() as fleet, socket.create_server(("127.0.0.1", 0)) as taken:
            endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
            broker = fleet.start("broker", "framefleet-broker", "--bind", endpoint)
            self.assertEqual(broker.exit_code(), 69)
            self.assertIn(endpoint, broker.text())
            # The broker that is there keeps its socket.
            fleet.broker()
            second = fleet.start("broker", "framefleet-broker", "--bind", fleet.endpoint)
            self.assertEqual(second.exit_code(), 69)
            self.assertIn(fleet.endpoint, second.text())
            fleet.sink().until_ready()
            fleet.worker("w1", "--slots", "1")
            fleet.close_books(fleet.producer("synthetic:?count=5", detect="markers"))

    def test_a_file_at_the_path_of_an_address_is_not_replaced(self):
        with Fleet() as fleet:
            file = fleet.folder / "notes.txt"
            file.write_text("keep me", encoding="utf-8")
            broker = fleet.start("broker", "framefleet-broker", "--bind", f"ipc://{file}")
            self.assertEqual(broker.exit_code(), 69)
            self.assertIn(str(file), broker.text())
            self.assertEqual(file.read_text(encoding="utf-8"), "keep me")

    def test_a_build_that_measures_nothing_says_how_to_make_one_that_does(self):
        with Fleet() as fleet:
            alone = shutil.copy(BIN / "framefleet", fleet.folder)
            run = subprocess.run([alone, "bench", "queue"], capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stdout), (69, ""), run.stderr)
            for words in (f"{fleet.folder}/framefleet-bench", "cmake --preset bench"):
                self.assertIn(words, run.stderr)

    def test_the_address_of_the_metrics_may_be_taken_too(self):
        with Fleet() as fleet, socket.create_server(("127.0.0.1", 0)) as taken:
            listen = f"127.0.0.1:{taken.getsockname()[1]}"
            broker = fleet.start("broker", "framefleet-broker", "--bind", fleet.endpoint,
                                 "--metrics-listen", listen)
            self.assertEqual(broker.exit_code(), 69)
            self.assertIn(listen, broker.text())


if __name__ == "__main__":
    unittest.main()
