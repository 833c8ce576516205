"""The mechanical rules about documents: what they point at, and what they list, is there."""

import json
import posixpath
import re
import statistics

from rules import rule
from tree import CODE, strip_comments

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FOLDER = r"(?:shared|broker|worker|producer|sink|cli|tests|docs|scripts|cmake|bench|\.ci)"
# "say `worker/detectors/circles.cpp`" is an example and need not exist.
TREE_PATH = re.compile(rf"(?<!say )`({FOLDER}/[\w./-]+)`")


def without_code_blocks(text):
    return re.sub(r"```.*?```", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.DOTALL)


def heading_anchors(text):
    """The anchors that GitHub gives to the headings of a document."""
    for heading in re.findall(r"^#+\s+(.*?)\s*$", without_code_blocks(text), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@rule(
    bad={
        "README.md": "[gone](docs/GONE.md) `shared/base/gone.hpp`\n",
        "docs/A.md": "# One\n[x](#two) [y](../README.md#nowhere)\n",
    },
    good={
        "README.md": "[a](docs/A.md#part-two-it-is) [web](https://example.org/x) `docs/A.md`\n",
        "docs/A.md": "# A\n## Part two: it is\n[u](../README.md) [v](#a)\n```\n[x](gone)\n```\n",
        "docs/B.md": "say `cli/x.cpp`\n",
    },
)
def documents_point_at_what_exists(tree):
    for path in tree.paths(".md"):
        text = without_code_blocks(tree.files[path])
        for number, line in enumerate(text.splitlines(), start=1):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, anchor = target.partition("#")
                file = posixpath.join(posixpath.dirname(path), file) if file else path
                file = posixpath.normpath(file)
                if not tree.exists(file):
                    yield f"{path}:{number}: {target}: there is no {file}"
                elif anchor and anchor not in heading_anchors(tree.files.get(file, "")):
                    yield f"{path}:{number}: {target}: {file} has no heading for it"
            for target in TREE_PATH.findall(line):
                if not tree.exists(target):
                    yield f"{path}:{number}: `{target}` does not exist"


LOG_CALL = re.compile(
    r"""\b(?:log_?\.(?P<method>error|warn|info|debug|log)|write)\(\s*
        (?:LogLevel::(?P<level>\w+),\s*)?(?:\w+\s*\?\s*)?"(?P<event>\w+)"
        (?:\s*:\s*"(?P<other>\w+)")?(?P<rest>[^;]*)""",
    re.VERBOSE,
)
LOG_FIELD = re.compile(r'\{"(\w+)",')
LOG_ROW = re.compile(r"\| `(\w+)` \| (\w+) \| [^|]*\| ([^|]*)\|")
LOG_CATALOGUE = "docs/OPERATIONS.md"


def logged_events(tree):
    """{event: [path, level, fields]} of everything that is written to a log."""
    events = {}
    for path in tree.paths(*CODE):
        if path.startswith(("tests/", "bench/")):
            continue
        for call in LOG_CALL.finditer(strip_comments(tree.files[path])):
            level = call["level"] or call["method"]
            for event in filter(None, (call["event"], call["other"])):
                known = events.setdefault(event, [path, level, set()])
                known[2].update(LOG_FIELD.findall(call["rest"]))
                if known[1] != level:
                    known[1] = f"{known[1]} and {level}"
    return events


@rule(
    bad={
        "sink/a.cpp": 'log_.info("unheard_of");\nlog.warn("full", {{"disk", d}});\n'
        'log.info("noisy");\n',
        "docs/OPERATIONS.md": "## Log events\n| `gone` | info | all | | x |\n"
        "| `full` | warn | sink | `text` | x |\n| `noisy` | debug | sink | | x |\n",
    },
    good={
        "sink/a.cpp": 'program_.log.info(up ? "up" : "down", {{"at", n}});\n// log.info("not")\n'
        'write(LogLevel::warn, "held", fields);\n',
        "docs/OPERATIONS.md": "## Log events\n| `up` | info | all | `at` | x |\n"
        "| `down` | info | all | `at` | x |\n| `held` | warn | all | `of` | fields of its own |\n"
        "## Other\n| `code` | 1 | x | y |\n",
    },
)
def logged_events_are_catalogued(tree):
    text = tree.files.get(LOG_CATALOGUE, "").partition("## Log events\n")[2].partition("\n## ")[0]
    rows = {name: (level, set(re.findall(r"`(\w+)`", fields)))
            for name, level, fields in LOG_ROW.findall(text)}
    events = logged_events(tree)
    for name in sorted(rows.keys() - events.keys()):
        yield f"{LOG_CATALOGUE}:1: nothing logs `{name}`"
    for name, (path, level, fields) in sorted(events.items()):
        if name not in rows:
            yield f"{path}:1: {name}: {LOG_CATALOGUE} does not list this event"
        elif rows[name][0] != level:
            yield f"{LOG_CATALOGUE}:1: `{name}` is logged as {level}"
        elif fields and fields != rows[name][1]:
            yield f"{LOG_CATALOGUE}:1: `{name}` has the fields {', '.join(sorted(fields))}"


FAILPOINTS = "shared/base/failpoint.hpp"
FAILPOINT_NAME = re.compile(r'"([a-z_]+(?:\.[a-z_]+)+)"')


@rule(
    bad={
        "shared/base/failpoint.hpp": 'kFailpoints{"a.before", "a.nowhere", "a.twice"};\n',
        "sink/a.cpp": 'failpoint("a.before");\nfailpoint("a.twice");\n',
        "sink/b.cpp": 'failpoint("a.twice");\n',
        "docs/TESTING.md": "## Failpoints\n| `a.before` `a.nowhere` `a.gone` | sink |\n",
    },
    good={
        "shared/base/failpoint.hpp": 'kFailpoints{"a.before"};  // "a.b"\n',
        "sink/a.cpp": 'failpoint("a.before");\nopen("a.file");\n',
        "docs/TESTING.md": "## Failpoints\n| `a.before` | sink | `not.here`, after it |\n",
    },
)
def failpoints_stand_once_and_are_listed(tree):
    names = FAILPOINT_NAME.findall(strip_comments(tree.files.get(FAILPOINTS, "")))
    document = "docs/TESTING.md"
    text = tree.files.get(document, "").partition("## Failpoints\n")[2].partition("\n## ")[0]
    listed = [name for row in re.findall(r"^\| ([^|]*`[^|]*) \|", text, re.MULTILINE)
              for name in re.findall(r"`([\w.]+)`", row)]
    code = [path for path in tree.paths(*CODE)
            if path != FAILPOINTS and not path.startswith("tests/")]
    places = [(name, path) for path in code
              for name in FAILPOINT_NAME.findall(strip_comments(tree.files[path]))]
    for name in names:
        found = [path for one, path in places if one == name]
        if not found:
            yield f"{FAILPOINTS}:1: {name} stands nowhere in the code"
        for path in found if len(found) > 1 else ():
            yield f"{path}:1: {name} stands in the code more than once"
        if listed.count(name) != 1:
            yield f"{document}:1: `{name}` is to be listed once"
    for name in set(listed) - set(names):
        yield f"{document}:1: there is no failpoint `{name}`"


SPEED = "docs/SPEED.md"
SPEED_RUNS = "docs/speed/runs.jsonl"
ROW = re.compile(r"^\| (.*) \|$", re.MULTILINE)


def rows_of(document, heading):
    """The rows of the table below a heading, its head first, as lists of cells."""
    text = document.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in row.split("|")] for row in ROW.findall(text)]
    return [row for row in rows if not set(row[0]) <= {"-", ":"}]


def wanted_rows(lines):
    for line in lines:
        if "target" in line:
            yield [line["workload"], line["target"], f"{line['measured']:.2f}",
                   f"{line['bound']} {line['wanted']:.2f}", "met" if line["met"] else "MISS"]


def pace_ratio(lines, workload, rival):
    """Our pace divided by theirs: the median of the rounds' own, as the bench has it."""
    pace = {(line["contestant"], line["round"]): line["tasks_per_s"] for line in lines
            if line["workload"] == workload and "tasks_per_s" in line}
    ratios = [ours / pace[rival, number] for (name, number), ours in pace.items()
              if name == "framefleet" and (rival, number) in pace]
    return f"{statistics.median(ratios):.2f}" if ratios else ""


@rule(
    bad={
        "docs/SPEED.md": "## Beside others\n| workload | redis |\n|---|---|\n| queue | 0.50 |\n"
        "## What was wanted\n| workload | what | measured | wanted | |\n",
        "docs/speed/runs.jsonl": '{"contestant":"framefleet","round":0,"tasks_per_s":2,'
        '"workload":"queue"}\n{"contestant":"redis","round":0,"tasks_per_s":1,'
        '"workload":"queue"}\n{"bound":"at least","measured":2.0,"met":true,'
        '"target":"tasks/s / redis","wanted":1.5,"workload":"queue"}\n',
    },
    good={
        "docs/SPEED.md": "## Beside others\n| workload | redis |\n|---|---|\n| queue | 2.00 |\n"
        "## What was wanted\n| workload | what | measured | wanted | |\n|---|---|---|---|---|\n"
        "| queue | tasks/s / redis | 2.00 | at least 1.50 | met |\n",
        "docs/speed/runs.jsonl": '{"contestant":"framefleet","round":0,"tasks_per_s":2,'
        '"workload":"queue"}\n{"contestant":"redis","round":0,"tasks_per_s":1,'
        '"workload":"queue"}\n{"bound":"at least","measured":2.0,"met":true,'
        '"target":"tasks/s / redis","wanted":1.5,"workload":"queue"}\n',
    },
)
def speed_page_says_what_was_measured(tree):
    page = tree.files.get(SPEED, "")
    lines = [json.loads(line) for line in tree.files.get(SPEED_RUNS, "").splitlines()]
    written = rows_of(page, "What was wanted")[1:]
    measured = list(wanted_rows(lines))
    for row in measured:
        if row not in written:
            yield f"{SPEED}:1: a row is missing: | {' | '.join(row)} |"
    for row in written:
        if row not in measured:
            yield f"{SPEED}:1: {SPEED_RUNS} does not have: | {' | '.join(row)} |"
    head, *body = rows_of(page, "Beside others") or [[]]
    if lines and not body:
        yield f"{SPEED}:1: has no table of the ratios of {SPEED_RUNS}"
    for workload, *cells in body:
        for rival, cell in zip(head[1:], cells):
            if cell != (ratio := pace_ratio(lines, workload, rival)):
                yield f"{SPEED}:1: {workload}, {rival}: {cell} is {ratio} in {SPEED_RUNS}"
