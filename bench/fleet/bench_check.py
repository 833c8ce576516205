#!/usr/bin/env python3
"""Whether every workload of `framefleet bench` runs, with every rival that is installed.

    bench_check.py build/bench/bin/framefleet

A few hundred tasks each: the program itself fails where a count does not close; here every line of
its JSON must be there and make sense. No time is looked at.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

TASKS = 300
ROUNDS = 1
WORKLOADS = ("queue", "frames", "durable", "latency", "scale")
NAMES = {"queue", "frames", "durable 1 KB", "durable 100 KB", "latency at 500/s",
         "scale, 100 frames/s"}


def check_run(line):
    """One run of one contestant."""
    assert line["tasks"] == TASKS and line["tasks_per_s"] > 0, line
    assert sum(line["cpu_us_per_task"].values()) > 0, line
    assert min(line["peak_bytes"].values()) > 0, line
    if "rate" in line:
        latency = line["latency_us"]
        assert 0 < latency["p50"] <= latency["p99"] <= latency["p99.9"], line


def check(lines):
    runs = [line for line in lines if "tasks_per_s" in line]
    for line in runs:
        check_run(line)
    ours = [line for line in runs if line["contestant"] == "framefleet"]
    assert {line["workload"] for line in ours} == NAMES, ours
    for name in NAMES:
        took_part = [line["contestant"] for line in runs if line["workload"] == name]
        assert all(took_part.count(each) == ROUNDS for each in took_part), took_part
        absent = {line["contestant"] for line in lines
                  if line["workload"] == name and "absent" in line}
        assert not absent & set(took_part), absent
        assert any(line["workload"] == name and "target" in line for line in lines), name
    waiting = [line for line in lines if "bytes_per_task" in line]
    assert [line["tasks"] for line in waiting] == [TASKS], waiting
    return sorted({line["contestant"] for line in runs})


def main():
    with tempfile.TemporaryDirectory(prefix="framefleet-bench-") as folder:
        file = pathlib.Path(folder) / "lines"
        subprocess.run([sys.argv[1], "bench", *WORKLOADS, "--tasks", str(TASKS), "--rounds",
                        str(ROUNDS), "--rate", "500", "--json", file], check=True)
        took_part = check([json.loads(line) for line in file.read_text().splitlines()])
    print(f"{TASKS} tasks of {len(NAMES)} workloads, to the unit: {', '.join(took_part)}")


if __name__ == "__main__":
    main()
