"""How loud a voice is from frame to frame, as something that moves: from 0 (silent) to 1 (loud)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from luma_studio.audio.clip import Samples
from luma_studio.audio.levels import WINDOWS_PER_SECOND, LevelMeter, speech_level

_RANGE = 22.0  # dB below loud speech at which it counts as silent
_BEND = 1.4  # above 1: what is a little louder moves a lot more
_FAINT = -50.0  # dB re full scale: what is no louder on the whole is no voice
_OVER = 3.0  # dB that loud speech is above its mean

Course = NDArray[np.float32]


def voice_levels(pieces: Iterable[Samples], rate: int, fps: int, frames: int) -> Course:
    """A level a frame, of a sound that comes in pieces of int16."""
    meter = LevelMeter(rate)
    for piece in pieces:
        meter.feed(piece)
    levels = meter.levels()
    heard = _by_frame(levels, fps, frames)
    loud = max(speech_level(levels), _FAINT) + _OVER
    course: Course = (np.clip((heard - loud) / _RANGE + 1, 0, 1) ** _BEND).astype(np.float32)
    return course


def softened(levels: Course, fps: int, fall: float, rise: float = 0.03) -> Course:
    """The levels as something heavy follows them: ``rise`` and ``fall`` are seconds to go two thirds of the way."""
    up, down = (1 - np.exp(-1 / (fps * seconds)) for seconds in (rise, fall))
    followed = np.empty_like(levels)
    at = 0.0
    for index, level in enumerate(levels.tolist()):
        at += (level - at) * (up if level > at else down)
        followed[index] = at
    return followed


def _by_frame(levels: NDArray[np.float32], fps: int, frames: int) -> NDArray[np.float64]:
    """The mean level while each frame is seen."""
    ends = np.arange(1, frames + 1) * WINDOWS_PER_SECOND // fps
    padded = np.pad(levels, (0, max(0, int(ends[-1]) - len(levels))), "edge").astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    starts = np.concatenate([[0], ends[:-1]])
    means: NDArray[np.float64] = (sums[ends] - sums[starts]) / (ends - starts)
    return means
