"""Network namespaces: each peer of a broker gets a network of its own, with a cable that can be
cut. Needs root, `ip` and `iptables`; why_not() says what is missing.

    with Network(("worker", "sink")) as network:
        network["worker"].cut()
        network["worker"].heal()

The broker listens on `network.address`, a peer is started with `launcher=network[name].launcher`.
Names and addresses hold the id of this process, so that tests beside each other do not meet.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess

SUBNETS = 1 << 9  # of 256 addresses each, in 198.18.0.0/15, which is kept for tests of networks


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def why_not():
    """Why there are no networks here; "" where there are."""
    missing = [tool for tool in ("ip", "iptables", "tc", "nsenter") if not shutil.which(tool)]
    if missing:
        return f"not installed: {' '.join(missing)}"
    try:
        with Network(("probe",)) as network:
            network["probe"].lose(0.05)
            network["probe"].throttle("10mbit")
    except subprocess.CalledProcessError as error:
        return f"not permitted: {' '.join(error.cmd)}: {error.stderr.strip()}"
    return ""


def inside(name):
    """Words before a command that is to run in this namespace."""
    return ("nsenter", f"--net=/run/netns/{name}")


def sweep():
    """Removes what tests that were killed have left; their cables go with it."""
    for path in pathlib.Path("/run/netns").glob("framefleet-*"):
        if not pathlib.Path("/proc", path.name.split("-")[1]).exists():
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "delete", path.name)


class Cable:
    """A peer's own network, and between it and ours a router with a network of its own: there the
    faults happen. (A packet that is dropped where it was sent tells its sender, who tries again at
    once; behind a cable that is cut TCP waits ever longer.)"""

    def __init__(self, number, subnet):
        name = f"framefleet-{os.getpid()}-{number}"
        self.peer, self.router = f"{name}-peer", f"{name}-router"
        self.outside = f"ff{os.getpid()}x{number}"  # at most 15 characters
        self.ours = f"{subnet}.1"
        self.gateway, self.address = f"{subnet}.{2 * number + 2}", f"{subnet}.{2 * number + 3}"
        self.launcher = inside(self.peer)

    def lay(self):
        for name in (self.peer, self.router):
            ip("netns", "add", name)
        ip("link", "add", self.outside, "type", "veth", "peer", "name", "north",
           "netns", self.router)
        ip("-netns", self.router, "link", "add", "south", "type", "veth", "peer", "name", "out",
           "netns", self.peer)
        ip("link", "set", self.outside, "up")
        ip("address", "add", f"{self.ours}/32", "dev", self.outside)
        ip("route", "add", f"{self.gateway}/32", "dev", self.outside, "src", self.ours)
        ip("route", "add", f"{self.address}/32", "via", self.gateway, "src", self.ours)
        for name, device, address in ((self.router, "north", self.gateway),
                                      (self.router, "south", self.gateway),
                                      (self.peer, "out", self.address)):
            ip("-netns", name, "address", "add", f"{address}/32", "dev", device)
            ip("-netns", name, "link", "set", device, "up")
        ip("-netns", self.router, "route", "add", f"{self.ours}/32", "dev", "north")
        ip("-netns", self.router, "route", "add", f"{self.address}/32", "dev", "south")
        ip("-netns", self.peer, "link", "set", "lo", "up")
        ip("-netns", self.peer, "route", "add", f"{self.gateway}/32", "dev", "out")
        ip("-netns", self.peer, "route", "add", "default", "via", self.gateway)
        self._route("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")

    def remove(self):
        for words in (("link", "delete", self.outside), ("netns", "delete", self.peer),
                      ("netns", "delete", self.router)):
            with contextlib.suppress(subprocess.CalledProcessError):
                ip(*words)

    def _route(self, *words, check=True):
        subprocess.run([*inside(self.router), *words], check=check, capture_output=True, text=True)

    def _drop(self, device, *which):
        """What came by this device."""
        self._route("iptables", "-w", "-A", "FORWARD", "-i", device, *which, "-j", "DROP")

    def cut_to_peer(self):
        """Nothing arrives at the peer any more."""
        self._drop("north")

    def cut_to_broker(self):
        """Nothing of the peer arrives anywhere any more."""
        self._drop("south")

    def cut(self):
        self.cut_to_peer()
        self.cut_to_broker()

    def lose(self, share):
        """A packet in so many is lost, in each direction by itself."""
        for device in ("north", "south"):
            self._drop(device, "-m", "statistic", "--mode", "random", "--probability", str(share))

    def throttle(self, rate):
        """Bits a second, as tc writes them ("10mbit"), in each direction by itself."""
        for device in ("north", "south"):
            self._route("tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", rate,
                        "burst", "32kbit", "latency", "400ms")

    def heal(self):
        self._route("iptables", "-w", "-F", "FORWARD")
        for device in ("north", "south"):
            self._route("tc", "qdisc", "delete", "dev", device, "root", check=False)  # if any


class Network:
    """A cable for each name, laid on entering and removed on leaving, also where laying fails."""

    def __init__(self, names):
        number = os.getpid() % SUBNETS
        subnet = f"198.{18 + number // 256}.{number % 256}"
        self.address = f"{subnet}.1"  # of this side, the same for all
        self._cables = {name: Cable(place, subnet) for place, name in enumerate(names)}

    def __getitem__(self, name):
        return self._cables[name]

    def __enter__(self):
        sweep()
        try:
            for cable in self._cables.values():
                cable.lay()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for cable in self._cables.values():
            cable.remove()
