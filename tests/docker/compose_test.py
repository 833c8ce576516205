"""compose.yaml in a real engine: scaling under load, crashes of workers and of the broker, a worker
that is cut off, an upgrade, a backup and its return, as docs/OPERATIONS.md has them. What is stored
agrees with the books to the unit, whatever happens.

Run by tests/docker/engine.sh, which gives it an engine. Times are printed, not asserted.
"""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from compose import FILES, PROJECT, Fleet, eventually, missing_parts, run
from ledger import agree
from pictures import square_png
import questions  # compose says where it is

OF_THE_FLEET = ("broker", "sink", "worker", "producer")
WATCHERS = ("prometheus", "alertmanager")  # no Grafana in Debian: compose_file_test.py looks at it
SBOM = "/usr/local/share/doc/framefleet/sbom.cdx.json"
PICTURES = 400
WORKERS = 5

# Beside questions.EMPTY, what rightly has no rows in this run, and why.
EMPTY_HERE = {
    "Fleet: What is not done, and why": "shown where it is not 0: all is done",
    "Fleet: Attempts that came to nothing": "shown where it is not 0: none did",
    "Workers: Tasks given back": "shown where it is not 0: none is",
    "Workers: Child processes that ended": "shown where it is not 0: none did",
    "framefleet_worker_annotate_seconds_bucket": "nobody asks for pictures that are drawn into",
    **{f"framefleet_producer_camera_{name}": "no camera of compose.yaml is captured"
       for name in ("up", "pictures_total", "gated_pictures_total", "starts_total")},
}


def lap(what, since):
    print(f"    {what}: {time.monotonic() - since:.1f} s", flush=True)


class InCompose(unittest.TestCase):
    """One fleet for all: its books are compared after each part."""

    fleet: Fleet

    @classmethod
    def setUpClass(cls):
        why_not = missing_parts()
        if why_not:
            print(f"SKIPPED: {cls.__name__}: {why_not}")
            raise unittest.SkipTest(why_not)
        cls.photos = pathlib.Path(tempfile.mkdtemp(prefix="framefleet-photos-"))
        cls.photos.chmod(0o755)
        for number in range(PICTURES):
            (cls.photos / f"{number:04}.png").write_bytes(square_png(number))
        cls.backup = pathlib.Path(tempfile.mkdtemp(prefix="framefleet-backup-")) / "store"
        cls.fleet = Fleet(PHOTOS=str(cls.photos), PHOTOS_DETECT="edges,stub?sleep=40ms",
                          PROMETHEUS_PORT="0", ALERTMANAGER_PORT="0")
        cls.began, cls.began_at = time.monotonic(), time.time()
        try:
            cls.fleet.up()
        except AssertionError:
            cls.fleet.print_all()
            cls.tearDownClass()
            raise
        lap("up and healthy", cls.began)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()
        shutil.rmtree(cls.photos)
        shutil.rmtree(cls.backup.parent)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            self.fleet.print_all()
        return result

    # --- in this order ------------------------------------------------------------------------

    def test_1_up_alone_gives_detections_and_figures(self):
        fleet = self.fleet
        eventually(lambda: fleet.store.exists() and
                   fleet.store.rows("SELECT 1 FROM v_detections LIMIT 1"), "a detection is stored")
        lap("first detection, since up", self.began)
        for role in ("broker", "sink", "worker", "producer"):
            eventually(lambda name=role: fleet.prometheus(
                f'framefleet_build_info{{process="framefleet-{name}"}}'), f"figures of the {role}")
        self.wait_for_the_dashboard("Fleet")
        worker = fleet.container("worker").metrics()
        self.assertEqual(worker["framefleet_worker_child_processes"], 1, "isolation by processes")
        self.assertEqual(worker["framefleet_worker_denied_system_calls_total"], 0)
        self.assertEqual(worker["framefleet_worker_self_test_failed"], 0)
        # From here on there is nothing but what a test submits.
        fleet.compose("stop", "producer")
        fleet.check_books()

    def test_1_nobody_without_a_key_is_let_in_and_nobody_reads_another_ones(self):
        fleet = self.fleet
        broker = fleet.container("broker")
        before = broker.metrics()["framefleet_broker_failed_handshakes_total"]
        # Inside the network, with the same image, and no key.
        asked = subprocess.run(
            ["docker", "run", "--rm", "--network", f"{PROJECT}_fleet", "framefleet", "framefleet",
             "status", "--connect=tcp://broker:5555", "--timeout=5s"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(asked.returncode, 69, asked.stdout + asked.stderr)
        eventually(lambda: broker.metrics()["framefleet_broker_failed_handshakes_total"] > before,
                   "the broker counts it")
        # A worker's key is no operator's.
        worker = fleet.container("worker")
        folder = "/var/lib/framefleet/keys"
        asked = worker.execute("framefleet", "status", "--connect=tcp://broker:5555",
                               f"--key={folder}/worker/worker.key",
                               f"--broker-key={folder}/worker/broker.pub")
        self.assertEqual(asked.returncode, 69, asked.stdout + asked.stderr)

        secrets = []
        for role in ("broker", "sink", "worker", "producer"):
            part = fleet.container(role)
            seen = part.execute("sh", "-c", f"cd {folder} && find . -name '*.key'").stdout.split()
            self.assertEqual(seen, [f"./{role}/{role}.key"])
            kept = part.execute("stat", "-c", "%a", f"{folder}/{role}",
                                f"{folder}/{role}/{role}.key").stdout.split()
            self.assertEqual(kept, ["700", "600"])
            text = part.execute("cat", f"{folder}/{role}/{role}.key").stdout
            secrets.append(re.search(r'secret = "(.{40})"', text)[1])
        self.assertEqual(len(set(secrets)), 4)
        told = fleet.compose("logs", "--no-color") + run("docker", "image", "inspect", "framefleet")
        for role in ("keys", "broker", "sink", "worker", "producer"):
            for identity in fleet.compose("ps", "-aq", "--no-trunc", role).split():
                told += run("docker", "inspect", identity)
        for secret in secrets:
            self.assertNotIn(secret, told)

    def test_1_every_container_is_confined(self):
        """Not as compose.yaml asks for it, but as the engine and the kernel have it."""
        for service in OF_THE_FLEET + WATCHERS:
            with self.subTest(service):
                found = self.fleet.container(service).inspected()
                host = found["HostConfig"]
                self.assertTrue(host["ReadonlyRootfs"])
                self.assertEqual(host["CapDrop"], ["ALL"])
                self.assertFalse(host["CapAdd"])
                self.assertIn("no-new-privileges:true", host["SecurityOpt"])
                self.assertFalse({"seccomp=unconfined", "apparmor=unconfined"}
                                 & set(host["SecurityOpt"]))
                self.assertFalse(host["Privileged"])
                self.assertFalse(host["Devices"])
                self.assertGreater(host["Memory"], 0)
                self.assertGreater(host["PidsLimit"], 0)
                for space in ("PidMode", "UTSMode", "UsernsMode"):
                    self.assertEqual(host[space], "", space)
                self.assertIn(host["IpcMode"], ("private", "none"))
                self.assertNotIn("docker.sock", str(found["Mounts"]))

    def test_1_the_fleet_is_nobody_and_out_of_reach(self):
        for service in OF_THE_FLEET:
            with self.subTest(service):
                container = self.fleet.container(service)
                found, status = container.inspected(), container.status()
                self.assertEqual(found["Config"]["User"], "10001:10001")
                self.assertFalse(any(found["NetworkSettings"]["Ports"].values()), "published")
                self.assertEqual(list(found["NetworkSettings"]["Networks"]), [f"{PROJECT}_fleet"])
                self.assertEqual(set(status["Uid"].split() + status["Gid"].split()), {"10001"})
                for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                    self.assertEqual(int(status[capabilities], 16), 0, capabilities)
                self.assertEqual(status["NoNewPrivs"], "1")
                self.assertEqual(status["Seccomp"], "2", "the engine's filter")
                # It has an address for metrics, and nobody outside of the network of the fleet.
                self.assertIn("framefleet_build_info", container.get("/metrics"))
        network = json.loads(run("docker", "network", "inspect", f"{PROJECT}_fleet"))[0]
        self.assertTrue(network["Internal"])

    def test_1_the_bill_of_materials_has_every_library(self):
        broker = self.fleet.container("broker")
        bill = json.loads(broker.execute("cat", SBOM).stdout)
        named = {place["location"] for each in bill["components"]
                 for place in each.get("evidence", {}).get("occurrences", ())}
        loaded = set(re.findall(r"=> (/\S+)", broker.execute(
            "sh", "-c", "ldd /usr/local/bin/framefleet*").stdout))
        loaded = {path if path.startswith("/usr/") else f"/usr{path}" for path in loaded}
        self.assertGreater(len(loaded), 20)
        self.assertEqual(loaded - named, set())
        base = set(broker.execute("dpkg-query", "-W", "-f", "${Package}\\n").stdout.split())
        self.assertEqual(base - {each["name"] for each in bill["components"]}, set())

    def wait_for_the_dashboard(self, title):
        board = next(each for each in questions.DASHBOARDS if each["title"] == title)
        asked = list(questions.of_panels(board))
        left = []

        def populated():
            left[:] = questions.unanswered(asked, self.fleet.prometheus,
                                           {**questions.EMPTY, **EMPTY_HERE})
            return not left
        try:
            eventually(populated, f"every panel of {title} has rows")
        except AssertionError:
            self.fail(f"panels without rows: {left}")
        lap(f"all panels of {title} have rows, since up", self.began)

    def test_2_scaling_twice_under_load(self):
        fleet = self.fleet
        load = self.load("scaled", "--rate=25", "--drain-timeout=100s", count=0)
        for turn in (1, 2):
            self.scale_up_and_down(turn)
        run("docker", "stop", "-t", "120", load.id, timeout=150)
        self.assertEqual(load.exit_code(), 0)
        fleet.check_books()
        account = fleet.store.accounts("job")["scaled"]
        agree("ends of the load", set(account), {"ok"})
        agree("tasks that were handed out twice",
              fleet.store.rows("SELECT task, attempts FROM outcomes WHERE attempts != 1"
                               " AND job = 'scaled'"), [])
        broker = fleet.container("broker").metrics()
        self.assertEqual(broker["framefleet_broker_stale_results_total"], 0)
        print(f"    {account['ok']} tasks, none lost, none twice")

    def scale_up_and_down(self, turn):
        fleet = self.fleet
        began = time.monotonic()
        fleet.scale(WORKERS)
        lap(f"turn {turn}: {WORKERS} workers are healthy", began)
        self.wait_until_prometheus_sees(WORKERS, began)
        eventually(lambda: all(row["finished"] > 0
                               for row in fleet.show("workers")["workers"]),
                   "every worker has finished a task")
        began = time.monotonic()
        there = fleet.scale(1)
        staying = {worker.id for worker in fleet.containers("worker")}
        lap(f"turn {turn}: 1 worker is left", began)
        self.assertEqual(len(staying), 1)
        codes = fleet.ends.codes()
        agree("exit codes of the drained workers",
              [codes[gone] for gone in sorted(there - staying)], [[0]] * (WORKERS - 1))
        self.wait_until_prometheus_sees(1, began)

    def wait_until_prometheus_sees(self, workers, began):
        eventually(lambda: self.fleet.prometheus("count(framefleet_worker_slots)") == [workers],
                   f"Prometheus sees {workers} workers", 60)
        lap(f"Prometheus sees {workers}", began)

    def test_3_a_killed_worker_is_back_and_nothing_is_lost(self):
        fleet = self.fleet
        fleet.scale(2)
        load = self.load("killed", count=400)
        victim = fleet.containers("worker")[0]
        eventually(lambda: victim.metrics()["framefleet_worker_results_total"] > 0,
                   "the worker has worked")
        began = time.monotonic()
        victim.kill_from_host()
        eventually(lambda: victim.restarts() == 1 and victim.healthy(), "it is back")
        lap("killed worker is back and healthy", began)
        self.assertEqual(load.exit_code(timeout=150), 0)
        fleet.check_books()
        agree("ends of the load", fleet.store.accounts("job")["killed"], {"ok": 400})

    def test_4_a_worker_that_is_cut_off_is_replaced_by_the_others(self):
        fleet = self.fleet
        fleet.scale(2)
        load = self.load("cut", count=400)
        victim = fleet.containers("worker")[0]
        eventually(lambda: victim.metrics()["framefleet_worker_results_total"] > 0,
                   "the worker has worked")
        began = time.monotonic()
        victim.cut_off()
        try:
            eventually(lambda: fleet.show("status")["workers"] == 1, "the broker misses it")
            lap("the broker misses the worker that is cut off", began)
            self.assertEqual(load.exit_code(timeout=150), 0)
            fleet.check_books()
            agree("ends of the load", fleet.store.accounts("job")["cut"], {"ok": 400})
        finally:
            victim.cut_off(False)
        eventually(lambda: fleet.show("status")["workers"] == 2, "it is back")

    def test_5_a_killed_broker_is_back_and_a_folder_is_stored_once(self):
        fleet = self.fleet
        before = fleet.store.count()
        photos = fleet.start("photos")
        broker = fleet.container("broker")
        eventually(lambda: fleet.store.count() >= before + PICTURES // 4, "a quarter is stored")
        began = time.monotonic()
        broker.kill_from_host()
        eventually(lambda: broker.restarts() == 1 and broker.healthy(), "the broker is back")
        lap("killed broker is back and healthy", began)
        self.assertEqual(photos.exit_code(timeout=150), 0)
        lap("the folder is done", began)
        status = fleet.show("status")
        self.assertTrue(status["sink_connected"])
        self.assertEqual(status["workers"], 2, "all have connected again")
        stored = fleet.store.rows("SELECT origin, status, count(*) FROM outcomes"
                                  " WHERE origin LIKE '/photos/%' GROUP BY 1, 2 ORDER BY 1")
        agree("outcomes of the folder", stored,
              [(f"/photos/{number:04}.png", "ok", 1) for number in range(PICTURES)])
        fleet.check_books()

    def test_6_an_upgrade_as_documented_loses_nothing(self):
        fleet = self.fleet
        load = self.load("upgraded", "--rate=15", "--drain-timeout=100s", count=0)
        eventually(lambda: fleet.store.accounts("job").get("upgraded"), "the load is worked on")
        began = time.monotonic()
        fleet.environment["FRAMEFLEET_IMAGE"] = "framefleet:next"
        fleet.follow("Upgrade")
        lap("upgraded under load", began)
        parts = [fleet.container(role) for role in ("sink", "broker", "worker", "producer")]
        agree("images", {run("docker", "inspect", "-f", "{{.Config.Image}}", part.id)
                         for part in parts}, {"framefleet:next"})
        fleet.compose("stop", "producer")
        run("docker", "stop", "-t", "120", load.id, timeout=150)
        self.assertEqual(load.exit_code(), 0)
        agree("ends of the load", set(fleet.store.accounts("job")["upgraded"]), {"ok"})
        fleet.check_books()

    def test_7_every_panel_and_alert_has_had_rows(self):
        asked = list(questions.all_of_them())
        left = questions.unanswered(
            asked, lambda expr: self.fleet.prometheus_had(expr, self.began_at),
            {**questions.EMPTY, **EMPTY_HERE})
        self.assertEqual(left, [])
        print(f"    {len(asked)} expressions, all read, all answered but for"
              f" {len(questions.EMPTY) + len(EMPTY_HERE)} metrics or panels")

    def test_8_a_backup_as_documented_comes_back(self):
        fleet = self.fleet
        everything = "SELECT task, status, stored_at FROM outcomes"
        before = set(fleet.store.rows(everything))
        here = (("/srv/backup", self.backup),)
        began = time.monotonic()
        fleet.follow("Back up and restore", here)
        lap("backed up", began)
        began = time.monotonic()
        fleet.follow("Back up and restore", here)
        lap("restored, up and healthy", began)
        self.assertEqual(before - set(fleet.store.rows(everything)), set())
        eventually(lambda: fleet.store.count() > len(before), "the camera's frames are stored")

    def test_9_everybody_leaves_by_itself(self):
        fleet = self.fleet
        parts = [part for role in ("producer", "worker", "broker", "sink")
                 for part in fleet.containers(role)]
        began = time.monotonic()
        fleet.compose("stop")
        lap("stopped", began)
        agree("exit codes", {part.logged("ended")["exit_code"] for part in parts}, {"0"})

    def test_a_the_size_of_a_fleet_is_measured_as_documented(self):
        printed = self.fleet.follow("Size", (("/srv/photos", self.photos),))
        self.assertIn(f"{PICTURES} pictures of", printed)

    # ------------------------------------------------------------------------------------------

    def load(self, job, *arguments, count):
        """Begins with batch tasks of 40 ms each, of that job; 0: until it is stopped."""
        return self.fleet.start("load", f"--job={job}", "--detect=markers,stub?sleep=40ms",
                                *arguments, f"synthetic:?count={count}&name={job}")


if __name__ == "__main__":
    print(f"    {' '.join(FILES)}")
    unittest.main(verbosity=2)
