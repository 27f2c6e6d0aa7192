"""The embedded image to video: the camera pans and zooms over a still. Free, offline.

An honest preview: nothing in the picture moves by itself. Of a prompt it knows where the camera goes: a verb (zoom,
dolly, push, pull, pan, tilt, move, slide, track) with a way (in, closer, out, back, away, left, right, up, down), such
as "slowly zoom out" and "pan left, then tilt up"; "static", "still camera" and "no movement" keep it where it is. A way
to the left is the camera's. Without such words it slowly comes closer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import av

from luma_studio.errors import SettingError
from luma_studio.store.ledger import Account
from luma_studio.video import making
from luma_studio.video.base import Made, Motion, Tell, Told
from luma_studio.video.camera import HEADS, Canvas, View, eased
from luma_studio.video.planes import frame_of, planes_of
from luma_studio.video.preview import ENGINE
from luma_studio.video.stills import pixels_of
from luma_studio.video.writing import Form, check_look, write_film

_VERSION = 1
_TICKS = 1000  # in a second: a silent film has no samples to count
_CLOSE = 1.2  # the closest view of a zoom
_PANNING = 1.12  # the view that pans, so that there is room to go
_SPEED = 0.08  # of a frame a second, at most
_MOVE = re.compile(
    r"\b(?:zoom|dolly|push|pull|pan|tilt|move|slide|track)(?:s|ing|ning|ming)?\b"
    r"(?:\W+(?:the|camera|slowly|gently|softly|smoothly|slightly|a|bit|to|towards?)\b){0,6}"
    r"\W+(in|into|closer|out|back|away|left|right|up|upwards?|down|downwards?)\b",
    re.IGNORECASE,
)
_STILL = re.compile(
    r"\b(?:static|still camera|locked|no (?:camera )?(?:movement|motion)|does not move)\b", re.IGNORECASE
)
_ZOOM = {"in": 1, "into": 1, "closer": 1, "out": -1, "back": -1, "away": -1}
_ACROSS = {"left": -1, "right": 1}
_DOWN = {"up": -1, "upward": -1, "upwards": -1, "down": 1, "downward": 1, "downwards": 1}


@dataclass(frozen=True, slots=True)
class Move:
    """Where the camera goes: closer (1), away (-1) or neither (0); to the right (1) or left; down (1) or up."""

    zoom: int = 0
    across: int = 0
    down: int = 0


def move_of(prompt: str) -> Move:
    """What a prompt says of the camera; the last word of a kind wins."""
    ways = [found.lower() for found in _MOVE.findall(prompt)]
    if not ways:
        return Move() if _STILL.search(prompt) else Move(zoom=1)
    last = [[table[way] for way in ways if way in table] for table in (_ZOOM, _ACROSS, _DOWN)]
    zoom, across, down = (found[-1] if found else 0 for found in last)
    return Move(zoom, across, down)


class PreviewImageToVideo:
    """Has a still move on this computer: see ``ImageToVideo``."""

    concurrency = 1

    def identity(self, motion: Motion) -> Mapping[str, Any]:
        """All that decides how the video looks."""
        return {
            "engine": ENGINE,
            "version": _VERSION,
            "photo": dict(motion.photo.identity),
            "seconds": motion.seconds,
            "move": asdict(move_of(motion.prompt)),
            "look": {**asdict(motion.look), "captions": "none"},
        }

    def check(self, motion: Motion) -> None:
        """Raise SettingError for a photo that is not here, a length other than 5 or 10 s, and a look that cannot be."""
        if motion.photo.still is None:
            raise SettingError(
                f"The preview moves pictures that are files here; {motion.photo.name or 'this photo'} is none. "
                "Choose a picture, or a vendor who can fetch it."
            )
        if motion.seconds not in {5, 10}:
            raise SettingError(f"A moving still lasts 5 or 10 seconds, not {motion.seconds}.")
        check_look(motion.look)

    def price(self, motion: Motion) -> Decimal:
        """Nothing."""
        return Decimal(0)

    async def animate(self, motion: Motion, account: Account, into: Path, tell: Tell) -> Made:
        """Make it; the video, without sound, is at ``into`` then.

        Raises SettingError, VideoError, StoreError, Stopped.
        """
        self.check(motion)
        await making.in_thread(lambda told: _animate(motion, into, told), tell)
        message = "The preview moves the camera only; what moves in the picture needs a vendor."
        tell(Told("completed", message, 1.0))
        return Made(status={"move": asdict(move_of(motion.prompt))}, message=message)


def _animate(motion: Motion, into: Path, tell: Tell) -> None:
    assert motion.photo.still is not None  # noqa: S101 - checked
    look = motion.look
    form = Form(look.width, look.height, look.fps, motion.seconds * _TICKS, _TICKS)
    canvas = Canvas.of(pixels_of(motion.photo.still), look, _CLOSE)
    first, last = _way(move_of(motion.prompt), canvas, motion.seconds)

    def frame(number: int) -> av.VideoFrame:
        drawn = frame_of(look.width, look.height)
        canvas.show(_between(first, last, eased(number / max(1, form.frames - 1))), planes_of(drawn))
        return drawn

    done = making.counting(tell, form.frames, "Moving the camera.")
    write_film(into, making.drawn_ahead(frame, form.frames), form, done)


def _way(move: Move, canvas: Canvas, seconds: int) -> tuple[View, View]:
    """Where the camera begins and ends: no faster than is pleasant, however wide the picture is."""
    wide, close = (_PANNING, _PANNING) if move.across or move.down else (1.0, 1.0)
    if move.zoom:
        close = _CLOSE
    zooms = (close, wide) if move.zoom < 0 else (wide, close)
    across, down = (
        _reach(room, min(zooms), seconds) * way / 2
        for room, way in zip(canvas.room, (move.across, move.down), strict=True)
    )
    middle = 0.5 if move.down else HEADS
    return View(zooms[0], 0.5 - across, middle - down), View(zooms[1], 0.5 + across, middle + down)


def _reach(room: float, zoom: float, seconds: int) -> float:
    """The part of the way from end to end that is gone in so many seconds."""
    there = room + 1 - 1 / zoom
    return min(1.0, _SPEED * seconds / there) if there > 0 else 0.0


def _between(first: View, last: View, share: float) -> View:
    """A view on the way; zoom goes by ratios, which look even."""
    return View(
        first.zoom * (last.zoom / first.zoom) ** share,
        first.across + (last.across - first.across) * share,
        first.down + (last.down - first.down) * share,
    )
