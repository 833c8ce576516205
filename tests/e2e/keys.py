"""Keys of a fleet under test, and peers of all kinds: honest, misled, revoked and hostile ones.

    with KeyedFleet() as fleet:
        fleet.keys.allow("w1", "worker")
        fleet.broker(), fleet.worker("w1")
"""
import contextlib
import os
import socket
import threading

import msgpack
import zmq

from fleet import Fleet

PATIENCE_MS = 60_000


class Keys:
    """The broker's folder of keys, and one with the keys of everybody else. Written from
    docs/OPERATIONS.md alone."""

    def __init__(self, folder):
        self.broker, self.peers = folder / "broker-keys", folder / "keys"
        for each in (self.broker, self.peers):
            each.mkdir(mode=0o700)
        self._entries, self.secrets = {}, []
        self.known = self.peers / "broker.pub"
        self.make(self.broker / "broker")
        self.know("broker")
        self._write_list()

    def make(self, path):
        """A key file of its own for the peer of this name; its pair."""
        public, secret = (key.decode() for key in zmq.curve_keypair())
        self.secrets.append(secret)
        key = os.open(f"{path}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(key, "w") as file:
            file.write(f'public = "{public}"\nsecret = "{secret}"\n')
        with open(f"{path}.pub", "w", encoding="utf-8") as file:
            file.write(f'public = "{public}"\n')
        return public, secret

    def know(self, *names):
        """From now on the peers take these keys of the broker's folder for the broker's."""
        lines = "".join((self.broker / f"{name}.pub").read_text() for name in names)
        fresh = self.known.with_suffix(".new")
        fresh.write_text(lines, encoding="utf-8")
        os.replace(fresh, self.known)

    def allow(self, name, *roles, **limits):
        if not self.file(name).exists():
            self.make(self.peers / name)
        self._entries[name] = roles, limits
        self._write_list()

    def revoke(self, name):
        del self._entries[name]
        self._write_list()

    def file(self, name):
        return self.peers / f"{name}.key"

    @staticmethod
    def pair(path):
        """Public and secret key of a key file."""
        return [line.split('"')[1].encode() for line in path.read_text().splitlines()]

    def options(self, name):
        return "--key", self.file(name), "--broker-key", self.known

    def _write_list(self):
        text = "".join(
            f'[{name}]\n{(self.peers / f"{name}.pub").read_text()}'
            f'roles = [{", ".join(map(repr, roles))}]\n'.replace("'", '"')
            + "".join(f"{limit} = {value}\n" for limit, value in limits.items())
            for name, (roles, limits) in self._entries.items())
        fresh = self.broker / "allowed.new"
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, self.broker / "allowed.toml")


class KeyedFleet(Fleet):
    """Over tcp, with keys: each process has the key of its own name."""

    def __init__(self):
        super().__init__(transport="tcp")
        self.keys = Keys(self.folder)

    def _member(self, name, role, *arguments, **options):
        if role == "broker":
            arguments += ("--keys", self.keys.broker)
        else:
            arguments += self.keys.options(name)
        return super()._member(name, role, *arguments, **options)


class Peer:
    """A peer that says what it likes. `keys`: its own pair and the broker's public key."""

    def __init__(self, endpoint, *keys):
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        if keys:
            (self._socket.curve_publickey, self._socket.curve_secretkey), broker = keys
            self._socket.curve_serverkey = broker
        self._events = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._socket.connect(endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._context.destroy(0)

    def say(self, kind, *frames, flags=0, **fields):
        header = {"type": kind, **fields}
        if frames:
            header["sizes"] = [len(frame) for frame in frames]
        self._socket.send_multipart([msgpack.packb(header), *frames], flags)

    def hello(self, role, name="x", **fields):
        self.say("hello", role=role, name=name, wire=[1, 1], task=[1, 1], **fields)

    def knock(self):
        """Says hello, unless its connection has been ended before that: nobody takes it then."""
        with contextlib.suppress(zmq.Again):
            self.hello("client", flags=zmq.DONTWAIT)

    def until_closed(self):
        """Waits until a connection of it was ended."""
        if not self._events.poll(PATIENCE_MS):
            raise AssertionError("the connection was not ended")

    def hear(self, *kinds):
        """The next message of one of these kinds."""
        while self._socket.poll(PATIENCE_MS):
            message = msgpack.unpackb(self._socket.recv_multipart()[0])
            if message["type"] in kinds:
                return message
        raise AssertionError(f"no {kinds} came")


class Recorder(threading.Thread):
    """Stands between one peer and the broker and keeps what the peer said, byte for byte."""

    def __init__(self, endpoint):
        super().__init__(daemon=True)
        host, port = endpoint.removeprefix("tcp://").split(":")
        self._broker = (host, int(port))
        self._door = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._door.getsockname()[1]}"
        self.said = b""
        self.start()

    def run(self):
        with self._door:
            peer, _ = self._door.accept()
        broker = socket.create_connection(self._broker)
        back = threading.Thread(target=self._carry, args=(broker, peer), daemon=True)
        back.start()
        self._carry(peer, broker, keep=True)

    def _carry(self, source, target, keep=False):
        with source, target:
            try:
                while data := source.recv(65536):
                    if keep:
                        self.said += data
                    target.sendall(data)
            except OSError:
                pass  # the other half has ended

    def replay(self):
        """Says it all again over a connection of its own; waits until the broker ends that."""
        with socket.create_connection(self._broker) as again:
            again.settimeout(PATIENCE_MS / 1000)
            try:
                again.sendall(self.said)
                while again.recv(65536):
                    pass
            except (ConnectionResetError, BrokenPipeError):
                pass
