#!/usr/bin/python3
"""RTSP cameras by GStreamer: H.264 of a moving picture, with a password. Streams are the arguments,
NAME:WIDTHxHEIGHT@FPS; SIGUSR1 changes the resolution of all of them in flight, to half and back.
With #NUMBER it is the synthetic camera of this number, whose size stays: it runs from the server's
start, and each frame is told as `given NAME FRAME SECONDS` (Unix) before it is encoded.

    rtsp_server.py PORT cam1:640x480@15 cam2:320x240@25 cam3:640x480@10#7

Prints `listening` once it does. Needs the packages of group `cameras` in scripts/dependencies.txt.
"""
import os
import re
import signal
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

from synthetic_frames import frames  # noqa: E402

USER, PASSWORD = "viewer", "S3cr%t:w/@rd"


def caps(width, height, fps):
    return f"video/x-raw,format=I420,width={width},height={height},framerate={fps}/1"


class Camera(GstRtspServer.RTSPMediaFactory):
    """One stream, the same for all that look at it."""

    kilobits = 400  # a second

    def __init__(self, width, height, fps):
        super().__init__()
        self.size, self.fps, self.small, self.filters = (width, height), fps, False, []
        self.set_shared(True)
        self.set_launch(
            f"( {self.pictures()} ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 "
            # In one slice: the payloader writes the parameters before every slice of a key frame,
            # which readers take for the beginning of another picture.
            f"bitrate={self.kilobits} sliced-threads=false key-int-max={fps} ! "
            f"rtph264pay name=pay0 pt=96 config-interval=-1 )")
        permissions = GstRtspServer.RTSPPermissions()
        for right in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("viewer", right, True)
        self.set_permissions(permissions)
        self.connect("media-configure", self.on_media)

    def pictures(self):
        """The elements that they come from."""
        return (f"videotestsrc is-live=true pattern=ball ! capsfilter name=size "
                f"caps={caps(*self.size, self.fps)}")

    def on_media(self, _, media):
        self.filters = [media.get_element().get_by_name_recurse_up("size")]
        self.apply()

    def change(self):
        self.small = not self.small
        self.apply()

    def apply(self):
        width, height = (side // 2 if self.small else side for side in self.size)
        for element in self.filters:
            element.set_property("caps", Gst.Caps.from_string(caps(width, height, self.fps)))


class SyntheticCamera(Camera):
    """A camera's frames go by whether anybody looks at them or not."""

    kilobits = 2000  # its markers must be read

    def __init__(self, name, width, height, fps, number):
        super().__init__(width, height, fps)
        self.name, self.number, self.source = name, number, None
        threading.Thread(target=self.run, daemon=True).start()

    def pictures(self):
        width, height = self.size
        return (f"appsrc name=frames is-live=true format=time do-timestamp=true "
                f"caps=image/jpeg,width={width},height={height},framerate={self.fps}/1 "
                f"! jpegdec ! videoconvert ! video/x-raw,format=I420")

    def on_media(self, _, media):
        self.source = media.get_element().get_by_name_recurse_up("frames")

    def run(self):
        begun = time.monotonic()
        for frame, picture in enumerate(frames(self.number, *self.size)):
            time.sleep(max(0.0, begun + frame / self.fps - time.monotonic()))
            if self.source:
                # At once: there are others who say something.
                os.write(1, f"given {self.name} {frame} {time.time():.6f}\n".encode())
                self.source.emit("push-buffer", Gst.Buffer.new_wrapped(picture))


def main(port, streams):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(USER, PASSWORD), token)
    server.set_auth(auth)
    cameras = []
    for stream in streams:
        name, *numbers = re.fullmatch(r"(\w+):(\d+)x(\d+)@(\d+)(?:#(\d+))?", stream).groups()
        *numbers, synthetic = (number and int(number) for number in numbers)
        cameras.append(Camera(*numbers) if synthetic is None else
                       SyntheticCamera(name, *numbers, synthetic))
        server.get_mount_points().add_factory(f"/{name}", cameras[-1])
    if server.attach(None) == 0:
        sys.exit(f"cannot listen on port {port}")

    def change():
        for camera in cameras:
            camera.change()
        return True

    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGUSR1, change)
    print("listening", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
