#!/usr/bin/python3
"""producer.py ENDPOINT DETECTORS JPEG...: a producer written from docs/PROTOCOL.md alone. Prints
how each file was settled: `id status reason`. Exit code 0: all ok, 3: some not, 1: refused."""
import hashlib
import sys
import time

import msgpack
import zmq

SOURCE, EPOCH = "producer.py", int(time.time())


class Producer:
    def __init__(self, endpoint, detect, paths):
        self.endpoint, self.detect, self.all_ok = endpoint, detect, True
        digest = hashlib.blake2b(SOURCE.encode(), digest_size=16).hexdigest()[:16]
        self.unsettled = {f"{digest}-{EPOCH}-{n}": path for n, path in enumerate(paths)}

    def dial(self):
        zmq.Context.instance().destroy(0)  # with the socket before this one, if any
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.connect(self.endpoint)
        self.welcome, self.heard = {}, time.monotonic()
        self.send("hello", role="producer", name=SOURCE, wire=[1, 1], task=[1, 1],
                  sources=[{"name": SOURCE, "epoch": EPOCH}])

    def send(self, kind, *frames, **keys):
        self.socket.send_multipart([msgpack.packb({"type": kind, **keys}), *frames])

    def submit(self, task_id):
        self.in_flight.add(task_id)
        with open(self.unsettled[task_id], "rb") as file:
            task = {"version": 1, "origin": file.name, "detect": self.detect}
            picture = file.read()
        self.send("submit", picture, sizes=[len(picture)], tasks=[
            {"id": task_id, "source": SOURCE, "task": msgpack.packb(task), "frames": 1,
             "detectors": [detector.split("?")[0] for detector in self.detect]}])

    def receive(self, message):
        kind, self.heard = message["type"], time.monotonic()
        if kind == "welcome":  # what was in flight is sent again, with the same ids
            self.welcome, self.in_flight, self.beat_at, self.submit_at = message, set(), 0, 0
        elif kind in ("goodbye", "refused"):
            if kind == "refused" and not message.get("retry_ms"):
                sys.exit(f"refused: {message['reason']}: {message.get('text')}")
            self.send("goodbye")
            time.sleep(message.get("retry_ms", 250) / 1000)
            self.dial()
        elif kind == "busy":
            self.in_flight -= set(message["tasks"])
            self.submit_at = self.heard + message["retry_ms"] / 1000
        for task in message["tasks"] if kind in ("settled", "reject") else ():
            if self.unsettled.pop(task["id"], None):
                self.all_ok &= task.get("status") == "ok"
                print(task["id"], task.get("status", "rejected"), task.get("reason", "none"))

    def run(self):
        self.dial()
        while self.unsettled:
            if self.socket.poll(50):
                self.receive(msgpack.unpackb(self.socket.recv_multipart()[0]))
            now = time.monotonic()
            if now > self.heard + self.welcome.get("peer_timeout_ms", 2500) / 1000:
                self.dial()
            elif self.welcome and now >= self.beat_at:
                self.send("heartbeat", incarnation=self.welcome["incarnation"])
                self.beat_at = now + self.welcome["heartbeat_ms"] / 1000
            elif self.welcome and now >= self.submit_at:
                waiting = [task for task in self.unsettled if task not in self.in_flight]
                for task_id in waiting[:16 - len(self.unsettled) + len(waiting)]:  # at most 16 sent
                    self.submit(task_id)
        self.send("goodbye")
        self.socket.poll(1000)  # for the answer
        zmq.Context.instance().destroy(0)
        return 0 if self.all_ok else 3


sys.exit(Producer(sys.argv[1], sys.argv[2].split(","), sys.argv[3:]).run())
