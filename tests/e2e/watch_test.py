"""A folder that is watched: each file that comes is stored once, when it is complete, whatever
happens to the producer."""
import os
import shutil
import unittest

from fleet import Fleet
from pictures import square_png

WATCH = ("--watch", "--confirm", "stored")


class WatchTest(unittest.TestCase):
    def setUp(self):
        self.number = 0

    def picture(self):
        """Another one each time."""
        self.number += 1
        return square_png(self.number)

    def put(self, folder, count):
        """Files that are written elsewhere and moved in."""
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            elsewhere = folder.parent / "elsewhere.tmp"
            elsewhere.write_bytes(self.picture())
            elsewhere.rename(folder / f"{self.number:04}.png")

    def check_each_once(self, fleet, folder):
        origins = [origin for (origin,) in fleet.store.rows("SELECT origin FROM outcomes")]
        self.assertEqual(sorted(origins), sorted(str(path) for path in folder.rglob("*.png")))
        self.assertEqual(fleet.store.by_status(), {"ok": len(origins)})
        self.assertEqual(len(origins), self.number)

    def test_what_comes_is_stored_once_although_the_producer_is_killed(self):
        with Fleet() as fleet:
            folder = fleet.folder / "in" / "pictures"
            self.put(folder, 20)
            fleet.broker()
            fleet.sink()
            fleet.worker("w1")
            arguments = (*WATCH, "--manifest", fleet.folder / "jobs", "--job", "yard")

            def producer():
                return fleet.producer(folder, detect="edges", arguments=arguments)

            def until_stored(process, count):
                process.until(lambda: fleet.store.exists() and fleet.store.count() >= count,
                              f"{count} stored")

            first = producer()
            first.until_counted("ok", 20)
            self.put(folder, 10)
            self.put(folder / "sub" / "below", 10)
            slow = open(folder / "slow.png", "wb")
            content = self.picture()
            slow.write(content[:30])
            slow.flush()
            first.until_counted("ok", 40)
            first.kill()
            first.exit_code()
            self.put(folder, 10)  # while nobody looks
            second = producer()
            until_stored(second, 50)
            self.put(folder / "new", 10)
            until_stored(second, 60)
            slow.write(content[30:])
            slow.close()
            until_stored(second, 61)
            second.terminate()
            self.assertEqual(second.exit_code(), 0)
            end = second.event("end")
            self.assertEqual((end["stored_before"], end["ok"], end["interrupted"]),
                             (40, 21, False))
            self.check_each_once(fleet, folder)

    def test_a_run_watches_until_it_is_told_to_end(self):
        with Fleet() as fleet:
            folder = fleet.folder / "in" / "pictures"
            folder.mkdir(parents=True)
            run = fleet.run("--workers", "1", "--detect", "edges", "--watch", "--order",
                            "shuffled:1", folder)
            run.until_event(lambda event: event["event"] == "progress", "it looks")
            self.put(folder, 5)
            shutil.copytree(folder, folder / "copies")
            self.number *= 2
            run.until_counted("ok", 10)
            run.terminate()
            self.assertEqual(run.exit_code(), 0)
            self.check_each_once(fleet, folder)

    def test_a_list_is_read_as_it_comes(self):
        with Fleet() as fleet:
            folder = fleet.folder / "in" / "pictures"
            self.put(folder, 3)
            fleet.broker()
            fleet.sink()
            fleet.worker("w1")
            pipe = fleet.folder / "list"
            os.mkfifo(pipe)
            producer = fleet.start(
                "producer", "framefleet-producer", "--connect", fleet.endpoint, "--detect",
                "edges", "--metrics-listen", "", *WATCH, "-", progress=True,
                launcher=("sh", "-c", 'exec "$@" <' + str(pipe), "sh"))
            with open(pipe, "w", encoding="utf-8") as paths:
                for number, path in enumerate(sorted(folder.iterdir()), 1):
                    paths.write(f"{path}\n")
                    paths.flush()
                    producer.until_counted("ok", number)
            self.assertEqual(producer.exit_code(), 0)
            self.assertEqual(producer.event("end")["pictures"], 3)
            self.check_each_once(fleet, folder)


if __name__ == "__main__":
    unittest.main()
