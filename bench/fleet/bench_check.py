#!/usr/bin/env python3
"""Whether every workload of `framefleet bench` runs, with every rival that is installed, and
whether bench/plot.py draws what came of it.

    bench_check.py build/bench/bin/framefleet

A few hundred tasks each, and a few pictures: the program itself fails where a count does not close;
here every line of its JSON must be there and make sense. No time is looked at.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

TASKS = 300
# As few as have a steady state.
PICTURES = 2 * len(os.sched_getaffinity(0)) + 1
FEW = min(14, PICTURES)
ROUNDS = 1
CROWD = 12
WORKLOADS = ("queue", "frames", "durable", "latency", "scale", "vision")
VISION = {f"vision, {FEW} pictures with the start": FEW,
          f"vision, {PICTURES} pictures in steady state": PICTURES}
NAMES = {"queue", "queue, one by one", "frames", "durable 1 KB", "durable 100 KB",
         "latency at 500/s", "scale, 100 frames/s", *VISION}

# Workers and sources, with CROWD of them at most.
SIZES = {"scale, workers": [(1, 1), (4, 1), (CROWD, 1)], "scale, sources": [(4, 10), (4, CROWD)]}


def check_run(line):
    """One run of one contestant."""
    assert line["tasks"] == VISION.get(line["workload"], TASKS), line
    assert line["tasks_per_s"] > 0, line
    assert sum(line["cpu_us_per_task"].values()) > 0, line
    assert min(line["peak_bytes"].values()) > 0, line
    latency = line["latency_us"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["p99.9"], line


def check_sizes(runs):
    """Fleets of each size, by their workers and sources."""
    for name, sizes in SIZES.items():
        lines = [line for line in runs if line["workload"] == name]
        assert [(line["workers"], line["sources"]) for line in lines] == sizes * ROUNDS, lines
        for line in lines:
            assert set(line["peak_bytes"]) == {"broker", "sink", "workers", "producer"}, line


def check_vision(runs):
    """Everybody has done the same work; the loops, by the same calls."""
    for name in VISION:
        found = {line["contestant"]: line["detections"] for line in runs
                 if line["workload"] == name}
        ours, loop = found.pop("framefleet"), found["plain_loop"]
        assert set(found.values()) == {loop}, found
        assert abs(ours - loop) < loop / 50, (ours, loop)  # its grey is the JPEG's own luma


def check(lines):
    runs = [line for line in lines if "tasks_per_s" in line]
    for line in runs:
        check_run(line)
    check_sizes(runs)
    runs = [line for line in runs if line["workload"] not in SIZES]
    ours = [line for line in runs if line["contestant"] == "framefleet"]
    assert {line["workload"] for line in ours} == NAMES, ours
    for name in NAMES:
        took_part = [line["contestant"] for line in runs if line["workload"] == name]
        assert all(took_part.count(each) == ROUNDS for each in took_part), took_part
        absent = {line["contestant"] for line in lines
                  if line["workload"] == name and "absent" in line}
        assert not absent & set(took_part), absent
        assert any(line["workload"] == name and "target" in line for line in lines), name
    collected = [line for line in runs if line["contestant"] == "framefleet, collected"]
    assert [line["workload"] for line in collected] == ["latency at 500/s"] * ROUNDS, collected
    # One that only a full crowd can meet is open, and said to be.
    assert any(line.get("workload") == "scale" and line.get("wanted") == 0.7
               and "measured" not in line for line in lines), lines
    check_vision(runs)
    waiting = [line for line in lines if "bytes_per_task" in line]
    assert [line["tasks"] for line in waiting] == [TASKS], waiting
    return sorted({line["contestant"] for line in runs})


def plot(*words):
    """With Debian's Python, which its packages are for."""
    program = pathlib.Path(__file__).parent.parent / "plot.py"
    return subprocess.run(["/usr/bin/python3", program, *words], capture_output=True, text=True,
                          check=False)


def check_pictures(file):
    """Each of them is drawn, and what cannot be is refused with the place."""
    drawn = plot("--out", file.parent / "pictures", file)
    if drawn.returncode == 69:
        print("SKIPPED: no pictures without python3-matplotlib")
        return
    assert drawn.returncode == 0, drawn.stderr
    pictures = sorted(pathlib.Path(name) for name in drawn.stdout.split())
    assert [each.name for each in pictures] == ["latency.png", "scaling.png", "throughput.png"]
    for each in pictures:
        assert each.read_bytes().startswith(b"\x89PNG") and each.stat().st_size > 10_000, each

    first = file.read_text().splitlines()[0]
    other = file.parent / "other"
    for text, place, code in ((f"{first}\nno line\n", f"{other}:2: ", 66),
                              (f"{first}\n{first}\n{{}}\n", f"{other}:3: ", 66),
                              ("", "no run is in", 66)):
        other.write_text(text)
        refused = plot("--out", file.parent / "none", other)
        assert refused.returncode == code and place in refused.stderr, refused
    assert plot("--format", "bmp", file).returncode == 64
    assert "usage: " in plot("--help").stdout


def main():
    with tempfile.TemporaryDirectory(prefix="framefleet-bench-") as folder:
        file = pathlib.Path(folder) / "lines"
        subprocess.run([sys.argv[1], "bench", *WORKLOADS, "--tasks", str(TASKS), "--rounds",
                        str(ROUNDS), "--rate", "500", "--crowd", str(CROWD), "--pictures",
                        str(PICTURES), "--json", file], check=True)
        check_pictures(file)
        took_part = check([json.loads(line) for line in file.read_text().splitlines()])
    print(f"{TASKS} tasks or {PICTURES} pictures of {len(NAMES)} workloads, to the unit: "
          + ", ".join(took_part))


if __name__ == "__main__":
    main()
