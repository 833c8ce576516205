"""Pictures and markers without an imaging library."""
import json
import struct
import zlib

MARKER_SIDE_MIN = 60  # of the synthetic camera: producer/sources/synthetic_oracle.hpp


def png(width, height, pixel):
    """A grey PNG of 8 bits; `pixel(x, y)` is 0 to 255."""
    rows = b"".join(b"\0" + bytes(pixel(x, y) for x in range(width)) for y in range(height))
    return png_file(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), zlib.compress(rows))


def chunk(kind, content):
    """Of a PNG."""
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def padded(picture, size, number):
    """The PNG as a file of exactly so many bytes, and of its own for each number, by a comment."""
    end = len(picture) - 12  # of the pixels; behind them is IEND
    comment = b"Comment\0" + struct.pack(">Q", number) * (size // 8)
    return picture[:end] + chunk(b"tEXt", comment[:size - len(picture) - 12]) + picture[end:]


def png_file(header, pixels):
    """A PNG of these two chunks; the header may promise what the pixels do not hold."""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) +
            chunk(b"IEND", b""))


def huge_png(width, height):
    """A PNG of a few dozen bytes that promises RGB pixels of this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return png_file(header, zlib.compress(b"\0" * 99))


def square_png(number, side=64):
    """A picture of its own for each number: a white square of another size and place."""
    left, top, size = 4 + number % 17, 4 + number // 17 % 13, 16 + number % 23
    return png(side, side, lambda x, y: 255 if 0 <= x - left < size and 0 <= y - top < size else
               number * 37 % 100)


def seen_frame(markers, width, height):
    """Camera and sequence that a frame of the synthetic camera shows, by the markers found in it:
    (id, x, y, width, height) each; None unless one is centred in each of the four places. From the
    comments of producer/sources/synthetic_oracle.hpp, not from its code."""
    side = max(MARKER_SIDE_MIN, min(width, height) // 5)
    border = side // 6
    left, top, right, bottom = border, border, width - border - side, height - border - side
    ids = []
    for place_x, place_y in ((left, top), (right, top), (left, bottom), (right, bottom)):
        here = [marker for marker, x, y, w, h in markers
                if 0 <= x + w / 2 - place_x < side and 0 <= y + h / 2 - place_y < side]
        if len(here) != 1:
            return None
        ids += here
    camera, millions, thousands, ones = ids
    return camera, millions * 1_000_000 + thousands * 1_000 + ones


def frames_in(store, source="%"):
    """What each outcome of the store, or of the sources whose names are like this, shows:
    {sequence: (camera, sequence) or None}."""
    markers, sizes = {}, {}
    for sequence, width, height in store.rows(
            "SELECT sequence, width, height FROM outcomes WHERE source LIKE ?", source):
        sizes[sequence], markers[sequence] = (width or 0, height or 0), []
    for sequence, extra, *box in store.rows(
            "SELECT sequence, extra, x, y, width, height FROM v_detections"
            " WHERE detector = 'markers' AND source LIKE ?", source):
        markers[sequence].append((json.loads(extra)["id"], *box))
    return {sequence: seen_frame(found, *sizes[sequence]) for sequence, found in markers.items()}
