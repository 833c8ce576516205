"""The units of packaging/systemd: systemd finds nothing wrong with them and little exposed, and the
programs work in their sandbox, with the sandboxes of their own children inside of it."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "tests/e2e"), str(TREE / "tests/support/cameras")]

from fleet import BIN, Fleet  # noqa: E402
from process import eventually  # noqa: E402

SOURCES = TREE / "packaging/systemd"
SANDBOX = SOURCES / "10-sandbox.conf"
UNITS = ("framefleet-broker.service", "framefleet-sink.service", "framefleet-worker@.service",
         "framefleet-producer.service")
EXPOSURE_MAX = 1.5  # of 10; systemd calls less than 2 OK
SANDBOXED = f"""#!/bin/sh
program={BIN}/$(basename "$0")
exec {sys.executable} -B {TREE}/tests/packaging/unit_sandbox.py {SANDBOX} "$program" "$@"
"""


class UnitsTest(unittest.TestCase):
    def setUp(self):
        if shutil.which("systemd-analyze") is None:
            print(f"SKIPPED: {self.id()}: no systemd-analyze here")
            self.skipTest("no systemd-analyze")
        folder = tempfile.TemporaryDirectory(prefix="framefleet-units-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        drop_ins = self.folder / "framefleet-.service.d"
        drop_ins.mkdir()
        shutil.copy(SANDBOX, drop_ins)
        for unit in UNITS:
            text = (SOURCES / f"{unit}.in").read_text(encoding="utf-8")
            text = text.replace("@CMAKE_INSTALL_FULL_BINDIR@", str(BIN))
            text = text.replace("@CMAKE_INSTALL_FULL_DOCDIR@", "/usr/share/doc/framefleet")
            self.assertNotIn("@CMAKE", text)
            (self.folder / unit).write_text(text, encoding="utf-8")

    def analyze(self, *words):
        told = subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True,
                              text=True, timeout=60, check=False,
                              env={**os.environ, "SYSTEMD_UNIT_PATH": f"{self.folder}:"})
        return told.returncode, told.stdout + told.stderr

    def sandboxed(self):
        """A folder of the programs as they are under systemd."""
        for role in ("broker", "sink", "worker", "producer"):
            program = self.folder / f"framefleet-{role}"
            program.write_text(SANDBOXED, encoding="utf-8")
            program.chmod(0o755)
        return self.folder

    def test_systemd_finds_nothing_wrong_and_little_exposed(self):
        for unit in UNITS:
            name = unit.replace("@", "@1")
            with self.subTest(unit):
                code, told = self.analyze("verify", "--man=no", "--recursive-errors=no", name)
                ours = [line for line in told.splitlines() if "framefleet" in line]
                self.assertEqual((code, ours), (0, []))
                _, told = self.analyze("security", "--offline=yes", name)
                exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", told)[1])
                print(f"{name}: exposure {exposure} of 10")
                self.assertLessEqual(exposure, EXPOSURE_MAX, told)

    def test_the_fleet_works_in_the_sandbox(self):
        camera = "synthetic:?count=20&size=320x240&name=sandboxed"
        with Fleet("tcp", self.sandboxed()) as fleet:
            fleet.broker("--journal", fleet.folder / "journal")
            fleet.sink()
            worker = fleet.worker("w1", "--slots", "2", "--formats", "jpeg,png,webp,bmp,tiff")
            worker.until_ready()
            producer = fleet.producer(camera, detect="markers,edges")
            end = fleet.end_of(producer)[1]
            self.assertEqual(end["ok"], 20)
            metrics = worker.metrics()
            self.assertGreater(metrics["framefleet_worker_child_processes"], 0)
            self.assertEqual(metrics.get("framefleet_worker_denied_system_calls_total", 0), 0)
            fleet.close_books(producer)

    def test_a_camera_is_read_in_the_sandbox(self):
        from mjpeg_server import CameraServer
        with CameraServer() as server, Fleet(programs=self.sandboxed()) as fleet:
            cameras = fleet.folder / "cameras.toml"
            cameras.write_text(f'[[camera]]\nname = "front"\nurl = "{server.url("/good")}"\n'
                               'detect = ["edges"]\n',
                               encoding="utf-8")
            fleet.broker()
            fleet.sink()
            fleet.worker("w1", "--slots", "1").until_ready()
            fleet.start("producer", "framefleet-producer", "--config", cameras, "--connect",
                        fleet.endpoint)
            eventually(lambda: fleet.store.exists() and
                       fleet.store.by_status().get("ok", 0) > 5, "frames are stored")


if __name__ == "__main__":
    unittest.main()
