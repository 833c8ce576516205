"""Producer, worker and sink are cut off from the broker, one after the other, in every way that a
network has; each time the fleet must go on when it heals. In the end nothing is lost and nothing is
there twice. The time from each heal to the first progress is printed (5 s are wanted).

PARTITION_KIND: proxy or namespaces. PARTITION_ROLES, PARTITION_FAULTS: these alone, separated by
commas. PARTITION_SECONDS: how long each cut lasts (4: more than the default peer_timeout).
PARTITION_ROUNDS: how often all of it."""
import os
import threading
import time
import unittest

from fleet import Fleet
import namespaces
from proxy import Proxy

KIND = os.environ.get("PARTITION_KIND", "proxy")
ROLES = os.environ.get("PARTITION_ROLES", "producer,worker,sink").split(",")
SECONDS = float(os.environ.get("PARTITION_SECONDS", 4))
ROUNDS = int(os.environ.get("PARTITION_ROUNDS", 1))
HANG = 60  # seconds from a heal to the first progress that are a hang, on whatever machine
RESET_INTERVAL = 0.2
DETECT = "markers,stub?sleep=20ms"


def last(seconds):
    threading.Event().wait(seconds)  # that long is what it lasts


# --- what a proxy does ----------------------------------------------------------------------------

def stall(proxy):
    proxy.to_broker.stalled = proxy.to_peer.stalled = True
    last(SECONDS)


def stall_to_broker(proxy):
    proxy.to_broker.stalled = True
    last(SECONDS)


def stall_to_peer(proxy):
    proxy.to_peer.stalled = True
    last(SECONDS)


def swallow(proxy):
    proxy.to_broker.swallows = proxy.to_peer.swallows = True
    last(SECONDS)


def half_open(proxy):
    proxy.half_open = True
    proxy.reset()
    last(SECONDS)


def reset_storm(proxy):
    for _ in range(int(SECONDS / RESET_INTERVAL)):
        proxy.reset()
        last(RESET_INTERVAL)


def slow(proxy):
    proxy.to_broker.delay = proxy.to_peer.delay = 0.1
    proxy.to_broker.bits_a_second = proxy.to_peer.bits_a_second = 10_000_000
    last(SECONDS)


# --- what a network of one's own does -------------------------------------------------------------

def cut(cable):
    cable.cut()
    last(SECONDS)


def cut_to_broker(cable):
    cable.cut_to_broker()
    last(SECONDS)


def cut_to_peer(cable):
    cable.cut_to_peer()
    last(SECONDS)


def loss_of_5_percent(cable):
    cable.lose(0.05)
    last(SECONDS)


def ten_megabits(cable):
    cable.throttle("10mbit")
    last(SECONDS)


FAULTS = {"proxy": (stall, stall_to_broker, stall_to_peer, swallow, half_open, reset_storm, slow),
          "namespaces": (cut, cut_to_broker, cut_to_peer, loss_of_5_percent, ten_megabits)}
CHOSEN = os.environ.get("PARTITION_FAULTS", "")


class PartitionTest(unittest.TestCase):
    @unittest.skipUnless(KIND == "proxy", "PARTITION_KIND says otherwise")
    def test_a_fleet_goes_on_behind_every_proxy(self):
        with Fleet("tcp") as fleet:
            self.start_broker(fleet)
            endpoint = fleet.endpoint
            with Proxy(endpoint) as sink, Proxy(endpoint) as worker, Proxy(endpoint) as producer:
                fleet.endpoint = sink.endpoint
                fleet.sink().until_ready()
                fleet.endpoint = worker.endpoint
                self.start_worker(fleet)
                fleet.endpoint = producer.endpoint
                self.suffer(fleet, self.start_producer(fleet),
                            {"producer": producer, "worker": worker, "sink": sink})

    @unittest.skipUnless(KIND == "namespaces", "PARTITION_KIND says otherwise")
    def test_a_fleet_goes_on_over_every_cable(self):
        if reason := namespaces.why_not():
            print(f"SKIPPED: {self.id()}: no network namespaces here: {reason}")
            self.skipTest(reason)
        roles = ("producer", "worker", "sink")
        with namespaces.Network(roles) as network, Fleet(f"tcp://{network.address}:0") as fleet:
            self.start_broker(fleet, "--insecure")
            fleet.sink(launcher=network["sink"].launcher).until_log("store_open")
            self.start_worker(fleet, launcher=network["worker"].launcher)
            producer = self.start_producer(fleet, launcher=network["producer"].launcher)
            self.suffer(fleet, producer, {role: network[role] for role in roles})

    @staticmethod
    def start_broker(fleet, *arguments):
        # A picture may be handed out again as often as the network takes it away.
        fleet.broker("--lost-attempts-max", "100", "--retry-delay-max", "200ms", *arguments)

    @staticmethod
    def start_worker(fleet, **options):
        fleet.worker("w1", "--slots", "2", **options).until_log("broker_up")

    @staticmethod
    def start_producer(fleet, **options):
        producer = fleet.producer("synthetic:?count=0&fps=30&size=240x200", detect=DETECT,
                                  **options)
        producer.until_counted("ok", 20)
        return producer

    def suffer(self, fleet, producer, lines):
        """Each fault on each line in turn."""
        for fault in FAULTS[KIND] * ROUNDS:
            if CHOSEN and fault.__name__ not in CHOSEN.split(","):
                continue
            for role in ROLES:
                fault(lines[role])
                lines[role].heal()
                healed = time.monotonic()
                stored = self.told(producer)
                producer.until_counted("ok", stored + 1, HANG)
                print(f"{role}, {fault.__name__} for {SECONDS:g} s: progress"
                      f" {time.monotonic() - healed:.2f} s after the heal", flush=True)
        # All have healed; whoever was cut off last is waited for by what it must still bring.
        producer.until_counted("ok", self.told(producer) + 50)
        producer.terminate()
        fleet.close_books(producer)
        self.assertEqual(set(fleet.store.by_status()), {"ok"})
        print(f"{fleet.store.ends()} stored once")

    @staticmethod
    def told(producer):
        """How many pictures the producer has heard to be stored: through all that was cut."""
        return max(event.get("ok", 0) for event in producer.events)


if __name__ == "__main__":
    unittest.main(verbosity=2)
