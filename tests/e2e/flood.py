#!/usr/bin/python3
"""flood.py ENDPOINT OFFERED_BYTES PAYLOAD_BYTES: a producer without manners. It offers pictures as
fast as its grant allows (or --rate a second), and those that were answered `busy` again at once,
until it has offered so many bytes, or for --seconds. Then it waits until all that was admitted is
settled. Tells both as the events `offered` and `end`, with the account of a producer. Written from
docs/PROTOCOL.md."""
import argparse
import collections
import json
import sys
import time

import msgpack
import zmq

from ledger import STATUSES, source_digest
from pictures import padded, png

EPOCH = int(time.time())
AT_ONCE = 16  # in one message


class Flood:
    def __init__(self, options):
        self.endpoint, self.job, self.rate = options.endpoint, options.name, options.rate
        self.offered_max, self.payload_bytes = options.offered_bytes, options.payload_bytes
        self.seconds = options.seconds
        self.sources = (f"{self.job}/a", f"{self.job}/b")
        self.task = msgpack.packb({"version": 1, "origin": "flood.png",
                                   "detect": [options.detect]})
        self.picture = png(8, 8, lambda x, y: 32 * x)
        self.account = collections.Counter(dict.fromkeys(STATUSES, 0))
        self.offered_bytes = self.offers = self.busy = 0
        self.made = 0
        self.waiting = collections.deque()  # answered busy, or not offered yet
        self.unanswered, self.admitted, self.settled = {}, set(), set()
        self.offering = True

    def make(self):
        """A task of its own, with a picture of exactly so many bytes."""
        sequence, which = divmod(self.made, len(self.sources))
        source = self.sources[which]
        self.made += 1
        picture = padded(self.picture, self.payload_bytes, self.made)
        task = {"id": f"{source_digest(source)}-{EPOCH}-{sequence}", "source": source,
                "job": self.job, "detectors": ["stub"], "task": self.task, "frames": 1}
        return task, picture

    def dial(self):
        zmq.Context.instance().destroy(0)
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.connect(self.endpoint)
        self.heard, self.beat_at, self.welcome = time.monotonic(), 0, None
        self.send({"type": "hello", "role": "producer", "name": self.job, "wire": [1, 1],
                   "task": [1, 1],
                   "sources": [{"name": name, "epoch": EPOCH} for name in self.sources]})

    def send(self, header, payloads=()):
        self.socket.send_multipart([msgpack.packb(header), *payloads], copy=False)

    def offer(self, elapsed):
        """As much as the grant and the rate allow."""
        tasks_max = self.welcome["grant_tasks"]
        bytes_max = self.welcome["grant_bytes"] // self.payload_bytes
        while (len(self.unanswered) + AT_ONCE <= min(tasks_max, max(bytes_max, AT_ONCE))
               and self.offers < self.rate * elapsed):
            while len(self.waiting) < AT_ONCE:
                self.waiting.append(self.make())
            batch = [self.waiting.popleft() for _ in range(AT_ONCE)]
            self.unanswered.update((task["id"], (task, picture)) for task, picture in batch)
            self.send({"type": "submit", "sizes": [len(picture) for _, picture in batch],
                       "tasks": [task for task, _ in batch]}, [picture for _, picture in batch])
            self.offers += AT_ONCE
            self.offered_bytes += AT_ONCE * self.payload_bytes

    def receive(self, message):
        kind, self.heard = message["type"], time.monotonic()
        if kind == "welcome":
            self.welcome = message
        elif kind == "busy":
            self.busy += len(message["tasks"])
            self.waiting.extend(filter(None, (self.unanswered.pop(task, None)
                                              for task in message["tasks"])))
        elif kind == "admitted":
            for task in message["tasks"]:
                self.unanswered.pop(task["id"], None)
                self.admitted.add(task["id"])
        elif kind == "settled":
            for task in message["tasks"]:
                if task["id"] not in self.settled:
                    self.settled.add(task["id"])
                    self.account[task["status"]] += 1
        elif kind in ("goodbye", "refused", "reject"):
            sys.exit(f"flood.py: {message}")

    def turn(self):
        self.socket.poll(50)
        try:
            while True:
                self.receive(msgpack.unpackb(self.socket.recv_multipart(zmq.DONTWAIT)[0]))
        except zmq.Again:
            pass
        now = time.monotonic()
        if self.welcome and now >= self.beat_at:
            self.send({"type": "heartbeat", "incarnation": self.welcome["incarnation"]})
            self.beat_at = now + self.welcome["heartbeat_ms"] / 1000

    def tell(self, event, **more):
        print(json.dumps({"event": event, **more}), flush=True)

    def run(self):
        self.dial()
        self.tell("plan", job=self.job)
        begun = time.monotonic()
        while self.offered_bytes < self.offered_max and (
                elapsed := time.monotonic() - begun) < self.seconds:
            self.turn()
            if self.welcome:
                self.offer(elapsed)
        while self.unanswered:
            self.turn()
        self.tell("offered", bytes=self.offered_bytes, offers=self.offers, busy=self.busy,
                  admitted=len(self.admitted), seconds=time.monotonic() - begun)
        while self.admitted - self.settled:
            self.turn()
        self.send({"type": "goodbye"})
        self.socket.poll(1000)
        zmq.Context.instance().destroy(0)
        # What was never admitted leaves holes in the numbers: as of a run that was interrupted.
        self.tell("end", **self.account, submitted=len(self.admitted), admitted=len(self.admitted),
                  rejected=0, skipped=0, stored_before=0, in_flight=0, pictures=None,
                  interrupted=True)


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("offered_bytes", type=int)
    parser.add_argument("payload_bytes", type=int)
    parser.add_argument("--name", default="flood", help="of its job, and the folder of its sources")
    parser.add_argument("--detect", default="stub")
    parser.add_argument("--rate", type=float, default=float("inf"), help="pictures a second")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    return parser.parse_args()


Flood(options()).run()
