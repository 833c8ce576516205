"""Whether a decision of the broker's core costs the same with few sources and tasks as with many.

    cost_check.py build/bench/bench/bench-dispatcher-cost

Counts instructions per task life with callgrind (bench/METHOD.md) for every pair of SOURCES and
BACKLOGS, and fails where the dearest pair costs more than RATIO_MAX times the cheapest, or where a
life allocates more than ALLOCATIONS_MAX times. Counts, not times: they hardly depend on the machine
or on what else it does. Where the ratio fails, the functions that grew most are printed. Needs
valgrind.
"""

import collections
import concurrent.futures
import itertools
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCES = (10, 1_000, 100_000)
BACKLOGS = (10, 1_000, 1_000_000)
# Enough for a count within 2 % of what twenty times as many give.
LIVES = 10_000
RATIO_MAX = 1.3
# What a life has, and a tenth of one more for tables that grow (docs/adr/0041).
ALLOCATIONS_MAX = 20.1
# A life is five calls that allocate; fewer instructions mean that nothing was counted.
INSTRUCTIONS_MIN = 1_000
GROWN_SHOWN = 12
# The largest pair takes 15 s on an idle machine of 2.6 GHz; a scan of all sources takes hours.
PAIR_SECONDS_MAX = 240

ANNOTATED = re.compile(r"^ *([\d,]+) \([ \d.]+%\)  [^:]*:(.*?)(?: \[[^]]*\])?$")


def valgrind(program, sources, backlog, folder):
    """Runs one pair; returns the file with its counts, and the allocations per life."""
    counts = folder / f"callgrind.{sources}.{backlog}"
    command = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no",
               f"--callgrind-out-file={counts}",
               str(program), str(sources), str(backlog), str(LIVES)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=PAIR_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        sys.exit(f"error: {' '.join(command)} was not done after {PAIR_SECONDS_MAX} s")
    lives, allocations = (done.stdout.split() + ["no", ""])[:2]
    if done.returncode != 0 or lives != str(LIVES):
        sys.exit(f"error: {' '.join(command)} ended with {done.returncode} after {lives} task "
                 f"lives:\n{done.stderr}")
    return counts, int(allocations) / LIVES


def instructions_per_life(counts):
    total = re.search(r"^totals: (\d+)$", counts.read_text(encoding="utf-8"), re.MULTILINE)
    return int(total.group(1)) / LIVES if total else 0


def by_function(counts):
    """{function: instructions per life, without those of the functions it calls}"""
    text = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", str(counts)],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    functions = collections.Counter()
    for line in text.splitlines():
        match = ANNOTATED.match(line)
        if match:
            functions[match.group(2)] += int(match.group(1).replace(",", "")) / LIVES
    return functions


def print_grown(cheap, dear):
    grown = by_function(dear)
    grown.subtract(by_function(cheap))
    print("\nWhat grew most from the cheapest to the dearest, in instructions per life:")
    for function, instructions in grown.most_common(GROWN_SHOWN):
        print(f"{instructions:+12,.0f}  {function[:140]}")


def check(program, folder):
    pairs = list(itertools.product(SOURCES, BACKLOGS))
    # Two at most: the largest takes 1.5 GB under valgrind.
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        try:
            runs = list(pool.map(lambda pair: valgrind(program, *pair, folder), pairs))
        finally:
            pool.shutdown(cancel_futures=True)
    costs = {file: instructions_per_life(file) for file, _ in runs}
    print("per task life (submit, assign, result, stored)")
    print(f"{'sources':>9} {'backlog':>10} {'instructions':>13} {'allocations':>12}")
    for (sources, backlog), (file, allocations) in zip(pairs, runs):
        print(f"{sources:9,} {backlog:10,} {costs[file]:13,.0f} {allocations:12.2f}")
    cheap, dear = min(costs, key=costs.get), max(costs, key=costs.get)
    if costs[cheap] < INSTRUCTIONS_MIN:
        sys.exit("error: nothing was counted; are the program's requests to callgrind compiled in?")
    ratio = costs[dear] / costs[cheap]
    print(f"dearest : cheapest = {ratio:.2f}, {RATIO_MAX} allowed")
    if ratio > RATIO_MAX:
        print_grown(cheap, dear)
        return False
    most = max(allocations for _, allocations in runs)
    print(f"most allocations = {most:.2f}, {ALLOCATIONS_MAX} allowed")
    return most <= ALLOCATIONS_MAX


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: cost_check.py bench-dispatcher-cost")
    with tempfile.TemporaryDirectory(prefix="framefleet-cost-") as folder:
        return 0 if check(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
