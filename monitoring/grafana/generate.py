#!/usr/bin/env python3
"""Writes the dashboards: `monitoring/grafana/generate.py` after a change of fleet_dashboards.py.

They are made and not drawn, because what is made is reviewed as a few lines and is alike
everywhere. A test compares dashboards/*.json with what this makes.
"""
import json
import pathlib
import sys

sys.dont_write_bytecode = True
import fleet_dashboards  # noqa: E402 (after the line that keeps the tree free of __pycache__)

FOLDER = pathlib.Path(__file__).resolve().parent / "dashboards"


def documents():
    """{file name: text} of all of them."""
    return {f"{dashboard['uid'].removeprefix('framefleet-')}.json":
            json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"
            for dashboard in fleet_dashboards.all_of_them()}


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
