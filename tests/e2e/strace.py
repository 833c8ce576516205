"""What a process asks of the kernel, as strace tells it: writes, syncs and messages, in order."""
import collections
import re
import struct

from process import Process

CALLS = "pwrite64,pwritev,write,writev,fdatasync,fsync,sendto,sendmsg"
# began, ended: places in the order of all that strace saw; `data`: what was written.
Call = collections.namedtuple("Call", "began ended name file offset data")
LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)")


def attach(process, output):
    """Follows all threads of a process to its end. None: it is not permitted here."""
    tracer = Process(f"strace of {process.name}", [
        "strace", "-f", "-yy", "-xx", "-s", 1 << 17, "-e", f"trace={CALLS}", "-o", output, "-p",
        process.pid])
    told = tracer.until(lambda: re.search("not permitted|attached", tracer.text()), "is attached")
    return tracer if told[0] == "attached" else None


def calls_of(output):
    """In the order of their ends. strace stops a thread as it enters and as it leaves a call, so a
    line, or the half of one, has its place among all."""
    calls, begun = [], {}
    for place, line in enumerate(output.read_text().splitlines()):
        parts = LINE.fullmatch(line)
        if parts is None:
            continue  # a signal, or an end
        thread, resumed, name, rest = parts.groups()
        if rest.endswith("<unfinished ...>"):
            begun[thread] = place, name, rest.removesuffix("<unfinished ...>")
            continue
        began = place
        if resumed:
            began, name, first = begun.pop(thread)
            rest = first + rest
        ended = re.fullmatch(r"(.*)\) += (\d+).*", rest)
        if ended is None:
            continue  # it did not happen
        arguments, result = ended.groups()
        file = re.match(r"\d+<(.*?)>(?=,| *$)", arguments)  # a connection has a "->" in its name
        data = b"".join(bytes.fromhex(text.replace("\\x", "")) for text in
                        re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments[file.end():]))
        if "sync" not in name:
            data = data[:int(result)]
        offset = arguments.rpartition(", ")[2].strip() if name.startswith("pwrite") else ""
        calls.append(Call(began, place, name, plain(file[1]),
                          int(offset) if offset.isdigit() else None, data))
    return calls


def plain(text):
    return re.sub(r"\\x([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), text)


class Stream:
    """One direction of a connection, ZMTP 3: 64 bytes of greeting, then frames of a flag, a length
    of one byte or eight, and a body."""

    def __init__(self):
        self._bytes, self._inside = b"", False

    def add(self, data):
        """The first frames of messages that are complete with these bytes."""
        self._bytes += data
        if self._bytes.startswith(b"\xff"):
            if len(self._bytes) < 64:
                return
            self._bytes = self._bytes[64:]
        while frame := self._take():
            flags, body = frame
            if not flags & 4 and not self._inside:  # no command, and no later frame
                yield body
            if not flags & 4:
                self._inside = bool(flags & 1)

    def _take(self):
        head = 9 if self._bytes[:1] and self._bytes[0] & 2 else 2
        if len(self._bytes) < head:
            return None
        size = struct.unpack(">Q", self._bytes[1:9])[0] if head == 9 else self._bytes[1]
        if len(self._bytes) < head + size:
            return None
        frame = self._bytes[0], self._bytes[head:head + size]
        self._bytes = self._bytes[head + size:]
        return frame


def headers_sent(calls):
    """(call, first frame) of every ZeroMQ message that was sent over ipc, in order."""
    streams = collections.defaultdict(Stream)
    for call in calls:
        # A connection is called by more or less of its name, from moment to moment.
        socket = re.match(r"(?:UNIX-STREAM|socket):\[(\d+)", call.file)
        if socket:
            for header in streams[socket[1]].add(call.data):
                yield call, header
