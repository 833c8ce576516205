#!/usr/bin/env python3
"""Dashboards and alerts against what the programs have: no metric, label, value or document that
does not exist. Starts nothing; scripts/check.sh asks the real Prometheus."""
import copy
import json
import pathlib
import re
import sys
import unittest

sys.dont_write_bytecode = True
import catalogue  # noqa: E402 (after the line that keeps the tree free of __pycache__)
import yaml  # noqa: E402

sys.path.insert(0, str(catalogue.MONITORING / "grafana"))
import generate  # noqa: E402

KNOWN = catalogue.Catalogue()
DASHBOARDS = {name: json.loads(text) for name, text in generate.documents().items()}
COLUMNS = 24
UNITS = {"none", "ops", "s", "bytes", "percentunit"}
LEGEND = re.compile(r"\{\{(\w+)\}\}")
ALERT_LABEL = re.compile(r"\$labels\.(\w+)")


def panels_of(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def faults_of_dashboard(dashboard):
    """What is wrong with its JSON, in words."""
    def number_of(values):
        return sorted(value for value in set(values) if list(values).count(value) > 1)

    found = [f"panel id {each} twice" for each in number_of([p["id"] for p in dashboard["panels"]])]
    variables = {each["name"] for each in dashboard["templating"]["list"]}
    if "datasource" not in variables:
        found.append("no variable for the datasource")
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        if place["x"] + place["w"] > COLUMNS or cells & taken:
            found.append(f"{panel['title']}: does not fit where it stands")
        taken |= cells
    for panel in panels_of(dashboard):
        title = panel["title"]
        if not panel["description"].endswith("."):
            found.append(f"{title}: no sentence says what it shows")
        if panel["fieldConfig"]["defaults"]["unit"] not in UNITS:
            found.append(f"{title}: no unit")
        if {panel["datasource"]["uid"], *(t["datasource"]["uid"] for t in panel["targets"])} != {
                "${datasource}"}:
            found.append(f"{title}: another datasource than the variable")
        if number_of([target["refId"] for target in panel["targets"]]):
            found.append(f"{title}: a refId twice")
        for target in panel["targets"]:
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval", "__range"}
            found += [f"{title}: no variable ${name}" for name in used - variables]
            found += KNOWN.faults(target["expr"], LEGEND.findall(target["legendFormat"]))
    for note in dashboard["annotations"]["list"]:
        found += KNOWN.faults(note["expr"], LEGEND.findall(note["titleFormat"]))
    for each in dashboard["templating"]["list"]:
        query = re.fullmatch(r"label_values\((\w+), (\w+)\)", each.get("definition", ""))
        if query:
            found += KNOWN.faults(query[1], [query[2]])
    return found


def faults_of_alert(rule, anchors):
    notes = rule["annotations"]
    found = KNOWN.faults(rule["expr"], [label for text in notes.values()
                                        for label in ALERT_LABEL.findall(text)])
    if set(notes) != {"summary", "action", "runbook"}:
        found.append("not a summary, an action and a runbook")
    if notes.get("runbook") != f"docs/OPERATIONS.md#{rule['alert'].lower()}":
        found.append("its runbook is not its own heading of docs/OPERATIONS.md")
    if rule["alert"].lower() not in anchors:
        found.append("docs/OPERATIONS.md has no heading of that name")
    if rule["labels"].get("severity") not in ("critical", "warning"):
        found.append("no severity")
    return [f"{rule['alert']}: {fault}" for fault in found]


def headings(file):
    return {re.sub(r"[^\w -]", "", line.lstrip("#").strip().lower()).replace(" ", "-")
            for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")}


ANCHORS = headings(catalogue.TREE / "docs/OPERATIONS.md")


class Dashboards(unittest.TestCase):
    def test_the_files_are_what_is_generated(self):
        on_disk = {path.name: path.read_text(encoding="utf-8")
                   for path in generate.FOLDER.glob("*.json")}
        self.assertEqual(on_disk, generate.documents(), "run monitoring/grafana/generate.py")

    def test_every_panel_asks_for_what_there_is(self):
        for name, dashboard in DASHBOARDS.items():
            with self.subTest(name):
                self.assertEqual(faults_of_dashboard(dashboard), [])

    def test_no_two_have_a_uid(self):
        self.assertEqual(len({each["uid"] for each in DASHBOARDS.values()}), len(DASHBOARDS))

    def test_a_broken_dashboard_is_seen(self):
        def broken(change):
            dashboard = copy.deepcopy(DASHBOARDS["fleet.json"])
            change(dashboard, dashboard["panels"][1])
            return faults_of_dashboard(dashboard)

        def ask(expr):
            return lambda _, panel: panel["targets"][0].update(expr=expr)

        for change in (
                ask("framefleet_broker_task"), ask('framefleet_broker_tasks{stat="ready"}'),
                ask('framefleet_broker_tasks{state="idle"}'), ask("framefleet_broker_task_seconds"),
                ask("sum by (worker) (framefleet_broker_slots)"),
                ask("summ(framefleet_broker_slots)"),
                ask('framefleet_broker_busy_answers_total{reason="tired"}'),
                ask('framefleet_broker_submitted_tasks_total{source="$camera"}'),
                lambda _, panel: panel["targets"][0].update(legendFormat="{{source}}"),
                lambda _, panel: panel["gridPos"].update(x=22),
                lambda _, panel: panel["gridPos"].update(x=0),
                lambda _, panel: panel.update(id=1),
                lambda _, panel: panel.update(description=""),
                lambda _, panel: panel["datasource"].update(uid="mine"),
                lambda _, panel: panel["fieldConfig"]["defaults"].update(unit="parsecs"),
                lambda dashboard, _: dashboard["templating"]["list"].clear()):
            self.assertNotEqual(broken(change), [])


class Alerts(unittest.TestCase):
    def test_every_alert_asks_for_what_there_is_and_says_what_to_do(self):
        for rule in catalogue.alerts():
            self.assertEqual(faults_of_alert(rule, ANCHORS), [])

    def test_every_recording_rule_asks_for_what_there_is(self):
        for rule in catalogue.rules():
            self.assertEqual(KNOWN.faults(rule["expr"]), [])

    def test_every_alert_is_seen_firing_and_not_firing_by_promtool(self):
        tests = yaml.safe_load((catalogue.RULES.parent / "framefleet.rules.test.yml").read_text())
        fire = {label for test in tests["tests"] for check in test["promql_expr_test"]
                for sample in check["exp_samples"]
                for label in re.findall(r'alertname="(\w+)"', sample["labels"])}
        rest = {test["name"].partition(":")[0] for test in tests["tests"]
                if any(not check["exp_samples"] for check in test["promql_expr_test"])}
        names = {rule["alert"] for rule in catalogue.alerts()}
        self.assertEqual(fire, names)
        self.assertEqual({f"Framefleet{name}" for name in rest}, names)

    def test_a_broken_alert_is_seen(self):
        rule = catalogue.alerts()[0]
        for change in ({"expr": "framefleet_broker_gone > 0"}, {"alert": "FramefleetNobodyKnows"},
                       {"labels": {}}, {"annotations": {"summary": "?"}}):
            self.assertNotEqual(faults_of_alert({**rule, **change}, ANCHORS), [])

    def test_alertmanager_knows_the_alerts_it_inhibits(self):
        text = (catalogue.MONITORING / "alertmanager/alertmanager.yml").read_text()
        names = {rule["alert"] for rule in catalogue.alerts()}
        for group in re.findall(r"Framefleet\(([\w|]+)\)", text):
            self.assertLessEqual({f"Framefleet{name}" for name in group.split("|")}, names)
        for name in re.findall(r"Framefleet\w+", re.sub(r"Framefleet\([\w|]+\)", "", text)):
            self.assertIn(name, names)


class Provisioning(unittest.TestCase):
    def test_grafana_is_told_where_prometheus_and_the_dashboards_are(self):
        folder = pathlib.Path(catalogue.MONITORING / "grafana/provisioning")
        sources = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())
        boards = yaml.safe_load((folder / "dashboards/framefleet.yml").read_text())
        defaults = {each["templating"]["list"][0]["current"]["value"]
                    for each in DASHBOARDS.values()}
        self.assertEqual({each["uid"] for each in sources["datasources"]}, defaults)
        self.assertEqual([each["type"] for each in boards["providers"]], ["file"])


if __name__ == "__main__":
    unittest.main()
