"""`framefleet keys` and the broker that it is for: new, allow, connect, the limits of a key, its
sources, rotate, revoke, out. What operators do meanwhile is written down."""
import json
import shutil
import subprocess
import unittest

from fleet import BIN, Fleet
from keys import Keys, KeyedFleet
from process import PATIENCE, eventually

BUSY = 'framefleet_broker_busy_answers_total{reason="%s"}'
REFUSED = 'framefleet_broker_refused_peers_total{reason="%s"}'


def keys(*words, exit_code=0):
    ended = subprocess.run([BIN / "framefleet", "keys", *map(str, words)], capture_output=True,
                           stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, check=False)
    if ended.returncode != exit_code:
        raise AssertionError(f"framefleet keys {words} ended with {ended.returncode}, not"
                             f" {exit_code}: {ended.stdout}{ended.stderr}")
    return ended.stdout


class CommandKeys(Keys):
    """As the command makes and edits them."""

    def __init__(self, folder):  # pylint: disable=super-init-not-called
        self.broker, self.peers = folder / "broker-keys", folder / "keys"
        self.peers.mkdir(mode=0o700)
        self.known = self.peers / "broker.pub"
        keys("new", "--keys", self.broker)
        self.tell()

    def tell(self):
        shutil.copy(self.broker / "broker.pub", self.known)

    def allow(self, name, *roles, **limits):
        if not self.file(name).exists():
            keys("new", self.file(name))
        given = [f"--{limit.replace('_', '-')}={value}" for limit, value in limits.items()]
        keys("allow", name, "--roles", ",".join(roles), "--public", self.peers / f"{name}.pub",
             "--keys", self.broker, "--replace", *given)

    def revoke(self, name):
        keys("revoke", name, "--keys", self.broker, exit_code=64)  # nobody is there to say yes
        keys("revoke", name, "--keys", self.broker, "--yes")


class CommandedFleet(KeyedFleet):
    def __init__(self):
        Fleet.__init__(self, transport="tcp")
        self.keys = CommandKeys(self.folder)


def source(name):
    return f"synthetic:?count=100000&size=200x200&camera=1&name={name}"


class KeysCommandTest(unittest.TestCase):
    def test_from_a_new_key_to_one_that_is_out(self):
        with CommandedFleet() as fleet:
            for name in ("sink", "w1", "producer"):
                fleet.keys.allow(name, "worker" if name == "w1" else name)
            audit = fleet.folder / "audit.ndjson"
            broker = fleet.broker("--audit", audit)
            fleet.sink().until_ready()
            worker = fleet.worker("w1", "--slots", 1)
            worker.until_ready()
            producer = fleet.producer(source("front"), detect="markers")
            producer.until_counted("ok", 5)

            self.limits_count_at_once(fleet, broker)
            self.another_key_has_no_part_in_it(fleet, broker)
            self.a_worker_is_revoked_and_allowed_again(fleet, worker)
            self.keys_are_rotated(fleet)
            fleet.operate("cancel", "nothing", "--yes", exit_code=66)
            self.assertEqual([(row["verb"], row["result"])
                              for row in map(json.loads, audit.read_text().splitlines())],
                             [("cancel_job", "asked"), ("cancel_job", "not_found")])

            fleet.keys.revoke("producer")
            eventually(lambda: fleet.show("status")["producers"] == 0, "the producer is out")
            # One that was just speaking may be cut off before it has heard why.
            eventually(lambda: not producer.running() or producer.logged("connection_failed"),
                       "it knows that it is out")
            listed = json.loads(keys("list", "--json", "--keys", fleet.keys.broker))["allowed"]
            self.assertEqual([row["identity"] for row in listed], ["sink", "thief", "w1", "w2"])

    def limits_count_at_once(self, fleet, broker):
        """A second producer with the same key is within the same rate."""
        fleet.keys.allow("producer", "producer", tasks_per_second=5)
        eventually(lambda: broker.metrics()[BUSY % "key_task_rate"] > 3, "it has to wait")
        fleet.keys.allow("producer", "producer", unsettled_max=100)

    def another_key_has_no_part_in_it(self, fleet, broker):
        fleet.keys.allow("thief", "producer")
        thief = fleet.start("thief", "framefleet-producer", "--connect", fleet.endpoint,
                            *fleet.keys.options("thief"), "--detect", "markers", "--metrics-listen",
                            "", source("front"))
        self.assertEqual(thief.exit_code(), 69)
        eventually(lambda: broker.metrics().get(REFUSED % "foreign_source") == 1, "it is counted")
        rows = fleet.show("sources")["sources"]
        self.assertEqual([row["name"].endswith("/front") and row["owner"] != "" for row in rows],
                         [True])

    def a_worker_is_revoked_and_allowed_again(self, fleet, worker):
        fleet.keys.revoke("w1")
        eventually(lambda: fleet.show("status")["workers"] == 0, "the worker is out")
        worker.kill()
        fleet.keys.allow("w1", "worker")
        fleet.worker("w1", "--slots", 1).until_ready()

    def keys_are_rotated(self, fleet):
        keys("rotate", "w1", "--keys", fleet.keys.broker, "--key", fleet.keys.file("w1"))
        eventually(lambda: fleet.show("status")["workers"] == 0, "the old key is out")
        for worker in fleet.named("worker"):
            worker.kill()
        fleet.worker("w1", "--slots", 1).until_ready()
        keys("rotate", "--broker", "--keys", fleet.keys.broker)
        old, _ = json.loads(keys("list", "--json", "--keys", fleet.keys.broker))["broker"]
        keys("rotate", "--broker", "--finish", "--keys", fleet.keys.broker)
        fleet.keys.tell()
        self.assertNotIn(old, fleet.keys.known.read_text())
        fleet.keys.allow("w2", "worker")
        fleet.worker("w2", "--slots", 1).until_ready()


if __name__ == "__main__":
    unittest.main(verbosity=2)
