"""A producer that believes what it is told: a task that is said to be durable it forgets at once,
with its picture, and never asks for again. What became of it is up to the fleet. It dials anew
whenever nobody answers. Written from docs/PROTOCOL.md; runs in a thread of the test, or as a
program that is killed."""
import collections
import os
import struct
import sys
import threading
import time
import zlib

import msgpack
import zmq

from ledger import source_digest
from pictures import png_file

JOB, EPOCH = "chaos", 1
UNANSWERED_MAX = 32


def noise_png(width=340, height=300):
    """About 100 KB that no packer makes smaller."""
    rows = b"".join(b"\0" + os.urandom(width) for _ in range(height))
    return png_file(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), zlib.compress(rows))


class Numbers:
    """A set of small numbers, a byte each."""

    def __init__(self):
        self._flags, self._count = bytearray(), 0

    def add(self, number):
        if number >= len(self._flags):
            self._flags.extend(bytes(number + 1 - len(self._flags)))
        self._count += not self._flags[number]
        self._flags[number] = 1

    def __contains__(self, number):
        return number < len(self._flags) and self._flags[number]

    def __len__(self):
        return self._count

    def __iter__(self):
        return (number for number, flag in enumerate(self._flags) if flag)


class Witness(threading.Thread):
    def __init__(self, endpoint, count, detect, rate, source="witness", pictures=None, keys=(),
                 **task):
        """Submits `count` tasks (None: until finish()), `rate` a second at most. `pictures` go
        round; `keys`: its own pair and the broker's public key; `task` are more keys of their
        descriptions."""
        super().__init__(daemon=True)
        self.keys = keys
        self.endpoint, self.count, self.interval, self.source = endpoint, count, 1 / rate, source
        self.detectors = sorted({name.split("?")[0] for name in detect.split(",")})
        self.task = msgpack.packb({"version": 1, "origin": "noise.png",
                                   "detect": detect.split(","), **task})
        self.pictures = pictures or [noise_png()]
        self.next = 0                       # never submitted yet
        self.waiting = collections.deque()  # to be submitted again
        self.unanswered = set()
        self.doubted = 0  # how many were submitted again to a broker that may have known them
        self.durable = Numbers()
        self.faults = []  # what no broker may say
        self.busy = collections.Counter()  # answers, by reason
        self.down_since, self.recoveries = None, []
        self.submit_at = 0.0
        self.context = zmq.Context()
        self.stopping, self.finishing = threading.Event(), threading.Event()

    def id_of(self, sequence):
        return f"{source_digest(self.source)}-{EPOCH}-{sequence}"

    def dial(self):
        if getattr(self, "socket", None):
            self.socket.close(0)
        self.waiting.extendleft(sorted(self.unanswered, reverse=True))
        self.doubted += len(self.unanswered)
        self.unanswered.clear()
        self.socket = self.context.socket(zmq.DEALER)
        if self.keys:
            (self.socket.curve_publickey, self.socket.curve_secretkey), broker = self.keys
            self.socket.curve_serverkey = broker
        self.socket.connect(self.endpoint)
        self.welcome, self.heard, self.beat_at = None, time.monotonic(), 0.0
        self.send({"type": "hello", "role": "producer", "name": self.source, "wire": [1, 1],
                   "task": [1, 1],
                   "sources": [{"name": self.source, "epoch": EPOCH,
                                "expected": self.count or 0}]})

    def send(self, header, *frames):
        self.socket.send_multipart([msgpack.packb(header), *frames])

    def submit(self, sequence):
        self.unanswered.add(sequence)
        picture = self.pictures[sequence % len(self.pictures)]
        self.send({"type": "submit", "sizes": [len(picture)], "tasks": [
            {"id": self.id_of(sequence), "source": self.source, "job": JOB, "task": self.task,
             "detectors": self.detectors, "frames": 1}]}, picture)

    def receive(self, message):
        kind, self.heard = message["type"], time.monotonic()
        sequences = [int(task.rpartition("-")[2]) for task in
                     (each["id"] if isinstance(each, dict) else each
                      for each in message.get("tasks", ()))]
        if kind == "welcome":
            self.welcome = message
        elif kind in ("goodbye", "refused"):
            time.sleep(0.05)
            self.dial()
        elif kind == "reject":
            self.faults.append(message)
        elif kind == "busy":
            self.busy[message["reason"]] += 1
            self.submit_at = self.heard + message["retry_ms"] / 1000
            self.waiting.extendleft(sorted(self.unanswered & set(sequences), reverse=True))
            self.unanswered -= set(sequences)
        elif kind == "admitted":
            for task, sequence in zip(message["tasks"], sequences):
                if not task.get("durable"):
                    self.faults.append(message)
                self.believe(sequence)
        elif kind == "settled":
            for sequence in sequences:
                self.believe(sequence)

    def believe(self, sequence):
        self.unanswered.discard(sequence)
        self.durable.add(sequence)
        if self.down_since is not None:
            self.recoveries.append(self.heard - self.down_since)
            self.down_since = None

    def broker_died(self):
        self.down_since = time.monotonic()

    def finish(self):
        """Submits nothing new; waits until all that was submitted is durable. How many that are."""
        self.finishing.set()
        self.join()
        return len(self.durable)

    def take_next(self):
        """The number of the task to submit now, or None."""
        if self.waiting:
            return self.waiting.popleft()
        if self.count is not None and self.next >= self.count:
            return None
        self.next += 1
        return self.next - 1

    def run(self):
        self.dial()
        while not self.stopping.is_set() and len(self.durable) != self.count:
            if self.finishing.is_set():
                self.count = self.next
            self.socket.poll(20)
            try:
                while True:
                    self.receive(msgpack.unpackb(self.socket.recv_multipart(zmq.DONTWAIT)[0]))
            except zmq.Again:
                pass
            now = time.monotonic()
            if now > self.heard + 1.0:
                self.dial()
            if not self.welcome:
                continue
            if now >= self.beat_at:
                self.send({"type": "heartbeat", "incarnation": self.welcome["incarnation"]})
                self.beat_at = now + self.welcome["heartbeat_ms"] / 1000
            while now >= self.submit_at and len(self.unanswered) < UNANSWERED_MAX:
                sequence = self.take_next()
                if sequence is None:
                    break
                if sequence not in self.durable:
                    self.submit(sequence)
                    self.submit_at = max(self.submit_at + self.interval, now - 1.0)
        self.context.destroy(0)


class Crier(Witness):
    """Says on stdout what it is told, so that it may be killed."""

    def believe(self, sequence):
        super().believe(sequence)
        print(f"durable {sequence}", flush=True)


if __name__ == "__main__":  # witness.py ENDPOINT SOURCE DETECT RATE
    Crier(sys.argv[1], None, sys.argv[3], float(sys.argv[4]), sys.argv[2]).run()
