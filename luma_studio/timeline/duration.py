"""Durations as people write them, and samples."""

from __future__ import annotations

import math
import re

from luma_studio.errors import SettingError
from luma_studio.script.pauses import LONGEST_NOTE, LONGEST_PAUSE, Timed, read_note

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):([0-5]?\d(?:\.\d{1,9})?)")
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s{0,9}(?:s|sec|seconds)?")
_SAMPLES = re.compile(r"(\d{1,15})\s{0,9}samples")
_MOST = 24 * 3600  # seconds
_SHOWN = 40  # characters of what cannot be read


def samples_of(duration: str | float, rate: int) -> int:
    """Samples in a duration: ``"10:00"``, ``"1:02:03.5"``, seconds (``600``), or ``"26460000 samples"``.

    What a script accepts as a pause's time is read as there: ``"10 min"``, ``"1,5 min"``, ``"१०:००"``, ``"1m 30s"``.
    Raises SettingError for anything else, ranges too, and from a day on.
    """
    count = _count(duration, rate)
    if count is None:
        shown = duration if len(str(duration)) <= _SHOWN else f"{str(duration)[:_SHOWN]}…"
        what = f"{shown!r} is not a duration. " if str(duration).strip() else ""
        raise SettingError(f"{what}Write how long it is to last: 10:00, 10 min or 600 (seconds).")
    if count >= _MOST * rate:
        raise SettingError("A day is too long. Write minutes and seconds as 10:00.")
    return count


def _count(duration: str | float, rate: int) -> int | None:
    """Samples, or None for what cannot be read."""
    if isinstance(duration, int | float):
        return round(min(duration, 2.0 * _MOST) * rate) if duration >= 0 else None
    text = duration.strip().lower()
    if match := _SAMPLES.fullmatch(text):
        return int(match[1])
    if match := _CLOCK.fullmatch(text):
        return round((int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3])) * rate)
    if match := _SECONDS.fullmatch(text):
        return round(float(match[1]) * rate)
    return _noted(text, rate)


def _noted(text: str, rate: int) -> int | None:
    """Samples in what a script's note about a pause would ask for; None for no note, and for a range."""
    if len(text) > LONGEST_NOTE:
        return None
    note = read_note(text) or (read_note(f"{text} s") if text[:1].isdecimal() else None)
    if not isinstance(note, Timed) or note.least is not None:
        return None
    if note.seconds >= LONGEST_PAUSE:  # what is longer was cut to that
        return _MOST * rate
    return round(note.seconds * rate)


def clock(samples: int, rate: int) -> str:
    """A count of samples as people read it: ``9:59.500``, ``1:02:03.500``."""
    milliseconds = math.floor(samples * 1000 / rate + 0.5)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{seconds:02}.{milliseconds:03}"
