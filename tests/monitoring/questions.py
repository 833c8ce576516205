"""Everything that dashboards and rules ask Prometheus, as it is asked; and what rightly has no
answer while all is well."""
import json
import re

import catalogue
import promql

DASHBOARDS = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(
    (catalogue.MONITORING / "grafana/dashboards").glob("*.json"))]

# Metrics that rightly have no rows where nothing is wrong, and why.
EMPTY = {
    "framefleet_broker_unroutable_tasks": "every detector has a worker",
    "framefleet:ledger_gap_tasks": "it looks back half an hour",
    "ALERTS": "nothing fires yet",
    "framefleet_broker_busy_answers_total": "shown where it is not 0: nobody is told to wait",
    "framefleet_broker_rejected_answers_total": "shown where it is not 0: nothing is rejected",
    "framefleet_broker_refused_peers_total": "nobody is refused",
    "framefleet_producer_camera_replaced_frames_total": "shown where it is not 0: none waits here",
    'framefleet_producer_camera_state{state="ended"}': "the camera has no end",
    "framefleet_broker_draining": "an annotation: the drain has ended",
    "framefleet_worker_draining": "an annotation: the drain has ended",
}


def expression(expr, window="10s"):
    """As Grafana asks for it, with every source and worker chosen."""
    expr = expr.replace("$__rate_interval", window).replace("$__range", "5m")
    return re.sub(r"\$(source|instance)", ".*", expr)


def of_panels(board, window="1m"):
    """(where, expression) of every query of a dashboard's panels."""
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield f"{board['title']}: {panel['title']}", expression(target["expr"], window)


def all_of_them():
    """(where, expression) of everything that is asked: panels, annotations, recording rules; of
    alerts each selector, because a healthy fleet has no row for the alert itself."""
    for board in DASHBOARDS:
        yield from of_panels(board)
        for note in board["annotations"]["list"]:
            yield f"{board['title']}: {note['name']}", note["expr"]
    for rule in catalogue.rules():
        if "record" in rule:
            yield rule["record"], rule["expr"]
        else:
            for selector in promql.read(rule["expr"]).selectors:
                yield rule["alert"], str(selector)


def unanswered(asked, ask, empty):
    """Which of (where, expression) have no rows though they should; all must be read. `ask`: the
    rows of an expression. `empty`: {metric, selector or place: why it may have none}."""
    return [(where, expr) for where, expr in asked
            if not ask(expr) and not {where, expr, *promql.read(expr).metrics} & set(empty)]
