"""Frames that say which camera's they are and which: tests/e2e/synthetic_frames.cpp draws them."""
import os
import pathlib
import subprocess
import threading
import time

BIN = pathlib.Path(os.environ.get("FRAMEFLEET_BIN",
                                  pathlib.Path(__file__).parents[3] / "build/release/bin"))


def frames(camera, width, height):
    """The JPEGs of frames 0, 1, …, without end. No faster than they are asked for."""
    command = [BIN.parent / "tests/synthetic_frames",
               f"synthetic:?count=0&size={width}x{height}&camera={camera}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        try:
            while length := program.stdout.read(4):
                yield program.stdout.read(int.from_bytes(length, "big"))
        finally:
            program.kill()
    raise RuntimeError(f"{command[0]} ended with {program.returncode}")


class Film:
    """Frames go by at their pace whether anybody looks or not; who does, misses none from then."""

    def __init__(self, camera, width, height, interval):
        self.interval, self.begun, self.over = interval, time.monotonic(), threading.Event()
        self._frames, self._lock = enumerate(frames(camera, width, height)), threading.Lock()

    def from_now(self):
        """Number and picture, each when it is due, until it is over."""
        with self._lock:
            first = (time.monotonic() - self.begun) / self.interval
            for number, picture in self._frames:
                if number < first:
                    continue
                due = self.begun + number * self.interval
                if self.over.wait(max(0.0, due - time.monotonic())):
                    return
                yield number, picture
