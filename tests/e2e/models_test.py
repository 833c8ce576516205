"""`framefleet models`, and what a bad model costs: its own detector."""
import functools
import hashlib
import http.server
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import unittest
import zlib

from fleet import BIN, DATA
from process import PATIENCE

CASCADE = pathlib.Path("/usr/share/opencv4/lbpcascades/lbpcascade_frontalface.xml")


def framefleet(*words, **environment):
    """Exit code, stdout, stderr."""
    ended = subprocess.run([BIN / "framefleet", *map(str, words)], stdin=subprocess.DEVNULL,
                           env={**os.environ, **environment}, capture_output=True, text=True,
                           timeout=PATIENCE, check=False)
    return ended.returncode, ended.stdout, ended.stderr


def pixel():
    """A PNG of one."""
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content +
                struct.pack(">I", zlib.crc32(kind + content)))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"\0\x5a")) + chunk(b"IEND", b""))


def onnx(node, constants=b"", sides=(32, 32)):
    """A network of one operation, written by hand; a side of 0 is one that is not known."""
    def field(number, value):
        if isinstance(value, int):
            return bytes([number << 3, value])
        value = value.encode() if isinstance(value, str) else value
        # A length of any size in two bytes, seven bits each.
        return bytes([number << 3 | 2, len(value) & 127 | 128, len(value) >> 7]) + value

    def tensor(name):
        shape = b"".join(field(1, field(1, side) if side else field(2, "side"))
                         for side in (1, 3, *sides))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))

    graph = (b"".join(field(1, one) for one in node(field)) + field(2, "graph") +
             (field(5, constants(field)) if constants else b"") +
             field(11, tensor("in")) + field(12, tensor("out")))
    return field(1, 7) + field(7, graph) + field(8, field(2, 11))


def half_precision():
    return onnx(lambda field: [field(1, "in") + field(1, "some") + field(2, "out") +
                               field(4, "Add")],
                lambda field: field(1, 1) + field(2, 10) + field(8, "some") + field(9, b"\0\0"))


def dynamic():
    return onnx(lambda field: [field(1, "in") + field(2, "shape") + field(4, "Shape"),
                               field(1, "in") + field(1, "shape") + field(2, "out") +
                               field(4, "Reshape")], sides=(0, 0))


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class ModelsTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="framefleet-models-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name, "models")
        self.served = pathlib.Path(temporary.name, "served")
        self.folder.mkdir()
        self.served.mkdir()
        shutil.copy(CASCADE, self.served / "lbp.xml")

    def model(self, name, detector="faces", file="lbp.xml", sha256="", source=""):
        (self.folder / f"{name}.toml").write_text(
            f'[model]\ndetector = "{detector}"\nfile = "{file}"\nsha256 = "{sha256}"\n'
            f'licence = "BSD"\nsource = "{source}"\n')

    def serve(self):
        """The address of the served folder."""
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Silent, directory=str(self.served)))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def test_models_are_listed_fetched_and_checked(self):
        if shutil.which("curl") is None:
            print("SKIPPED: models_test: there is no curl to fetch with")
            return
        digest = hashlib.sha256(CASCADE.read_bytes()).hexdigest()
        address = self.serve()
        self.model("mine", sha256=digest, source=f"{address}/lbp.xml")
        code, out, _ = framefleet("models", "list", "--models", self.folder)
        self.assertEqual(code, 3, out)
        self.assertRegex(out, r"mine +faces +missing +- +- +BSD")

        code, out, err = framefleet("models", "fetch", "--models", self.folder)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual((self.folder / "lbp.xml").read_bytes(), CASCADE.read_bytes())
        code, out, _ = framefleet("models", "check", "--models", self.folder, "mine")
        self.assertEqual(code, 0, out)
        self.assertRegex(out, r"mine +faces +good +cascade +opencv4")

    def test_what_has_another_digest_never_gets_its_name(self):
        if shutil.which("curl") is None:
            print("SKIPPED: models_test: there is no curl to fetch with")
            return
        address = self.serve()
        self.model("other", sha256="0" * 64, source=f"{address}/lbp.xml")
        self.model("gone", file="gone.xml", sha256="0" * 64, source=f"{address}/gone.xml")
        self.model("words", file="words.xml", sha256="0" * 64, source="a friend")
        self.model("free", file="free.xml", source=f"{address}/lbp.xml")
        code, _, err = framefleet("models", "fetch", "--models", self.folder)
        self.assertEqual(code, 3, err)
        for reason in ("has another sha256", "404", "is no address", "names no sha256"):
            self.assertIn(reason, err)
        self.assertEqual([each.name for each in self.folder.iterdir() if each.suffix != ".toml"],
                         [])

    def test_wrong_words_are_refused(self):
        self.assertEqual(framefleet("models")[0], 64)
        self.assertEqual(framefleet("models", "list")[0], 64)
        self.assertEqual(framefleet("models", "list", "--models", self.folder, "no")[0], 66)
        self.assertEqual(framefleet("models", "list", "--models", self.folder / "no")[0], 66)

    def test_a_configuration_file_is_read_by_the_command_alone(self):
        shutil.copy(CASCADE, self.folder / "lbp.xml")
        self.model("mine")
        file = self.served / "models.toml"
        file.write_text(f'[models]\nmodels = "{self.folder}"\n')
        code, out, err = framefleet("models", "list", FRAMEFLEET_CONFIG=str(file))
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"mine +faces +here")

    def test_a_bad_model_costs_its_own_detector_alone(self):
        (self.folder / "rose.onnx").write_text("a rose")
        self.model("rose", detector="objects", file="rose.onnx")
        code, out, _ = framefleet("models", "check", "--models", self.folder)
        self.assertEqual(code, 3)
        self.assertIn("it is not ONNX, or cut short", out)
        picture = self.served / "pixel.png"
        picture.write_bytes(pixel())
        code, _, err = framefleet("detect", "--models", self.folder, "--detect", "edges", picture)
        self.assertEqual((code, err), (0, ""))
        code, _, err = framefleet("detect", "--models", self.folder, "--detect", "objects", picture)
        self.assertEqual(code, 78)
        self.assertIn("it is not ONNX, or cut short", err)

    def test_each_kind_of_bad_model_is_refused_and_other_detectors_go_on(self):
        yolox = DATA.parent / "models/yolox_nano.onnx"
        if not yolox.is_file():
            print(f"SKIPPED: models_test: no models at {yolox.parent}")
            return
        whole = yolox.read_bytes()
        kinds = {  # name: bytes, sha256, layout, labels, the reason
            "digest": (whole, "0" * 64, "yolox", 80, "get the file again, or correct the digest"),
            "truncated": (whole[:len(whole) // 2], "", "yolox", 80, "cut short"),
            "half": (half_precision(), "", "auto", 80, "its numbers have 16 bits"),
            "dynamic": (dynamic(), "", "auto", 80, "its sizes are dynamic"),
            "layout": (whole, "", "yolov8", 80, "are those of layout yolox, and not of yolov8"),
            "labels": (whole, "", "yolox", 2, "it tells 80 classes apart, and there are 2 labels"),
        }
        for name, (content, digest, layout, labels, _) in kinds.items():
            (self.folder / f"{name}.onnx").write_bytes(content)
            (self.folder / f"{name}.toml").write_text(
                f'[model]\ndetector = "objects"\nfile = "{name}.onnx"\nsha256 = "{digest}"\n'
                f'layout = "{layout}"\nbackend = "opencv"\n[input]\nsize = "416x416"\n'
                f'[output]\nlabels = {[f"class {i}" for i in range(labels)]}\n')
        shutil.copy(CASCADE, self.folder / "lbp.xml")
        self.model("mine")
        code, out, err = framefleet("models", "check", "--models", self.folder)
        self.assertEqual((code, err), (3, ""), out)
        said = dict(re.findall(r"^(\w+): (.*)$", out, re.MULTILINE))
        for name, (*_, reason) in kinds.items():
            self.assertRegex(out, rf"(?m)^{name} +objects +refused ")
            self.assertIn(reason, said[name])
        self.assertEqual(set(said), set(kinds))
        self.assertRegex(out, r"(?m)^mine +faces +good ")
        # A worker with all of them: it offers what does not need them, by name and as such.
        picture = self.served / "pixel.png"
        picture.write_bytes(pixel())
        code, _, err = framefleet("detect", "--models", self.folder, "--detect",
                                  "edges,faces?cascade=mine", picture)
        self.assertEqual((code, err), (0, ""))
        code, _, err = framefleet("detect", "--models", self.folder, "--detect", "objects", picture)
        self.assertEqual(code, 78)
        self.assertTrue(any(reason in err for *_, reason in kinds.values()), err)


if __name__ == "__main__":
    unittest.main()
