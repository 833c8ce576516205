"""A TCP proxy that makes trouble between a broker and one of its peers.

    with Proxy(fleet.endpoint) as proxy:
        fleet.endpoint = proxy.endpoint
        worker = fleet.worker("w1")
        proxy.to_broker.stalled = True   # … a way that is full, until heal()
        proxy.heal()

Each way (`to_broker`, `to_peer`) can be slow, stalled or swallow; the proxy can accept and never
answer, and reset. What lost bytes stays silent until it is closed, as behind a firewall that forgot
the connection: a stream with a hole is nothing that TCP gives. Times are seconds.
"""
import contextlib
import socket
import struct
import threading

AT_ONCE = 65536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Way:
    """One direction of all connections."""

    def __init__(self):
        self._open = threading.Event()
        self.heal()

    def heal(self):
        self.delay = 0.0        # for each piece of up to 64 KiB
        self.bits_a_second = 0  # 0: as fast as it goes
        self.swallows = False   # what comes is read and thrown away
        self._open.set()

    @property
    def stalled(self):
        """Whether nothing is read, so that the sender's buffers fill. It comes late."""
        return not self._open.is_set()

    @stalled.setter
    def stalled(self, stalled):
        (self._open.clear if stalled else self._open.set)()

    def hold(self, size, closed):
        """Waits as long as so many bytes take; False when the connection is closed meanwhile."""
        pause = self.delay + (8 * size / self.bits_a_second if self.bits_a_second else 0)
        if pause and closed.wait(pause):
            return False
        while not self._open.wait(0.05):
            if closed.is_set():
                return False
        return not closed.is_set()


class Connection:
    """A peer and its own connection to the broker."""

    def __init__(self, peer):
        self.peer, self.broker = peer, None
        self.closed = threading.Event()

    def join(self, target, to_broker, to_peer):
        try:
            self.broker = socket.create_connection(target)
        except OSError:
            return self.close()
        for way, source, goal in ((to_broker, self.peer, self.broker),
                                  (to_peer, self.broker, self.peer)):
            threading.Thread(target=self._pump, args=(way, source, goal), daemon=True).start()
        return None

    def _pump(self, way, source, goal):
        deaf = False
        try:
            while piece := source.recv(AT_ONCE):
                if not way.hold(len(piece), self.closed):
                    break
                deaf = deaf or way.swallows
                if not deaf:
                    goal.sendall(piece)
        except OSError:
            pass  # reset by one of them, or closed here
        self.close()

    def close(self, reset=False):
        self.closed.set()
        for end in filter(None, (self.peer, self.broker)):
            with contextlib.suppress(OSError):
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                else:
                    end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy(threading.Thread):
    def __init__(self, endpoint):
        """`endpoint`: tcp://HOST:PORT of the broker."""
        super().__init__(daemon=True)
        host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
        self.to_broker, self.to_peer = Way(), Way()
        self.half_open = False  # new connections are accepted, and nobody ever reads or answers
        self._target = host, int(port)
        self._lock, self._connections = threading.Lock(), []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()
        self.join()
        self.reset()

    def run(self):
        while True:
            try:
                connection = Connection(self._listener.accept()[0])
            except OSError:
                return  # closed
            with self._lock:
                self._connections = [each for each in self._connections
                                     if not each.closed.is_set()] + [connection]
            if not self.half_open:
                connection.join(self._target, self.to_broker, self.to_peer)

    def reset(self):
        """Cuts every connection by RST."""
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            connection.close(reset=True)

    def heal(self):
        """New connections work, and old ones that lost nothing."""
        self.half_open = False
        self.to_broker.heal()
        self.to_peer.heal()
