"""The embedded assembly: scenes' videos over the master's sound, with crossfades, titles, captions and chapters. Free.

Each picture of the film is looked up by its own time in samples, in the scene that is heard then: nothing adds up, so
nothing drifts. A video that ends too early holds its last picture, one that is too long is cut. A crossfade has its
middle where one scene ends and the next begins: the one before goes on, or holds its last picture; the one after holds
its first. At most half of either scene is faded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

from luma_studio.audio.codec import Chapter
from luma_studio.errors import SettingError
from luma_studio.store.ledger import Account
from luma_studio.timeline.captions import Cue
from luma_studio.video import drawing, making
from luma_studio.video.base import Captions, Cut, Made, Part, Tell, Told
from luma_studio.video.camera import eased
from luma_studio.video.lettering import writings_missing
from luma_studio.video.planes import Overlay, Planes, frame_of, mixed, planes_of
from luma_studio.video.preview import ENGINE, no_font
from luma_studio.video.showing import Reel
from luma_studio.video.writing import Form, check_look, check_sound, write_film

_VERSION = 1
_FADE = 0.4  # seconds in which a title comes and goes
_LONGEST_FADE = 5.0
_LONGEST_CARD = 30.0


class PreviewAssembly:
    """Puts a film together on this computer: see ``Assembly``."""

    def identity(self, cut: Cut) -> Mapping[str, Any]:
        """All that decides how the film looks and sounds."""
        return {
            "engine": ENGINE,
            "version": _VERSION,
            "title": cut.title,
            "parts": [[each.title, each.digest, each.start, each.length, each.captions] for each in cut.parts],
            "sound": [cut.sound.digest, cut.sound.length, cut.sound.rate],
            "cues": [] if cut.look.captions == "none" else [[cue.start, cue.end, list(cue.lines)] for cue in cut.cues],
            "language": cut.language,
            "look": {**asdict(cut.look), "captions": captions_of(cut)},
            "crossfade": cut.crossfade,
            "card": cut.card if not _titles_missing(cut) else 0,
        }

    def check(self, cut: Cut) -> None:
        """Raise SettingError for a film without scenes, scenes out of order, and what no film can have."""
        check_look(cut.look)
        check_sound(cut.sound)
        if not cut.parts:
            raise SettingError("There is no scene to put into the film. Film the scenes first.")
        end = 0
        for part in cut.parts:
            if part.start < end or part.length < 0:
                raise SettingError(f"The scene {part.scene} begins before the one before it ends. Arrange them anew.")
            end = part.start + part.length
        if end > cut.sound.length:
            raise SettingError("The scenes are longer than the film's sound. Export the master anew.")
        if not 0 <= cut.crossfade <= _LONGEST_FADE:
            raise SettingError(f"A crossfade lasts from 0 to {_LONGEST_FADE:g} seconds, not {cut.crossfade:g}.")
        if not 0 <= cut.card <= _LONGEST_CARD:
            raise SettingError(f"A title stands from 0 to {_LONGEST_CARD:g} seconds, not {cut.card:g}.")

    def price(self, cut: Cut) -> Decimal:
        """Nothing."""
        return Decimal(0)

    async def assemble(self, cut: Cut, account: Account, into: Path, tell: Tell) -> Made:
        """Put it together; the film is at ``into`` then.

        Raises SettingError, AudioError, VideoError, StoreError, Stopped.
        """
        self.check(cut)
        await making.in_thread(lambda told: _assemble(cut, into, told), tell)
        captions, message = captions_of(cut), captions_message(cut)
        tell(Told("completed", message, 1.0))
        return Made(status={"captions": captions}, message=message)


def captions_of(cut: Cut) -> Captions:
    """How a film will have its captions: in a track where some are to be drawn that no installed font can draw."""
    return "track" if cut.look.captions == "burned" and _missing(cut) else cut.look.captions


def captions_message(cut: Cut) -> str:
    """What could not be drawn, in a sentence or two; "" where all is as it was to be."""
    captions = no_font(_missing(cut)) if cut.look.captions == "burned" else ""
    titles = _titles_missing(cut)
    missing = f"No installed font has the letters of {titles}: those titles are in the chapters only." if titles else ""
    return " ".join(filter(None, (captions, missing)))


def _missing(cut: Cut) -> str:
    return writings_missing(line for cue in _undrawn(cut) for line in cue.lines)


def _titles_missing(cut: Cut) -> str:
    return writings_missing(part.title for part in cut.parts) if cut.card else ""


def _undrawn(cut: Cut) -> tuple[Cue, ...]:
    """The captions that are in no scene's picture yet."""
    starts = [part.start for part in cut.parts]
    return tuple(cue for cue in cut.cues if cut.parts[_index(starts, cue.start * cut.sound.rate)].captions != "burned")


def _index(starts: list[int], sample: float) -> int:
    """Which scene is seen at a sample: the last one that has begun."""
    return max(0, bisect_right(starts, sample) - 1)


def _assemble(cut: Cut, into: Path, tell: Tell) -> None:
    look, sound, captions = cut.look, cut.sound, captions_of(cut)
    track = {"burned": (), "none": (), "track": cut.cues if look.captions == "track" else _undrawn(cut)}[captions]
    form = Form(
        look.width,
        look.height,
        look.fps,
        sound.length,
        sound.rate,
        sound,
        track,
        cut.language,
        _chapters(cut),
        cut.title,
    )
    tell(Told("processing", "Opening the scenes' videos.", 0.0))
    with _Film.opened(cut, burned=captions == "burned") as film:
        done = making.counting(tell, form.frames, "Putting the film together.")
        write_film(into, making.drawn_ahead(film.frame, form.frames, threads=1), form, done)


def _chapters(cut: Cut) -> tuple[Chapter, ...]:
    return tuple(Chapter(part.start, part.start + part.length, _called(part)) for part in cut.parts if part.length)


def _called(part: Part) -> str:
    return part.title.strip() or part.scene.replace("_", " ").capitalize()


class _Film:
    """A film's frames, drawn one after the other; at most two videos are open at a time."""

    @classmethod
    @contextmanager
    def opened(cls, cut: Cut, *, burned: bool) -> Iterator[_Film]:
        """A film whose videos are closed in the end."""
        film = cls(cut, burned=burned)
        try:
            yield film
        finally:
            film.close()

    def __init__(self, cut: Cut, *, burned: bool) -> None:
        self._cut = cut
        self._starts = [part.start for part in cut.parts]
        self._reels: dict[int, Reel] = {}
        cues = _undrawn(cut) if burned else ()
        self._captions = drawing.Captions(cues, cut.look)
        self._shade = drawing.shade(cut.look)
        self._shades = [float(bool(cues) and part.captions != "burned") for part in cut.parts]
        self._title = lru_cache(maxsize=2)(self._drawn_title)

    def close(self) -> None:
        """Let all videos go."""
        for reel in self._reels.values():
            reel.close()
        self._reels.clear()

    def frame(self, number: int) -> av.VideoFrame:
        """Draw a frame; each follows the one before it."""
        look = self._cut.look
        frame = frame_of(look.width, look.height)
        planes, second = planes_of(frame), Fraction(number, look.fps)
        index, other, share = self._seen(second)
        for plane, shown in zip(planes, self._shown(index, second), strict=True):
            plane[...] = shown
        if share:
            mixed(planes, self._shown(other, second), share)
        if shade := self._shades[index] * (1 - share) + self._shades[other] * share:
            (self._shade if shade == 1 else self._shade.faded(shade)).draw(planes)
        self._draw_title(index, float(second), planes)
        self._captions.draw(planes, float(second))
        return frame

    def _seen(self, second: Fraction) -> tuple[int, int, float]:
        """Which scene is seen, which one is faded to, and how much of that is seen."""
        sample = second * self._cut.sound.rate
        index = _index(self._starts, float(sample))
        for boundary in (index, index + 1):
            if 0 < boundary < len(self._starts) and (half := self._half_fade(boundary)):
                share = float((sample - self._starts[boundary]) / (2 * half)) + 0.5
                if 0 < share < 1:
                    return boundary - 1, boundary, eased(share)
        self._let_go(index)
        return index, index, 0.0

    def _half_fade(self, boundary: int) -> Fraction:
        """Half of the crossfade between a scene and the one before it, in samples."""
        parts, rate = self._cut.parts, self._cut.sound.rate
        shorter = min(parts[boundary - 1].length, parts[boundary].length)
        return min(Fraction(self._cut.crossfade) * rate, Fraction(shorter)) / 2

    def _shown(self, index: int, second: Fraction) -> Planes:
        part = self._cut.parts[index]
        if index not in self._reels:
            self._reels[index] = Reel(part.video, self._cut.look, part.scene)
        return self._reels[index].at(second - Fraction(part.start, self._cut.sound.rate))

    def _let_go(self, index: int) -> None:
        """Close what is not seen any more."""
        for past in [each for each in self._reels if each < index]:
            self._reels.pop(past).close()

    def _draw_title(self, index: int, second: float, planes: Planes) -> None:
        """A scene's title comes and goes softly; it never stands longer than its scene."""
        part, rate = self._cut.parts[index], self._cut.sound.rate
        lasting = min(self._cut.card, part.length / rate)
        since = second - part.start / rate
        if not 0 <= since < lasting or (overlay := self._title(index)) is None:
            return
        share = min(1.0, since / _FADE, (lasting - since) / _FADE)
        (overlay if share == 1 else overlay.faded(eased(share))).draw(planes)

    def _drawn_title(self, index: int) -> Overlay | None:
        title = self._cut.parts[index].title
        return None if not title.strip() or writings_missing([title]) else drawing.title(title, self._cut.look)
