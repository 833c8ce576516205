"""The real Prometheus and Alertmanager watching a Fleet, with the project's own rules, hurried: a
second between scrapes, alerts that wait for two."""
import http.server
import json
import os
import pathlib
import socket
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import catalogue
import yaml

sys.path.insert(0, str(catalogue.TREE / "tests/e2e"))
from process import Process, eventually  # noqa: E402

TOOLS = pathlib.Path(os.environ.get(
    "FRAMEFLEET_WATCHERS", catalogue.TREE / "build/check/prometheus")) / "usr/bin"
# Debian's Alertmanager reads templates from /usr/share: it is shown that of its package, alone.
WITH_ITS_TEMPLATES = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]),
                      "sh", "-c", f'mount --bind "{TOOLS.parent}/share" /usr/share && exec "$@"',
                      "alertmanager"]
ROLES = ("broker", "sink", "worker", "producer")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(url):
    """The text of an answer, also of one that is an error."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def is_ready(url):
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=30) as answer:
            return answer.status == 200
    except OSError:
        return False


class Webhook:
    """What the Alertmanager tells: `told` is a list of (alert name, "firing" or "resolved")."""

    def __init__(self):
        self.told = told = []

        class Listener(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802 (http.server calls it by this name)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend((alert["labels"]["alertname"], alert["status"])
                            for alert in body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def until_told(self, name, status):
        eventually(lambda: (name, status) in self.told, f"somebody is told that {name} is {status}")


class Watchers:
    def __init__(self, fleet, webhook):
        self.folder = fleet.folder / "watchers"
        self.folder.mkdir()
        self._fleet = fleet
        port, alerts = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._write_alertmanager(webhook)
        self._write_prometheus(alerts)
        self.targets()
        fleet.processes += [
            Process("alertmanager", [
                *WITH_ITS_TEMPLATES, TOOLS / "prometheus-alertmanager",
                f"--config.file={self.folder}/alertmanager.yml",
                f"--storage.path={self.folder}/alerts", f"--web.listen-address=127.0.0.1:{alerts}",
                "--cluster.listen-address="]),
            Process("prometheus", [
                TOOLS / "prometheus", f"--config.file={self.folder}/prometheus.yml",
                f"--storage.tsdb.path={self.folder}/series",
                f"--web.listen-address=127.0.0.1:{port}"])]
        for url in (self.url, f"http://127.0.0.1:{alerts}"):
            eventually(lambda at=url: is_ready(at), f"{url} is ready")

    def _write_alertmanager(self, webhook):
        file = catalogue.MONITORING / "alertmanager/alertmanager.yml"
        config = yaml.safe_load(file.read_text())
        config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
        config["receivers"][0]["webhook_configs"] = [{"url": webhook.url, "send_resolved": True}]
        self._write("alertmanager.yml", config)

    def _write_prometheus(self, alerts):
        config = yaml.safe_load((catalogue.RULES.parent / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [
            f"127.0.0.1:{alerts}"]
        for job in config["scrape_configs"]:
            del job["static_configs"]
            job["file_sd_configs"] = [{"files": [f"{self.folder}/{job['job_name']}.json"],
                                       "refresh_interval": "1s"}]
        self._write("prometheus.yml", config)
        rules = yaml.safe_load(catalogue.RULES.read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                if "for" in rule:
                    rule["for"] = "2s"
        self._write(catalogue.RULES.name, rules)

    def _write(self, name, document):
        (self.folder / name).write_text(yaml.safe_dump(document), encoding="utf-8")

    def targets(self):
        """Tells Prometheus of the processes that run now."""
        for role in ROLES:
            ports = [process.until_log("metrics_listening")["port"]
                     for process in self._fleet.named(role)]
            text = json.dumps([{"targets": [f"127.0.0.1:{port}" for port in ports]}])
            fresh = self.folder / f"{role}.fresh"
            fresh.write_text(text, encoding="utf-8")
            fresh.rename(self.folder / f"framefleet-{role}.json")

    def query(self, expr):
        """The rows of an instant query; fails where Prometheus does not read it."""
        return self._data("query", query=expr)

    def query_range(self, expr, start, end, step=1):
        return self._data("query_range", query=expr, start=start, end=end, step=step)

    def _data(self, path, **parameters):
        text = ask(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        answer = json.loads(text)
        if answer["status"] != "success":
            raise AssertionError(f"{parameters['query']}: {answer['error']}")
        return answer["data"]["result"]
