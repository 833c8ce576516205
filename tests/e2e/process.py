"""A process of ours under test: what it says is kept and can be waited for.

Nothing here sleeps to wait: a log line, an event, an answer of /readyz or an end is waited for,
under a limit that fails the test. Times are seconds.
"""
import http.client
import json
import os
import shlex
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

PATIENCE = 60  # for things that take a second on an idle machine
POLL_INTERVAL = 0.02


def eventually(check, what, timeout=PATIENCE):
    """Asks `check` again and again until it gives something true, and returns that."""
    give_up_at = time.monotonic() + timeout
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > give_up_at:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(POLL_INTERVAL)


def stat_of(pid):
    """The fields of /proc/PID/stat from the state on; None when the process has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def state_of(pid):
    """"S", "Z", …; None when there is no trace of the process."""
    fields = stat_of(pid)
    return fields and fields[0]


def has_ended(pid):
    """Whether nothing of it runs any more, be it reaped or not. A process that was killed is called
    a zombie while other threads of it are still on their way out of a write."""
    fields = stat_of(pid)
    return fields is None or (fields[0] == "Z" and int(fields[17]) <= 1)


def exists(pid):
    """Whether there is such a process, be it one that has ended and is not reaped."""
    return stat_of(pid) is not None


def command_of(pid):
    """The name of its program, in 15 characters; None when it has ended, reaped or not."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().rstrip("\n") if state_of(pid) != "Z" else None
    except OSError:
        return None


def children_of(pid):
    """Ids of all processes that descend from `pid`, nearest first."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        fields = stat_of(entry)
        if fields:
            parents[int(entry)] = int(fields[1])
    found, at = [pid], 0
    while at < len(found):
        found += [child for child, parent in parents.items() if parent == found[at]]
        at += 1
    return found[1:]


class MemoryWatch(threading.Thread):
    """Looks at a process's own memory (RssAnon) all the time, from `with` to its end: the most
    there was, in bytes, and how often it was looked at."""

    INTERVAL = 0.01

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.count = pid, 0, 0
        self._stopped = threading.Event()

    def run(self):
        while not self._stopped.wait(self.INTERVAL):
            size = memory_of(self.pid, "RssAnon")
            if size is None:
                return  # it has ended
            self.most, self.count = max(self.most, size), self.count + 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self.join()


def memory_of(pid, field):
    """A size of /proc/PID/status, in bytes; None when the process has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return next((int(line.split()[1]) * 1024 for line in file
                         if line.startswith(f"{field}:")), None)
    except OSError:
        return None


class Process:
    """Started by the constructor; ends with the test program at the latest, whatever happens.

    Events are the objects of its progress descriptor or of its stdout, where those are NDJSON.
    Start processes from the main thread alone: they die with the thread that started them.
    """

    def __init__(self, name, command, progress=False, environment=None, launcher=()):
        """`launcher`: words before the command, of a program that becomes it (nsenter)."""
        self.name, self.command = name, [str(word) for word in command]
        self.lines, self.events = [], []  # of stdout and stderr; parsed
        self._changed = threading.Condition()
        fds = os.pipe() if progress else ()
        if progress:
            self.command += ["--progress-fd", str(fds[1])]
        self.popen = subprocess.Popen(
            [*launcher, "setpriv", "--pdeathsig", "KILL", *self.command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=fds[1:],
            env={**os.environ, **(environment or {})})
        streams = [self.popen.stdout, self.popen.stderr]
        if progress:
            os.close(fds[1])
            streams.append(os.fdopen(fds[0], "rb"))
        self._readers = [threading.Thread(target=self._read, args=(stream,), daemon=True)
                         for stream in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream):
        with stream:
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                with self._changed:
                    if line.startswith('{"'):
                        self.events.append(json.loads(line))
                    else:
                        self.lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    # --- what it says -------------------------------------------------------------------------

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def text(self):
        return "\n".join(self.lines)

    def until(self, check, what, timeout=PATIENCE):
        """Waits until `check`, asked after each line, gives something true, and returns that."""
        give_up_at = time.monotonic() + timeout
        with self._changed:
            while True:
                silent = not any(reader.is_alive() for reader in self._readers)
                answer = check()
                if answer:
                    return answer
                if silent:
                    raise AssertionError(f"{self.name} ended without: {what}")
                if time.monotonic() > give_up_at:
                    raise AssertionError(f"{self.name}: not within {timeout} s: {what}")
                # The last reader to end notifies while it is alive, so look again a little later.
                self._changed.wait(0.2)

    def until_log(self, event, timeout=PATIENCE):
        """The fields of its first log line of this event."""
        return self.until(lambda: self.logged(event), f"a log line {event}", timeout)

    def logged(self, event):
        for line in list(self.lines):
            words = line.split(" ", 4)
            if len(words) > 3 and words[3] == event:
                fields = words[4] if len(words) > 4 else ""
                return {"event": event, **dict(word.split("=", 1) for word in shlex.split(fields))}
        return None

    def until_event(self, check, what, timeout=PATIENCE):
        """The first event, from the last one seen on, for which `check` holds."""
        return self.until(lambda: next(filter(check, reversed(self.events)), None), what, timeout)

    def until_counted(self, status, count, timeout=PATIENCE):
        """Waits until its progress says that so many pictures have ended with this status."""
        return self.until_event(lambda event: event.get(status, 0) >= count,
                                f"{count} {status}", timeout)

    def event(self, name):
        """The last event of this name, or None."""
        return next((event for event in reversed(self.events) if event["event"] == name), None)

    # --- what it serves -----------------------------------------------------------------------

    def get(self, path):
        """Status and text of an HTTP path of its own."""
        port = self.until_log("metrics_listening")["port"]

        def ask():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as answer:
                return answer.code, answer.read().decode()
            except http.client.RemoteDisconnected:  # it was too slow to read the question
                if not self.running():
                    raise
                return None
        return eventually(ask, f"{self.name} answers {path}")

    def until_ready(self):
        """Waits for /readyz; returns itself, so that starting and waiting is one expression."""
        def ready():
            if not self.running():
                code = self.popen.poll()
                raise AssertionError(f"{self.name} ended with {code} before it was ready")
            return self.get("/readyz")[0] == 200
        eventually(ready, f"{self.name} is ready")
        return self

    def metrics(self):
        """Sums of its metrics by name, and values by name with labels as they are printed."""
        values = {}
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith("#"):
                continue
            key, _, value = line.rpartition(" ")
            values[key] = float(value)
            name = key.partition("{")[0]
            if name != key:
                values[name] = values.get(name, 0) + float(value)
        return values

    def memory_peak_bytes(self):
        """The most that it, or a process that descends from it and lives, has had resident."""
        return max(memory_of(pid, "VmHWM") or 0 for pid in [self.pid, *children_of(self.pid)])

    def watch_memory(self):
        return MemoryWatch(self.pid)

    # --- its end ------------------------------------------------------------------------------

    def terminate(self):
        self.popen.send_signal(signal.SIGTERM)

    def kill(self):
        """kill -9, and waits until it is gone."""
        self.popen.kill()
        self.popen.wait(PATIENCE)

    def kill_with_children(self, order):
        """kill -9 of it and of all it has started; `order` arranges the list of ids in place."""
        pids = [self.pid, *children_of(self.pid)]
        order(pids)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it died with its parent
        self.popen.wait(PATIENCE)
        return pids

    def ended_within(self, timeout):
        """Whether it ends within this time."""
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def exit_code(self, timeout=PATIENCE):
        """Waits for its end and until all that it said has been read."""
        if not self.ended_within(timeout):
            raise AssertionError(f"{self.name} did not end within {timeout} s")
        for reader in self._readers:
            reader.join(PATIENCE)
        return self.popen.returncode

    def print_all(self, lines_max=80):
        state = "runs" if self.running() else f"ended with {self.popen.returncode}"
        print(f"\n--- {self.name} ({state}): {shlex.join(self.command)}")
        for line in self.lines[-lines_max:]:
            print(f"    {line}")
        for event in self.events[-3:]:
            print(f"    {json.dumps(event)}")
