"""Small films that film vendors give out, and small pictures that they are given; the same each time."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from PIL import Image

from luma_studio.video.base import Still


@lru_cache(maxsize=64)
def film(name: str, pictures: int = 5) -> bytes:
    """An MP4 of 64x48 in a colour that its name decides, at 5 pictures a second."""
    colour = np.frombuffer(hashlib.sha256(name.encode()).digest()[:3], np.uint8)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(pictures):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), colour), "rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return file.getvalue()


def colour_of(path: Path) -> tuple[int, ...]:
    """The colour of a film's first picture, in sixteenths: what was encoded is a little off."""
    with av.open(path) as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24")
    return tuple(int(each) // 16 for each in pixels.reshape(-1, 3).mean(axis=0))


def still(path: Path, width: int = 400, height: int = 400, colour: str = "teal") -> Still:
    """A picture in one colour, written to a PNG or JPEG file."""
    kind = "png" if path.suffix == ".png" else "jpeg"
    Image.new("RGB", (width, height), colour).save(path, kind)
    return Still(path, hashlib.sha256(path.read_bytes()).hexdigest(), kind, width, height)
