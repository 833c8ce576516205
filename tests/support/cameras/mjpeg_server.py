#!/usr/bin/env python3
"""HTTP cameras, well-behaved and not. The path says how one behaves:

    /good        parts with lengths, as most cameras send them
    /plain       parts without lengths
    /chunked     the same in chunks, cut where it hurts
    /lies        lengths that are wrong, a boundary that is not the one that was announced
    /garbage     noise between parts, parts that are no picture, pictures that break off
    /burst       eight pictures at once, and then a pause; at last as fast as it can
    /short       ten pictures, and then it hangs up
    /stall       ten pictures and half a part, and then nothing
    /endless     a picture that begins and never ends
    /silent      takes the request and never answers
    /basic, /digest  with a password: admin and P%ss w0rd:/@
    /page        a page for people
    /missing     404

    with CameraServer() as server:  server.url("/good")
"""
import base64
import hashlib
import http.server
import socket
import threading
import time

from jpeg import jpeg

USER, PASSWORD = "admin", "P%ss w0rd:/@"
SIZE = (160, 120)
PICTURES = [jpeg(*SIZE, level, padding=2000) for level in range(20, 230, 7)]
INTERVAL = 0.04
BOUNDARY = "--frame"


def part(picture, *headers):
    return b"\r\n".join([BOUNDARY.encode(), b"Content-Type: image/jpeg",
                         *(header.encode() for header in headers), b"", picture, b""])


class Camera(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        behave = getattr(self, self.path.strip("/"), None)
        if behave is None:
            self.send_error(404)
            return
        self.close_connection = True
        try:
            behave()
        except OSError:
            pass  # the camera's reader has gone

    def begin(self, *headers):
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def pictures(self):
        """One picture after the other, at the camera's pace, for as long as the server runs."""
        number = 0
        while not self.server.stopping.wait(INTERVAL):
            yield PICTURES[number % len(PICTURES)]
            number += 1

    def hold(self):
        """Keeps the connection as it is until the reader or the server goes."""
        self.connection.settimeout(None)
        while not self.server.stopping.is_set():
            try:
                self.connection.settimeout(0.1)
                if self.connection.recv(1) == b"":
                    return
            except socket.timeout:
                continue

    def good(self):
        self.begin()
        for picture in self.pictures():
            self.wfile.write(part(picture, f"Content-Length: {len(picture)}"))

    def plain(self):
        self.begin()
        for picture in self.pictures():
            self.wfile.write(part(picture))

    def chunked(self):
        self.begin(("Transfer-Encoding", "chunked"))
        for number, picture in enumerate(self.pictures()):
            sent = part(picture)
            size = 1 + number * 131 % 700
            for at in range(0, len(sent), size):
                chunk = sent[at:at + size]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def lies(self):
        self.begin()
        for number, picture in enumerate(self.pictures()):
            length = (0, 1, len(picture) - 7, len(picture) + 1_000, 10**18)[number % 5]
            self.wfile.write(part(picture, f"Content-Length: {length}").replace(b"--frame",
                                                                               b"----other"))

    def garbage(self):
        self.begin()
        noise = bytes(i * 7919 >> 4 & 0x7F for i in range(5_000))
        for number, picture in enumerate(self.pictures()):
            self.wfile.write((noise, part(noise), part(picture[:len(picture) - 3]),
                              b"\xff\xd8\xff" + noise)[number % 4])
            self.wfile.write(part(picture) + part(picture))

    def burst(self):
        self.begin()
        for number, picture in enumerate(self.pictures()):
            if number == 40:
                break
            if number % 5 == 0:
                self.wfile.write(part(picture) * 8)
        while not self.server.stopping.is_set():
            self.wfile.write(part(PICTURES[0]) * 20)

    def short(self):
        self.begin(("Connection", "close"))
        for number, picture in enumerate(self.pictures()):
            if number == 10:
                return
            self.wfile.write(part(picture))

    def stall(self):
        self.begin()
        for number, picture in enumerate(self.pictures()):
            if number == 10:
                self.wfile.write(part(picture)[:-200])
                self.hold()
                return
            self.wfile.write(part(picture))

    def endless(self):
        self.begin()
        self.wfile.write(part(PICTURES[0][:-2]))
        while not self.server.stopping.is_set():
            self.wfile.write(b"x" * 65_536)
            time.sleep(0.005)

    def silent(self):
        self.hold()

    def basic(self):
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == f"Basic {expected}":
            self.good()
        else:
            self.refuse('Basic realm="camera"')

    def digest(self):
        given = self.headers.get("Authorization", "")
        fields = dict(field.strip().partition("=")[::2] for field in given[7:].split(","))
        value = {key: text.strip('"') for key, text in fields.items()}

        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()

        secret = md5(f"{USER}:camera:{PASSWORD}")
        asked = md5(f"GET:{value.get('uri')}")
        expected = md5(f"{secret}:n0nce:{value.get('nc')}:{value.get('cnonce')}:auth:{asked}")
        if given.startswith("Digest ") and value.get("response") == expected:
            self.good()
        else:
            self.refuse('Digest realm="camera", nonce="n0nce", qop="auth", algorithm=MD5')

    def refuse(self, challenge):
        self.send_response(401)
        self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def page(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"login")


class CameraServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Camera)
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def url(self, path, credentials=""):
        return f"http://{credentials}127.0.0.1:{self.server_port}{path}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
