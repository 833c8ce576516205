#!/usr/bin/env python3
"""unit_sandbox.py CONF PROGRAM...: becomes PROGRAM in that part of a unit's sandbox which needs no
service manager: no capabilities, its filter of system calls, its address families, memory that is
never writable and executable. Python's own start is before that."""
import ctypes
import errno
import os
import re
import resource
import socket
import subprocess
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EQUAL = 4  # SCMP_CMP_EQ
NO_SUCH_CALL = -1
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN = 24, 38, 65, 1


class Argument(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int),
                ("first", ctypes.c_uint64), ("second", ctypes.c_uint64)]


def settings(conf):
    """{name: [values in their order]}"""
    found = {}
    with open(conf, encoding="utf-8") as file:
        for name, value in re.findall(r"^(\w+)=(.*)$", file.read(), re.MULTILINE):
            found.setdefault(name, []).append(value)
    return found


def groups():
    """The calls and groups that each of systemd's groups names."""
    told = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], check=True,
                          capture_output=True, text=True, timeout=60).stdout
    found, group = {}, None
    for line in told.splitlines():
        if line.startswith("@"):
            group = found.setdefault(line.strip(), [])
        elif group is not None and line.startswith("    ") and not line.strip().startswith("#"):
            group.append(line.strip())
    return found


def calls(lines):
    """What is left allowed by the lines of SystemCallFilter."""
    known = groups()

    def expanded(name):
        if not name.startswith("@"):
            return {name}
        return set().union(*map(expanded, known[name]))
    allowed = expanded("@default")
    for line in lines:
        named = set().union(*map(expanded, line.removeprefix("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def enter(conf):
    wanted = settings(conf)
    allowed = calls(wanted["SystemCallFilter"])
    code = getattr(errno, wanted["SystemCallErrorNumber"][-1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc, seccomp = ctypes.CDLL(None, use_errno=True), ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ERRNO | code))
    for name in sorted(allowed - {"socket"}):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number != NO_SUCH_CALL:
            seccomp.seccomp_rule_add(context, ALLOW, number, 0)
    number = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in wanted["RestrictAddressFamilies"][-1].split():
        equal = Argument(0, EQUAL, int(getattr(socket, family)), 0)
        seccomp.seccomp_rule_add_array(context, ALLOW, number, 1, ctypes.byref(equal))
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:  # root has none after exec
        capability += 1
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        sys.exit("no_new_privs is refused")
    if (wanted["MemoryDenyWriteExecute"] == ["yes"]
            and libc.prctl(PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0):
        print("SKIPPED: MemoryDenyWriteExecute: this kernel has no such call", file=sys.stderr)
    if seccomp.seccomp_load(context) != 0:
        sys.exit("the kernel takes no filter")


if __name__ == "__main__":
    program = sys.argv[2:]
    enter(sys.argv[1])
    os.execvp(program[0], program)
