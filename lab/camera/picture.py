"""
The picture of a simulated camera: I420, drawn by copying prepared bytes, so that a frame costs well under a millisecond.

What is in it, in fractions of the picture (a 64 x 36 grid; a cell is 20 px at 1280 x 720):

  * the machine-readable clock: 56 cells in a row, columns 4 to 59, rows 1.2 to 3.2, white (1) or black (0):
        1010 | 41 bits of Unix milliseconds, highest first | CRC-8 of them | 101
    CRC-8 is polynomial 0x07, start 0, over the six bytes of the value. lab/clock-reader.ts reads it back.
  * the same time for people, and the camera's name, at the bottom (UTC);
  * leaves in the wind (fresh noise, so that the bit rate is that of a real scene) and, while an event is active, its
    name and a figure that crosses the picture.
"""

import os
import time

# 5 x 7 pixels, one byte a column, lowest bit on top.
GLYPHS = {
    " ": "0000000000", "-": "0808080808", ":": "0036360000", ".": "0060600000",
    "0": "3E5149453E", "1": "00427F4000", "2": "4261514946", "3": "2141454B31", "4": "1814127F10",
    "5": "2745454539", "6": "3C4A494930", "7": "0171090503", "8": "3649494936", "9": "064949291E",
    "A": "7E1111117E", "B": "7F49494936", "C": "3E41414122", "D": "7F4141221C", "E": "7F49494941",
    "F": "7F09090901", "G": "3E4149497A", "H": "7F0808087F", "I": "00417F4100", "J": "2040413F01",
    "K": "7F08142241", "L": "7F40404040", "M": "7F020C027F", "N": "7F0408107F", "O": "3E4141413E",
    "P": "7F09090906", "Q": "3E4151215E", "R": "7F09192946", "S": "4649494931", "T": "01017F0101",
    "U": "3F4040403F", "V": "1F2040201F", "W": "3F4038403F", "X": "6314081463", "Y": "0708700807",
    "Z": "6151494543",
}  # fmt: skip
BLACK, WHITE = 16, 235


def crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x07 if crc & 0x80 else crc << 1
            crc &= 0xFF
    return crc


def clock_bits(ms: int) -> str:
    return "1010" + format(ms, "041b") + format(crc8(ms.to_bytes(6, "big")), "08b") + "101"


class Picture:
    def __init__(self, name: str, width: int = 1280, height: int = 720):
        self.name, self.width, self.height = name.upper(), width, height
        self.label = self._drawn_label = ""
        self._cell = width // 64
        self._scale = max(1, width // 256)
        self._black, self._white = bytes([BLACK]) * self._cell, bytes([WHITE]) * self._cell
        self._glyphs = {char: self._glyph_rows(bytes.fromhex(code)) for char, code in GLYPHS.items()}
        self._noise = bytes(70 + (b >> 1 & 0x3F) for b in os.urandom(1 << 20))
        self._noise_height = height // 3 & ~15
        self._frame = self._scene()
        self._clean = bytes(self._frame)
        self._walker = None

    def draw(self, now: float | None = None) -> bytes:
        """One frame of I420 bytes that shows `now` (Unix seconds)."""
        ms = time.time_ns() // 1_000_000 if now is None else int(now * 1000)
        self._draw_clock(ms)
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ms // 1000))
        self._text(f"{self.name}  {stamp}.{ms % 1000:03d}", self._cell * 2, self.height - 13 * self._scale)
        self._draw_leaves()
        self._draw_event(ms)
        return bytes(self._frame)

    def _glyph_rows(self, columns: bytes) -> list[bytes]:
        dot = {0: bytes([BLACK]) * self._scale, 1: bytes([WHITE]) * self._scale}
        return [b"".join(dot[c >> row & 1] for c in columns) + dot[0] for row in range(7)]

    def _text(self, text: str, x: int, y: int) -> None:
        for row in range(7):
            line = b"".join(self._glyphs[c][row] for c in text if c in self._glyphs)[: self.width - x]
            for i in range(self._scale):
                at = (y + row * self._scale + i) * self.width + x
                self._frame[at : at + len(line)] = line

    def _draw_clock(self, ms: int) -> None:
        line = b"".join(self._white if bit == "1" else self._black for bit in clock_bits(ms))
        top = self.height // 30
        for y in range(top, top + self._cell * 2):
            at = y * self.width + self._cell * 4
            self._frame[at : at + len(line)] = line

    def _draw_leaves(self) -> None:
        width, x, y0 = self._cell * 12, self._cell * 46, self.height // 4
        start = int.from_bytes(os.urandom(4), "big") % (len(self._noise) - width * self._noise_height - 1)
        for y in range(self._noise_height):
            at, src = (y0 + y) * self.width + x, start + y * width
            self._frame[at : at + width] = self._noise[src : src + width]

    def _draw_event(self, ms: int) -> None:
        if self._walker is not None:
            self._restore(*self._walker)
            self._walker = None
        x, y = self._cell * 2, self.height // 8
        if self.label != self._drawn_label:
            self._restore(x, y, self._cell * 40, 7 * self._scale)
            self._text(self.label.upper()[: self._cell * 40 // (6 * self._scale)], x, y)
            self._drawn_label = self.label
        if not self.label:
            return
        size, x, y = self._cell * 4, self._cell * 2 + ms // 20 * 4 % (self._cell * 40), self.height * 5 // 9
        self._walker = (x, y, size, size * 2)
        for row in range(y, y + size * 2):
            at = row * self.width + x
            self._frame[at : at + size] = self._white * 4

    def _restore(self, x: int, y: int, width: int, height: int) -> None:
        for row in range(y, y + height):
            at = row * self.width + x
            self._frame[at : at + width] = self._clean[at : at + width]

    def _scene(self) -> bytearray:
        """A yard in the evening: sky, ground, a house with a lit window and a door."""
        w, h = self.width, self.height
        planes = [bytearray(), bytearray(), bytearray()]
        for y in range(h):
            sky = y < h * 2 // 3
            planes[0] += bytes([80 + 60 * y // h if sky else 60 + 40 * (y - h * 2 // 3) // h]) * w
            if y % 2 == 0:
                planes[1] += (b"\x8c" if sky else b"\x78") * (w // 2)
                planes[2] += (b"\x7a" if sky else b"\x7d") * (w // 2)

        def box(x0: float, y0: float, x1: float, y1: float, *colour: int) -> None:
            for plane, value in enumerate(colour):
                pw, ph = (w, h) if plane == 0 else (w // 2, h // 2)
                left, right = int(x0 * pw), int(x1 * pw)
                for y in range(int(y0 * ph), int(y1 * ph)):
                    planes[plane][y * pw + left : y * pw + right] = bytes([value]) * (right - left)

        box(0.10, 0.35, 0.45, 0.78, 130, 118, 138)
        box(0.16, 0.42, 0.24, 0.54, 205, 90, 145)
        box(0.32, 0.50, 0.39, 0.78, 60, 122, 140)
        return planes[0] + planes[1] + planes[2]
