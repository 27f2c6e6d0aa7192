"""The embedded talking photo: the still, moving slowly and with the voice, a meter of it, and captions. Free, offline.

An honest preview: it shows who speaks, when and for how long, and moves no lips.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import av

from luma_studio.audio.codec import decode
from luma_studio.errors import SettingError
from luma_studio.store.ledger import Account
from luma_studio.video import making
from luma_studio.video.base import Captions, Made, Shot, Tell, Told
from luma_studio.video.camera import HEADS, Canvas, View
from luma_studio.video.drawing import Captions as DrawnCaptions
from luma_studio.video.drawing import Meter, shade
from luma_studio.video.lettering import writings_missing
from luma_studio.video.planes import frame_of, planes_of
from luma_studio.video.stills import pixels_of
from luma_studio.video.voice_level import Course, softened, voice_levels
from luma_studio.video.writing import Form, check_look, check_sound, exactly, write_film

ENGINE = "preview"
_VERSION = 1
_CLOSER = 0.075  # how much the camera comes closer on its way
_BREATH = 26.0  # seconds to come closer and go back
_BEGUN = 0.1  # of that is over when a scene begins: it begins in motion
_SWAY = 0.015  # of a frame, to either side
_VOICE = 0.022  # how much closer a loud voice brings it
_CLOSEST = 1 + _CLOSER + _VOICE


class PreviewTalkingPhoto:
    """Films a scene on this computer: see ``TalkingPhoto``."""

    concurrency = 1  # a film takes both cores

    def identity(self, shot: Shot) -> Mapping[str, Any]:
        """All that decides how the video looks and sounds."""
        captions = captions_of(shot)
        return {
            "engine": ENGINE,
            "version": _VERSION,
            "photo": shot.photo.still.digest if shot.photo.still else "",
            "sound": [shot.sound.digest, shot.sound.length, shot.sound.rate],
            "look": {**asdict(shot.look), "captions": captions},
            "cues": [] if captions == "none" else [[cue.start, cue.end, list(cue.lines)] for cue in shot.cues],
            "language": shot.language,
        }

    def check(self, shot: Shot) -> None:
        """Raise SettingError for a photo that is not here, and for sizes, rates and colours that no film can have."""
        if shot.photo.still is None:
            raise SettingError(
                f"The preview films pictures that are files here; {shot.photo.name or 'this photo'} is none. "
                "Choose a picture, or film with the vendor who has it."
            )
        check_look(shot.look)
        check_sound(shot.sound)

    def price(self, shot: Shot) -> Decimal:
        """Nothing."""
        return Decimal(0)

    async def film(self, shot: Shot, account: Account, into: Path, tell: Tell) -> Made:
        """Film it; the video is at ``into`` then. Raises SettingError, AudioError, VideoError, StoreError, Stopped."""
        self.check(shot)
        await making.in_thread(lambda told: _film(shot, into, told), tell)
        captions, message = captions_of(shot), captions_message(shot)
        tell(Told("completed", message, 1.0))
        return Made(status={"captions": captions}, message=message)


def captions_of(shot: Shot) -> Captions:
    """How a scene's video will have its captions: in a track where no installed font can draw them."""
    wanted = shot.look.captions
    return "track" if wanted == "burned" and _missing(shot) else wanted


def captions_message(shot: Shot) -> str:
    """Why captions are not drawn that were to be, in a sentence; "" where they are."""
    return no_font(_missing(shot)) if shot.look.captions == "burned" else ""


def no_font(writings: str) -> str:
    """That no font has the letters of some writings, as a sentence; "" for none."""
    if not writings:
        return ""
    return (
        f"No installed font has the letters of {writings}: the captions are in a track, to be switched on in the "
        "player. Install a font that has them, such as Noto Sans, and film again."
    )


def _missing(shot: Shot) -> str:
    return writings_missing(line for cue in shot.cues for line in cue.lines)


def _film(shot: Shot, into: Path, tell: Tell) -> None:
    look, sound, captions = shot.look, shot.sound, captions_of(shot)
    form = Form(
        look.width,
        look.height,
        look.fps,
        sound.length,
        sound.rate,
        sound,
        shot.cues if captions == "track" else (),
        shot.language,
    )
    tell(Told("processing", "Listening to the scene.", 0.0))
    levels = voice_levels(exactly(decode(sound.path, sound.rate), sound.length), sound.rate, look.fps, form.frames)
    scene = _Scene(shot, levels, burned=captions == "burned")
    done = making.counting(tell, form.frames, "Filming.")
    write_film(into, making.drawn_ahead(scene.frame, form.frames), form, done)


class _Scene:
    """A scene's frames, each drawn by its number alone."""

    def __init__(self, shot: Shot, levels: Course, *, burned: bool) -> None:
        assert shot.photo.still is not None  # noqa: S101 - checked
        look = shot.look
        self._look = look
        self._canvas = Canvas.of(pixels_of(shot.photo.still), look, _CLOSEST)
        self._body = softened(levels, look.fps, fall=0.5, rise=0.12)
        self._bars = softened(levels, look.fps, fall=0.06)
        self._shade, self._meter = shade(look), Meter(look)
        self._captions = DrawnCaptions(shot.cues if burned else (), look)

    def frame(self, number: int) -> av.VideoFrame:
        """Draw a frame."""
        look = self._look
        frame = frame_of(look.width, look.height)
        planes = planes_of(frame)
        second = number / look.fps
        self._canvas.show(self._view(second, float(self._body[number])), planes)
        self._shade.draw(planes)
        self._meter.draw(planes, self._bars[max(0, number - 15) : number + 1][::-1].tolist())
        self._captions.draw(planes, second)
        return frame

    def _view(self, second: float, voice: float) -> View:
        """Closer and back in many seconds, with a slow sway; and a little closer while the voice is loud."""
        way = (1 - math.cos(math.tau * (second / _BREATH + _BEGUN))) / 2
        sway = math.sin(math.tau * second / (2.3 * _BREATH))
        zoom = 1 + _CLOSER * way + _VOICE * voice
        return View(zoom, 0.5 + sway * self._canvas.share(_SWAY, zoom), HEADS)
