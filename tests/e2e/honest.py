"""A producer that submits 200 tasks a second while others make trouble, and remembers how soon it
was answered. The troublemakers have a processor of their own, where there are two."""
import collections
import os
import time

from pictures import png
from process import eventually
from witness import Witness

RATE = 200
CPUS = sorted(os.sched_getaffinity(0))
THEIRS = ("taskset", "-c", str(CPUS[-1]))
OURS = ("taskset", "-c", ",".join(map(str, CPUS[:-1] or CPUS)))


class Honest(Witness):
    """Remembers how long each answer took, and what was going on when it was asked for."""

    def __init__(self, endpoint, keys=()):
        super().__init__(endpoint, None, "stub", RATE, pictures=[png(8, 8, lambda x, y: 32 * x)],
                         keys=keys)
        self.meanwhile = "nothing"
        self.asked, self.times = {}, collections.defaultdict(list)

    def submit(self, sequence):
        self.asked.setdefault(sequence, (time.monotonic(), self.meanwhile))
        super().submit(sequence)

    def believe(self, sequence):
        if sequence in self.asked:
            asked_at, meanwhile = self.asked.pop(sequence)
            self.times[meanwhile].append(time.monotonic() - asked_at)
        super().believe(sequence)

    def answers(self):
        """How many came so far."""
        return sum(map(len, self.times.values()))

    def close(self, test, store):
        """Nothing it was told was false, all is answered and stored; prints how soon."""
        count = self.finish()
        for meanwhile, times in self.times.items():
            print(f"{meanwhile:8} answers: {histogram(times)}")
        test.assertEqual(self.faults, [])
        test.assertEqual(self.next, count, "each is answered")
        eventually(lambda: store.rows("SELECT count(*) FROM outcomes WHERE source = ?"
                                      " AND status = 'ok'", self.source) == [(count,)],
                   "all is stored")


def histogram(seconds):
    """How many were answered within which time."""
    bounds = (0.01, 0.1, 0.5, 1.0, 3.0)
    counts = [sum(each <= bound for each in seconds) for bound in bounds]
    parts = [f"{count - before:6d} <= {bound:g} s" for bound, count, before
             in zip(bounds, counts, [0, *counts])]
    parts.append(f"{len(seconds) - counts[-1]:4d} later, the last {max(seconds):.3f} s")
    return ", ".join(parts)
