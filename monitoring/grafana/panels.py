"""Grafana's JSON, as far as these dashboards use it: panels, rows, annotations, variables.

A panel is a dict without a place; `dashboard()` lays them out from left to right and from top to
bottom, 24 columns wide, in the order in which they are given.
"""

COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"
ALARM = ((0, GREEN), (1, RED))  # of a flag that should be 0
TAG = "framefleet"


def _thresholds(steps):
    (_, first), *rest = steps or ((0, GREEN),)
    return {"mode": "absolute", "steps": [{"color": first, "value": None},
                                          *({"color": color, "value": at} for at, color in rest)]}


def _panel(kind, title, description, unit, queries, width, height, steps):
    targets = [{"datasource": DATASOURCE, "refId": chr(ord("A") + i), "editorMode": "code",
                "expr": expr, "legendFormat": legend, "range": kind == "timeseries",
                "instant": kind != "timeseries"} for i, (expr, legend) in enumerate(queries)]
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE,
            "gridPos": {"w": width, "h": height}, "targets": targets,
            "fieldConfig": {"defaults": {"unit": unit, "min": 0, "thresholds": _thresholds(steps)},
                            "overrides": []}}


def graph(title, description, unit, *queries, width=8, height=7, stack=False, log=False,
          steps=None):
    """Lines over time, one for each row of each (expression, legend). `steps`: ((0, color), (from,
    color)…), drawn as lines. `log`: for durations that differ by decades."""
    panel = _panel("timeseries", title, description, unit, queries, width, height, steps)
    custom = {"lineWidth": 1, "fillOpacity": 25 if stack else 5, "showPoints": "never",
              "spanNulls": False, "stacking": {"mode": "normal" if stack else "none", "group": "A"},
              "scaleDistribution": {"type": "log", "log": 10} if log else {"type": "linear"},
              "thresholdsStyle": {"mode": "dashed" if steps else "off"}}
    panel["fieldConfig"]["defaults"]["custom"] = custom
    if log:
        del panel["fieldConfig"]["defaults"]["min"]  # 0 is nowhere on such a scale
    legend = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
    panel["options"] = {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel


def number(title, description, unit, expr, steps=None, width=4, height=4, words=None):
    """One value, large, colored by `steps`. `words`: {value: text} instead of the figure."""
    panel = _panel("stat", title, description, unit, [(expr, "")], width, height, steps)
    panel["options"] = {"colorMode": "background", "graphMode": "none", "textMode": "value",
                        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    if unit == "none":
        panel["fieldConfig"]["defaults"]["decimals"] = 0  # `increase` estimates; these are counts
    if words:
        options = {str(value): {"text": text, "index": i} for i, (value, text)
                   in enumerate(words.items())}
        panel["fieldConfig"]["defaults"]["mappings"] = [{"type": "value", "options": options}]
    return panel


def table(title, description, unit, expr, columns, width=8, height=7, steps=None):
    """A row for each row of `expr`, with these labels and the value."""
    panel = _panel("table", title, description, unit, [(expr, "")], width, height, steps)
    panel["targets"][0]["format"] = "table"
    panel["fieldConfig"]["defaults"]["custom"] = {"cellOptions": {"type": "color-text"}}
    panel["transformations"] = [{"id": "filterFieldsByName",
                                 "options": {"include": {"names": [*columns, "Value"]}}}]
    panel["options"] = {"showHeader": True}
    return panel


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [],
            "gridPos": {"w": COLUMNS, "h": 1}}


def _place(panels):
    x = y = line_height = 0
    for number_of, panel in enumerate(panels, 1):
        place = panel["gridPos"]
        if x + place["w"] > COLUMNS:
            x, y, line_height = 0, y + line_height, 0
        panel["id"] = number_of
        panel["gridPos"] = {"x": x, "y": y, **place}
        x, line_height = x + place["w"], max(line_height, place["h"])
    return panels


def _annotation(name, color, expr, title, time_is_value=False):
    found = {"name": name, "datasource": DATASOURCE, "enable": True, "iconColor": color,
             "expr": expr, "titleFormat": title, "step": "15s"}
    return {**found, "useValueForTime": "on"} if time_is_value else found


ANNOTATIONS = (
    _annotation("Starts", BLUE, "1000 * process_start_time_seconds * on (instance) group_left"
                " (process) framefleet_build_info", "{{process}} {{instance}} was started", True),
    _annotation("Drains", YELLOW, "framefleet_worker_draining == 1 or framefleet_broker_draining"
                " == 1", "{{job}} {{instance}} drains"),
)


def variable(name, label, metric, by):
    """Which values of a label to show; all of them at first."""
    query = f"label_values({metric}, {by})"
    return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE,
            "definition": query, "query": {"query": query, "refId": "variable"}, "refresh": 2,
            "multi": True, "includeAll": True, "allValue": ".*", "sort": 1,
            "current": {"text": "All", "value": "$__all"}}


def dashboard(uid, title, description, panels, variables=()):
    datasource = {"name": "datasource", "label": "Prometheus", "type": "datasource",
                  "query": "prometheus", "current": {"text": "Prometheus", "value": "framefleet"}}
    return {
        "uid": uid, "title": title, "description": description, "tags": [TAG],
        "schemaVersion": 39, "version": 1, "editable": True, "graphTooltip": 1,
        "refresh": "10s", "time": {"from": "now-30m", "to": "now"}, "timezone": "browser",
        "annotations": {"list": list(ANNOTATIONS)},
        "links": [{"type": "dashboards", "title": "framefleet", "tags": [TAG], "asDropdown": False,
                   "keepTime": True, "includeVars": False, "icon": "external link",
                   "targetBlank": False, "url": "", "tooltip": ""}],
        "templating": {"list": [datasource, *variables]},
        "panels": _place(panels),
    }
