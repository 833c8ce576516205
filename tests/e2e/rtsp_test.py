#!/usr/bin/env python3
"""Four RTSP cameras of different size and pace, two of them from a server that is stopped, killed,
started again, and told to change its resolution in flight: its cameras notice and come back by
themselves, the others do not notice, and nothing is left over.

RTSP_CYCLES: how often. RTSP_STOP_SECONDS: how long the server is stopped each time.
"""
import os
import signal
import socket
import sys
import time
import unittest
import urllib.parse

sys.dont_write_bytecode = True
from cameras import TREE, Cameras  # noqa: E402
from process import Process, children_of, eventually  # noqa: E402

try:
    import gi
    gi.require_version("GstRtspServer", "1.0")
    from rtsp_server import PASSWORD, USER
except (ImportError, ValueError) as missing:
    PASSWORD, USER, gi = None, None, missing

CYCLES = int(os.environ.get("RTSP_CYCLES", "3"))
STOP_SECONDS = float(os.environ.get("RTSP_STOP_SECONDS", "10"))
# name: width, height, fps, transport
BROKEN = {"north": (640, 480, 15, "tcp"), "east": (320, 240, 25, "udp")}
CALM = {"south": (800, 608, 5, "tcp"), "west": (352, 288, 20, "udp")}
TOLD = "camera_timeout_ms=2000 open_timeout_ms=5000 retry_min_ms=200 retry_max_ms=1000"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Server:
    """One RTSP server, always on the same port. `cameras`: width, height, fps, transport by name,
    and behind these the number of a synthetic one."""

    def __init__(self, cameras):
        self.port, self.cameras, self.process = free_port(), cameras, None
        self.start()

    def start(self):
        streams = [f"{name}:{w}x{h}@{fps}" + "".join(f"#{number}" for number in synthetic)
                   for name, (w, h, fps, _, *synthetic) in self.cameras.items()]
        program = TREE / "tests/support/cameras/rtsp_server.py"
        self.process = Process("rtsp_server", [program, self.port, *streams])
        self.process.until(lambda: "listening" in self.process.lines, "it listens")

    def send(self, number):
        self.process.popen.send_signal(number)

    def url(self, name, user, password):
        return f"rtsp://{user}:{urllib.parse.quote(password, safe='')}@127.0.0.1:{self.port}/{name}"

    def lines(self, user, password):
        return [f"{name} {self.url(name, user, password)} transport={camera[3]} {TOLD}"
                for name, camera in self.cameras.items()]


def skip_without_server(test):
    if isinstance(gi, Exception):
        print(f"SKIPPED: {test.id()}: no RTSP server here: {gi}")
        test.skipTest("no RTSP server")


class RtspCameras(unittest.TestCase):
    def setUp(self):
        skip_without_server(self)

    def test_cameras_come_back_by_themselves_and_the_others_do_not_notice(self):
        broken, calm = Server(BROKEN), Server(CALM)
        lines = broken.lines(USER, PASSWORD) + calm.lines(USER, PASSWORD)
        try:
            with Cameras(lines) as cameras:
                self.started_at = time.monotonic()
                for name in (*BROKEN, *CALM):
                    cameras.until_state(name, "streaming")
                self.began = {name: (len(cameras.frames(name)), time.monotonic()) for name in CALM}
                before = self.footprint(cameras)
                for cycle in range(1, CYCLES + 1):
                    self.stop_and_continue(cameras, broken, cycle)
                    self.kill_and_start(cameras, broken, cycle)
                    self.change_resolution(cameras, broken, cycle)
                    eventually(lambda: self.footprint(cameras) == before,
                               f"as many processes, threads and files as before: {before}")
                self.look_at_the_others(cameras)
                self.assertNotIn(PASSWORD, cameras.watch.text())
                self.assertEqual(cameras.stop(), 0)
        finally:
            for server in (broken, calm):
                server.process.kill()

    def footprint(self, cameras):
        """Processes, and threads and files of the one that watches."""
        return len(children_of(cameras.watch.pid)), cameras.threads(), cameras.files()

    def counts(self, cameras, state):
        return {name: cameras.states(name).count(state) for name in BROKEN}

    def until_all(self, cameras, state, counts):
        """Seconds until each broken camera has entered the state once more."""
        begun = time.monotonic()
        for name in BROKEN:
            cameras.until_state(name, state, times=counts[name] + 1)
        return time.monotonic() - begun

    def stop_and_continue(self, cameras, server, cycle):
        stalled, streaming = (self.counts(cameras, state) for state in ("stalled", "streaming"))
        server.send(signal.SIGSTOP)
        begun = time.monotonic()
        noticed = self.until_all(cameras, "stalled", stalled)
        left = STOP_SECONDS - (time.monotonic() - begun)
        eventually(lambda: time.monotonic() >= begun + STOP_SECONDS, "the pause is over", left + 60)
        self.assertEqual(self.counts(cameras, "streaming"), streaming)
        server.send(signal.SIGCONT)
        back = self.until_all(cameras, "streaming", streaming)
        print(f"==> cycle {cycle}: stopped for {STOP_SECONDS:.0f} s: all stalled after "
              f"{noticed:.1f} s, streaming {back:.1f} s after it went on")

    def kill_and_start(self, cameras, server, cycle):
        streaming = self.counts(cameras, "streaming")
        gone = {name: len(cameras.reasons(name)) for name in BROKEN}
        server.process.kill()
        begun = time.monotonic()
        for name in BROKEN:
            cameras.until(lambda n=name: len(cameras.reasons(n)) > gone[n] and
                          cameras.states(n)[-1] != "streaming", f"{name} noticed")
        noticed = time.monotonic() - begun
        server.start()
        back = self.until_all(cameras, "streaming", streaming)
        print(f"==> cycle {cycle}: killed: noticed after {noticed:.1f} s, streaming {back:.1f} s "
              "after it was started again")

    def change_resolution(self, cameras, server, cycle):
        processes = {name: cameras.processes(name) for name in BROKEN}
        server.send(signal.SIGUSR1)
        begun = time.monotonic()
        for name, (width, height, _, _) in BROKEN.items():
            cameras.until(lambda n=name, size=(width // 2, height // 2):
                          cameras.frames(n)[-1][1:3] == size, f"{name} is smaller")
        print(f"==> cycle {cycle}: another resolution after {time.monotonic() - begun:.1f} s")
        self.assertEqual({name: cameras.processes(name) for name in BROKEN}, processes)

    def look_at_the_others(self, cameras):
        for name, (width, height, fps, transport) in CALM.items():
            frames = cameras.frames(name)
            count, begun = self.began[name]
            pace = (len(frames) - count) / (time.monotonic() - begun)
            ages = sorted(frame.age_ms for frame in frames)
            print(f"==> {name}, undisturbed: {pace:.1f} of {fps} frames a second, the age of a "
                  f"frame when it was taken: median {ages[len(ages) // 2]} ms, p99 "
                  f"{ages[len(ages) * 99 // 100]} ms")
            self.assertEqual(cameras.states(name), ["streaming"])
            self.assertEqual(len(cameras.processes(name)), 1)
            self.assertEqual({frame[1:3] for frame in frames}, {(width, height)})
            stats = cameras.stats(name)
            if transport == "tcp":
                self.assertEqual(stats["damaged"], 0)
            print(f"==> {name}: {stats}")

    def test_a_capture_process_that_was_held_up_drops_what_has_piled_up(self):
        server = Server({"south": CALM["south"], "north": (1280, 720, 25, "tcp")})
        lines = [line.replace("camera_timeout_ms=2000", "camera_timeout_ms=30000")
                 for line in server.lines(USER, PASSWORD)]
        try:
            with Cameras(lines) as cameras:
                cameras.until_frames("north", 20)
                pid = cameras.processes("north")[0]
                seen = len(cameras.frames("south"))
                os.kill(pid, signal.SIGSTOP)
                cameras.until_frames("south", seen + 15)  # three seconds
                os.kill(pid, signal.SIGCONT)
                cameras.until(lambda: cameras.stats("north")["skipped"] > 0, "pictures are skipped")
                cameras.until_frames("north", len(cameras.frames("north")) + 25)
                print(f"==> held up for 3 s: {cameras.stats('north')}")
                self.assertEqual(cameras.states("north"), ["streaming"])
                self.assertEqual(cameras.stop(), 0)
        finally:
            server.process.kill()

    def test_a_wrong_password_is_a_failed_camera(self):
        server = Server({"north": BROKEN["north"]})
        try:
            with Cameras(server.lines(USER, "gu3ss/ed")) as cameras:
                cameras.until_state("north", "failed")
                self.assertIn("401", cameras.reasons("north")[0])
                self.assertNotIn("gu3ss", cameras.watch.text())
                self.assertEqual(cameras.stop(), 0)
        finally:
            server.process.kill()


if __name__ == "__main__":
    unittest.main()
