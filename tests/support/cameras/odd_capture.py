#!/usr/bin/python3
"""Stands in for a framefleet-capture that a stream has taken over. What it does, the path of the
camera's URL says."""
import os
import re
import signal
import socket
import struct
import sys
import time

link = socket.socket(fileno=int(sys.argv[2]))
order, (memory, *_), _, _ = socket.recv_fds(link, 65_536, 2)
mode = re.search(rb"http://odd/(\w+)", order).group(1).decode()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
word = open(memory, "r+b", buffering=0)


def write(at, content):
    word.seek(at)
    word.write(content)


if mode == "nonsense":
    link.send(b"\xff" * 100)
elif mode == "chatter":  # an ending without an end
    text = b"\x1b[31mhttp://u:p@odd/\n" * 20
    for _ in range(100_000):
        try:
            link.send(b"\x02\x00" + struct.pack("<I", len(text)) + text, socket.MSG_DONTWAIT)
        except OSError:
            time.sleep(0.001)
elif mode == "hang_up":
    link.close()
elif mode == "wild":
    write(8, struct.pack("<Q", 1))                     # a picture was decoded
    write(0, struct.pack("<I", 0xFFFFFFFF))            # in no slot
    link.send(b"\x01")
elif mode == "large":
    slot = 4096 + 2 * (4096 + (32 << 20))
    write(slot, struct.pack("<QqQII", 1, 1, 1 << 62, 10, 10))
    write(8, struct.pack("<Q", 1))
    write(0, struct.pack("<I", 4 | 2))
    link.send(b"\x01")
elif mode == "exits":
    os._exit(7)
time.sleep(1000)
