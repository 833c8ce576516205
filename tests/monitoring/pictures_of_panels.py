"""Draws dashboards from the real Prometheus, panel by panel, with the queries and places that
Grafana would use: a picture to look at where there is no Grafana."""
import re

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot, ticker  # noqa: E402 (after the choice of where to draw)
from questions import expression  # noqa: E402

COLUMNS = 24
INCHES_PER_COLUMN, INCHES_PER_ROW = 0.68, 0.36
COLORS = {"green": "#56a64b", "yellow": "#e0b400", "red": "#e02f44", "blue": "#3274d9"}
UNITS = {"s": " s", "bytes": " B", "ops": " /s", "percentunit": "", "none": ""}


def legend_of(template, labels):
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), template)


def text_of(value, unit):
    if unit == "percentunit":
        return f"{100 * value:.0f} %"
    for size, prefix in ((1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")):
        if unit == "bytes" and value >= size:
            return f"{value / size:.3g} {prefix}B"
    return f"{value:.3g}{UNITS[unit]}"


def color_of(value, steps):
    return COLORS[[step["color"] for step in steps
                   if step["value"] is None or value >= step["value"]][-1]]


def _draw_graph(axes, panel, ask):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    custom = panel["fieldConfig"]["defaults"]["custom"]
    lines = [(legend_of(target["legendFormat"], row["metric"]), row["values"])
             for target in panel["targets"] for row in ask(target["expr"])]
    if custom["stacking"]["mode"] == "normal":
        times = sorted({at for _, values in lines for at, _ in values})
        heights = [[float(dict(values).get(at, 0)) for at in times] for _, values in lines]
        if heights:
            axes.stackplot(times, heights, labels=[name for name, _ in lines], alpha=0.6)
    else:
        for name, values in lines:
            axes.plot([at for at, _ in values], [float(value) for _, value in values], lw=1,
                      label=name)
    if custom["scaleDistribution"]["type"] == "log":
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    else:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: text_of(value, unit))
    axes.set_xticks([])
    axes.tick_params(labelsize=6)
    if lines:
        axes.legend(fontsize=5, loc="upper left", ncols=2, framealpha=0.6)
    else:
        axes.text(0.5, 0.5, "No data", ha="center", color="grey", transform=axes.transAxes)


def _draw_number(axes, panel, ask):
    defaults = panel["fieldConfig"]["defaults"]
    rows = ask(panel["targets"][0]["expr"])
    axes.set_xticks([])
    axes.set_yticks([])
    if not rows:
        axes.text(0.5, 0.5, "No data", ha="center", va="center", color="grey")
        return
    value = float(rows[0]["values"][-1][1])
    words = {key: text["text"] for mapping in defaults.get("mappings", ())
             for key, text in mapping["options"].items()}
    axes.set_facecolor(color_of(value, defaults["thresholds"]["steps"]))
    whole = f"{value:.0f}" if defaults.get("decimals") == 0 else text_of(value, defaults["unit"])
    axes.text(0.5, 0.5, words.get(f"{value:g}", whole), ha="center", va="center", color="white",
              fontsize=15, weight="bold")


def _draw_table(axes, panel, ask):
    names = panel["transformations"][0]["options"]["include"]["names"]
    rows = [(*(row["metric"].get(name, "") for name in names[:-1]), row["values"][-1][1])
            for row in ask(panel["targets"][0]["expr"])]
    axes.axis("off")
    text = "\n".join("  ".join(row) for row in [tuple(names), *sorted(rows)][:14])
    axes.text(0.01, 0.98, text, va="top", fontsize=6, family="monospace")


def draw(dashboard, prometheus, start, end, file):
    """One picture of a dashboard, laid out as it is."""
    panels = dashboard["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    figure = pyplot.figure(figsize=(COLUMNS * INCHES_PER_COLUMN, rows * INCHES_PER_ROW + 0.4),
                           facecolor="white")
    figure.text(0.01, 1 - 0.22 / (rows * INCHES_PER_ROW + 0.4), dashboard["title"], fontsize=13)
    scale = rows * INCHES_PER_ROW / (rows * INCHES_PER_ROW + 0.4)

    def ask(expr):
        return prometheus.query_range(expression(expr), start, end)

    for panel in panels:
        place = panel["gridPos"]
        left, width = (place["x"] + 0.9) / COLUMNS, (place["w"] - 1.1) / COLUMNS
        bottom = (1 - (place["y"] + place["h"] - 0.3) / rows) * scale
        if panel["type"] == "row":
            figure.text(0.01, bottom, panel["title"], fontsize=9, color="grey")
            continue
        axes = figure.add_axes([left, bottom, width, (place["h"] - 1.3) / rows * scale])
        axes.set_title(panel["title"], fontsize=7, loc="left", pad=3)
        {"timeseries": _draw_graph, "stat": _draw_number, "table": _draw_table}[panel["type"]](
            axes, panel, ask)
        if panel["type"] == "timeseries":
            axes.set_xlim(start, end)
    figure.savefig(file, dpi=72)
    pyplot.close(figure)
