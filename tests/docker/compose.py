"""The fleet of compose.yaml under test, with what a test asks of it: containers, processes, the
broker's documents, the store, Prometheus. Nothing here sleeps to wait."""
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "tests/e2e"), str(TREE / "tests/monitoring")]

import ledger  # noqa: E402
from process import PATIENCE, children_of, command_of, eventually  # noqa: E402

PROJECT = "framefleet-test"
FILES = ("compose.yaml", "compose.ci.yaml")
OPERATIONS = TREE / "docs/OPERATIONS.md"


def run(*words, timeout=PATIENCE, **options):
    """Of a command that must succeed, what it says."""
    ended = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, timeout=timeout,
                           capture_output=True, text=True, check=False, **options)
    if ended.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))} ended with {ended.returncode}:\n"
                             f"{ended.stdout}{ended.stderr}")
    return ended.stdout.strip()


class Ends:
    """Exit codes of containers as they end, by container id: a container that is scaled away takes
    its exit code with it."""

    def __init__(self):
        self._log = tempfile.NamedTemporaryFile()
        self._events = subprocess.Popen(
            ["docker", "events", "--filter", "type=container", "--filter", "event=die",
             "--format", "{{json .Actor}}"], stdin=subprocess.DEVNULL, stdout=self._log)

    def codes(self):
        """What has ended so far: {id: [exit codes]}."""
        found = collections.defaultdict(list)
        for line in pathlib.Path(self._log.name).read_text(encoding="utf-8").splitlines():
            actor = json.loads(line)
            found[actor["ID"]].append(int(actor["Attributes"]["exitCode"]))
        return found

    def close(self):
        self._events.terminate()
        self._events.wait(PATIENCE)
        self._log.close()


class Container:
    def __init__(self, fleet, identity):
        self.fleet, self.id = fleet, identity

    def inspected(self):
        return json.loads(run("docker", "inspect", self.id))[0]

    def _inspect(self, field):
        return run("docker", "inspect", "-f", f"{{{{{field}}}}}", self.id)

    @property
    def name(self):
        """As other containers see it, and as the broker calls a worker's machine."""
        return self._inspect(".Config.Hostname")

    def running(self):
        return self._inspect(".State.Running") == "true"

    def restarts(self):
        return int(self._inspect(".RestartCount"))

    def healthy(self):
        return self._inspect(".State.Health.Status") == "healthy"

    def exit_code(self, timeout=PATIENCE):
        return int(run("docker", "wait", self.id, timeout=timeout))

    def address(self):
        return self._inspect(f'(index .NetworkSettings.Networks "{PROJECT}_fleet").IPAddress')

    def host_pid(self):
        """Of its program: the first process is the init that compose puts in front of it."""
        init = int(self._inspect(".State.Pid"))
        return next(pid for pid in children_of(init) if command_of(pid) != "docker-init")

    def status(self):
        """What the kernel says of its program: /proc/PID/status, by field."""
        text = pathlib.Path(f"/proc/{self.host_pid()}/status").read_text(encoding="utf-8")
        return {name: value.strip() for name, _, value in
                (line.partition(":") for line in text.splitlines())}

    def kill_from_host(self):
        """As the kernel or a crash would: docker's own kill would keep it from being restarted."""
        os.kill(self.host_pid(), signal.SIGKILL)

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.address()}:9100{path}", timeout=10) as answer:
            return answer.read().decode()

    def metrics(self):
        """Values by name with labels as they are printed, and sums by name."""
        values = collections.Counter()
        for line in self.get("/metrics").splitlines():
            key, _, value = line.rpartition(" ")
            if not line.startswith("#"):
                values[key] = float(value)
                if "{" in key:
                    values[key.partition("{")[0]] += float(value)
        return values

    def cut_off(self, cut=True):
        """All its packets are dropped, and nobody is told."""
        init = self._inspect(".State.Pid")
        for chain in ("INPUT", "OUTPUT"):
            run("nsenter", "-t", init, "-n", "iptables", "-A" if cut else "-D", chain, "-j", "DROP")

    def execute(self, *words):
        """A program inside of it, however that ends."""
        return subprocess.run(["docker", "exec", self.id, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def logs(self):
        told = subprocess.run(["docker", "logs", self.id], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        return told.stdout + told.stderr

    def logged(self, event):
        """Fields of its last log line of this event."""
        lines = [line for line in self.logs().splitlines() if f" {event} " in line]
        return dict(re.findall(r"(\w+)=(\S+)", lines[-1])) if lines else None


class Fleet:
    def __init__(self, **environment):
        self.environment = {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, **environment}
        self.ends = Ends()
        self._store = None
        self._followed = collections.Counter()  # of the documents, by section
        self._prometheus = None  # its address: another one after it was started anew

    def compose(self, *words, timeout=180):
        files = [word for name in FILES for word in ("-f", TREE / name)]
        return run("docker", "compose", "--progress", "quiet", *files, *words,
                   timeout=timeout, env=self.environment, cwd=TREE)

    def up(self, workers=1, services=()):
        self.compose("up", "-d", "--wait", "--no-build", "--no-recreate",
                     "--scale", f"worker={workers}", *services)

    def scale(self, workers):
        """As a user does it. Returns the ids of the workers that were there before."""
        before = {worker.id for worker in self.containers("worker")}
        self.up(workers, ("worker",))
        return before

    def close(self):
        self.compose("--profile", "*", "down", "-v", "-t", "10", "--remove-orphans")
        self.ends.close()

    # --- its parts ----------------------------------------------------------------------------

    def containers(self, service):
        return [Container(self, identity)
                for identity in self.compose("ps", "-q", "--no-trunc", service).split()]

    def container(self, service):
        found = self.containers(service)
        assert len(found) == 1, f"{len(found)} containers of {service}"
        return found[0]

    def start(self, service, *arguments):
        """A container of its own of a service; it stays when it has ended."""
        name = f"{PROJECT}-{service}-{os.urandom(4).hex()}"
        self.compose("run", "-d", "--no-deps", "--name", name, service, *arguments)
        return Container(self, run("docker", "inspect", "-f", "{{.Id}}", name))

    def operate(self, *words):
        return self.compose("exec", "-T", "broker", "framefleet", *words)

    def show(self, *words):
        return json.loads(self.operate(*words, "--json"))

    # --- what it has done ---------------------------------------------------------------------

    @property
    def store(self):
        if self._store is None:
            volume = run("docker", "volume", "inspect", "-f", "{{.Mountpoint}}", f"{PROJECT}_store")
            self._store = ledger.Store(volume)
        return self._store

    def broker_books(self):
        return ledger.Broker(self.container("broker").metrics(),
                             *(self.show(verb) for verb in ("status", "sources", "jobs")))

    def check_books(self):
        """When all has ended: the broker's accounts against the store, to the unit."""
        def at_rest():
            books = self.broker_books()
            return books if books.at_rest() else None
        eventually(at_rest, "the broker has told of the last task", 60).check(self.store, True)

    def _ask_prometheus(self, verb, **parameters):
        self._prometheus = self._prometheus or self.compose("port", "prometheus", "9090")
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"http://{self._prometheus}/api/v1/{verb}?{query}",
                                    timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def prometheus(self, expression):
        """The values of an instant query."""
        return [float(row["value"][1]) for row in self._ask_prometheus("query", query=expression)]

    def prometheus_had(self, expression, since):
        """The rows that an expression has had at some moment since then, by the wall clock."""
        return self._ask_prometheus("query_range", query=expression, start=since, end=time.time(),
                                    step=5)

    # --- what the documents say -----------------------------------------------------------------

    def follow(self, section, replaced=(), **environment):
        """Does what docs/OPERATIONS.md tells an operator to type in a section: its first commands
        that have not been followed. `replaced`: (text, by what) for this machine's paths."""
        rest = OPERATIONS.read_text(encoding="utf-8").partition(f"\n### {section}\n")[2]
        blocks = re.findall(r"^```sh\n(.*?)^```$", rest.partition("\n### ")[0],
                            re.MULTILINE | re.DOTALL)
        self._prometheus = None
        commands = blocks[self._followed[section]]
        self._followed[section] += 1
        for text, other in (("framefleet_", f"{PROJECT}_"), *replaced):
            commands = commands.replace(text, str(other))
        return run("sh", "-euc", commands, timeout=300, cwd=TREE,
                   env={**self.environment, "COMPOSE_FILE": ":".join(FILES), **environment})

    def print_all(self):
        print(self.compose("ps", "-a"))
        print(self.compose("logs", "--no-color", "--tail", "40"))


def missing_parts():
    """Why this machine cannot run the tests; nothing where it can."""
    for program in ("docker", "nsenter", "iptables"):
        if not shutil.which(program):
            return f"no {program} here"
    return "" if os.geteuid() == 0 else "not root: processes of containers cannot be killed"
