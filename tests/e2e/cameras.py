"""Cameras without a broker, for one test: camera_watch.cpp and what it says."""
import collections
import os
import pathlib
import shutil
import sys
import tempfile

from fleet import BIN, TREE
from process import PATIENCE, Process, children_of, eventually, has_ended

sys.path.append(str(TREE / "tests/support/cameras"))

Frame = collections.namedtuple("Frame", "number width height bytes age_ms")


class Cameras:
    """`cameras`: lines for camera_watch. `capture`: another program in the place of ours."""

    def __init__(self, cameras, capture=BIN / "framefleet-capture"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="framefleet-cameras-"))
        (self.folder / "cameras").write_text("\n".join(cameras) + "\n", encoding="utf-8")
        self.watch = Process("camera_watch",
                             [BIN.parent / "tests/camera_watch", capture, self.folder / "cameras"],
                             environment={"FRAMEFLEET_FRAMES": str(self.folder)})

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.watch.lines = [line for line in self.watch.lines if not line.startswith("frame")]
            self.watch.print_all(200)
        if self.watch.running():
            self.watch.kill_with_children(order=lambda pids: None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def said(self, word, name):
        """What it said of a camera under this word, as lists of words."""
        begin = f"{word} {name} "
        return [line.split(" ")[2:] for line in list(self.watch.lines) if line.startswith(begin)]

    def frames(self, name):
        return [Frame(*map(int, words)) for words in self.said("frame", name)]

    def states(self, name):
        """Every state it has entered, in order."""
        return [words[1] for words in self.said("state", name)]

    def reasons(self, name):
        """Of its failures."""
        return [" ".join(words[2:]) for words in self.said("retry", name)]

    def processes(self, name):
        return [int(words[0]) for words in self.said("process", name)]

    def stats(self, name):
        words = self.said("stats", name)[-1]
        return {key: int(value) for key, value in (word.split("=") for word in words[1:])}

    def newest(self, name):
        return (self.folder / f"{name}.jpg").read_bytes()

    def until(self, check, what, timeout=PATIENCE):
        return self.watch.until(check, what, timeout)

    def until_frames(self, name, count, timeout=PATIENCE):
        self.until(lambda: len(self.frames(name)) >= count, f"{count} frames of {name}", timeout)

    def until_state(self, name, state, times=1, timeout=PATIENCE):
        self.until(lambda: self.states(name).count(state) >= times,
                   f"{name} is {state} for the {times}th time", timeout)

    def files(self):
        """How many descriptors it has open."""
        return len(os.listdir(f"/proc/{self.watch.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.watch.pid}/task"))

    def stop(self):
        """Its exit code, once none of its processes is left."""
        pids = children_of(self.watch.pid)
        self.watch.terminate()
        code = self.watch.exit_code()
        eventually(lambda: all(has_ended(pid) for pid in pids), "no capture process is left")
        return code
