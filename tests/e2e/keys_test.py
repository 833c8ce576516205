"""Who may talk to a broker over tcp, and say what: nobody without a listed key, nobody what is not
their role's, and nobody any more whose key was taken out. The honest ones are served meanwhile."""
import os
import pathlib
import signal
import subprocess
import unittest

import ledger
from fleet import BIN, PATIENT, Fleet
from keys import Keys, KeyedFleet, Peer, Recorder
from process import PATIENCE, eventually

FAILED = 'framefleet_broker_failed_handshakes_total{reason="%s"}'
DENIED = 'framefleet_broker_denied_messages_total{reason="%s"}'
RECEIVED = "framefleet_broker_received_messages_total"


def source(count, name, camera=7):
    return f"synthetic:?count={count}&size=240x200&camera={camera}&name={name}"


class KeysTest(unittest.TestCase):
    def start(self, fleet, *workers):
        for name in ("sink", *workers, "producer", "operator"):
            role = "worker" if name in workers else name
            fleet.keys.allow(name, role)
        broker = fleet.broker(*PATIENT)
        fleet.sink().until_ready()
        for name in workers:
            fleet.worker(name, "--slots", 1).until_ready()
        return broker

    def test_nobody_says_what_is_not_theirs_and_the_honest_are_served(self):
        with KeyedFleet() as fleet:
            broker = self.start(fleet, "w1")
            honest = fleet.producer(source(150, "honest"), detect="markers,stub?sleep=5ms")
            honest.until_counted("ok", 1)
            known = fleet.keys.pair(fleet.keys.broker / "broker.key")[0]
            producer = fleet.keys.pair(fleet.keys.file("producer"))
            worker = fleet.keys.pair(fleet.keys.file("w1"))
            self.keep_out(fleet, broker, producer, known)
            self.deny(fleet, broker, producer, worker, known)
            self.operate_over_tcp(fleet)
            self.replay(fleet, broker, producer, known)
            self.assertEqual(broker.metrics()[DENIED % "unproved"], 0)
            self.look_for_secrets(fleet)
            fleet.close_books(honest)

    def keep_out(self, fleet, broker, producer, known):
        fleet.keys.make(fleet.keys.peers / "stranger")
        stranger = fleet.keys.pair(fleet.keys.file("stranger"))
        for reason, keys in (("mechanism", ()), ("unlisted", (stranger, known)),
                             ("wrong_broker_key", (producer, stranger[0]))):
            before = broker.metrics()[RECEIVED]
            # Either end may see first that it cannot be; the broker that does not counts it as
            # incomplete.
            while broker.metrics()[FAILED % reason] == 0:
                with Peer(fleet.endpoint, *keys) as peer:
                    peer.knock()
                    peer.until_closed()
            print(f"kept out: {reason}; the broker took {broker.metrics()[RECEIVED] - before:.0f}"
                  " messages of others meanwhile")
        broker.until_log("handshakes_failed")
        # A program of ours says what is wrong, instead of trying in silence.
        for keys, text in (((), "wants a key"),
                           (("--key", fleet.keys.file("stranger"), "--broker-key",
                             fleet.keys.known), "have it allowed")):
            asked = self.ask(fleet, "status", *keys)
            self.assertEqual(asked.returncode, 69, asked.stderr)
            self.assertIn(text, asked.stderr)

    def deny(self, fleet, broker, producer, worker, known):
        """Each with a listed key, and each what its role does not say."""
        task = {"id": f"{ledger.source_digest('forged')}-1-0", "source": "forged", "task": b"x",
                "detectors": ["stub"], "frames": 1}
        claim = {"sources": [{"name": "forged", "epoch": 1}]}
        lease = {"id": task["id"], "lease": [1, 1]}
        for keys, say in (
                (producer, lambda peer: peer.hello("worker", slots=9, detectors=["stub"])),
                (producer, lambda peer: peer.hello("sink", store="x")),
                (producer, lambda peer: peer.say("result", b"x", tasks=[
                    {**lease, "token": b"", "elapsed_us": 1, "frames": 1}])),
                (producer, lambda peer: peer.say("control", asker=1, verb="drain_broker")),
                (producer, lambda peer: peer.say("control", asker=1, verb="dead_purge")),
                (worker, lambda peer: peer.hello("producer", **claim)),
                (worker, lambda peer: peer.say("submit", b"x", tasks=[task])),
                (worker, lambda peer: peer.say("stored", tasks=[]))):
            before = broker.metrics()[DENIED % "role"]
            with Peer(fleet.endpoint, keys, known) as peer:
                say(peer)
                self.assertEqual(peer.hear("refused")["reason"], "not_permitted")
            eventually(lambda: broker.metrics()[DENIED % "role"] == before + 1, "it is counted")
        broker.until_log("message_denied")

    def operate_over_tcp(self, fleet):
        asked = self.ask(fleet, "status", *fleet.keys.options("operator"))
        self.assertEqual(asked.returncode, 0, asked.stderr)
        asked = self.ask(fleet, "pause", *fleet.keys.options("producer"))
        self.assertEqual(asked.returncode, 69, asked.stdout)
        self.assertIn("role operator", asked.stderr)

    def ask(self, fleet, *words):
        return subprocess.run([BIN / "framefleet", *map(str, words), "--connect", fleet.endpoint],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def replay(self, fleet, broker, producer, known):
        recorder = Recorder(fleet.endpoint)
        with Peer(recorder.endpoint, producer, known) as peer:
            peer.hello("producer", sources=[{"name": "replayed", "epoch": 1}])
            peer.hear("welcome")

        def hellos():
            return broker.text().count("role=producer name=producer/x ")
        broker.until(hellos, "its hello is in the log")
        before = hellos()
        recorder.replay()
        failed = sum(value for name, value in broker.metrics().items()
                     if name.startswith("framefleet_broker_failed_handshakes_total"))
        print(f"{len(recorder.said)} bytes said again: no hello, {failed:.0f} handshakes failed so"
              " far")
        self.assertEqual(hellos(), before)

    def look_for_secrets(self, fleet):
        for process in fleet.processes:
            said = [process.text()]
            if process.running():
                said += [pathlib.Path(f"/proc/{process.pid}/{name}").read_text(errors="replace")
                         for name in ("cmdline", "environ")] + [process.get("/metrics")[1]]
            for secret in fleet.keys.secrets:
                self.assertFalse(any(secret in text for text in said), process.name)

    def test_keys_change_under_load_and_no_task_is_lost(self):
        with KeyedFleet() as fleet:
            broker = self.start(fleet, "w1")
            producer = fleet.producer(source(250, "s"), detect="markers,stub?sleep=40ms")
            producer.until_counted("ok", 5)
            self.change_the_brokers_key(fleet, broker, producer)
            self.revoke_a_worker(fleet, broker)
            # A list with a mistake changes nothing, and says so.
            (fleet.keys.broker / "allowed.toml").write_text("[w2]\nrole = 1\n", encoding="utf-8")
            self.assertIn("allowed.toml:2:1", broker.until_log("keys_unread")["text"])
            fleet.end_of(producer)
            fleet.keys.allow("w2", "worker")
            eventually(lambda: not broker.metrics()["framefleet_broker_keys_unread"], "it is read")
            fleet.close_books(producer)

    def change_the_brokers_key(self, fleet, broker, producer):
        fleet.keys.make(fleet.keys.broker / "broker-next")
        fleet.keys.know("broker", "broker-next")
        for end in (".pub", ".key"):
            os.replace(fleet.keys.broker / f"broker-next{end}", fleet.keys.broker / f"broker{end}")
        broker.popen.send_signal(signal.SIGHUP)
        broker.until_log("broker_key_changed")
        # Who dials from now on meets the new key, the second one in its file.
        fleet.keys.allow("w2", "worker")
        fleet.worker("w2", "--slots", 1).until_ready()
        self.assertIsNone(producer.event("end"), "it was changed under load")
        self.assertNotIn("peer_gone", broker.text(), "living connections go on")

    def revoke_a_worker(self, fleet, broker):
        w1 = next(process for process in fleet.processes if process.name == "w1")
        fleet.keys.revoke("w1")
        broker.until(lambda: "cut_off=1" in broker.text(), "its peer is cut off")
        self.assertEqual(w1.exit_code(), 69, w1.text())
        self.assertIn("allow-list", w1.text())

    def test_what_is_not_safe_does_not_start(self):
        with Fleet() as fleet:
            keys = Keys(fleet.folder)
            address = ("--bind", "tcp://0.0.0.0:0")

            def refused(*arguments):
                broker = fleet.start("broker", "framefleet-broker", *address, *arguments)
                self.assertEqual(broker.exit_code(), 78, broker.text())
                return broker.text()

            self.assertIn("--keys", refused())
            key = keys.broker / "broker.key"
            key.chmod(0o640)
            self.assertIn("chmod 600", refused("--keys", keys.broker))
            key.chmod(0o600)
            keys.broker.chmod(0o777)
            self.assertIn("chmod 700", refused("--keys", keys.broker))
            keys.broker.chmod(0o700)
            (keys.broker / "allowed.toml").write_text("[a]\nroles = ['all']\n", encoding="utf-8")
            self.assertIn("allowed.toml:2:", refused("--keys", keys.broker))
            open_broker = fleet.start("broker", "framefleet-broker", *address, "--insecure")
            open_broker.until_log("insecure")


if __name__ == "__main__":
    unittest.main()
