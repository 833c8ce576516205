"""A producer that believes what it is told: a task that is said to be durable it forgets at once,
with its picture, and never asks for again. What became of it is up to the fleet. It dials anew
whenever nobody answers. Written from docs/PROTOCOL.md; runs in a thread of the test."""
import collections
import os
import struct
import threading
import time
import zlib

import msgpack
import zmq

from ledger import source_digest
from pictures import png_file

SOURCE, JOB, EPOCH = "witness", "chaos", 1
UNANSWERED_MAX = 32


def noise_png(width=340, height=300):
    """About 100 KB that no packer makes smaller."""
    rows = b"".join(b"\0" + os.urandom(width) for _ in range(height))
    return png_file(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), zlib.compress(rows))


class Witness(threading.Thread):
    def __init__(self, endpoint, count, detect, rate):
        """Submits `count` tasks, `rate` a second at most."""
        super().__init__(daemon=True)
        self.endpoint, self.count, self.interval = endpoint, count, 1 / rate
        self.detectors = sorted({name.split("?")[0] for name in detect.split(",")})
        self.task = msgpack.packb({"version": 1, "origin": "noise.png",
                                   "detect": detect.split(",")})
        self.picture = noise_png()
        self.waiting = collections.deque(range(count))
        self.unanswered = set()
        self.durable = {}  # id → when it was said
        self.faults = []   # what no broker may say
        self.busy = collections.Counter()  # answers, by reason
        self.down_since, self.recoveries = None, []
        self.submit_at = 0.0
        self.context = zmq.Context()
        self.stopping = threading.Event()
        self.last, self.finishing = -1, threading.Event()

    def id_of(self, sequence):
        return f"{source_digest(SOURCE)}-{EPOCH}-{sequence}"

    def dial(self):
        if getattr(self, "socket", None):
            self.socket.close(0)
        self.waiting.extendleft(sorted(self.unanswered, reverse=True))
        self.unanswered.clear()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.connect(self.endpoint)
        self.welcome, self.heard, self.beat_at = None, time.monotonic(), 0.0
        self.send({"type": "hello", "role": "producer", "name": SOURCE, "wire": [1, 1],
                   "task": [1, 1],
                   "sources": [{"name": SOURCE, "epoch": EPOCH, "expected": self.count}]})

    def send(self, header, *frames):
        self.socket.send_multipart([msgpack.packb(header), *frames])

    def finish(self):
        """Submits nothing more that is new, and ends when it has been told of all the rest."""
        self.finishing.set()
        self.join()

    def submit(self, sequence):
        self.last = max(self.last, sequence)
        self.unanswered.add(sequence)
        self.send({"type": "submit", "sizes": [len(self.picture)], "tasks": [
            {"id": self.id_of(sequence), "source": SOURCE, "job": JOB, "task": self.task,
             "detectors": self.detectors, "frames": 1}]}, self.picture)

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
        self.durable.setdefault(sequence, self.heard)
        if self.down_since is not None:
            self.recoveries.append(self.heard - self.down_since)
            self.down_since = None

    def broker_died(self):
        self.down_since = time.monotonic()

    def run(self):
        self.dial()
        while not self.stopping.is_set() and len(self.durable) < self.count:
            self.socket.poll(20)
            try:
                while True:
                    self.receive(msgpack.unpackb(self.socket.recv_multipart(zmq.DONTWAIT)[0]))
            except zmq.Again:
                pass
            now = time.monotonic()
            if self.finishing.is_set() and self.count > self.last + 1:
                self.count = self.last + 1
                self.waiting = collections.deque(n for n in self.waiting if n < self.count)
            if now > self.heard + 1.0:
                self.dial()
            if not self.welcome:
                continue
            if now >= self.beat_at:
                self.send({"type": "heartbeat", "incarnation": self.welcome["incarnation"]})
                self.beat_at = now + self.welcome["heartbeat_ms"] / 1000
            while (now >= self.submit_at and len(self.unanswered) < UNANSWERED_MAX
                   and self.waiting):
                sequence = self.waiting.popleft()
                if sequence not in self.durable:
                    self.submit(sequence)
                    self.submit_at = max(self.submit_at + self.interval, now - 1.0)
        self.context.destroy(0)
