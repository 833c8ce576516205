"""The processes find each other whichever starts first, and again after any of them was killed."""
import itertools
import unittest

from fleet import Fleet
from pictures import frames_in, square_png
from process import eventually

CAMERA = 3


def source(count):
    return f"synthetic:?count={count}&size=320x240&camera={CAMERA}"


class OrderOfStartTest(unittest.TestCase):
    def check_frames(self, fleet, count):
        self.assertEqual(fleet.store.by_status(), {"ok": count})
        self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(count)})

    def test_everybody_may_wait_for_the_broker(self):
        with Fleet() as fleet:
            members = [fleet.worker("w1"), fleet.sink(),
                       fleet.producer(source(30), detect="markers")]
            for member in members:
                eventually(lambda m=member: m.get("/readyz") == (503, "waiting for the broker\n"),
                           f"{member.name} says what it waits for")
                self.assertEqual(member.get("/healthz")[0], 200)
            fleet.broker()
            fleet.close_books(members[2])
            self.check_frames(fleet, 30)

    def test_every_order_of_start_ends_with_everything_stored(self):
        for order in itertools.permutations(("broker", "sink", "worker", "producer")):
            with self.subTest(order=order), Fleet() as fleet:
                producer = None
                for role in order:
                    if role == "producer":
                        producer = fleet.producer(source(10), detect="markers")
                        producer.until_log("plan")
                    elif role == "worker":
                        fleet.worker("w1", "--slots", "2").until_log("metrics_listening")
                    elif role == "sink":
                        fleet.sink().until_log("store_open")
                    else:
                        fleet.broker()
                fleet.close_books(producer)
                self.check_frames(fleet, 10)


class RestartTest(unittest.TestCase):
    COUNT = 300
    DETECT = "markers,stub?sleep=60ms"  # work for seconds: not over when a test acts

    def start(self, fleet, *producer_arguments):
        broker, sink = fleet.broker(), fleet.sink()
        fleet.worker("w1", "--slots", "2")
        fleet.worker("w2", "--slots", "2")
        producer = fleet.producer(source(self.COUNT), detect=self.DETECT,
                                  arguments=producer_arguments)
        producer.until_counted("ok", self.COUNT // 4)
        return broker, sink, producer

    def check_all_stored(self, fleet):
        self.assertEqual(fleet.store.by_status(), {"ok": self.COUNT})
        self.assertEqual(frames_in(fleet.store), {n: (CAMERA, n) for n in range(self.COUNT)})

    def test_a_broker_killed_in_the_middle_is_replaced_on_its_address(self):
        for transport in ("ipc", "tcp"):
            with self.subTest(transport=transport), Fleet(transport) as fleet:
                broker, sink, producer = self.start(fleet)
                broker.kill()
                # Nobody may end because of it; that the producer has noticed is in its log.
                producer.until_log("broker_down")
                self.assertTrue(sink.running() and all(w.running() for w in fleet.named("worker")))
                fleet.broker()
                fleet.close_books(producer, broker_saw_all=False)
                self.check_all_stored(fleet)

    def test_a_broker_may_be_killed_again_and_again(self):
        with Fleet() as fleet:
            broker, _, producer = self.start(fleet)
            for stored in (120, 180, 240):
                broker.kill()
                broker = fleet.broker()
                producer.until_counted("ok", stored)
            fleet.close_books(producer, broker_saw_all=False)
            self.check_all_stored(fleet)

    def test_a_picture_that_is_gone_when_a_broker_forgot_it_ends_as_lost_everywhere(self):
        with Fleet() as fleet:
            broker = fleet.broker()
            photos = fleet.folder / "photos"
            photos.mkdir()
            for number in range(4):
                (photos / f"{number}.png").write_bytes(square_png(number, 32))
            producer = fleet.producer(photos, detect="edges")
            eventually(lambda: fleet.show("status")["account"]["admitted"] == 4,
                       "the broker has them in its memory")
            broker.kill()
            (photos / "0.png").unlink()
            (photos / "1.png").write_bytes(square_png(9, 32))
            fleet.sink()
            fleet.worker("w1")
            fleet.broker()
            fleet.close_books(producer, exit_code=3)
            self.assertEqual(fleet.store.rows(
                "SELECT sequence, status, reason FROM outcomes ORDER BY sequence"), [
                    (0, "lost", "broker_restarted"), (1, "lost", "broker_restarted"),
                    (2, "ok", "none"), (3, "ok", "none")])

    def test_a_sink_killed_in_the_middle_is_replaced_on_its_store(self):
        with Fleet() as fleet:
            _, sink, producer = self.start(fleet)
            sink.kill()
            fleet.sink()
            fleet.close_books(producer)
            self.check_all_stored(fleet)

    def test_outcomes_wait_for_a_sink_that_is_away(self):
        with Fleet() as fleet:
            broker, sink, producer = self.start(fleet)
            sink.kill()
            stored = fleet.store.count()

            def at_rest():
                metrics = broker.metrics()
                return (metrics["framefleet_broker_sink_connected"] == 0 and
                        metrics['framefleet_broker_tasks{state="leased"}'] == 0)
            eventually(at_rest, "without a sink nothing is handed out any more")
            self.assertEqual(fleet.store.count(), stored)
            self.assertTrue(producer.running())
            fleet.sink()
            fleet.close_books(producer)
            self.check_all_stored(fleet)

    def test_a_producer_killed_in_the_middle_continues_with_its_manifest(self):
        with Fleet() as fleet:
            manifest = ("--manifest", fleet.folder / "manifest")
            _, _, producer = self.start(fleet, *manifest)
            producer.kill()
            self.assertLess(fleet.store.count(), self.COUNT)
            again = fleet.producer(source(self.COUNT), detect=self.DETECT, arguments=manifest)
            end = fleet.close_books(again)
            self.assertGreaterEqual(end["stored_before"], self.COUNT // 4)
            self.check_all_stored(fleet)

    def test_a_second_sink_waits_until_the_first_one_has_left(self):
        with Fleet() as fleet:
            _, sink, producer = self.start(fleet)
            other = fleet.start("other sink", "framefleet-sink", "--connect", fleet.endpoint,
                                "--store", fleet.folder / "other")
            second = fleet.start("second sink", "framefleet-sink", "--connect", fleet.endpoint,
                                 "--store", fleet.store.folder)
            self.assertEqual(second.exit_code(), 69, "the store is in use")
            self.assertTrue(sink.running())
            other.until_log("starting")  # from there on it hears the signal
            other.terminate()
            self.assertIn(other.exit_code(), (0, 69))
            fleet.close_books(producer)
            self.check_all_stored(fleet)


if __name__ == "__main__":
    unittest.main()
