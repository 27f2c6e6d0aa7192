"""A camera that moves over a still: pan and zoom to a fraction of a pixel, in whole numbers, quick enough for film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from luma_studio.video.base import Look
from luma_studio.video.planes import Plane, Planes, to_planes

_FINE = 128  # parts of a pixel that are told apart: differences times this must stay within 16 bits
_STRIP = 128  # rows that are drawn at a time: they stay in a core's cache
_MOST = 3  # frames that a picture may be wide or high; of a longer one the middle is used
HEADS = 0.16  # how far down the camera looks where the picture is higher than the frame: heads are near its top


@dataclass(frozen=True, slots=True)
class View:
    """What the camera sees: ``zoom`` (1: as much as fits), and how far it is to the right and down (0 to 1)."""

    zoom: float = 1.0
    across: float = 0.5
    down: float = HEADS


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """A still, fitted to a frame of a size, over which the camera moves.

    One that is seen ``whole`` stays in the middle. The planes hold each pixel together with its right neighbour, in the
    high byte: one look-up finds both.
    """

    width: int
    height: int
    whole: bool
    size: tuple[float, float]
    scale: float
    pairs: tuple[NDArray[np.uint16], ...]

    @classmethod
    def of(cls, picture: Image.Image, look: Look, closest: float) -> Canvas:
        """Fit a picture (RGB) to a look; ``closest`` is the largest zoom that will be asked for."""
        scale = (1 + closest) / 2  # halfway between the widest and the closest view a pixel is a pixel
        fitted = _covered(picture, look, scale) if look.fit == "cover" else _contained(picture, look, scale, closest)
        planes = to_planes(fitted)
        return cls(
            look.width,
            look.height,
            look.fit == "contain",
            fitted.size,
            scale,
            tuple(_paired(plane) for plane in planes),
        )

    @property
    def room(self) -> tuple[float, float]:
        """How far the camera can go across and down in the widest view, in frames."""
        return self.size[0] / self.scale / self.width - 1, self.size[1] / self.scale / self.height - 1

    def share(self, frames: float, zoom: float) -> float:
        """What a way across of that many frames is of the whole way from end to end; at most half of it."""
        whole = self.room[0] + 1 - 1 / zoom
        return min(0.5, frames / whole) if whole > 0 else 0.0

    def show(self, view: View, planes: Planes) -> None:
        """Draw what the camera sees into a frame's planes."""
        step = self.scale / view.zoom
        wide, high = self.width * step, self.height * step
        across, down = (0.5, 0.5) if self.whole else (view.across, view.down)
        left = min(max(across, 0.0), 1.0) * max(self.size[0] - wide, 0.0)
        top = min(max(down, 0.0), 1.0) * max(self.size[1] - high, 0.0)
        for plane, pairs, part in zip(planes, self.pairs, (1, 2, 2), strict=True):
            _sample(pairs, left / part, top / part, step, plane)


def eased(share: float) -> float:
    """A share of a way (0 to 1) as something goes that starts and stops softly."""
    share = min(max(share, 0.0), 1.0)
    return share * share * share * (share * (6 * share - 15) + 10)


def _covered(picture: Image.Image, look: Look, scale: float) -> Image.Image:
    """The picture as large as needed to leave nothing of the frame empty; what is far longer is cut at both ends."""
    factor = max(look.width * scale / picture.width, look.height * scale / picture.height)
    wide = min(picture.width * factor, look.width * scale * _MOST)
    high = min(picture.height * factor, look.height * scale * _MOST)
    left = (picture.width - wide / factor) / 2
    top = (picture.height - high / factor) * HEADS
    size = (_even(wide), _even(high))
    return picture.resize(size, Image.Resampling.LANCZOS, (left, top, left + wide / factor, top + high / factor))


def _contained(picture: Image.Image, look: Look, scale: float, closest: float) -> Image.Image:
    """The picture on the background, so small that all of it is seen in the closest view, too."""
    wide, high = _even(look.width * scale), _even(look.height * scale)
    factor = min(wide / picture.width, high / picture.height) / closest
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    canvas = Image.new("RGB", (wide, high), look.background)
    middle = (round((wide - size[0]) / 2), round((high - size[1]) / 2))
    canvas.paste(picture.resize(size, Image.Resampling.LANCZOS), middle)
    return canvas


def _even(size: float) -> int:
    return 2 * max(1, round(size / 2))


def _paired(plane: Plane) -> NDArray[np.uint16]:
    """Each pixel with its right neighbour; a column and a row more, so that the last ones have one, too."""
    padded = np.pad(plane, ((0, 1), (0, 1)), "edge").astype(np.uint16)
    pairs: NDArray[np.uint16] = padded | np.pad(padded[:, 1:], ((0, 0), (0, 1)), "edge") << np.uint16(8)
    return pairs


def _sample(pairs: NDArray[np.uint16], left: float, top: float, step: float, plane: Plane) -> None:
    """Fill a plane by linear interpolation at places ``step`` apart: first along rows, then along columns."""
    columns, right = _places(left, step, plane.shape[1], pairs.shape[1] - 2)
    rows, below = _places(top, step, plane.shape[0], pairs.shape[0] - 2)
    for start in range(0, len(rows), _STRIP):
        own = rows[start : start + _STRIP]
        first = int(own[0])
        found = pairs[first : int(own[-1]) + 2].take(columns, axis=1)
        across = (found & 255).view(np.int16)
        found >>= 8
        _blend(across, found.view(np.int16), right)
        down = across.take(own - first, axis=0)
        _blend(down, across.take(own - first + 1, axis=0), below[start : start + _STRIP, None])
        plane[start : start + _STRIP] = down


def _places(start: float, step: float, count: int, last: int) -> tuple[NDArray[np.intp], NDArray[np.int16]]:
    """Of each of some places the pixel it lies in, and how far, in parts of ``_FINE``."""
    places = (start + step * (np.arange(count) + 0.5) - 0.5) * _FINE
    fine = np.clip(np.round(places), 0, last * _FINE).astype(np.int64)
    return (fine // _FINE).astype(np.intp), (fine % _FINE).astype(np.int16)


def _blend(pixels: NDArray[np.int16], neighbours: NDArray[np.int16], far: NDArray[np.int16]) -> None:
    """Move pixels towards their neighbours, in place; the neighbours are not to be used afterwards."""
    neighbours -= pixels
    neighbours *= far
    neighbours >>= 7
    pixels += neighbours
