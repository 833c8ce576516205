"""A clock that others set: libfaketime (Debian package libfaketime) in a process under test.

    with Clock() as clock:
        worker = fleet.worker("w1", environment=clock.environment())
        clock.step(-3600)

A machine whose time is set moves CLOCK_REALTIME alone; CLOCK_MONOTONIC never jumps. `monotonic`
moves both: more than any real machine does. Seconds.
"""
import glob
import os
import pathlib
import shutil
import tempfile

LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"  # MT: for processes with threads


def why_not():
    """Why there is no such clock here; "" where there is one."""
    return "" if glob.glob(LIBRARIES) else "libfaketime is not installed"


class Clock:
    """One clock, for all processes that are started with its environment."""

    def __init__(self, monotonic=False):
        self.monotonic = monotonic
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="framefleet-clock-"))
        self.file = self.folder / "offset"
        self.step(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self):
        return {"LD_PRELOAD": glob.glob(LIBRARIES)[0], "FAKETIME_TIMESTAMP_FILE": str(self.file),
                "FAKETIME_CACHE_DURATION": "1", "FAKETIME_UPDATE_TIMESTAMP_FILE": "0",
                "FAKETIME_DONT_FAKE_MONOTONIC": "0" if self.monotonic else "1"}

    def step(self, seconds):
        """From now on (a second later at most) the clock is so far from the true time."""
        whole = self.file.with_suffix(".new")
        whole.write_text(f"{seconds:+d}\n")
        os.replace(whole, self.file)
