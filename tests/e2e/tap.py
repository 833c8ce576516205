"""A tap on the line between a broker and its peers: it hands on every message and writes down what
matters to a test, in an order that proves something.

What the tap has seen from the broker, the broker had done before; what the tap hands to the broker,
the broker hears after that. So `admitted` of a frame, then `result` of a worker, then `assign`, in
this order here, say that the broker knew the frame when it chose what to assign.
"""
import threading

import msgpack
import zmq


class Tap(threading.Thread):
    """Peers connect to `endpoint`; every one of them has a connection of its own to the broker.

    `events` are (kind, source, sequences): kind is submit, admitted or assign, or result without a
    source and sequences."""

    def __init__(self, endpoint, broker):
        super().__init__(daemon=True)
        self.endpoint, self.events = endpoint, []
        self._broker = broker
        self._stopped = threading.Event()
        self._context = zmq.Context()
        self._peers = self._context.socket(zmq.ROUTER)
        self._peers.bind(endpoint)
        self._poller = zmq.Poller()
        self._poller.register(self._peers, zmq.POLLIN)
        self._lines = {}  # sockets to the broker, by peer
        self._names = {}  # of sources, by the first part of their tasks' ids
        self.start()

    def run(self):
        by_line = {}
        while not self._stopped.is_set():
            for socket, _ in self._poller.poll(50):
                if socket is self._peers:
                    peer, *frames = self._peers.recv_multipart()
                    if peer not in self._lines:
                        line = self._lines[peer] = self._context.socket(zmq.DEALER)
                        line.connect(self._broker)
                        self._poller.register(line, zmq.POLLIN)
                        by_line[line] = peer
                    self._note(frames[0])
                    self._lines[peer].send_multipart(frames)
                else:
                    frames = socket.recv_multipart()
                    self._note(frames[0])
                    self._peers.send_multipart([by_line[socket], *frames])
        self._context.destroy(0)

    def _note(self, header):
        message = msgpack.unpackb(header)
        kind = message["type"]
        if kind == "submit":
            for task in message["tasks"]:
                self._names[task["id"].partition("-")[0]] = task["source"]
        if kind == "result":
            self.events.append((kind, None, None))
        elif kind in ("submit", "admitted", "assign"):
            for task in message["tasks"]:
                digest, _, sequence = task["id"].split("-")
                self.events.append((kind, self._names[digest], int(sequence)))

    def stop(self):
        self._stopped.set()
        self.join()
