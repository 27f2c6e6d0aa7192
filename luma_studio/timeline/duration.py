"""Durations as people write them, and samples."""

from __future__ import annotations

import math
import re

from luma_studio.errors import SettingError

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,9})?)")
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s{0,9}(?:s|sec|seconds)?")
_SAMPLES = re.compile(r"(\d{1,15})\s{0,9}samples")
_MOST = 24 * 3600  # seconds


def samples_of(duration: str | float, rate: int) -> int:
    """Samples in a duration: ``"10:00"``, ``"1:02:03.5"``, seconds (``600``, ``"600 s"``) or ``"26460000 samples"``.

    Raises SettingError for anything else, and beyond a day.
    """
    text = str(duration).strip().lower()
    if match := _SAMPLES.fullmatch(text):
        count = int(match[1])
    elif match := _CLOCK.fullmatch(text):
        count = round((int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3])) * rate)
    elif match := _SECONDS.fullmatch(text):
        count = round(float(match[1]) * rate)
    else:
        raise SettingError(f"{duration!r} is not a duration. Write it as 10:00, 600 (seconds) or 26460000 samples.")
    if count > _MOST * rate:
        raise SettingError(f"{duration!r} is longer than a day. Write minutes and seconds as 10:00.")
    return count


def clock(samples: int, rate: int) -> str:
    """A count of samples as people read it: ``9:59.500``, ``1:02:03.500``."""
    milliseconds = math.floor(samples * 1000 / rate + 0.5)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{seconds:02}.{milliseconds:03}"
