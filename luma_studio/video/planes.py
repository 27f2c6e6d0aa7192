"""Pictures as H.264 has them: brightness and two colours at half size (BT.709, limited range); drawing over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane: TypeAlias = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]
"""Brightness (h, w), and blue and red against it (h / 2, w / 2): views, which can be written to."""

_RED, _BLUE = 0.2126, 0.0722  # ITU-R BT.709
_TO_YUV = np.array(
    [
        [_RED, 1 - _RED - _BLUE, _BLUE],
        [-_RED, _RED + _BLUE - 1, 1 - _BLUE],
        [1 - _RED, _RED + _BLUE - 1, -_BLUE],
    ],
    np.float32,
)
_TO_YUV *= np.array([[219 / 255], [112 / 255 / (1 - _BLUE)], [112 / 255 / (1 - _RED)]], np.float32)
_NONE = np.array([16, 128, 128], np.float32)  # black


def frame_of(width: int, height: int) -> av.VideoFrame:
    """A frame to be drawn; both sizes are even."""
    return av.VideoFrame(width, height, "yuv420p")


def planes_of(frame: av.VideoFrame) -> Planes:
    """What a frame (yuv420p) shows, to be read and written in place."""
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        for plane in frame.planes
    )
    return y, u, v


def to_planes(picture: Image.Image) -> Planes:
    """A picture (RGB, even sizes) as planes."""
    y = _converted(np.asarray(picture), 0)
    halved = np.asarray(picture.reduce(2))
    return y, _converted(halved, 1), _converted(halved, 2)


def colour_of(text: str) -> tuple[int, int, int]:
    """What a colour written as #rrggbb is in the three planes."""
    red_green_blue = np.array([[[int(text[at : at + 2], 16) for at in (1, 3, 5)]]], np.uint8)
    y, u, v = (int(_converted(red_green_blue, part)[0, 0]) for part in range(3))
    return y, u, v


def _converted(picture: NDArray[np.uint8], part: int) -> Plane:
    weights, start = _TO_YUV[part], _NONE[part]
    plane = np.full(picture.shape[:2], start + 0.5, np.float32)  # half: what follows rounds down
    for channel in range(3):
        plane += picture[..., channel] * weights[channel]
    return plane.astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What is drawn over a part of frames, from ``left`` and ``top`` (both even): of each plane, what of the frame is
    left (0 to 256), and what is added (times 256)."""

    left: int
    top: int
    left_over: tuple[NDArray[np.uint16], ...]
    added: tuple[NDArray[np.uint16], ...]

    @classmethod
    def of(cls, picture: Image.Image, left: int, top: int) -> Overlay:
        """From a picture (RGBA, even sizes)."""
        pixels = np.asarray(picture)
        there = pixels[..., 3].astype(np.float32) * np.float32(256 / 255)
        alphas = (there, _halved(there), _halved(there))
        added = []
        for part in range(3):
            colour = pixels[..., :3].astype(np.float32) @ _TO_YUV[part] + _NONE[part]
            whole = colour * there
            added.append(np.round(whole if part == 0 else _halved(whole)).astype(np.uint16))
        return cls(left, top, tuple((256 - np.round(alpha)).astype(np.uint16) for alpha in alphas), tuple(added))

    def faded(self, share: float) -> Overlay:
        """As far as it is there: ``share``, 0 to 1."""
        part = np.uint16(round(share * 256))
        kept = tuple((256 - ((256 - each) * part >> 8)).astype(np.uint16) for each in self.left_over)
        added = tuple((each.astype(np.uint32) * part >> 8).astype(np.uint16) for each in self.added)
        return Overlay(self.left, self.top, kept, added)

    def draw(self, planes: Planes) -> None:
        """Draw it over a frame."""
        for plane, kept, added, scale in zip(planes, self.left_over, self.added, (1, 2, 2), strict=True):
            top, left = self.top // scale, self.left // scale
            part = plane[top : top + kept.shape[0], left : left + kept.shape[1]]
            mixed = part * kept
            mixed += added
            mixed >>= 8
            part[...] = mixed


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    halved: NDArray[np.float32] = plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).mean((1, 3))
    return halved


def mixed(planes: Planes, others: Planes, share: float) -> None:
    """Fade a frame to another in place: ``share`` (0 to 1) of the other is seen."""
    weight = round(share * 256)
    for plane, other in zip(planes, others, strict=True):
        sums = plane * np.uint16(256 - weight)
        sums += other * np.uint16(weight)
        sums >>= 8
        plane[...] = sums
