#!/usr/bin/env python3
"""What an image holds beside its own programs, as a bill of materials (CycloneDX 1.5, JSON).

    sbom.py NAME VERSION BASE_PACKAGES <FILES >sbom.cdx.json

BASE_PACKAGES: a file with the names of the packages that are there whole, one a line. FILES: a line
`PACKAGE PATH` for each file that was taken out of a package. Versions are those of this machine's
dpkg, from which all of it came. The same input gives the same bytes.
"""
import collections
import json
import subprocess
import sys
import urllib.parse

FIELDS = ("binary:Package", "Version", "Architecture", "source:Package", "source:Version")


def distribution():
    with open("/etc/os-release", encoding="utf-8") as file:
        fields = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    return fields["VERSION_ID"].strip('"')


def installed():
    """What dpkg knows of each package, by its name without an architecture."""
    form = "\t".join(f"${{{field}}}" for field in FIELDS) + "\n"
    lines = subprocess.run(["dpkg-query", "-W", "-f", form], check=True, capture_output=True,
                           text=True, timeout=60).stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    return {row[0].partition(":")[0]: row[1:] for row in rows}


def component(package, row, paths, release):
    version, architecture, source, source_version = row
    quoted = urllib.parse.quote(version, safe="")
    found = {
        "type": "library",
        "bom-ref": f"deb:{package}",
        "name": package,
        "version": version,
        "purl": f"pkg:deb/debian/{package}@{quoted}?arch={architecture}&distro=debian-{release}",
        "properties": [{"name": "debian:source", "value": f"{source} {source_version}"}],
    }
    if paths:
        found["evidence"] = {"occurrences": [{"location": path} for path in sorted(paths)]}
    return found


def main():
    name, version, base_packages = sys.argv[1:]
    known, release = installed(), distribution()
    paths = collections.defaultdict(set)
    for line in sys.stdin:
        package, path = line.split(maxsplit=1)
        paths[package].add(path.rstrip("\n"))
    with open(base_packages, encoding="utf-8") as file:
        packages = sorted({*file.read().split(), *paths})
    missing = [package for package in packages if package not in known]
    if missing:
        sys.exit(f"error: dpkg knows no {', '.join(missing)}")
    json.dump({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": name, "name": name,
                                   "version": version}},
        "components": [component(package, known[package], paths[package], release)
                       for package in packages],
    }, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
