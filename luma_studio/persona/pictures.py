"""A persona's picture, looked at: what kind it is, how large, and whether all of it is there."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import av

PictureKind = Literal["png", "jpeg"]

MOST_BYTES = 10 * 2**20
_LEAST, _MOST = 256, 8192  # pixels of a side
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_NO_SIZE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers that nothing follows
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers that tell the size


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's kind, and its size in pixels."""

    kind: PictureKind
    width: int
    height: int


def look(data: bytes) -> Picture:
    """Look at a picture, whole. Raises ValueError, whose text goes on from "the picture …"."""
    if len(data) > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES // 2**20} MB: save it smaller")
    kind: PictureKind = "png" if data.startswith(_PNG) else "jpeg"
    if kind == "jpeg" and not data.startswith(_JPEG):
        raise ValueError("is no PNG or JPEG: save it as one of these")
    try:
        width, height = _png_size(data) if kind == "png" else _jpeg_size(data)
    except (IndexError, struct.error):
        raise ValueError("is damaged: save it again") from None
    if not all(_LEAST <= side <= _MOST for side in (width, height)):
        raise ValueError(f"is {width} × {height} pixels: each side may be {_LEAST} to {_MOST}")
    _decode(data, kind)
    return Picture(kind, width, height)


def _png_size(data: bytes) -> tuple[int, int]:
    """Width and height; every chunk of it is there and is what its checksum says."""
    width, height = 0, 0
    for name, body in _chunks(data):
        if name == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        if name == b"IEND":
            return width, height
    raise IndexError


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_PNG)
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (told,) = struct.unpack_from(">I", data, place + 8 + length)
        if zlib.crc32(name + body) != told:
            raise IndexError
        yield name, body
        place += 12 + length


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height, from the header of its frame; its end is there."""
    if _JPEG_END not in data[-64:]:  # some programs add a few bytes
        raise IndexError
    place = 2
    while True:
        while data[place + 1] == 0xFF:  # filling
            place += 1
        if data[place] != 0xFF:
            raise IndexError
        marker = data[place + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        place += 2
        if marker not in _NO_SIZE:
            place += max(2, struct.unpack_from(">H", data, place)[0])


def _decode(data: bytes, kind: PictureKind) -> None:
    try:
        with av.open(io.BytesIO(data), "r", format=f"{kind}_pipe", options={"err_detect": "explode"}) as container:
            frame = next(container.decode(video=0), None)
    except (av.error.FFmpegError, OSError, ValueError):
        frame = None
    if frame is None:
        raise ValueError("is damaged: save it again")
