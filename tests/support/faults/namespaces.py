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
    except subprocess.CalledProcessError as error:
        return f"not permitted: {' '.join(error.cmd)}: {error.stderr.strip()}"
    return ""


class Cable:
    """A peer's own network and its one way out."""

    def __init__(self, number, subnet):
        self.name = f"framefleet-{os.getpid()}-{number}"
        self.outside = f"ff{os.getpid()}x{number}"  # at most 15 characters
        self.subnet = subnet
        self.address = f"{subnet}.{number + 2}"
        self.launcher = ("nsenter", f"--net=/run/netns/{self.name}")

    def lay(self):
        ip("netns", "add", self.name)
        ip("link", "add", self.outside, "type", "veth", "peer", "name", "out", "netns", self.name)
        ip("address", "add", f"{self.subnet}.1/32", "dev", self.outside)
        ip("link", "set", self.outside, "up")
        ip("route", "add", f"{self.address}/32", "dev", self.outside, "src", f"{self.subnet}.1")
        ip("-netns", self.name, "address", "add", f"{self.address}/24", "dev", "out")
        ip("-netns", self.name, "link", "set", "lo", "up")
        ip("-netns", self.name, "link", "set", "out", "up")

    def remove(self):
        for words in (("link", "delete", self.outside), ("netns", "delete", self.name)):
            with contextlib.suppress(subprocess.CalledProcessError):
                ip(*words)

    def _inside(self, *words):
        subprocess.run([*self.launcher, *words], check=True, capture_output=True, text=True)

    def _drop(self, chain, *which):
        way = "-i" if chain == "PREROUTING" else "-o"
        self._inside("iptables", "-w", "-t", "mangle", "-A", chain, way, "out", *which,
                     "-j", "DROP")

    def cut_to_peer(self):
        """Nothing arrives at the peer any more."""
        self._drop("PREROUTING")

    def cut_to_broker(self):
        """Nothing of the peer arrives anywhere any more."""
        self._drop("POSTROUTING")

    def cut(self):
        self.cut_to_peer()
        self.cut_to_broker()

    def lose(self, share):
        """A packet in so many is lost, in each direction by itself."""
        which = ("-m", "statistic", "--mode", "random", "--probability", str(share))
        self._drop("PREROUTING", *which)
        self._drop("POSTROUTING", *which)

    def throttle(self, rate):
        """Bits a second, as tc writes them ("10mbit"), in each direction by itself."""
        bucket = ("root", "tbf", "rate", rate, "burst", "32kbit", "latency", "400ms")
        self._inside("tc", "qdisc", "replace", "dev", "out", *bucket)
        subprocess.run(["tc", "qdisc", "replace", "dev", self.outside, *bucket], check=True,
                       capture_output=True, text=True)

    def heal(self):
        self._inside("iptables", "-w", "-t", "mangle", "-F")
        for inside, device in ((self.launcher, "out"), ((), self.outside)):
            subprocess.run([*inside, "tc", "qdisc", "delete", "dev", device, "root"], check=False,
                           capture_output=True)  # there may be none


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
