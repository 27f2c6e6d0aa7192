"""What is drawn over a film's pictures: captions on a soft shade, a meter that moves with the voice, titles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from luma_studio.timeline.captions import Cue
from luma_studio.video.base import Look
from luma_studio.video.lettering import drawn, fitted
from luma_studio.video.planes import Overlay, Planes

_SIDE = 0.075  # of the width, left free at either side
_BARS = 21
_SHADE = 168  # of 255, at a frame's lowest line
_METER = 0.05  # of the shorter side: its height
_FOOT = 0.035  # of the height, left free below it
_APART = 0.03  # of the shorter side, between it and captions
_SMALLER = 0.75  # as small a caption becomes before it has more lines
_LINE = 23  # times its size that a caption is wide at most


class Captions:
    """Captions over a film's pictures; each is drawn once, when it is first seen.

    ``cues`` are in seconds of the film, in order.
    """

    def __init__(self, cues: Sequence[Cue], look: Look) -> None:
        self._look = look
        self._cues = [cue for cue in cues if any(line.strip() for line in cue.lines)]
        self._starts = np.array([cue.start for cue in self._cues])
        self._made = lru_cache(maxsize=4)(self._make)

    def draw(self, planes: Planes, second: float) -> None:
        """Draw the caption that is to be seen at that second, if there is one."""
        index = int(np.searchsorted(self._starts, second, "right")) - 1
        if index >= 0 and second < self._cues[index].end:
            self._made(index).draw(planes)

    def _make(self, index: int) -> Overlay:
        return caption(" ".join(self._cues[index].lines), self._look)


def caption(text: str, look: Look) -> Overlay:
    """A caption at the foot of the picture, within its safe margins."""
    short = min(look.width, look.height)
    size = max(8, round(short * 0.059))
    width = _even(min(look.width * (1 - 2 * _SIDE), _LINE * size))
    until = round(look.height * (1 - _FOOT) - short * (_METER + _APART))
    lines = 4 if look.orientation == "portrait" else 2
    block = fitted(text, size, width, lines, look.height // 2, round(size * _SMALLER))
    letters = drawn(block, width)
    return _laid(letters, look, (look.width - letters.width) // 2, until - letters.height + block.size)


def shade(look: Look) -> Overlay:
    """The foot of the picture, softly darker, so that what is drawn there can be read."""
    high = _even(look.height * 0.46)
    share = np.linspace(0, 1, high) ** 1.25
    alpha = Image.fromarray(np.repeat(np.round(share * _SHADE)[:, None], look.width, 1).astype(np.uint8))
    dark = Image.new("RGBA", alpha.size, "#05070a")
    dark.putalpha(alpha)
    return Overlay.of(dark, 0, look.height - high)


def title(text: str, look: Look) -> Overlay:
    """A title over the upper part of the picture, on a shade of its own."""
    short = min(look.width, look.height)
    width = _even(look.width * (1 - 2 * _SIDE))
    block = fitted(text, max(8, round(short * 0.092)), width, 3, look.height // 3)
    letters = drawn(block, width, centred=False)
    high = min(look.height, _even(look.height * 0.14 + letters.height * 1.35))
    alpha = Image.fromarray(
        np.repeat(np.round((1 - np.linspace(0, 1, high) ** 1.5) * 170)[:, None], look.width, 1).astype(np.uint8)
    )
    ground = Image.new("RGBA", alpha.size, "#05070a")
    ground.putalpha(alpha)
    left = (look.width - width) // 2
    top = max(0, round(look.height * 0.1) - block.size)
    ground.alpha_composite(letters, (max(0, left - block.size // 2 * 2), top), (max(0, block.size // 2 * 2 - left), 0))
    line_top = min(high - 2, top + letters.height - block.size + round(short * 0.018))
    rule = (left, line_top, left + round(short * 0.11), line_top + max(2, short // 200))
    if block.rtl:
        rule = (look.width - rule[2], rule[1], look.width - rule[0], rule[3])
    ImageDraw.Draw(ground).rectangle(rule, "#f0b878")
    return Overlay.of(ground, 0, 0)


class Meter:
    """A row of bars in the middle of the foot: each sound begins in its middle, and wanders outwards."""

    def __init__(self, look: Look) -> None:
        short = min(look.width, look.height)
        self._pitch = max(2, _even(short * 0.0145))
        self._thick = max(1, round(self._pitch * 0.46))
        self._high = max(_even(short * _METER), _even(self._pitch))
        self._wide = min(_even(_BARS * self._pitch), look.width // 4 * 2)
        self._left = (look.width - self._wide) // 4 * 2
        self._top = min(_even(look.height * (1 - _FOOT)), look.height) - self._high
        self._columns = [self._bar(height) for height in range(self._high + 1)]

    def draw(self, planes: Planes, levels: Sequence[float]) -> None:
        """Draw it: ``levels`` (0 to 1) are those of this frame and of the ones before it, the newest first."""
        alpha = np.zeros((self._high, self._wide), np.uint16)
        count = self._wide // self._pitch
        middle = (count - 1) / 2
        for bar in range(count):
            away = round(abs(bar - middle))
            level = levels[away] if away < len(levels) else 0.0
            fading = 1 - 0.75 * (away / max(1.0, middle)) ** 1.5
            height = self._thick + round((self._high - self._thick) * level * fading)
            left = bar * self._pitch + (self._wide - count * self._pitch) // 2
            alpha[:, left : left + self._pitch] = self._columns[height]
        for plane, colour, part in zip(planes, (235, 128, 128), (1, 2, 2), strict=True):
            seen = plane[self._top // part :, self._left // part :][: self._high // part, : self._wide // part]
            share = alpha if part == 1 else _halved(alpha)
            seen[...] = (seen * (256 - share) + share * colour) >> 8

    def _bar(self, height: int) -> NDArray[np.uint16]:
        """A bar with round ends, drawn large and made small."""
        fine = 4
        large = Image.new("L", (self._pitch * fine, self._high * fine))
        height = max(height, self._thick)
        left, top = (self._pitch - self._thick) * fine / 2, (self._high - height) * fine / 2
        shape = (left, top, left + self._thick * fine - 1, top + height * fine - 1)
        ImageDraw.Draw(large).rounded_rectangle(shape, self._thick * fine / 2, 235)
        return np.asarray(large.reduce(fine)).astype(np.uint16)


def _laid(letters: Image.Image, look: Look, left: int, top: int) -> Overlay:
    """Letters where they belong, cut where they would leave the picture."""
    left, top = left // 2 * 2, top // 2 * 2
    box = (max(0, -left), max(0, -top), min(letters.width, look.width - left), min(letters.height, look.height - top))
    return Overlay.of(letters.crop(box), max(0, left), max(0, top))


def _halved(alpha: NDArray[np.uint16]) -> NDArray[np.uint16]:
    halved: NDArray[np.uint16] = (
        alpha[::2, ::2] + alpha[1::2, ::2] + alpha[::2, 1::2] + alpha[1::2, 1::2]
    ) >> np.uint16(2)
    return halved


def _even(size: float) -> int:
    return 2 * max(1, round(size / 2))
