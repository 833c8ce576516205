"""Disks that fail: one that is small and full, and one whose n-th write or sync goes wrong."""
import errno
import os
import pathlib
import subprocess

MIB = 1 << 20


class SmallDisk:
    """A file system of its own in memory, at `folder`. Where this user may not mount one, it says
    so loudly and skips the test."""

    def __init__(self, test, folder, megabytes):
        self.test, self.folder, self.size = test, pathlib.Path(folder), megabytes * MIB
        self._ballast = self.folder / "of-somebody-else"

    def __enter__(self):
        self.folder.mkdir(parents=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size},mode=0700",
                                  "tmpfs", self.folder],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            print(f"SKIPPED: {self.test.id()}: cannot mount: {mounted.stderr.strip()}")
            self.test.skipTest("cannot mount a small disk")
        return self

    def __exit__(self, *_):
        # Lazily: what still runs, of a test that failed, has files open.
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def free(self):
        status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize

    def fill(self, leave=0):
        """Somebody else's file takes all but `leave` bytes. Again: what has become free since."""
        with open(self._ballast, "ab", buffering=0) as file:
            try:
                while self.free() > leave:
                    file.write(bytes(min(self.free() - leave, MIB)))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def make_room(self):
        self._ballast.unlink(missing_ok=True)


class IoFaults:
    """The environment that lets a program's calls on files go wrong (io_faults.cpp)."""

    def __init__(self, preload, path, log):
        self.preload, self.path, self.log = preload, path, pathlib.Path(log)

    def environment(self, call, nth=0, what="EIO", ever=False):
        self.log.unlink(missing_ok=True)
        return {"LD_PRELOAD": str(self.preload), "IO_FAULT_PATH": str(self.path),
                "IO_FAULT_CALL": call, "IO_FAULT_NTH": str(nth), "IO_FAULT_WHAT": what,
                "IO_FAULT_COUNT": str(self.log), **({"IO_FAULT_EVER": "1"} if ever else {})}

    def calls(self):
        """What has counted so far: (call, path, whether it went wrong)."""
        if not self.log.exists():
            return []
        words = [line.split(" ") for line in self.log.read_text().splitlines()]
        return [(line[1], line[2], line[-1] == "fault") for line in words]

    def happened(self):
        return any(hit for _, _, hit in self.calls())
