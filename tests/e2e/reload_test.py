"""Cameras come and go while a producer runs, and a file that is wrong changes nothing; and what a
camera's password is nobody learns from anything that the fleet says or leaves.

RELOADS: how often a camera is added and removed again beside one that stays."""
import contextlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import unittest
import urllib.parse

from fleet import TREE, Fleet
from pictures import frames_in
from process import children_of, eventually

sys.path.append(str(TREE / "tests/support/cameras"))
import mjpeg_server  # noqa: E402
from synthetic_frames import Film  # noqa: E402

RELOADS = int(os.environ.get("RELOADS", "4"))
NUMBER, INTERVAL = 7, 0.05  # of the camera that stays
PASSWORDS = {"basic": mjpeg_server.PASSWORD, "digest": "W0rd&f0r=digest", "page": "ein/Pässwort"}


class CountingCamera(mjpeg_server.Camera):
    """Knows how often each path was asked for, and how many pictures it gave."""

    def do_GET(self):
        self.path, _, _ = self.path.partition("?")
        self.server.asked.append(self.path)
        super().do_GET()

    def pictures(self):
        for picture in super().pictures():
            self.server.given[self.path] = self.server.given.get(self.path, 0) + 1
            yield picture

    def kept(self):
        self.good()

    def film(self):
        """Frames that say which they are; at their end nothing, and no end of the connection."""
        self.begin()
        for number, picture in self.server.film.from_now():
            self.server.shown.append(number)
            self.wfile.write(mjpeg_server.part(picture))
        self.hold()


class CountingServer(mjpeg_server.CameraServer):
    def __init__(self, film=None):
        super().__init__()
        self.RequestHandlerClass = CountingCamera
        self.asked, self.given = [], {}
        self.film, self.shown = film, []

    def handle_error(self, request, client_address):
        pass  # a reader that has gone


class CameraFleet(Fleet):
    def cameras(self, *tables, common="", detect=("stub",)):
        """Writes the file: `tables` are pairs of a name and a URL."""
        text = (f'[producer]\nconnect = "{self.endpoint}"\nname = "cams"\n[cameras]\n'
                f'detect = {json.dumps(detect)}\nretry_min = "50ms"\nretry_max = "200ms"\n{common}')
        for name, url in tables:
            text += f'[[camera]]\nname = "{name}"\nurl = "{url}"\n'
        (self.folder / "cameras.toml").write_text(text, encoding="utf-8")

    def camera_producer(self, **options):
        return self.start("producer", "framefleet-producer", "--config",
                          self.folder / "cameras.toml", "--metrics-listen", "127.0.0.1:0",
                          **options)

    def reload(self):
        return subprocess.run([self.programs / "framefleet", "sources", "reload", "--connect",
                               self.endpoint], capture_output=True, text=True, check=False)

    def source(self, name):
        rows = [row for row in self.show("sources")["sources"] if row["name"] == name]
        return rows[0] if rows else {"account": {"ok": 0}, "owner": None, "state": None}

    def streaming(self, name, tasks=1):
        """Waits until so many of its frames are stored, in this run of the camera."""
        before = self.source(name)["account"]["ok"]
        return eventually(lambda: (row := self.source(name))["state"] == "streaming" and
                          row["account"]["ok"] >= before + tasks and row, f"{name} streams")


class ReloadTest(unittest.TestCase):
    def test_cameras_come_and_go_beside_one_that_stays(self):
        film = Film(NUMBER, 320, 240, INTERVAL)
        with CountingServer(film) as server, CameraFleet() as fleet:
            fleet.broker()
            fleet.sink().until_ready()
            fleet.worker("w1").until_ready()
            kept = ("kept", server.url("/film"))
            other = ("other", server.url("/plain"))

            def write(*tables):
                fleet.cameras(*tables, common='camera_timeout = "60s"\n', detect=["markers"])

            write(kept)
            producer = fleet.camera_producer()
            fleet.streaming("kept")
            epoch = fleet.source("kept")["epoch"]
            epochs = set()
            for number in range(RELOADS):
                write(kept, other)
                if number % 2:
                    producer.popen.send_signal(signal.SIGHUP)
                else:
                    said = fleet.operate("sources", "reload")
                    self.assertEqual(said, "cams: 1 added, 0 removed, 0 changed, 1 kept\n")
                epochs.add(fleet.streaming("other")["epoch"])
                write(kept)
                said = fleet.operate("sources", "reload", "cams")
                self.assertEqual(said, "cams: 0 added, 1 removed, 0 changed, 1 kept\n")
                eventually(lambda: fleet.source("other")["owner"] is None, "it has gone")
            self.assertEqual(len(epochs), RELOADS)  # each time a source of its own
            self.assertGreaterEqual(server.asked.count("/plain"), RELOADS)

            # A file that is wrong is told, with its line, and everything goes on.
            write(kept, ("other", server.url("/plain") + '"\nfsp = "1'))
            said = fleet.reload()
            self.assertEqual(said.returncode, 78, said)
            self.assertRegex(said.stderr, r"cameras.toml:15:1: camera.fsp: unknown key, did you "
                                          r"mean fps\?; allowed: name, url, detect,")
            fleet.streaming("kept", 3)
            fleet.operate("sources", "reload", "nobody", exit_code=66)

            # The one that stayed: one connection, one process, one epoch, no frame missed.
            film.over.set()
            counts = eventually(lambda: self.when_all_is_stored(fleet, producer, server),
                                "every frame that was shown is accounted for")
            self.assertEqual(server.asked.count("/film"), 1)
            self.assertEqual(fleet.source("kept")["epoch"], epoch)
            self.assertEqual(counts["starts"], 1)

            # It goes too, and its producer goes on with another one.
            write(("another", server.url("/plain")))
            said = fleet.operate("sources", "reload")
            self.assertEqual(said, "cams: 1 added, 1 removed, 0 changed, 0 kept\n")
            fleet.streaming("another")
            producer.terminate()
            self.assertEqual(producer.exit_code(), 0)
            fleet.stop()
            self.look_at_every_frame(fleet.store, server.shown, counts)

    def when_all_is_stored(self, fleet, producer, server):
        """What its producer has counted, once it knows of every frame and all have ended."""
        metrics = producer.metrics()
        names = {"pictures": "pictures", "skipped": "skipped_pictures", "starts": "starts",
                 "replaced": "replaced_frames", "taken": "taken_frames"}
        counts = {short: metrics[f'framefleet_producer_camera_{name}_total{{source="kept"}}']
                  for short, name in names.items()}
        row = fleet.source("kept")
        all_heard = counts["pictures"] + counts["skipped"] == len(server.shown)
        all_taken = counts["taken"] + counts["replaced"] == counts["pictures"]
        all_ended = not any(row["in_progress"].values()) and not metrics[
            "framefleet_producer_in_flight_tasks"]
        return all_heard and all_taken and all_ended and counts

    def look_at_every_frame(self, store, shown, counts):
        """Between what the camera showed and what the detector saw nothing is missing but what was
        counted, to the unit."""
        self.assertEqual(shown, list(range(shown[0], shown[0] + len(shown))))
        ok = [row[0] for row in store.rows("SELECT sequence FROM outcomes WHERE source = 'kept'"
                                           " AND status = 'ok' ORDER BY sequence")]
        other = [row[0] for row in store.rows("SELECT sequence FROM outcomes WHERE source = 'kept'"
                                              " AND status != 'ok'")]
        for first, last in store.rows("SELECT first, last FROM gaps WHERE source = 'kept'"):
            other += range(first, last + 1)
        self.assertEqual(sorted(ok + other), list(range(int(counts["taken"]))))
        frames = frames_in(store, "kept")
        seen = [frames[sequence] for sequence in ok]
        self.assertNotIn(None, seen, "every outcome says which frame it is")
        self.assertEqual({camera for camera, _ in seen}, {NUMBER})
        numbers = [number for _, number in seen]
        self.assertEqual(numbers, sorted(set(numbers)), "frames only get newer")
        missing = set(shown).difference(numbers)
        print(f"{RELOADS} reloads; {len(shown)} frames shown, {len(seen)} of them seen; not taken:"
              f" {counts['replaced']:g} replaced, {counts['skipped']:g} skipped; not looked at:"
              f" {len(other)}")
        self.assertEqual(len(missing), counts["replaced"] + counts["skipped"] + len(other))

    def test_a_password_is_found_nowhere(self):
        with CountingServer() as server, CameraFleet() as fleet:
            fleet.broker()
            fleet.sink().until_ready()
            inside = ("env", "--chdir", str(fleet.folder))
            limits = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.setrlimit(resource.RLIMIT_CORE, limits)
            worker = fleet.worker("w1", launcher=inside).until_ready()
            (fleet.folder / "password").write_text(PASSWORDS["basic"] + "\n", encoding="utf-8")

            def url(path, password):
                return server.url(f"/{path}", f"{mjpeg_server.USER}:{password}@")

            fleet.cameras(
                ("basic", url("basic", f"${{file:{fleet.folder}/password}}")),
                ("digest", url("digest", urllib.parse.quote(PASSWORDS["digest"], safe=""))),
                ("page", url("page", urllib.parse.quote(PASSWORDS["page"], safe=""))),
                ("query", server.url("/missing?user=otto&pwd=querysecret")))
            producer = fleet.camera_producer(launcher=inside)
            fleet.streaming("basic")
            for name in ("digest", "page", "query"):
                eventually(lambda name=name: fleet.source(name)["state"] == "failed",
                           f"{name} has failed")
            fleet.cameras(("basic", url("basic", "geheim") + '" x'))
            told = fleet.reload()
            self.assertEqual(told.returncode, 78)

            seen = {"what an operator is told": told.stdout + told.stderr,
                    "framefleet sources": fleet.operate("sources") + str(fleet.show("sources")),
                    "metrics": producer.get("/metrics")[1]}
            for pid in [producer.pid, *children_of(producer.pid)]:
                for file in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):  # a capture process may have ended by now
                        content = pathlib.Path(f"/proc/{pid}/{file}").read_bytes()
                        seen[f"{file} of {pid}"] = content.decode("utf-8", "replace")
            self.leave_no_core(producer, worker, fleet)
            for process in fleet.processes:
                seen[f"the log of {process.name}"] = process.text()
            self.hunt(seen)

    def hunt(self, seen):
        words = {"geheim", "querysecret", "otto", mjpeg_server.USER + ":"}
        for password in PASSWORDS.values():
            words |= {password, urllib.parse.quote(password, safe=""), urllib.parse.quote(password),
                      urllib.parse.quote(password, safe="").lower()}
        for where, text in seen.items():
            for word in words:
                self.assertNotIn(word, text, f"{word!r} stands in {where}")
        print(f"{len(words)} words are in none of {len(seen)} texts,"
              f" {sum(map(len, seen.values()))} characters")

    def leave_no_core(self, producer, other, fleet):
        """It dies of a bug; so does a process without secrets, to know that cores are left here."""
        pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8").strip()
        cores = {}
        for process in (producer, other):
            process.popen.send_signal(signal.SIGSEGV)
            process.popen.wait(60)
            cores[process.name] = list(fleet.folder.glob("core*"))
        self.assertEqual(cores[producer.name], [])
        if not cores[other.name]:
            print(f"SKIPPED: cores: this machine leaves none to be looked for ({pattern})")


if __name__ == "__main__":
    unittest.main(verbosity=2)
