#!/usr/bin/env python3
"""Cameras over HTTP that behave and that do not, all at once: each is in the state that it should
be in, and none disturbs another. And capture processes that were taken over."""
import os
import signal
import sys
import unittest
import urllib.parse

sys.dont_write_bytecode = True
from cameras import TREE, Cameras  # noqa: E402
from process import children_of, eventually, has_ended  # noqa: E402
from mjpeg_server import INTERVAL, PASSWORD, PICTURES, SIZE, USER, CameraServer  # noqa: E402

RETRY = "retry_min_ms=100 retry_max_ms=400"
CALM = f"{RETRY} camera_timeout_ms=10000 open_timeout_ms=30000"  # also on a busy machine
QUICK = f"{RETRY} camera_timeout_ms=600 open_timeout_ms=30000"
ENCODED = urllib.parse.quote(PASSWORD, safe="")
FILES_PER_CAMERA = 3  # the conversation, the process, the frames


class HttpCameras(unittest.TestCase):
    def test_each_camera_is_in_its_own_state_whatever_the_others_do(self):
        with CameraServer() as server:
            right, wrong = f"{USER}:{ENCODED}@", f"{USER}:wr0ng-{ENCODED}@"
            lines = {name: f"{name} {server.url('/' + name)} {CALM}"
                     for name in ("good", "chunked", "lies", "garbage", "short", "page",
                                  "missing")}
            lines["plain"] = f"plain {server.url('/plain')} {QUICK}"
            lines["stall"] = f"stall {server.url('/stall')} {QUICK}"
            lines["small"] = f"small {server.url('/good')} {CALM} width=80"
            lines["burst"] = f"burst {server.url('/burst')} {CALM} codec=jpeg"
            lines["motion"] = f"motion {server.url('/good')} {CALM} motion"
            lines["slow"] = f"slow {server.url('/good')} {CALM} fps=5"
            lines["still"] = f"still {server.url('/silent')} {QUICK} open_timeout_ms=700"
            lines["endless"] = f"endless {server.url('/endless')} {QUICK} open_timeout_ms=900"
            lines["basic"] = f"basic {server.url('/basic', right)} {CALM}"
            lines["digest"] = f"digest {server.url('/digest', right)} {CALM}"
            lines["thief"] = f"thief {server.url('/basic', wrong)} {CALM}"
            lines["nobody"] = f"nobody http://{right}127.0.0.1:1/ {CALM}"
            with Cameras(lines.values()) as cameras:
                self.watch(cameras, lines)
                self.assertEqual(cameras.stop(), 0)
                self.look_at_what_was_said(cameras)

    def watch(self, cameras, lines):
        untouched = ("good", "plain", "chunked", "lies", "garbage", "basic", "digest")
        for name in untouched:
            cameras.until_frames(name, 10)
            self.assertTrue(cameras.newest(name) in PICTURES, name)
        cameras.until_frames("small", 10)
        for name in ("page", "missing", "thief"):
            cameras.until_state(name, "failed")
        for name in ("still", "endless", "nobody"):
            cameras.until(lambda n=name: len(cameras.reasons(n)) >= 2, f"{name} was tried twice")
        for name in ("stall", "short"):
            cameras.until_state(name, "streaming", times=2)
        cameras.until_frames("slow", 5)
        cameras.until_frames("burst", 20)
        self.assertGreater(cameras.stats("burst")["skipped"], 0)
        # The whole picture grows lighter, and nothing moves in it.
        cameras.until(lambda: cameras.stats("motion")["gated"] >= 5, "pictures are gated")
        self.no_secret_is_told(cameras)
        self.a_process_that_ends_or_hangs_is_replaced(cameras)
        self.assertLessEqual(cameras.files(), 8 + FILES_PER_CAMERA * len(lines))
        self.assertEqual(cameras.threads(), 1)

    def a_process_that_ends_or_hangs_is_replaced(self, cameras):
        os.kill(cameras.processes("good")[-1], signal.SIGKILL)
        os.kill(cameras.processes("plain")[-1], signal.SIGSTOP)
        cameras.until_state("plain", "stalled")
        for name in ("good", "plain"):
            cameras.until_state(name, "streaming", times=2)

    def no_secret_is_told(self, cameras):
        for name in ("basic", "digest", "good"):
            pid = cameras.processes(name)[-1]
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                self.assertEqual(file.read().split(b"\0")[1], b"--camera-of-producer")
            with open(f"/proc/{pid}/environ", "rb") as file:
                self.assertEqual(file.read(), b"")
            with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
                core = next(line for line in file if line.startswith("Max core file size"))
            self.assertEqual(core.split()[4:6], ["0", "0"])

    def look_at_what_was_said(self, cameras):
        for name in ("chunked", "lies", "garbage", "slow", "small", "motion", "basic", "digest"):
            self.assertEqual(cameras.states(name), ["streaming"], name)
        self.assertEqual({(frame.width, frame.height) for frame in cameras.frames("garbage")},
                         {SIZE})
        self.assertEqual({(frame.width, frame.height) for frame in cameras.frames("small")},
                         {(80, 60)})
        self.assertEqual(cameras.states("stall")[:4],
                         ["streaming", "stalled", "connecting", "streaming"])
        self.assertEqual(cameras.states("short")[:3], ["streaming", "connecting", "streaming"])
        self.assertEqual(cameras.states("good"), ["streaming", "connecting", "streaming"])
        self.assertEqual(cameras.states("plain")[:4],
                         ["streaming", "stalled", "connecting", "streaming"])
        for name in ("still", "endless", "nobody"):
            self.assertEqual(cameras.states(name), [], name)
        self.assertIn("no frame for 0.6 s", cameras.reasons("stall"))
        self.assertIn("no frame within 0.9 s", cameras.reasons("endless"))
        self.assertIn("no frame within 0.7 s", cameras.reasons("still"))
        for name, reason in (("page", "text/html"), ("missing", "404"), ("thief", "401"),
                             ("nobody", "refused"), ("short", "the stream broke off")):
            self.assertIn(reason, cameras.reasons(name)[0], name)
        for secret in (PASSWORD, ENCODED, urllib.parse.quote(ENCODED, safe="")):
            self.assertNotIn(secret, cameras.watch.text())
        gated = cameras.stats("motion")
        self.assertLessEqual(gated["taken"] + gated["gated"], gated["decoded"])
        ran = cameras.stats("lies")
        print(f"==> a camera of {1 / INTERVAL:.0f} pictures a second gave {ran['decoded']}, of "
              f"which {ran['replaced']} were replaced before they were taken")

    def test_a_capture_process_dies_with_its_producer_and_heeds_no_ctrl_c(self):
        with CameraServer() as server, Cameras([f"good {server.url('/good')} {CALM}"]) as cameras:
            cameras.until_frames("good", 1)
            pid, = children_of(cameras.watch.pid)
            for number in (signal.SIGINT, signal.SIGHUP):
                os.kill(pid, number)
            cameras.until_frames("good", len(cameras.frames("good")) + 5)
            self.assertEqual(cameras.states("good"), ["streaming"])
            cameras.watch.kill()
            eventually(lambda: has_ended(pid), "its capture process is gone")

    def test_a_capture_process_that_was_taken_over_costs_its_own_camera(self):
        odd = TREE / "tests/support/cameras/odd_capture.py"
        modes = ("nonsense", "chatter", "hang_up", "wild", "large", "exits", "deaf")
        patience = {"chatter": "open_timeout_ms=700", "deaf": "open_timeout_ms=700"}
        lines = [f"{mode} http://odd/{mode} {QUICK} {patience.get(mode, '')}" for mode in modes]
        with Cameras(lines, capture=odd) as cameras:
            for mode in modes:
                cameras.until(lambda m=mode: len(cameras.reasons(m)) >= 2,
                              f"{mode} was tried twice")
                self.assertEqual(cameras.frames(mode), [], mode)
            self.assertEqual(cameras.stop(), 0)  # they do not stop when they are asked to
            self.assertIn("said what no capture process says", cameras.reasons("nonsense")[0])
            for mode in ("wild", "large"):
                self.assertIn("written what no capture process writes", cameras.reasons(mode)[0])
            self.assertIn("exit code 7", cameras.reasons("exits")[0])
            self.assertIn("no frame within 0.7 s", cameras.reasons("deaf")[0])
            self.assertNotIn("\x1b", cameras.watch.text())


if __name__ == "__main__":
    unittest.main()
