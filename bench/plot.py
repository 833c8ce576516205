#!/usr/bin/env python3
"""Draws what `framefleet bench --json FILE` wrote: throughput, latency and scaling, a picture each.

    bench/plot.py [--out FOLDER] [--format png|svg] FILE…

Lines of several files are taken together: runs with other --rate give latency over the rate. Points
are rounds, bars and lines are their medians (METHOD.md). Prints the pictures' names. Exit codes: 0;
64 usage; 66 a file cannot be read, is not such a file, or has nothing to draw; 69 no matplotlib
(Debian: python3-matplotlib); 73 a picture cannot be written.
"""

import argparse
import collections
import json
import pathlib
import statistics
import sys

USAGE, NO_INPUT, UNAVAILABLE, CANNOT_CREATE = 64, 66, 69, 73

OURS = "#d6451b"
OTHERS = ["#3b6fb6", "#5a9e6f", "#8d6bb0", "#c49a2c", "#4aa5b5", "#99736a", "#7a7a7a"]
GREY = "#555555"
AXES = {"scale, workers": "workers", "scale, sources": "sources"}
QUANTILES = {"p50": ("-", "o"), "p99": ("--", "^")}

# One of these says what a line is, and each of its kind has the others.
KINDS = {
    "tasks_per_s": {"contestant": str, "round": int, "tasks_per_s": (int, float)},
    "absent": {"contestant": str, "absent": str},
    "target": {"target": str, "wanted": (int, float), "met": bool},
    "bytes_per_task": {"bytes_per_task": (int, float)},
}


class Unusable(Exception):
    """What is wrong, for a person."""


def fault_of(line):
    """Why this is no line of the bench; None: it is one."""
    if not isinstance(line, dict):
        return "no JSON object"
    kind = next((key for key in KINDS if key in line), None)
    if kind is None or not isinstance(line.get("workload"), str):
        return "no line that `framefleet bench --json` writes"
    wanted = dict(KINDS[kind])
    if kind == "tasks_per_s" and "rate" in line:
        wanted |= {"rate": (int, float), "payload_bytes": int, "latency_us": dict}
    if kind == "tasks_per_s" and "latency_us" in line:
        tail = line["latency_us"]
        if not isinstance(tail, dict) or not all(isinstance(tail.get(q), (int, float))
                                                 for q in QUANTILES):
            return '"latency_us" has no p50 and p99'
    if kind == "tasks_per_s" and line["workload"] in AXES:
        wanted |= {AXES[line["workload"]]: int}
    for key, types in wanted.items():
        if not isinstance(line.get(key), types):
            return f'"{key}" is missing or of another type'
    return None


def lines_of(file):
    try:
        text = pathlib.Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{file}: {getattr(error, 'strerror', None) or 'is no text'}") from None
    for number, row in enumerate(text.splitlines(), 1):
        try:
            line = json.loads(row)
        except json.JSONDecodeError as error:
            raise Unusable(f"{file}:{number}: no JSON: {error.msg}") from None
        if fault := fault_of(line):
            raise Unusable(f"{file}:{number}: {fault}")
        yield line


def grouped(runs, *keys):
    """{values of the keys: runs}, in the order in which they came first."""
    groups = collections.defaultdict(list)
    for run in runs:
        groups[tuple(run.get(key) for key in keys)].append(run)
    return groups


def colours(runs):
    """Of each contestant, the same in every picture."""
    names = [name for (name,) in grouped(runs, "contestant")]
    ours = [name for name in names if name.startswith("framefleet")]
    rest = [name for name in names if name not in ours]
    found = {name: OURS if i == 0 else "#e9967a" for i, name in enumerate(ours)}
    return found | {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(rest)}


def panels(pyplot, count, columns_max, width, height):
    """A figure, and so many axes in rows of at most columns_max."""
    columns = min(count, columns_max)
    rows = -(-count // columns)
    figure, axes = pyplot.subplots(rows, columns, squeeze=False, layout="constrained",
                                   figsize=(width * columns, height * rows))
    for spare in axes.flat[count:]:
        spare.set_axis_off()
    return figure, list(axes.flat[:count])


def grouped_digits(value):
    return f"{value:,.0f}".replace(",", " ")


def bars(axes, groups, value, colour):
    """A bar of the median for each contestant, the first one on top, and a point for each round."""
    for place, (name, runs) in enumerate(groups):
        values = [value(run) for run in runs]
        middle = statistics.median(values)
        axes.barh(place, middle, color=colour[name], height=0.7)
        axes.plot(values, [place] * len(values), "|", color=GREY, markersize=8)
        axes.annotate(f"{middle:.2f}" if middle < 100 else grouped_digits(middle),
                      (max(values), place), xytext=(5, 0), textcoords="offset points", va="center",
                      fontsize=8)
    axes.set_yticks(range(len(groups)), [name for name, _ in groups])
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: grouped_digits(value))


def tidy(axes):
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_size(9)
    axes.yaxis.label.set_size(9)
    axes.title.set_size(10)


def draw_throughput(pyplot, runs, colour):
    """Tasks per second by contestant, for each workload that goes as fast as it can."""
    fast = [run for run in runs if "rate" not in run and run["workload"] not in AXES]
    workloads = grouped(fast, "workload", "transport")
    if not workloads:
        return None
    figure, all_axes = panels(pyplot, len(workloads), 2, 5.4, 2.5)
    for axes, ((workload, transport), mine) in zip(all_axes, workloads.items()):
        groups = [(name, some) for (name,), some in grouped(mine, "contestant").items()]
        bars(axes, groups, lambda run: run["tasks_per_s"], colour)
        axes.set_title(workload if transport in (None, "tcp") else f"{workload}, {transport}")
        axes.set_xlabel("pictures/s" if "detections" in mine[0] else "tasks/s")
        tidy(axes)
    return figure


def latency_over_rates(axes, runs, colour):
    for (name,), mine in grouped(runs, "contestant").items():
        for quantile, (style, marker) in QUANTILES.items():
            points = sorted(
                (rate, statistics.median(run["latency_us"][quantile] for run in some))
                for (rate,), some in grouped(mine, "rate").items())
            axes.plot(*zip(*points), style, marker=marker, color=colour[name], markersize=4,
                      label=name if quantile == "p50" else None)
    rates = [rate for (rate,) in sorted(grouped(runs, "rate"))]
    axes.set_xscale("log")
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.minorticks_off()
    axes.set_yscale("log")
    axes.set_xlabel("tasks/s that are sent")
    axes.set_ylabel("µs: p50, and dashed p99")
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)


def latency_at_a_rate(axes, runs, colour):
    groups = grouped(runs, "contestant")
    for place, ((name,), mine) in enumerate(groups.items()):
        ends = []
        for quantile, (_, marker) in QUANTILES.items():
            values = [run["latency_us"][quantile] for run in mine]
            ends.append(statistics.median(values))
            axes.plot(values, [place] * len(values), "|", color=GREY, markersize=8)
            axes.plot(ends[-1], place, marker, color=colour[name], markersize=8)
            axes.annotate(f"{quantile} {ends[-1]:.0f}", (ends[-1], place), xytext=(0, 8),
                          textcoords="offset points", ha="center", fontsize=7)
        axes.plot(ends, [place] * len(ends), "-", color=colour[name], alpha=0.5)
    axes.set_yticks(range(len(groups)), [name for (name,) in groups])
    axes.set_ylim(len(groups) - 0.5, -0.7)
    axes.set_xscale("log")
    axes.margins(x=0.1)
    axes.set_xlabel("µs from when a task was to be sent")


def draw_latency(pyplot, runs, colour):
    """p50 and p99 by contestant; over the rate where there are several for the same payload."""
    kinds = grouped([run for run in runs if "rate" in run], "payload_bytes", "transport")
    if not kinds:
        return None
    figure, all_axes = panels(pyplot, len(kinds), 1, 8, 3.6)
    for axes, ((payload, transport), mine) in zip(all_axes, kinds.items()):
        rates = sorted({run["rate"] for run in mine})
        if len(rates) > 1:
            latency_over_rates(axes, mine, colour)
            when = f"{rates[0]:g} to {rates[-1]:g} tasks/s"
        else:
            latency_at_a_rate(axes, mine, colour)
            when = f"{rates[0]:g} tasks/s"
        axes.set_title(f"{when} of {payload} bytes, {transport}")
        tidy(axes)
    return figure


def draw_scaling(pyplot, runs, colour):
    """Tasks per second, and what one costs the broker, over workers and over sources."""
    found = {axis: [run for run in runs if run["workload"] == axis] for axis in AXES}
    found = {axis: mine for axis, mine in found.items() if mine}
    if not found:
        return None
    figure, all_axes = panels(pyplot, 2 * len(found), 2, 4.6, 2.8)
    rows = zip(found.items(), zip(all_axes[::2], all_axes[1::2]))
    for (workload, mine), pair in rows:
        sizes = sorted(grouped(mine, AXES[workload]).items())
        for axes, title, value in (
                (pair[0], "tasks/s", lambda run: run["tasks_per_s"]),
                (pair[1], "µs of the broker's CPU for a task",
                 lambda run: run.get("cpu_us_per_task", {}).get("broker", 0))):
            for (size,), some in sizes:
                axes.plot([size] * len(some), [value(run) for run in some], "_", color=GREY)
            axes.plot([size for (size,), _ in sizes],
                      [statistics.median(map(value, some)) for _, some in sizes],
                      "o-", color=colour.get("framefleet", OURS), markersize=4)
            axes.set_xscale("log")
            axes.set_xticks([size for (size,), _ in sizes], [f"{size}" for (size,), _ in sizes])
            axes.minorticks_off()
            axes.set_ylim(bottom=0)
            axes.set_xlabel(AXES[workload])
            axes.set_title(title)
            tidy(axes)
    return figure


DRAWINGS = {"throughput": draw_throughput, "latency": draw_latency, "scaling": draw_scaling}


def draw(options):
    runs = [line for file in options.files for line in lines_of(file) if "tasks_per_s" in line]
    try:
        import matplotlib
    except ImportError:
        raise SystemExit(say("matplotlib is not here (Debian: python3-matplotlib)", UNAVAILABLE))
    matplotlib.use("Agg")
    from matplotlib import pyplot  # after the choice of where to draw

    colour = colours(runs)
    written = 0
    for name, drawing in DRAWINGS.items():
        figure = drawing(pyplot, runs, colour)
        if figure is None:
            continue
        file = options.out / f"{name}.{options.format}"
        try:
            options.out.mkdir(parents=True, exist_ok=True)
            figure.savefig(file, dpi=130)
        except OSError as error:
            raise SystemExit(say(f"{file}: {error.strerror}", CANNOT_CREATE))
        print(file)
        written += 1
    if written == 0:
        raise Unusable("no run is in " + ", ".join(options.files))


def say(text, code):
    print(f"plot.py: {text}", file=sys.stderr)
    return code


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        raise SystemExit(say(message, USAGE))


def main():
    summary, details = __doc__.split("\n\n", 1)
    parser = Parser(prog="plot.py", description=summary, epilog=details.split("\n\n", 1)[1],
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", metavar="FILE", nargs="+", help="what --json wrote")
    parser.add_argument("--out", metavar="FOLDER", type=pathlib.Path, default=pathlib.Path("."),
                        help="where the pictures go; made where there is none (default: here)")
    parser.add_argument("--format", choices=("png", "svg"), default="png")
    try:
        draw(parser.parse_args())
    except Unusable as error:
        raise SystemExit(say(error, NO_INPUT))


if __name__ == "__main__":
    main()
