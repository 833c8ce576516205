#!/usr/bin/python3
"""keyed_peers.py ENDPOINT TROUBLE FOLDER: peers that speak well and mean ill, over CURVE where
they have a key. FOLDER has the keys of everybody (keys.py). Says `{"event": "ready"}` after the
first turn and goes on until it is killed, as fast as it can.

Troubles: no_key, wrong_broker and unlisted (that are not let in), revoked (whose key is taken out
while it talks), wrong_role (a producer that says what workers, sinks and operators say), forged
(one that has the sources and ids of another), lies (a worker with leases and tokens of its own
making), greedy (a producer over its limit), replay (what a worker said, said again byte for byte).
"""
import json
import pathlib
import sys

from keys import Keys, Peer, Recorder
from ledger import source_digest

AT_ONCE = 8
MANY = 200
FOREIGN = source_digest("witness")


def task(source, number, digest=None):
    return {"id": f"{digest or source_digest(source)}-1-{number}", "source": source,
            "task": b"\x80", "detectors": ["stub"], "frames": 1}


class Trouble:
    def __init__(self, endpoint, folder):
        self.endpoint, self.folder = endpoint, folder
        self.broker = Keys.pair(folder / "broker.pub")[0]

    def key(self, name):
        return Keys.pair(self.folder / f"{name}.key")

    def peer(self, name):
        return Peer(self.endpoint, self.key(name), self.broker)

    def over_and_over(self, turn):
        turn()
        print(json.dumps({"event": "ready"}), flush=True)
        while True:
            turn()

    def _knock(self, *keys):
        """Some at once, each until its connection is ended."""
        peers = [Peer(self.endpoint, *keys) for _ in range(AT_ONCE)]
        for peer in peers:
            peer.knock()
        for peer in peers:
            with peer:
                peer.until_closed()

    def no_key(self):
        self.over_and_over(self._knock)

    def wrong_broker(self):
        self.over_and_over(lambda: self._knock(self.key("gate"), self.key("stranger")[0]))

    def unlisted(self):
        self.over_and_over(lambda: self._knock(self.key("stranger"), self.broker))

    def revoked(self):
        with self.peer("retired") as peer:
            peer.hello("producer", sources=[{"name": "retired", "epoch": 1}])
            peer.hear("welcome")

            def babble():
                for _ in range(MANY):
                    peer.say("heartbeat", incarnation=1)

            self.over_and_over(babble)

    def _refused(self, name, *says):
        for say in says:
            with self.peer(name) as peer:
                say(peer)
                peer.hear("refused")

    def wrong_role(self):
        lease = {"id": f"{FOREIGN}-1-0", "lease": [1, 1]}
        self.over_and_over(lambda: self._refused(
            "gate",
            lambda peer: peer.hello("worker", slots=9, detectors=["stub"]),
            lambda peer: peer.hello("sink", store="x"),
            lambda peer: peer.say("result", b"x", tasks=[
                {**lease, "token": b"", "elapsed_us": 1, "frames": 1}]),
            lambda peer: peer.say("stored", tasks=[{"id": lease["id"], "status": "ok"}]),
            lambda peer: peer.say("control", asker=1, verb="dead_purge")))

    def forged(self):
        """Its ids are refused one by one, its claims end the connection."""
        ids = [f"{FOREIGN}-1-{number}" for number in range(MANY)]

        def turn():
            with self.peer("gate") as peer:
                peer.hello("producer", sources=[{"name": "yard", "epoch": 1}])
                peer.hear("welcome")
                peer.say("ask", tasks=ids)
                peer.hear("known")
                for number in range(MANY):
                    peer.say("submit", b"x", tasks=[task("yard", number, FOREIGN)])
                peer.hear("reject", "refused")
            self._refused("gate", lambda peer: peer.hello(
                "producer", sources=[{"name": "witness", "epoch": 2}]))

        self.over_and_over(turn)

    def lies(self):
        def leases(peer):
            # By the name of one that has leases.
            peer.hello("worker", name="w1", slots=0, detectors=["stub"])
            now = peer.hear("welcome")["incarnation"]
            return ({"id": f"{FOREIGN}-1-{number}", "lease": [now, number]}
                    for number in range(MANY))

        def vouch(peer):
            for lease in leases(peer):
                peer.say("result", b"x", tasks=[
                    {**lease, "token": bytes(32), "elapsed_us": 1, "frames": 1}])

        def turn():
            self._refused("w2", vouch)
            with self.peer("w2") as peer:
                held = list(leases(peer))
                for lease in held:
                    peer.say("nack", **lease, reason="not_a_picture")
                peer.say("heartbeat", incarnation=held[0]["lease"][0],
                         leases=[lease["lease"] for lease in held])
                peer.hear("stale")

        self.over_and_over(turn)

    def greedy(self):
        numbers = iter(range(1 << 40))
        with self.peer("gate") as peer:
            peer.hello("producer", sources=[{"name": "lawn", "epoch": 1}])
            peer.hear("welcome")

            def turn():
                for _ in range(MANY):
                    peer.say("submit", b"x", tasks=[task("lawn", next(numbers))])
                peer.hear("busy")

            self.over_and_over(turn)

    def replay(self):
        recorder = Recorder(self.endpoint)
        with Peer(recorder.endpoint, self.key("w2"), self.broker) as peer:
            peer.hello("worker", slots=0, detectors=["stub"])
            peer.hear("welcome")
            peer.say("goodbye")
            peer.hear("goodbye")
        self.over_and_over(recorder.replay)


if __name__ == "__main__":
    trouble = Trouble(sys.argv[1], pathlib.Path(sys.argv[3]))
    getattr(trouble, sys.argv[2])()
