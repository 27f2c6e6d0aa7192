"""From takes and pauses to a timeline: where every clip and every silence lies, in whole samples.

A pure function; tuning a pause calls it again and nothing else. Per clause a few array operations, so that an hour is
laid out in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luma_studio.errors import counted
from luma_studio.script.model import Pause, Script
from luma_studio.settings import Sound
from luma_studio.timeline.duration import clock
from luma_studio.timeline.take import Take

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SceneSpan:
    """A scene as the timeline needs it: clauses ``first`` up to ``last`` (exclusive), and its own silence."""

    id: str
    title: str
    first: int
    last: int
    lead_in_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PlacedScene:
    """Where a scene lies: clauses ``first`` up to ``last``, samples ``start`` up to ``end`` (both exclusive)."""

    id: str
    title: str
    first: int
    last: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Where each take and each silence lies. All arrays have one entry a clause and count samples.

    ``speech_start``/``speech_end``: first and last sound; ``clip_start``/``clip_end``: what is kept of the take around
    it (its lead-in and tail); ``offset``: where in the take the clip begins; ``pauses``: asked for after the clause.
    """

    rate: int
    takes: tuple[Take, ...]
    pauses: Positions
    speech_start: Positions
    speech_end: Positions
    clip_start: Positions
    clip_end: Positions
    offset: Positions
    scenes: tuple[PlacedScene, ...]
    length: int

    def __repr__(self) -> str:
        return f"<Timeline: {counted(len(self.takes), 'clause')}, {clock(self.length, self.rate)}>"

    def part(self, scene: PlacedScene) -> Timeline:
        """One scene as a timeline of its own, beginning at 0."""
        which = slice(scene.first, scene.last)
        alone = replace(scene, first=0, last=scene.last - scene.first, start=0, end=scene.end - scene.start)
        return Timeline(
            self.rate,
            self.takes[which],
            self.pauses[which],
            self.speech_start[which] - scene.start,
            self.speech_end[which] - scene.start,
            self.clip_start[which] - scene.start,
            self.clip_end[which] - scene.start,
            self.offset[which],
            (alone,),
            scene.end - scene.start,
        )


def spans_of(script: Script) -> tuple[SceneSpan, ...]:
    """The scenes of a script that have clauses."""
    spans = []
    first = 0
    for scene in script.scenes:
        if scene.clauses:
            last = first + len(scene.clauses)
            spans.append(SceneSpan(scene.id, scene.name, first, last, scene.lead_in_seconds))
            first = last
    return tuple(spans)


def in_samples(pauses: Sequence[Pause], rate: int) -> Positions:
    """Pauses in whole samples."""
    seconds = np.fromiter((pause.seconds for pause in pauses), np.float64, len(pauses))
    return np.rint(seconds * rate).astype(np.int64)


def arrange(
    takes: Sequence[Take], pauses: Sequence[Pause], scenes: Sequence[SceneSpan], sound: Sound | None = None
) -> Timeline:
    """Lay out one take and one pause a clause. A pause runs from the last sound of a clause to the first of the next.

    ``scenes`` cover the clauses in order, without gaps; all takes are at ``sound``'s rate.
    """
    sound = sound or Sound()
    rate = sound.sample_rate
    asked = in_samples(pauses, rate)
    if not len(takes):
        empty = np.zeros(0, np.int64)
        return Timeline(rate, (), empty, empty, empty, empty, empty, empty, (), 0)
    take_start, take_end, take_length = _bounds(takes)
    lead = np.minimum(take_start, round(sound.lead_in * rate))
    tail = np.minimum(take_length - take_end, round(sound.tail * rate))
    lead_in = np.zeros(len(takes), np.int64)
    lead_in[[scene.first for scene in scenes]] = [round(scene.lead_in_seconds * rate) for scene in scenes]

    before = lead_in.copy()  # silence from the last sound to this clause's first
    before[1:] += asked[:-1]
    before[0] = max(before[0], lead[0])  # the very first and last clip keep their edges whole
    after = max(int(asked[-1]), int(tail[-1]))
    lead, tail = _shared(before, after, lead, tail)

    spoken = take_end - take_start
    speech_end = np.cumsum(before + spoken)
    speech_start = speech_end - spoken
    length = int(speech_end[-1]) + after
    return Timeline(
        rate=rate,
        takes=tuple(takes),
        pauses=asked,
        speech_start=speech_start,
        speech_end=speech_end,
        clip_start=speech_start - lead,
        clip_end=speech_end + tail,
        offset=take_start - lead,
        scenes=_placed(scenes, speech_start - np.maximum(lead_in, lead), speech_end + tail, length),
        length=length,
    )


def _bounds(takes: Sequence[Take]) -> tuple[Positions, Positions, Positions]:
    table = np.array([(take.speech_start, take.speech_end, take.length) for take in takes], np.int64)
    return table[:, 0], table[:, 1], table[:, 2]


def _shared(before: Positions, after: int, lead: Positions, tail: Positions) -> tuple[Positions, Positions]:
    """Lead-ins and tails shortened where a silence is too short for both."""
    gaps = np.append(before[1:], after)  # the silence after each clause
    next_lead = np.append(lead[1:], 0)
    tail = np.minimum(tail, gaps - np.minimum(next_lead, gaps // 2))
    lead = np.minimum(lead, before - np.concatenate([[0], tail[:-1]]))
    return lead, tail


def _placed(
    scenes: Sequence[SceneSpan], starts: Positions, clip_end: Positions, length: int
) -> tuple[PlacedScene, ...]:
    """A scene begins with its own silence, but not before the last clip of the scene before has ended."""
    edges = [0, *(int(max(starts[scene.first], clip_end[scene.first - 1])) for scene in scenes[1:]), length]
    return tuple(
        PlacedScene(scene.id, scene.title, scene.first, scene.last, start, end)
        for scene, (start, end) in zip(scenes, pairwise(edges), strict=True)
    )
