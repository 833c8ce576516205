#!/usr/bin/python3
"""raw_peers.py HOST:PORT TROUBLE COUNT: peers without manners and without libzmq, which speak as
much of ZMTP 3 as it takes, over sockets of their own. Says `{"event": "ready"}` when its trouble is
there and goes on until it is killed or cut off, then `{"event": "over"}`.

Troubles: silence (connections that never greet), half (that stop in their greeting), slow (that
take for ever over it), idle (that greet and say nothing), bomb (a message that never ends), crumbs
(the same of empty frames), claims (headers that ask for gigabytes), forged (what is somebody
else's), replay (the bytes of a worker's connection once more).
"""
import json
import resource
import select
import socket
import struct
import sys
import time

import msgpack

from ledger import source_digest
from strace import Stream

GREETING = (b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0"
            + bytes(31))
READY = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
MORE, LONG, COMMAND = 1, 2, 4
PATIENCE, STAY = 30, 0.5  # seconds
HELLO = {"name": "raw", "wire": [1, 1], "task": [1, 1]}


def frame(body, flags=0):
    if len(body) > 255:
        return bytes([flags | LONG]) + struct.pack(">Q", len(body)) + body
    return bytes([flags, len(body)]) + body


def message(header, *payloads):
    frames = [msgpack.packb(header) if isinstance(header, dict) else header, *payloads]
    return b"".join(frame(each, MORE) for each in frames[:-1]) + frame(frames[-1])


class Peer:
    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=PATIENCE)

    def greet(self):
        """And hears the other side out: what comes before its READY it takes for a part of ours."""
        self.socket.sendall(GREETING + frame(READY, COMMAND))
        heard = b""
        while len(heard) <= len(GREETING) + 1 or len(heard) < len(GREETING) + 2 + heard[65]:
            got = self.socket.recv(4096)
            if not got:
                raise ConnectionResetError
            heard += got
        return self

    def send(self, *parts):
        self.socket.sendall(message(*parts))
        return self

    def sends(self, data):
        """False: it was cut off."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def said(self):
        """The headers that it is sent before it is cut off, or for a moment; of a busy broker the
        first one is waited for."""
        heard, stream = [], Stream()
        while select.select([self.socket], [], [], 0.05 if heard else PATIENCE)[0]:
            try:
                got = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not got:
                break
            heard += [msgpack.unpackb(header) for header in stream.add(got)]
        return heard

    def stay(self):
        """So that what was sent is read before the end: until it is cut off, or a while."""
        select.select([self.socket], [], [], STAY)


class Trouble:
    def __init__(self, address, count):
        self.address, self.count = address, count

    def tell(self, event, **more):
        print(json.dumps({"event": event, **more}), flush=True)

    def _crowd(self, begin):
        """As many connections as asked for, made anew as they are cut off."""
        peers = {}
        told = False
        while True:
            while len(peers) < self.count:
                try:
                    peer = Peer(self.address)
                    begin(peer)
                    peers[peer.socket.fileno()] = peer
                except OSError:
                    time.sleep(0.01)  # its listener is full, or there is no broker just now
            if not told:
                self.tell("ready", connections=len(peers))
                told = True
            poll = select.poll()
            for number in peers:
                poll.register(number, select.POLLIN)
            for number, _ in poll.poll(100):
                try:
                    if not peers[number].socket.recv(4096):
                        del peers[number]
                except OSError:
                    del peers[number]

    def silence(self):
        self._crowd(lambda peer: None)

    def half(self):
        self._crowd(lambda peer: peer.socket.sendall(GREETING[:11]))

    def idle(self):
        self._crowd(Peer.greet)

    def slow(self):
        peers = [Peer(self.address) for _ in range(self.count)]
        self.tell("ready", connections=len(peers))
        for place in range(len(GREETING)):
            peers = [peer for peer in peers if peer.sends(GREETING[place:place + 1])]
            time.sleep(0.1)  # that is the attack

    def bomb(self):
        """Frames of 1 MiB until the other side has had enough."""
        peer = Peer(self.address).greet()
        self.tell("ready")
        piece = frame(bytes(1 << 20), MORE)
        for sent in range(self.count):
            if not peer.sends(piece):
                self.tell("cut_off", after=sent)
                return
        peer.stay()

    def crumbs(self):
        peer = Peer(self.address).greet()
        self.tell("ready")
        at_once = 10_000
        for sent in range(0, self.count, at_once):
            if not peer.sends(frame(b"", MORE) * at_once):
                self.tell("cut_off", after=sent)
                return
        peer.stay()

    def claims(self):
        """Five bytes that promise 4 Gi elements (96 GiB of them), and their kin."""
        heads = [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff",
                 b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01",
                 b"\x91" * 40_000, b"\x81\xa4type" + b"\xdd\xff\xff\xff\xff",
                 msgpack.packb({"type": "hello", "role": "worker", **HELLO, "slots": 1})[:-1]]
        self.tell("ready")
        for turn in range(self.count):
            Peer(self.address).greet().send(heads[turn % len(heads)]).said()

    def forged(self):
        """Sources, ids, leases and tokens of others, and messages of another role."""
        mine, other = source_digest("raw"), source_digest("witness")
        client = {"type": "hello", "role": "client", **HELLO}
        now = next(header["incarnation"] for header in
                   Peer(self.address).greet().send(client).said() if header["type"] == "welcome")
        task = {"id": f"{other}-1-0", "source": "raw", "detectors": ["stub"], "task": b"\x80",
                "frames": 1}
        claim = [{"name": "raw", "epoch": 1}]
        lies = [
            ("producer", {"type": "submit", "sizes": [1], "tasks": [task]}),
            ("producer", {"type": "submit", "sizes": [1],
                          "tasks": [{**task, "id": f"{mine}-1-0", "source": "witness"}]}),
            ("producer", {"type": "stored", "tasks": [{"id": f"{other}-1-0", "status": "ok"}]}),
            ("worker", {"type": "result", "sizes": [1], "tasks": [
                {"id": f"{other}-1-1", "lease": [now, 1], "token": bytes(32), "elapsed_us": 1,
                 "frames": 1}]}),
            ("worker", {"type": "nack", "id": f"{other}-1-2", "lease": [now, 2],
                        "reason": "not_a_picture"}),
            ("worker", {"type": "heartbeat", "incarnation": now,
                        "leases": [[now, number] for number in range(1, 1000)]}),
            ("sink", {"type": "stored", "tasks": [{"id": f"{other}-1-3", "status": "ok"}]}),
            ("client", {"type": "control", "verb": "drain_broker"}),
            ("client", {"type": "control", "verb": "cancel_job", "name": "chaos"}),
            (None, {"type": "stored", "tasks": [{"id": f"{other}-1-4", "status": "ok"}]}),
        ]
        self.tell("ready")
        more = {"producer": {"sources": claim}, "worker": {"slots": 0},
                "sink": {"store": "forged"}}
        for turn in range(self.count):
            role, lie = lies[turn % len(lies)]
            hello = {"type": "hello", "role": role, **HELLO, **more.get(role, {})}
            peer = Peer(self.address).greet()
            peer.socket.sendall((message(hello) if role else b"")
                                + message(lie, *([b"x"] if "sizes" in lie else [])))
            peer.said()

    def replay(self):
        """A worker takes nothing and says goodbye; others say the same bytes again, all at once."""
        recorded = (message({"type": "hello", "role": "worker", **HELLO, "slots": 1,
                             "detectors": ["other"]})
                    + message({"type": "release",
                               "tasks": [{"id": f"{source_digest('witness')}-1-0",
                                          "lease": [1, 1]}]})
                    + message({"type": "goodbye"}))
        self.tell("ready")
        for _ in range(self.count):
            peer = Peer(self.address).greet()
            peer.sends(recorded)
            peer.said()


def main():
    host, _, port = sys.argv[1].removeprefix("tcp://").rpartition(":")
    resource.setrlimit(resource.RLIMIT_NOFILE, [resource.getrlimit(resource.RLIMIT_NOFILE)[1]] * 2)
    trouble = Trouble((host, int(port)), int(sys.argv[3]))
    try:
        getattr(trouble, sys.argv[2])()
    except OSError as error:
        trouble.tell("cut_off", why=str(error))
    trouble.tell("over")


main()
