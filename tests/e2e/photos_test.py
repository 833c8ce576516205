"""The main job on real pictures: one row each, the faces of plain OpenCV, annotated pictures."""
import json
import os
import subprocess
import unittest

import ledger
from fleet import DATA, Fleet, skip_without_data

REFERENCE = os.environ.get("FRAMEFLEET_REFERENCE", "build/release/tests/e2e_reference")
CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml"
EXTENSIONS = {".jpg", ".jpeg", ".png", ".webp"}


def reference(*words):
    """What plain OpenCV says, one object for each picture, by the path it was asked for."""
    said = subprocess.run([REFERENCE, *words], check=True, capture_output=True, text=True).stdout
    return {line["path"]: line for line in map(json.loads, said.splitlines())}


class PhotosTest(unittest.TestCase):
    def test_real_pictures_are_worked_on_as_plain_opencv_would(self):
        skip_without_data(self)
        photos = sorted(str(path) for path in (DATA / "photos").iterdir()
                        if path.suffix.lower() in EXTENSIONS)
        with Fleet() as fleet:
            run = fleet.run("--workers", "2", "--detect", "faces,edges,corners", "--annotate",
                            DATA / "photos")
            self.assertEqual(run.exit_code(), 0)
            ledger.check_report(run.event("report"), fleet.store)
            self.assertEqual(run.event("report")["restarts"], {})
            store = fleet.store
            self.assertEqual(sorted(row[0] for row in store.rows("SELECT origin FROM outcomes")),
                             photos)
            self.assertEqual(store.by_status(), {"ok": len(photos)})
            self.check_faces(store, photos)
            self.check_annotated(store, photos)

    def check_faces(self, store, photos):
        found = {path: [] for path in photos}
        for origin, *box in store.rows("SELECT origin, x, y, width, height FROM v_detections"
                                       " WHERE detector = 'faces' AND label = 'face'"):
            found[origin].append(box)
        sizes = {origin: size for origin, *size in store.rows(
            "SELECT origin, width, height FROM outcomes")}
        wanted = reference("faces", CASCADE, *photos)
        for path in photos:
            self.assertEqual(sorted(found[path]), sorted(wanted[path]["faces"]), path)
            self.assertEqual(sizes[path], [wanted[path]["width"], wanted[path]["height"]], path)
        faces = sum(map(len, found.values()))
        print(f"{faces} faces in {len(photos)} pictures")
        self.assertGreater(faces, 5, "a comparison of nothing with nothing")
        self.assertEqual(len(store.rows("SELECT 1 FROM detector_runs")), 3 * len(photos))

    def check_annotated(self, store, photos):
        annotated = dict(store.rows("SELECT origin, path FROM pictures WHERE kind = 'annotated'"))
        self.assertEqual(sorted(annotated), photos)
        pairs = [word for origin, path in annotated.items()
                 for word in (origin, str(store.folder / path))]
        for path, seen in reference("compare", *pairs).items():
            self.assertEqual((seen["width"], seen["height"]),
                             (seen["original_width"], seen["original_height"]), path)
            # Something is drawn, and the picture is still the picture.
            self.assertGreater(seen["drawn_samples"], 100, path)
            self.assertLess(seen["mean_difference"], 60, path)


if __name__ == "__main__":
    unittest.main()
