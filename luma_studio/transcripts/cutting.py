"""A recording, as it comes, cut at silences into pieces that an engine takes; long silences are left out.

A stretch as long as the longest piece is looked at, and cut in a silence of its second half that is as long as any
there: there the next one begins. No sample is in two pieces, so no word is heard twice, and none is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luma_studio.audio import levels
from luma_studio.audio.clip import Samples
from luma_studio.audio.levels import WINDOWS_PER_SECOND, Levels
from luma_studio.transcripts.base import RATE, Span

_WINDOW = RATE // WINDOWS_PER_SECOND  # samples
_PAUSE = 0.05  # seconds of silence in which one may cut, if there is no longer one
_AS_LONG = 0.8  # of the longest silence: one that is so long does as well, and the last of them is taken
_LONG = 2 * RATE  # samples of silence of which the middle is left out …
_KEPT = RATE // 2  # … but for so many at either side, so that a model hears that somebody pauses
_QUIET = 20  # windows (100 ms): where nothing is silent, the cut is in the middle of the quietest of such
_LEAST = RATE // 2  # samples of a part; vendors refuse those of less than 0.1 s

_Run = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What becomes a piece: ``samples`` at :data:`RATE`, and where in the recording they were."""

    samples: Samples
    spans: tuple[Span, ...]


def parts(sound: Iterable[Samples], longest: float) -> Iterator[Part]:
    """The parts of a sound at :data:`RATE`, of ``longest`` seconds at most; those without any speech are not there.

    ``sound`` comes in arrays of any length; memory holds some parts of it at most.
    """
    most = int(longest * RATE)
    begun: Part | None = None
    for part in _sounding(_stretches(sound, most)):
        if begun is not None and len(begun.samples) + len(part.samples) <= most:
            begun = Part(np.concatenate([begun.samples, part.samples]), _end_to_end(begun.spans, part.spans))
            continue
        if begun is not None:
            yield _filled(begun)
        begun = part
    if begun is not None:
        yield _filled(begun)


def _filled(part: Part) -> Part:
    """The part, with silence after it where it is too short for vendors."""
    missing = max(0, _LEAST - len(part.samples))
    return Part(np.pad(part.samples, (0, missing)), part.spans) if missing else part


def _stretches(sound: Iterable[Samples], most: int) -> Iterator[tuple[int, Samples, NDArray[np.bool_]]]:
    """Stretches of up to ``most`` samples, in order: where each begins, its samples, and which windows sound."""
    waiting: list[Samples] = []
    count = start = 0
    for samples in sound:
        waiting.append(samples)
        count += len(samples)
        while count > most:
            joined = np.concatenate(waiting)
            heard = levels.levels(joined[:most], RATE)
            sounds = levels.sounding(heard)
            cut = _cut(heard, sounds)
            yield start, joined[: cut * _WINDOW], sounds[:cut]
            waiting = [joined[cut * _WINDOW :].copy()]
            start += cut * _WINDOW
            count -= cut * _WINDOW
    if count:
        joined = np.concatenate(waiting)
        yield start, joined, levels.sounding(levels.levels(joined, RATE))


def _cut(heard: Levels, sounds: NDArray[np.bool_]) -> int:
    """The window to cut before: in the middle of the longest silence of the second half, or where it is quietest."""
    half = len(heard) // 2
    silent = _runs(~sounds[half:])
    longest = max((last - first for first, last in silent), default=0)
    if longest >= _PAUSE * WINDOWS_PER_SECOND:
        first, last = next(run for run in reversed(silent) if run[1] - run[0] >= _AS_LONG * longest)
        return half + max(1, (first + last) // 2)
    width = min(_QUIET, len(heard) - half)
    power = np.cumsum(np.power(10.0, heard[half:].astype(np.float64) / 10))
    quietest = int(np.argmin(power[width - 1 :] - np.concatenate([[0.0], power[:-width]])))
    return half + max(1, quietest + width // 2)


def _sounding(stretches: Iterable[tuple[int, Samples, NDArray[np.bool_]]]) -> Iterator[Part]:
    """What of each stretch is to be listened to; nothing of one in which nothing sounds."""
    for start, samples, sounds in stretches:
        spans = _spans(sounds, len(samples))
        if spans:
            kept = np.concatenate([samples[span.first : span.last] for span in spans])
            yield Part(kept, tuple(replace(each, first=start + each.first, last=start + each.last) for each in spans))


def _spans(sounds: NDArray[np.bool_], length: int) -> list[Span]:
    """What is kept of a stretch: all but the middle of long silences, and of its own ends if they are long silences."""
    runs = [(first * _WINDOW, min(last * _WINDOW, length)) for first, last in _runs(sounds)]
    if not runs:
        return []
    first, last = runs[0][0], runs[-1][1]
    lead = _KEPT if first >= _LONG else 0
    tail = _KEPT if length - last >= _LONG else 0
    spans = [Span(first - lead if lead else 0, last + tail if tail else length, lead, tail)]
    for (_, ends), (begins, _) in pairwise(runs):
        if begins - ends >= _LONG:
            before = replace(spans[-1], last=ends + _KEPT, tail=_KEPT)
            spans[-1:] = [before, Span(begins - _KEPT, spans[-1].last, _KEPT, spans[-1].tail)]
    return spans


def _end_to_end(earlier: tuple[Span, ...], later: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans of two parts, of which two that follow on one another are one."""
    left, right = earlier[-1], later[0]
    if left.last != right.first:
        return earlier + later
    return (*earlier[:-1], Span(left.first, right.last, left.lead, right.tail), *later[1:])


def _runs(flags: NDArray[np.bool_]) -> list[_Run]:
    """Runs of True: first, and one after the last."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
