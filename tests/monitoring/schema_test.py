#!/usr/bin/env python3
"""The dashboards against Grafana's own schema, by a compiler: every field is one that Grafana has,
with a value that it takes. Run by `scripts/check.sh monitoring`; needs npm and a registry of its
packages, and is SKIPPED where either is missing.

What is beyond the schema is not checked: queries (live_test.py asks Prometheus), and how it looks.
"""
import copy
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
import catalogue  # noqa: E402 (after the line that keeps the tree free of __pycache__)

SCHEMA = pathlib.Path(__file__).resolve().parent / "grafana"
WORK = pathlib.Path(os.environ.get(
    "GRAFANA_SCHEMA_FOLDER", catalogue.TREE / "build/check/grafana-schema"))
DASHBOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(
    (catalogue.MONITORING / "grafana/dashboards").glob("*.json"))}
OUR_FAULT = {"EINTEGRITY", "EUSAGE"}  # not the pinned package; a lock file that is old
ERROR = re.compile(r"^([\w-]+)\.ts\((\d+),\d+\): error (.*)$", re.MULTILINE)


def one_of_each_kind():
    """A dashboard with the first panel of every kind, to be broken."""
    board = copy.deepcopy(DASHBOARDS["workers"])
    board["panels"] = list({panel["type"]: panel for panel in reversed(board["panels"])}.values())
    return board


def panel_of(board, kind):
    return next(panel for panel in board["panels"] if panel["type"] == kind)


def defaults_of(board, kind):
    return panel_of(board, kind)["fieldConfig"]["defaults"]


def rename(fields, name, wrong):
    fields[wrong] = fields.pop(name)


# One fault each: what an editor, a typo or an upgrade of Grafana may do.
FAULTS = {
    "of-board": lambda board: rename(board, "refresh", "refreshh"),
    "no-schema-version": lambda board: board.pop("schemaVersion"),
    "time-as-number": lambda board: board["time"].update({"from": 30}),
    "of-link": lambda board: rename(board["links"][0], "keepTime", "keeptime"),
    "of-variable": lambda board: rename(board["templating"]["list"][0], "current", "Current"),
    "sort-of-variable": lambda board: board["templating"]["list"][1].update(sort=12),
    "of-annotation": lambda board: rename(board["annotations"]["list"][0], "iconColor", "color"),
    "kind": lambda board: panel_of(board, "stat").update(type="singlestat"),
    "place": lambda board: rename(panel_of(board, "stat")["gridPos"], "w", "width"),
    "row": lambda board: panel_of(board, "row").update(collapsed="no"),
    "of-panel": lambda board: rename(panel_of(board, "table"), "description", "text"),
    "of-query": lambda board: rename(panel_of(board, "stat")["targets"][0], "expr", "query"),
    "of-field": lambda board: rename(defaults_of(board, "stat"), "thresholds", "threshold"),
    "mode-of-thresholds": lambda board: defaults_of(board, "stat")["thresholds"].update(mode="abs"),
    "of-threshold": lambda board: defaults_of(board, "stat")["thresholds"]["steps"][0].update(
        value="0"),
    "decimals-as-text": lambda board: defaults_of(board, "table").update(decimals="0"),
    "option-of-stat": lambda board: rename(panel_of(board, "stat")["options"], "colorMode",
                                           "colourMode"),
    "color-of-stat": lambda board: panel_of(board, "stat")["options"].update(colorMode="behind"),
    "option-of-graph": lambda board: panel_of(board, "timeseries")["options"]["tooltip"].update(
        mode="all"),
    "legend-of-graph": lambda board: panel_of(board, "timeseries")["options"]["legend"].pop(
        "calcs"),
    "custom-of-graph": lambda board: rename(defaults_of(board, "timeseries")["custom"],
                                            "lineWidth", "linewidth"),
    "scale-of-graph": lambda board: defaults_of(board, "timeseries")["custom"].update(
        scaleDistribution={"type": "logarithmic"}),
    "cell-of-table": lambda board: defaults_of(board, "table")["custom"]["cellOptions"].update(
        type="color"),
    "transformation": lambda board: rename(panel_of(board, "table")["transformations"][0],
                                           "options", "option"),
}


def install():
    """Why there is no compiler; nothing where there is one."""
    if not shutil.which("npm"):
        return "no npm here"
    WORK.mkdir(parents=True, exist_ok=True)
    for file in SCHEMA.iterdir():
        shutil.copy(file, WORK)
    lock = (SCHEMA / "package-lock.json").read_bytes()
    installed = WORK / "installed"
    if installed.exists() and installed.read_bytes() == lock:
        return ""
    told = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1",
         "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"],
        cwd=WORK, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if told.returncode == 0:
        installed.write_bytes(lock)
        return ""
    words = told.stdout + told.stderr
    codes = set(re.findall(r"\b(?:code|errno) (E\w+)", words))
    if codes & OUR_FAULT:
        raise AssertionError(words)
    return f"npm cannot install the schema ({' '.join(sorted(codes)) or words.strip()[-200:]})"


def compile_all(documents):
    """{name: errors} of {name: dashboard}."""
    for old in WORK.glob("board-*.ts"):
        old.unlink()
    for name, board in documents.items():
        text = json.dumps(board, indent=1)
        (WORK / f"board-{name}.ts").write_text(
            'import type { Dashboard } from "./dashboard";\n'
            f"export const board: Dashboard = {text};\n", encoding="utf-8")
    told = subprocess.run([WORK / "node_modules/.bin/tsc", "--project", WORK], cwd=WORK,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = {name: [] for name in documents}
    for file, line, text in ERROR.findall(told.stdout):
        found.setdefault(file.removeprefix("board-"), []).append(f"line {line}: {text}")
    if told.returncode != 0 and not any(found.values()):
        raise AssertionError(told.stdout + told.stderr)
    return found


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        why_not = install()
        if why_not:
            print(f"SKIPPED: dashboards against Grafana's schema: {why_not}", flush=True)
            raise unittest.SkipTest(why_not)
        boards = {**DASHBOARDS, "whole": one_of_each_kind()}
        for name, fault in FAULTS.items():
            boards[f"broken-{name}"] = one_of_each_kind()
            fault(boards[f"broken-{name}"])
        cls.found = compile_all(boards)

    def test_every_dashboard_is_one_for_grafana(self):
        for name, errors in self.found.items():
            if not name.startswith("broken-"):
                with self.subTest(name):
                    self.assertEqual(errors, [])

    def test_every_kind_of_fault_is_seen(self):
        for name, errors in self.found.items():
            if name.startswith("broken-"):
                with self.subTest(name):
                    self.assertNotEqual(errors, [])
        print(f"{len(DASHBOARDS)} dashboards, {len(FAULTS)} broken ones seen", flush=True)

    def test_it_is_the_schema_of_the_grafana_that_users_get(self):
        pinned = json.loads((SCHEMA / "package.json").read_text())["dependencies"]
        image = re.search(r"grafana/grafana:([\d.]+)",
                          (catalogue.TREE / "compose.yaml").read_text())
        self.assertEqual(pinned["@grafana/schema"], image[1])


if __name__ == "__main__":
    unittest.main()
