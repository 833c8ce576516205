"""No workers, and far more is offered than the broker may hold: its memory stays under the cap, and
nothing that it admitted is missing when workers come.

FLOOD_BYTES and FLOOD_BACKLOG say how much is offered and held. The whole of it, run once:
FLOOD_BYTES=5000000000 FLOOD_BACKLOG=268435456 python3 memory_test.py"""
import os
import pathlib
import sys
import unittest

from fleet import Fleet
from process import Process

OFFERED = int(os.environ.get("FLOOD_BYTES", 256 << 20))
BACKLOG_MAX = int(os.environ.get("FLOOD_BACKLOG", 32 << 20))
OVERHEAD_MAX = 64 << 20
LONG = 3600  # of patience: for the whole of it
PRODUCER = pathlib.Path(__file__).with_name("flood.py")


class MemoryTest(unittest.TestCase):
    def flood(self, transport, payload_bytes):
        with Fleet(transport) as fleet:
            # With patience: nobody is to be missed here, however busy the machine is.
            broker = fleet.broker("--backlog-bytes-max", f"{BACKLOG_MAX}B", "--peer-timeout", "60s",
                                  "--lease-duration", "60s")
            fleet.sink().until_ready()
            with broker.watch_memory() as memory:
                flood = Process("flood.py", [sys.executable, "-B", PRODUCER, fleet.endpoint,
                                             OFFERED, payload_bytes])
                fleet.processes.append(flood)
                flood.until_event(lambda event: event["event"] == "offered", "all is offered", LONG)
                offered, held = flood.event("offered"), memory.most
                backlog = fleet.show("status")["backlog_bytes"]
                for name in ("w1", "w2"):
                    fleet.worker(name, "--slots", "2")
                self.assertEqual(flood.exit_code(LONG), 0, flood.text())
                end = fleet.close_books(flood)
            print(f"{transport}, {payload_bytes} bytes: {offered['bytes'] / 1e9:.2f} GB in"
                  f" {offered['offers']} offers, {offered['busy']} of them busy,"
                  f" {offered['seconds']:.0f} s; admitted {offered['admitted']}, backlog"
                  f" {backlog / 2**20:.1f} MiB; RssAnon at most {held / 2**20:.1f} MiB, and"
                  f" {memory.most / 2**20:.1f} MiB with workers, of {memory.count} samples")
            self.assertGreaterEqual(offered["bytes"], OFFERED)
            self.assertGreater(backlog, BACKLOG_MAX * 3 // 4, "it was not full")
            self.assertLess(memory.most, BACKLOG_MAX + OVERHEAD_MAX)
            self.assertEqual(end["ok"], offered["admitted"])

    def test_small_pictures_over_ipc(self):
        self.flood("ipc", 1_000)

    def test_small_pictures_over_tcp(self):
        self.flood("tcp", 1_000)

    def test_large_pictures_over_ipc(self):
        self.flood("ipc", 100_000)

    def test_large_pictures_over_tcp(self):
        self.flood("tcp", 100_000)


if __name__ == "__main__":
    unittest.main()
