"""Durations as people write them, and samples."""

from __future__ import annotations

import math
import re

from luma_studio.errors import SettingError

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):([0-5]?\d(?:\.\d{1,9})?)")
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s{0,9}(?:s|sec|seconds)?")
_SAMPLES = re.compile(r"(\d{1,15})\s{0,9}samples")
_MOST = 24 * 3600  # seconds


def samples_of(duration: str | float, rate: int) -> int:
    """Samples in a duration: ``"10:00"``, ``"1:02:03.5"``, seconds (``600``, ``"600 s"``) or ``"26460000 samples"``.

    Raises SettingError for anything else, and beyond a day.
    """
    count = _count(duration, rate)
    if count is None:
        raise SettingError(f"{duration!r} is not a duration. Write it as 10:00, 600 (seconds) or 26460000 samples.")
    if count > _MOST * rate:
        raise SettingError(f"{duration!r} is longer than a day. Write minutes and seconds as 10:00.")
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
    return None


def clock(samples: int, rate: int) -> str:
    """A count of samples as people read it: ``9:59.500``, ``1:02:03.500``."""
    milliseconds = math.floor(samples * 1000 / rate + 0.5)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{seconds:02}.{milliseconds:03}"
