"""What there is to ask for: the metrics of docs/METRICS.md, which a test holds equal to the
programs, what the rules record, and Prometheus's own few."""
import pathlib
import re

import promql
import yaml

TREE = pathlib.Path(__file__).resolve().parents[2]
MONITORING = TREE / "monitoring"
RULES = MONITORING / "prometheus/framefleet.rules.yml"

ROW = re.compile(r"\| `([a-z_]+)` \| (\w+) \| (\w+) \| (.*?) ?\| (.*) \|")
LABEL = re.compile(r"`([a-z_]+)`(?: = ([^;]*))?")
REASON = re.compile(r"\| `([a-z_]+)` \| (?:nothing|failed|lost|final|answer) \|")
TARGET = {"instance": None, "job": None}  # Prometheus gives them to every series


def reasons():
    """The codes of docs/PROTOCOL.md."""
    text = (TREE / "docs/PROTOCOL.md").read_text(encoding="utf-8")
    return set(REASON.findall(text))


def rules(file=RULES):
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


class Catalogue:
    """`labels_of[metric]`: {label: its values, or None where they are known at run time only}."""

    def __init__(self):
        self.labels_of = {"up": dict(TARGET),
                          "ALERTS": {**TARGET, "alertname": None, "severity": None,
                                     "alertstate": {"pending", "firing"}}}
        known_reasons = reasons()
        for name, kind, _, labels, _ in ROW.findall((TREE / "docs/METRICS.md").read_text()):
            of = dict(TARGET)
            for label, values in LABEL.findall(labels):
                of[label] = set(values.split(", ")) if values else None
                if label == "reason" and not values:
                    of[label] = known_reasons
            if kind == "histogram":
                self.labels_of[f"{name}_bucket"] = {**of, "le": None}
                self.labels_of[f"{name}_sum"] = self.labels_of[f"{name}_count"] = of
            else:
                self.labels_of[name] = of
        for rule in rules():
            if "record" in rule:
                grouping = promql.read(rule["expr"]).grouping - {"le"}
                self.labels_of[rule["record"]] = {label: None for label in grouping}

    def faults(self, expr, used_labels=()):
        """What is wrong with an expression, in words. `used_labels`: by whom it is shown."""
        try:
            expression = promql.read(expr)
        except promql.Unreadable as error:
            return [str(error)]
        found = []
        labels = {}
        for selector in expression.selectors:
            known = self.labels_of.get(selector.metric)
            if known is None:
                found.append(f"no metric is called {selector.metric}")
                continue
            labels |= known
            found += [fault for matcher in selector.matchers
                      for fault in self._faults_of(selector.metric, known, *matcher)]
        for label in {*expression.grouping, *used_labels} - set(labels):
            found.append(f"none of {sorted(expression.metrics)} has a label {label}")
        return [f"{fault}: {expr}" for fault in found]

    @staticmethod
    def _faults_of(metric, known, label, op, value):
        if label not in known:
            return [f"{metric} has no label {label}"]
        values = known[label]
        if values is None or value.startswith("$"):
            return []
        if op in ("=", "!="):
            return [] if value in values else [f"{label} of {metric} is never {value}"]
        return [f"{label} of {metric} never matches {part}" for part in value.split("|")
                if not any(re.fullmatch(part, each) for each in values)]
