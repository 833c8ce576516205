"""The plain loop's work on one picture (bench/vision/naive_loop.cpp), call by call, in Python.

A module of its own: what spreads work over processes names the function, and each of them imports
it once.
"""

import threading
import time

import cv2
import numpy

CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml"
SHORTEST_CURVE = 50
CURVES_MAX = 100

own = threading.local()


def prepare():
    """Once in each thread that works: the others are the parallelism, and a classifier is one's
    own."""
    cv2.setNumThreads(1)
    own.classifier = cv2.CascadeClassifier(CASCADE)
    assert not own.classifier.empty(), CASCADE


def edges(grey):
    mask = cv2.Canny(cv2.GaussianBlur(grey, (5, 5), 0), 100, 200)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    curves = int((stats[1:, cv2.CC_STAT_AREA] >= SHORTEST_CURVE).sum())
    return 1 + min(curves, CURVES_MAX)


def corners(grey):
    found = cv2.goodFeaturesToTrack(grey, 500, 0.01, 10)
    return 0 if found is None else len(found)


def faces(grey):
    return len(own.classifier.detectMultiScale(grey, 1.1, 3, 0, (30, 30)))


def work(numbered):
    """A picture's number, when it was done (Unix time), how many seconds it took, and how many
    detections it has."""
    number, path = numbered
    if not hasattr(own, "classifier"):
        prepare()
    began_at = time.monotonic()
    picture = cv2.imdecode(numpy.fromfile(path, numpy.uint8), cv2.IMREAD_COLOR)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    count = edges(grey) + corners(grey) + faces(grey)
    return number, time.time(), time.monotonic() - began_at, count
