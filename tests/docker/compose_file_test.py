#!/usr/bin/env python3
"""compose.yaml, compose.ci.yaml, .env.example and the Dockerfile as they are written: what every
service must have, and that all that can be chosen is documented at its default. Starts nothing."""
import pathlib
import re
import unittest

import yaml

TREE = pathlib.Path(__file__).resolve().parents[2]
TEXT = (TREE / "compose.yaml").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(TEXT)["services"]
OF_THE_FLEET = {"broker", "sink", "worker", "producer", "video", "photos"}
KEYS = "/var/lib/framefleet/keys"
# Which service has which role's key; "keys" makes them.
ROLES = {"broker": "broker", "sink": "sink", "worker": "worker", "producer": "producer",
         "video": "producer", "photos": "producer"}
WATCHERS = {"prometheus", "alertmanager", "grafana"}
CHOICE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
# Shown as comments: paths of somebody's machine.
WITHOUT_DEFAULT = {"VIDEO", "VIDEO_NAME", "PHOTOS"}


def seconds(duration):
    return int(re.fullmatch(r"(?:\$\{\w+:-)?(\d+)s\}?", duration)[1])


def waits_for(service):
    wishes = SERVICES[service].get("depends_on", {})
    return {name for name, wish in wishes.items() if wish == {"condition": "service_healthy"}}


class ComposeFile(unittest.TestCase):
    def test_there_are_these_services_and_the_optional_ones_are_in_profiles(self):
        self.assertEqual(set(SERVICES), OF_THE_FLEET | WATCHERS | {"keys"})
        self.assertEqual({name for name, service in SERVICES.items() if "profiles" in service},
                         {"video", "photos"})

    def test_every_container_is_confined_and_limited(self):
        for name, service in SERVICES.items():
            with self.subTest(name):
                self.assertTrue(service["read_only"])
                self.assertTrue(service["init"])
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
                self.assertTrue(service["mem_limit"])
                self.assertTrue(service["pids_limit"])
                self.assertTrue(service["restart"])
                self.assertTrue(service["logging"]["options"]["max-size"])
                for word in ("privileged", "cap_add", "pid", "devices"):
                    self.assertNotIn(word, service)
                self.assertEqual(service.get("network_mode"), "none" if name == "keys" else None)
                self.assertNotIn("docker.sock", str(service))

    def test_each_role_has_its_own_key_and_can_read_no_other(self):
        self.assertNotIn("--insecure", TEXT)
        everywhere = set()
        for service, role in ROLES.items():
            here = SERVICES[service]
            suffix = "" if role == "broker" else ":ro"
            mounted = [volume for volume in here["volumes"] if KEYS in volume]
            self.assertEqual(mounted, [f"keys-{role}:{KEYS}/{role}{suffix}"], service)
            self.assertEqual(here["depends_on"]["keys"],
                             {"condition": "service_completed_successfully"}, service)
            everywhere |= {mounted[0].removesuffix(":ro")}
            if role == "broker":
                self.assertIn(f"--keys={KEYS}/broker", here["command"])
            else:
                prefix = f"FRAMEFLEET_{role.upper()}"
                self.assertEqual(here["environment"][f"{prefix}_KEY"], f"{KEYS}/{role}/{role}.key")
                self.assertEqual(here["environment"][f"{prefix}_BROKER_KEY"],
                                 f"{KEYS}/{role}/broker.pub")
        keys = SERVICES["keys"]
        self.assertEqual(set(keys["volumes"]), everywhere)
        self.assertEqual(keys["networks"], [])
        self.assertEqual(keys["restart"], "no")
        # Docker gives a new volume the owner and the mode that its folder has in the image.
        image = (TREE / "Dockerfile").read_text(encoding="utf-8")
        for volume in everywhere:
            self.assertIn(volume.partition(":")[2], image)

    def test_the_fleet_is_on_a_network_of_its_own_and_publishes_nothing(self):
        networks = yaml.safe_load(TEXT)["networks"]
        self.assertTrue(networks["fleet"]["internal"])
        for name in OF_THE_FLEET:
            self.assertEqual(SERVICES[name]["networks"], ["fleet"], name)
            self.assertNotIn("ports", SERVICES[name], name)
        for name in WATCHERS:
            for port in SERVICES[name]["ports"]:
                self.assertTrue(port.startswith("${PUBLISH_ON:-127.0.0.1}:"), port)

    def test_cameras_and_other_machines_are_reached_where_that_is_asked_for(self):
        for name, service in (("cameras", "producer"), ("remote", "broker")):
            text = (TREE / f"compose.{name}.yaml").read_text(encoding="utf-8")
            overlay = yaml.safe_load(text)["services"]
            self.assertEqual(set(overlay), {service}, name)
            self.assertEqual(overlay[service]["networks"], ["fleet", "published"], name)
        # Not on all addresses of the machine because somebody forgot to choose one.
        self.assertRegex(overlay["broker"]["ports"][0], r"^\$\{BROKER_PUBLISH_ON:\?.+\}:5555:5555$")

    def test_a_drain_has_time_to_end_before_it_is_killed(self):
        drains = {duration for name, duration in CHOICE.findall(TEXT) if name == "DRAIN_TIMEOUT"}
        for name in OF_THE_FLEET:
            grace = seconds(SERVICES[name]["stop_grace_period"])
            self.assertGreater(grace, max(map(seconds, drains)), name)

    def test_each_starts_when_what_it_needs_is_healthy(self):
        self.assertEqual(waits_for("worker"), {"broker"})
        for name in ("producer", "video", "photos"):
            self.assertEqual(waits_for(name), {"broker", "sink", "worker"}, name)
        for name in WATCHERS:
            self.assertTrue(SERVICES[name]["healthcheck"]["test"], name)
        self.assertIn('CMD ["framefleet", "health"]', (TREE / "Dockerfile").read_text())

    def test_everything_that_can_be_chosen_is_documented_at_its_default(self):
        example = (TREE / ".env.example").read_text(encoding="utf-8")
        documented = dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE))
        shown = set(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE))
        chosen = dict(CHOICE.findall(TEXT))
        self.assertEqual(shown, WITHOUT_DEFAULT)
        self.assertEqual(documented, {name: default for name, default in chosen.items()
                                      if name not in WITHOUT_DEFAULT})

    def test_a_choice_has_one_default(self):
        for name in {name for name, _ in CHOICE.findall(TEXT)} - {"VIDEO_NAME"}:
            self.assertEqual(len({default for each, default in CHOICE.findall(TEXT)
                                  if each == name}), 1, name)

    def test_the_image_is_built_by_every_builder(self):
        dockerfile = (TREE / "Dockerfile").read_text(encoding="utf-8")
        self.assertIsNone(re.search(r"^#\s*syntax\s*=", dockerfile, re.MULTILINE),
                          "it would be pulled from a registry")
        self.assertNotIn("RUN --mount", dockerfile)  # BuildKit's alone
        self.assertRegex(dockerfile, r"(?m)^USER \d+:\d+$")

    def test_what_replaces_images_in_checks_changes_nothing_else(self):
        ours = yaml.load((TREE / "compose.ci.yaml").read_text(encoding="utf-8"), Tagged)["services"]
        for name in ("prometheus", "alertmanager"):
            self.assertEqual(set(ours[name]), {"image", "build", "entrypoint"}, name)
        self.assertEqual(set(ours), {"prometheus", "alertmanager", "grafana", "load"})


class Tagged(yaml.SafeLoader):
    """Compose's own tags, such as !reset, are read as what follows them."""


Tagged.add_multi_constructor("!", lambda loader, _, node: loader.construct_sequence(node))

if __name__ == "__main__":
    unittest.main()
