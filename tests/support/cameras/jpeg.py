"""Small grey JPEG pictures without an imaging library."""
import struct


def _segment(marker, content):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(width, height, level, padding=0):
    """One grey, 0 to 255, all over. `padding`: bytes of a comment, to make it larger."""
    bits = ""
    for block in range(-(-width // 8) * -(-height // 8)):
        # The mean of a block is coded as the difference from the one before: 11 bits, or none.
        difference = level * 8 - 1024 if block == 0 else 0
        if difference:
            value = difference if difference > 0 else difference + 2047
            bits += "10" + format(value, "011b")
        else:
            bits += "0"
        bits += "0"  # nothing but the mean
    bits += "1" * (-len(bits) % 8)
    scan = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)).replace(b"\xff",
                                                                                b"\xff\x00")
    means = bytes([0x00, 1, 1] + 14 * [0]) + bytes([0, 11])  # codes 0: no bits, 10: 11 bits
    rest = bytes([0x10, 1] + 15 * [0]) + bytes([0])          # code 0: the end of the block
    return (b"\xff\xd8" + b"".join(_segment(0xFE, b"x" * min(60_000, padding - i))
                                   for i in range(0, padding, 60_000)) +
            _segment(0xDB, b"\0" + 64 * b"\1") +
            _segment(0xC0, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)) +
            _segment(0xC4, means) + _segment(0xC4, rest) +
            _segment(0xDA, bytes([1, 1, 0, 0, 63, 0])) + scan + b"\xff\xd9")
